"""Counts from Prometheus: asked for each minute, and after a gap for every minute that was missed.

| step | why twice is harmless |
| --- | --- |
| claim the objective | compare-and-set on `next_poll_at`; whoever dies with it loses it when the lease runs out |
| ask, a day at a time, oldest first | reads only |
| store a day, move `polled_until` on | one transaction; only while the claim and the objective's version still hold |
| look at the last minutes again | samples may come late; the later word of a minute wins |
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from console.slo.budget import PERIOD
from console.slo.counting import Key, exact, write_counts
from console.slo.error_spike import BEFORE_SINCE, minute_of
from console.slo.models import Objective
from console.slo.prometheus import CannotAsk, ask

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
LEASE = timedelta(minutes=3)
SETTLES = timedelta(seconds=30)
"""So long after a minute its samples are there."""
AGAIN = timedelta(minutes=5)
"""So far back is asked again each time."""
BACK = PERIOD + BEFORE_SINCE
"""So far back is asked for at all: a period, and the baseline of its first episode."""
CHUNK = timedelta(days=1)
WORKS_FOR = 20.0
"""Seconds on one objective, then others have their turn: what is left is asked for by the next bell."""
LONGEST_WAIT = timedelta(minutes=15)
ERROR_LENGTH = 500


def poll(*, now: datetime) -> int:
    """Ask for everything that is due; how many objectives were asked for."""
    count = 0
    for one in _due(now=now):
        claim = _claim(one, now=now)
        if claim is not None:
            _work(claim, now=now)
            count += 1
    return count


@dataclass(frozen=True, slots=True)
class Claim:
    """An objective that is this worker's until the lease runs out."""

    objective: Objective
    lease: datetime


def _due(*, now: datetime) -> Iterator[Objective]:
    due = Objective.objects.active().due(now=now).select_related("server").order_by("next_poll_at", "pk")
    yield from due[:100]


def _claim(one: Objective, *, now: datetime) -> Claim | None:
    lease = now + LEASE
    mine = Objective.objects.filter(pk=one.pk, next_poll_at=one.next_poll_at).update(next_poll_at=lease)
    return Claim(one, lease) if mine else None


def stretches(polled_until: datetime | None, *, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """What is to be asked for, a day at most each, the oldest first."""
    until = minute_of(now - SETTLES)
    since = until - BACK
    if polled_until is not None:
        since = max(since, min(polled_until, until) - AGAIN)
    while since < until:
        end = min(since + CHUNK, until)
        yield since, end
        since = end


def _work(claim: Claim, *, now: datetime) -> None:
    one, began = claim.objective, time.monotonic()
    try:
        for since, until in stretches(one.polled_until, now=now):
            counts = read_counts(one, since=since, until=until)
            if not _store(claim, counts, until=until):
                return
            if time.monotonic() - began > WORKS_FOR:
                _let_go(claim, {"next_poll_at": now})
                return
    except CannotAsk as error:
        _failed(claim, str(error), now=now)
        return
    _let_go(claim, {"next_poll_at": now + EVERY})


def read_counts(one: Objective, *, since: datetime, until: datetime) -> dict[Key, tuple[float, float]]:
    """Minutes of which both queries know something. Good is at most all: `increase()` guesses at the edges."""
    if one.server is None:
        raise CannotAsk("It has no Prometheus to ask.")
    totals = ask(one.server, one.total_query, since=since, until=until)
    goods = ask(one.server, one.good_query, since=since, until=until)
    return {
        (one.service_id, one.pk, minute): (exact(max(0.0, min(goods[minute], total))), exact(max(0.0, total)))
        for minute, total in totals.items()
        if minute in goods
    }


def _store(claim: Claim, counts: Mapping[Key, tuple[float, float]], *, until: datetime) -> bool:
    """False: it was changed, ended or taken over meanwhile, and what was asked for is no answer any more."""
    with transaction.atomic():
        row = _held(claim).select_for_update().first()
        if row is None:
            return False
        write_counts(counts, origin=row.origin)
        row.polled_until = until
        row.poll_failed_at, row.poll_error, row.poll_failures = None, "", 0
        row.save(update_fields=["polled_until", "poll_failed_at", "poll_error", "poll_failures"])
    return True


def _held(claim: Claim) -> QuerySet[Objective]:
    one = claim.objective
    return Objective.objects.filter(pk=one.pk, version=one.version, next_poll_at=claim.lease)


def _let_go(claim: Claim, values: Mapping[str, datetime]) -> None:
    _held(claim).update(**values)


def _failed(claim: Claim, why: str, *, now: datetime) -> None:
    one = claim.objective
    failures = one.poll_failures + 1
    wait = min(EVERY * 2 ** min(failures - 1, 10), LONGEST_WAIT)
    logger.warning("objective.poll_failed", extra={"objective": one.pk, "why": why, "failures": failures})
    _held(claim).update(
        poll_failed_at=one.poll_failed_at or now,
        poll_error=why[:ERROR_LENGTH],
        poll_failures=failures,
        next_poll_at=now + wait,
    )
