"""The pure modules and the rows write their states in the same words."""

from __future__ import annotations

from console.interruptions import lifecycle, tracks
from console.interruptions.models import words


def test_rows_and_partition_use_the_same_words() -> None:
    assert [state.value for state in lifecycle.State] == list(words.State.values)
    assert [known.value for known in tracks.KnownBy] == list(words.KnownBy.values)
