"""Messages that the console fetched itself: read, stored and queued just as the front door does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db import connection, transaction

from console.feeds.normalised import Reading, Rejected
from console.feeds.reading import MAX_BODY, judge, parser_for
from console.ingest.answers import Counts
from console.ingest.bells import RECORD
from console.ingest.directory import KnownFeed
from console.ingest.store import Incoming, Refused, refusing, storing
from console.ingest.taking import Request
from console.ingest.tally import counting
from console.lib.live import announce

MOST_AT_ONCE = 500
_HEADERS = {"content-type": "application/json"}


def take(feed: KnownFeed, messages: Sequence[bytes], *, now: datetime) -> Counts:
    """Store each message byte for byte, once; what cannot be read goes into quarantine. All there, or nothing."""
    counts = Counts()
    for start in range(0, max(len(messages), 1), MOST_AT_ONCE):
        with transaction.atomic():
            _take(feed, messages[start : start + MOST_AT_ONCE], counts, now=now)
    return counts


def _take(feed: KnownFeed, messages: Sequence[bytes], counts: Counts, *, now: datetime) -> None:
    request = Request(feed, _HEADERS, b"", now)
    read = partial(parser_for(feed.kind), context=feed.context, received_at=now)
    told = Counts()
    incoming: dict[tuple[int, str], tuple[Incoming, Reading]] = {}
    refused: list[Refused] = []
    for index, raw in enumerate(messages):
        outcome = judge(raw, read, kind=feed.kind) if len(raw) <= MAX_BODY else _too_large()
        if isinstance(outcome, Rejected):
            refused.append(request.refuse(raw, outcome))
            told.reject(index, outcome)
        else:
            item = request.incoming(raw, outcome)
            incoming.setdefault(item.key, (item, outcome))
    fresh = _store([incoming[key][0] for key in sorted(incoming)], refused)
    for key in fresh:
        told.take(incoming[key][1])
    told.duplicates = len(messages) - len(refused) - len(fresh)
    with connection.cursor() as cursor:
        for sql, columns in counting(feed.id, told, now=now):
            cursor.execute(sql, columns)
    announce("deliveries", "feeds")
    if any(incoming[key][0].reading for key in fresh):
        transaction.on_commit(RECORD.ring)
    for name in ("accepted", "duplicates", "ignored", "unrecognised", "rejected", "heartbeats"):
        setattr(counts, name, getattr(counts, name) + getattr(told, name))


def _store(items: Sequence[Incoming], refused: Sequence[Refused]) -> set[tuple[int, str]]:
    fresh: set[tuple[int, str]] = set()
    with connection.cursor() as cursor:
        for sql, columns in storing(items):
            cursor.execute(sql, columns)
            fresh |= set(cursor.fetchall())
        if refused:
            cursor.execute(*refusing(Counter(refused)))
    return fresh


def _too_large() -> Rejected:
    return Rejected("too_large", f"the message is over the limit of {MAX_BODY} bytes")
