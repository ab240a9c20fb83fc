"""Reclaims that were called off without a word: the machine's own metadata no longer lists them.

Azure has no message for "cancelled" or "over": an event vanishes from the document. One that vanishes
before its deadline, never started, while the machine itself still reports, will not come. Pure, and
blind to the order of arrival: a document is older than another of the same boot if its number is lower,
else if it was seen earlier.

Only what the machine's own documents list counts: that another machine's document does not list an
event says nothing about whether this machine lives. And it must have listed the event before, so that a
document polled a moment too early takes nothing back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from console.feeds.normalised import Kind, Outcome
from console.interruptions.seen import Seen


def listings_of(observations: Iterable[Seen]) -> list[Seen]:
    """The machine's own documents, the oldest first."""
    listings = [seen for seen in observations if seen.listed is not None]
    if len(listings) < 2:
        return listings
    boots: dict[str | None, datetime] = {}
    for seen in listings:
        boots[seen.boot_id] = min(boots.get(seen.boot_id, seen.occurred_at), seen.occurred_at)
    return sorted(
        listings,
        key=lambda seen: (
            boots[seen.boot_id],
            seen.boot_id or "",
            seen.incarnation if seen.incarnation is not None else -1,
            seen.occurred_at,
            seen.event_id,
            seen.feed_id,
        ),
    )


def vanished_at(
    members: Sequence[Seen], *, native_id: str | None, listings: Sequence[Seen]
) -> datetime | None:
    """When the event was first missing from the documents and stayed so; None where it did not vanish."""
    last = max((i for i, seen in enumerate(listings) if native_id in (seen.listed or ())), default=None)
    if native_id is None or last is None or last + 1 == len(listings):
        return None
    told = [seen for seen in members if seen.native_id == native_id and seen.outcome != Outcome.CANCELLED]
    if any(seen.kind == Kind.SHUTDOWN_STARTED for seen in told):
        return None
    deadlines = [seen.deadline_at for seen in told if seen.deadline_at is not None]
    if not deadlines:
        return None
    gone_at = max([listings[last + 1].occurred_at, *(seen.occurred_at for seen in told)])
    return gone_at if gone_at < min(deadlines) else None
