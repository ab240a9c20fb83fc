"""Sixty reclaims on three clouds, each told by three to six channels, are sixty interruptions."""

from __future__ import annotations

import pytest

from console.alerts import pipeline as alerting
from tests.ingest.hearing import HOUR, at, record, store
from tests.reclaims.judging import judge
from tests.reclaims.telling import messages, stream

pytestmark = pytest.mark.django_db(transaction=True)

RECLAIMS = 60
LATER = 24 * HOUR


@pytest.mark.parametrize(("seed", "together"), [(1, 2_000), (2, 40), (3, 3)])
def test_every_reclaim_is_one_interruption_with_all_its_witnesses(seed: int, together: int) -> None:
    told = stream(RECLAIMS, seed=seed)
    heard = messages(told)
    for start in range(0, len(heard), together):
        store(heard[start : start + together])
        record(seconds=LATER)
    alerting.alert(now=at(LATER))
    verdict = judge(told)
    assert (verdict.told, verdict.found) == (RECLAIMS, RECLAIMS)
    assert not verdict.lost
    assert not verdict.splits
    assert not verdict.wrong_merges
    assert not verdict.miscounted
