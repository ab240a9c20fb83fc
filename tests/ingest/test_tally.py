"""What is counted of repeats: that their machines were spoken of, and that those who report live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from console.feeds.normalised import ParseContext, Reading
from console.feeds.reading import read_body
from console.ingest.directory import KnownFeed
from console.ingest.tally import Tally, _touch_columns
from tests.ingest.cloud_messages import document, listed, metadata
from tests.ingest.hearing import Message, at

FEED = KnownFeed(1, "f", "gcp-metadata", "live", "", "", "", False, {})


def repeated(message: Message, *, kind: str, later: float) -> dict[str, Any]:
    """By machine: when it was alive, after the message came once more."""
    body = read_body(
        message.body.encode(), kind=kind, content_type="application/json", headers={},
        context=ParseContext(), received_at=at(later),
    )  # fmt: skip
    tally = Tally(pool=None)  # type: ignore[arg-type]
    assert isinstance(body.items[0].outcome, Reading)
    tally.saw_again(FEED, body.items[0].outcome, now=at(later))
    told: Any = _touch_columns(tally._touched)
    readings = [msgspec.json.decode(line, type=Reading) for line in told[3]]
    return {
        one.machine.instance_id: one.heartbeat_at
        for one in readings
        if one.machine and one.machine.instance_id
    }


@pytest.mark.parametrize("later", [60.0, 3600.0])
def test_the_same_answer_polled_again_is_a_new_sign_of_life(later: float) -> None:
    told = repeated(metadata(0, word="FALSE", machine="111"), kind="gcp-metadata", later=later)
    assert told == {"111": at(0) + timedelta(seconds=later)}


def test_of_a_document_told_again_only_its_reporter_is_known_to_live() -> None:
    told = repeated(
        document(0, listed("checkout-8", until=600), number=1), kind="azure-scheduled-events", later=60
    )
    assert told == {"checkout-8": None, "checkout-7": at(60)}
