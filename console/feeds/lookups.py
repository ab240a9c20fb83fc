"""Which machines are to be looked up, whose turn it is, and how it went. The statements; `ingest` does the asking.

A machine is asked for where a feed of its origin names its account (`feed_settings`: `lookup`) and its type, zone or
tags are not known. The pace is one an account and region, held in its row, so that all workers share it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Q

from console.feeds.feed_settings import sender_settings
from console.feeds.models import Feed, LookupAnswer, LookupPlace, MachineLookup
from console.lib.rows import fetch, run

PACE = timedelta(milliseconds=250)
"""Between two calls of one account and region, in the long run: a fifth of what AWS gives by default."""
BURST = 20
"""Calls that may be made at once after a pause."""
UNKNOWN_AGAIN = (timedelta(seconds=30), timedelta(minutes=5))
"""A machine that was just started may not be known yet; later AWS has forgotten it and stays asked no more."""
LONGEST_BACK_OFF = 300
KEPT = timedelta(days=7)
SEEN_WITHIN = timedelta(hours=1)
"""AWS forgets a machine about so long after its end."""

_ASKS_FOR = """
    m.provider = 'aws' AND m.instance_id LIKE 'i-%%' AND m.account <> '' AND m.region <> ''
    AND m.merged_into_id IS NULL AND (m.instance_type = '' OR m.zone = '' OR m.tags = '{{}}')
    AND EXISTS (
        SELECT FROM feeds_feed f, jsonb_array_elements_text(f.settings->'lookup') AS named
        WHERE f.origin = m.origin AND f.paused_at IS NULL AND f.settings ? 'lookup'
          AND m.account IN (named, split_part(named, ':', 5)))
"""
_WANT = f"""
WITH missing AS (
    SELECT m.id, m.origin, m.account, m.region FROM fleet_machine m WHERE {{which}} AND {_ASKS_FOR}
), places AS (
    INSERT INTO feeds_lookupplace (origin, account, region, paid_until)
    SELECT DISTINCT origin, account, region, %(now)s::timestamptz FROM missing ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING
)
INSERT INTO feeds_machinelookup (origin, machine_id, account, region, due_at)
SELECT origin, id, account, region, %(now)s FROM missing ORDER BY id
ON CONFLICT DO NOTHING RETURNING id
"""  # noqa: S608 - conditions from this file
_THESE = _WANT.format(which="m.id = ANY(%(ids)s)")
_MISSED = _WANT.format(
    which="EXISTS (SELECT FROM feeds_feed WHERE settings ? 'lookup') AND m.origin = 'live'"
    " AND m.last_seen_at >= %(since)s AND NOT EXISTS (SELECT FROM feeds_machinelookup l WHERE l.machine_id = m.id)"
)
_TURN = """
SELECT p.id FROM feeds_lookupplace p
WHERE (p.retry_at IS NULL OR p.retry_at <= %(now)s) AND p.paid_until <= %(ahead)s AND EXISTS (
    SELECT FROM feeds_machinelookup l WHERE l.origin = p.origin AND l.account = p.account
      AND l.region = p.region AND l.due_at <= %(now)s)
ORDER BY p.asked_at NULLS FIRST, p.id LIMIT 1 FOR UPDATE OF p SKIP LOCKED
"""
_CLAIM = """
SELECT l.id, m.instance_id, l.try_count FROM feeds_machinelookup l JOIN fleet_machine m ON m.id = l.machine_id
WHERE l.origin = %s AND l.account = %s AND l.region = %s AND l.due_at <= %s
ORDER BY l.due_at, l.id LIMIT %s FOR UPDATE OF l SKIP LOCKED
"""
_FOUND = """
UPDATE feeds_machinelookup SET answer = 'found', answered_at = %s, due_at = NULL, try_count = try_count + 1
WHERE id = ANY(%s)
"""
_UNKNOWN = """
UPDATE feeds_machinelookup SET answer = 'unknown', answered_at = %s, due_at = %s, try_count = try_count + 1
WHERE id = ANY(%s)
"""
_PRUNE = "DELETE FROM feeds_machinelookup WHERE due_at IS NULL AND answered_at < %s"


class Wanted(NamedTuple):
    """A machine that is to be asked for, its row locked by this worker."""

    id: int
    instance_id: str
    try_count: int


def want(machine_ids: Collection[int], *, now: datetime) -> int:
    """Let those of these machines be asked for that are to be. Returns how many are asked for because of this."""
    return len(fetch(_THESE, {"ids": list(machine_ids), "now": now})) if machine_ids else 0


def want_missed(*, now: datetime) -> int:
    """Let machines be asked for that were seen lately and not asked for: credentials may have come after them."""
    run(_PRUNE, [now - KEPT])
    return len(fetch(_MISSED, {"since": now - SEEN_WITHIN, "now": now}))


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """How looking up goes in one account and region, for the page of a feed that names the account."""

    place: LookupPlace
    waiting_count: int
    found_count: int
    unknown_count: int


def places_of(feed: Feed) -> list[PlaceRow]:
    """Of the last week. Asks nothing where the feed's settings name no account."""
    named = sender_settings(feed.settings).lookup
    if not named:
        return []
    places = LookupPlace.objects.filter(origin=feed.origin, account__in={account_of(one) for one in named})
    answered = MachineLookup.objects.filter(
        origin=feed.origin, account__in={place.account for place in places}
    )
    rows = answered.values("account", "region").annotate(
        waiting=Count("pk", filter=Q(answered_at=None)),
        found=Count("pk", filter=Q(answer=LookupAnswer.FOUND)),
        unknown=Count("pk", filter=Q(answer=LookupAnswer.UNKNOWN)),
    )
    counts = {(row["account"], row["region"]): (row["waiting"], row["found"], row["unknown"]) for row in rows}
    found = sorted(places, key=lambda place: (place.account, place.region))
    return [PlaceRow(place, *counts.get((place.account, place.region), (0, 0, 0))) for place in found]


def account_of(named: str) -> str:
    """The account that an entry of the setting `lookup` is about: a role's ARN names it, or it stands there."""
    return named.split(":")[4] if named.startswith("arn:") else named


def claim_place(*, now: datetime) -> LookupPlace | None:
    """An account and region whose turn it is, locked until the transaction ends. One worker at a time asks it."""
    found = fetch(_TURN, {"now": now, "ahead": now + PACE * BURST})
    return LookupPlace.objects.get(pk=found[0][0]) if found else None


def claim_machines(place: LookupPlace, *, most: int, now: datetime) -> list[Wanted]:
    """The machines to ask for there, the longest waiting first."""
    return [Wanted(*row) for row in fetch(_CLAIM, [place.origin, place.account, place.region, now, most])]


def settle(found: Sequence[Wanted], unknown: Sequence[Wanted], *, now: datetime) -> None:
    """Note what was answered, and when to ask again for what is not known there."""
    run(_FOUND, [now, [one.id for one in found]])
    for tries in sorted({one.try_count for one in unknown}):
        again = now + UNKNOWN_AGAIN[tries] if tries < len(UNKNOWN_AGAIN) else None
        run(_UNKNOWN, [now, again, [one.id for one in unknown if one.try_count == tries]])


def pay(place: LookupPlace, *, calls: int, now: datetime) -> None:
    place.paid_until = max(place.paid_until, now) + PACE * calls


def succeeded(place: LookupPlace, *, now: datetime) -> None:
    place.asked_at, place.failure_count = now, 0
    place.failing_since, place.reason, place.retry_at = None, "", None
    place.save()


def failed(place: LookupPlace, reason: str, *, now: datetime) -> None:
    """Leave it alone for a while: twice as long each time, up to five minutes."""
    seconds = min(2**place.failure_count, LONGEST_BACK_OFF)
    place.failure_count = min(place.failure_count + 1, 10)
    place.failing_since, place.retry_at = place.failing_since or now, now + timedelta(seconds=seconds)
    place.reason = reason.replace("\0", "")[:300] or "No reason was given."
    place.save()
