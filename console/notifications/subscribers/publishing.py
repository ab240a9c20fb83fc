"""Writing events down for those who want to hear of them, in the transaction of what happened.

An event is written once (its key is its id as a CloudEvent), and only where somebody hears it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from console.lib.rows import as_table, fetch
from console.notifications.models import EventDelivery, Subscriber

_WRITE = """
INSERT INTO notifications_outwardevent (origin, key, type, subject, service, at, written_at, body)
SELECT e.origin, e.key, e.type, e.subject, e.service, e.at, %s, e.body::jsonb FROM {events}
ORDER BY e.place ON CONFLICT (key) DO NOTHING RETURNING id, key
"""
_COLUMNS = {
    "place": "int",
    "origin": "text",
    "key": "text",
    "type": "text",
    "subject": "text",
    "service": "text",
    "at": "timestamptz",
    "body": "text",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened. `key` is unique for ever; `subject` is what it happened to."""

    key: str
    origin: str
    type: str
    """`spot.interruption.noticed`."""
    subject: str
    service: str
    """Slug; empty: of no service."""
    at: datetime
    known_since: datetime
    """Who subscribed later does not hear it."""
    data: dict[str, Any]

    def as_cloud_event(self) -> dict[str, Any]:
        """CloudEvents 1.0 in its JSON form."""
        return {
            "specversion": "1.0",
            "id": self.key,
            "source": settings.CONSOLE_URL or "/spot-console",
            "type": self.type,
            "subject": self.subject,
            "time": iso(self.at),
            "datacontenttype": "application/json",
            "origin": self.origin,
            "data": self.data,
        }


def hearers() -> list[Subscriber]:
    """Everybody who hears anything at all: where there is nobody, nothing has to be worded."""
    return list(Subscriber.objects.in_use().order_by("pk"))


def publish(happenings: Sequence[Happening], *, to: Sequence[Subscriber], now: datetime) -> int:
    """Write these in their order, and a delivery for each who wants it. Returns how many were new."""
    wanted = {one.key: (one, mine) for one in happenings if (mine := list(_who_wants(one, to)))}
    if not wanted:
        return 0
    rows = [
        (place, e.origin, e.key, e.type, e.subject, e.service, e.at, json.dumps(e.as_cloud_event()))
        for place, (e, _) in enumerate(wanted.values())
    ]
    table, values = as_table(rows, _COLUMNS, name="e")
    written = fetch(_WRITE.format(events=table), [now, *values])
    EventDelivery.objects.bulk_create(
        EventDelivery(event_id=pk, subject=wanted[key][0].subject, subscriber=subscriber, send_at=now)
        for pk, key in sorted(written)
        for subscriber in wanted[key][1]
    )
    return len(written)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _who_wants(happening: Happening, subscribers: Sequence[Subscriber]) -> Iterable[Subscriber]:
    for subscriber in subscribers:
        is_mine = subscriber.origin == happening.origin and subscriber.created_at <= happening.known_since
        if is_mine and subscriber.wants(type=happening.type, service=happening.service):
            yield subscriber
