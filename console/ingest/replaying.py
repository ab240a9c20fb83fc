"""Reading again what the quarantine holds, after a fix: stored and queued just as receiving does.

What is taken now is a delivery with its first receive time, and unique as any other; what is refused again
stays held under its new code. A message that recording could not digest is queued again from its delivery.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import connection, transaction
from django.db.models import F

from console.accounts.audit import Actor, record
from console.feeds.models import Feed, QuarantinedItem, QuarantineReplay, QuarantineState, QueuedDelivery
from console.feeds.normalised import Reading, Rejected
from console.feeds.reading import Body, read_body
from console.ingest.directory import KnownFeed
from console.ingest.quarantine import filter_of
from console.ingest.store import Incoming, refusing, storing
from console.ingest.taking import Request
from console.lib.live import announce

MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many were taken, how many of these were known already, and how many are refused still."""

    replayed: int = 0
    duplicates: int = 0
    refused: int = 0

    def __add__(self, other: Replayed) -> Replayed:
        return Replayed(
            self.replayed + other.replayed, self.duplicates + other.duplicates, self.refused + other.refused
        )


def replay(item_ids: Sequence[int], *, by: Actor, now: datetime) -> Replayed:
    """Replay these and write it in the audit trail. What is not held any more is left as it is."""
    with transaction.atomic():
        outcome = replay_held(item_ids, now=now)
        if outcome != Replayed():
            after = {"replayed": outcome.replayed, "refused": outcome.refused, "items": list(item_ids)[:50]}
            record(by, action="quarantine.replay", subject_kind="quarantine", after=after, now=now)
            announce("quarantine", "feeds")
    return outcome


@transaction.atomic
def replay_held(item_ids: Sequence[int], *, now: datetime) -> Replayed:
    """The work of `replay`, without its entry in the trail. Locks the items in the order of their ids."""
    items = list(
        QuarantinedItem.objects.held()
        .filter(pk__in=item_ids)
        .select_related("feed")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    return sum((_replay_one(item, now=now) for item in items), start=Replayed())


def _replay_one(item: QuarantinedItem, *, now: datetime) -> Replayed:
    request = Request(
        feed=_known(item.feed), headers=item.headers, body=bytes(item.body), received_at=item.received_at
    )
    body = read_body(
        request.body,
        kind=item.feed.kind,
        content_type=item.headers.get("content-type", ""),
        headers=item.headers,
        context=request.feed.context,
        received_at=item.received_at,
    )
    refusals = [part.outcome for part in body.items if isinstance(part.outcome, Rejected)]
    if refusals and len(refusals) == len(body.items):
        _hold_on(item, refusals[0], now=now)
        return Replayed(refused=1)
    duplicates = _queue_again(item, body) if item.delivery_pk else _store(request, body)
    _decide(item, QuarantineState.REPLAYED, now=now)
    return Replayed(replayed=1, duplicates=int(duplicates == len(body.items)))


def _known(feed: Feed) -> KnownFeed:
    return KnownFeed(
        id=feed.pk,
        slug=feed.slug,
        kind=feed.kind,
        origin=feed.origin,
        account=feed.account,
        region=feed.region,
        cluster=feed.cluster,
        is_paused=False,
        secrets={},
    )


def _store(request: Request, body: Body) -> int:
    """Store every part as receiving does. Returns how many were known already."""
    incoming: dict[tuple[int, str], Incoming] = {}
    for part in body.items:
        if isinstance(part.outcome, Reading):
            item = request.incoming(part.raw, part.outcome)
            incoming.setdefault(item.key, item)
    refused = Counter(
        request.refuse(part.raw, part.outcome) for part in body.items if isinstance(part.outcome, Rejected)
    )
    fresh = 0
    with connection.cursor() as cursor:
        for sql, columns in storing([incoming[key] for key in sorted(incoming)]):
            cursor.execute(sql, columns)
            fresh += len(cursor.fetchall())
        if refused:
            cursor.execute(*refusing(refused))
    return len(body.items) - sum(refused.values()) - fresh


def _queue_again(item: QuarantinedItem, body: Body) -> int:
    """The delivery is stored already; only its way into the record failed."""
    assert item.delivery_pk is not None
    QueuedDelivery.objects.bulk_create(
        QueuedDelivery(
            delivery_pk=item.delivery_pk,
            received_at=item.received_at,
            feed=item.feed,
            origin=item.origin,
            reading=msgspec.json.encode(part.outcome),
        )
        for part in body.items
        if isinstance(part.outcome, Reading)
    )
    return 0


def _hold_on(item: QuarantinedItem, refusal: Rejected, *, now: datetime) -> None:
    """Stay held under what is wrong now. Where the same bytes are held under that code, those are kept."""
    code = item.code if item.delivery_pk else refusal.code
    twin = (
        QuarantinedItem.objects.held()
        .filter(feed=item.feed, code=code, body_hash=item.body_hash)
        .exclude(pk=item.pk)
    )
    if twin.update(seen_count=F("seen_count") + item.seen_count):
        _decide(item, QuarantineState.DISCARDED, now=now)
        return
    item.code, item.detail = code, refusal.detail[:500]
    item.save(update_fields=["code", "detail"])


def _decide(item: QuarantinedItem, state: QuarantineState, *, now: datetime) -> None:
    item.state, item.decided_at = state, now
    item.save(update_fields=["state", "decided_at"])


def work_off_replays(*, now: datetime) -> int:
    """Take up the oldest wish and replay some of what it asks for. Returns how many were read; 0: none open.

    Each batch commits with how far it came, so whoever takes over goes on there; a second worker waits for
    nothing and takes the next wish.
    """
    with transaction.atomic():
        asked = (
            QuarantineReplay.objects.filter(finished_at=None)
            .select_related("feed")
            .order_by("pk")
            .select_for_update(of=("self",), skip_locked=True)
            .first()
        )
        if asked is None:
            return 0
        held = filter_of(asked).items().filter(pk__gt=asked.last_pk, pk__lte=asked.up_to_pk)
        ids = list(held.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
        outcome = replay_held(ids, now=now)
        asked.replayed_count += outcome.replayed
        asked.refused_count += outcome.refused
        asked.last_pk = ids[-1] if ids else asked.up_to_pk
        if len(ids) < MOST_AT_ONCE:
            _finish(asked, now=now)
        asked.save(update_fields=["replayed_count", "refused_count", "last_pk", "finished_at"])
        announce("quarantine", "feeds")
        return max(len(ids), 1)


def _finish(asked: QuarantineReplay, *, now: datetime) -> None:
    asked.finished_at = now
    after = {"replayed": asked.replayed_count, "refused": asked.refused_count, "asked_by": asked.asked_by}
    record(
        Actor.console("quarantine"),
        action="quarantine.replayed",
        subject_kind="quarantine",
        after=after,
        now=now,
    )
