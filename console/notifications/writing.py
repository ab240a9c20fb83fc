"""Rows of the outbox, written in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder

from console.lib.rows import as_table, fetch
from console.notifications.message import Message

MOST_TITLE, MOST_NOTE = 200, 300
_COLUMNS = {
    "origin": "text",
    "kind": "text",
    "importance": "text",
    "subject": "text",
    "person_id": "bigint",
    "channel_id": "bigint",
    "method_id": "bigint",
    "route": "text",
    "key": "text",
    "message_key": "text",
    "title": "text",
    "text": "text",
    "path": "text",
    "reason": "text",
    "state": "text",
    "note": "text",
}
_NAMES = ", ".join(_COLUMNS)
_OTHERS = {"data": "text", "due_at": "timestamptz", "is_at_once": "boolean"}

# What is due at once is due by the database's clock at the latest: a pager whose clock is fast delays nothing.
_INSERT = """
INSERT INTO notifications_notification
    ({names}, data, created_at, due_at, send_at, settled_at, attempt_count)
SELECT {names}, data::jsonb, %s, due, due, CASE WHEN due IS NULL THEN %s::timestamptz END, 0
FROM (
    SELECT r.*, CASE WHEN is_at_once THEN least(due_at, statement_timestamp()) ELSE due_at END AS due FROM {table}
) one
ON CONFLICT (key) DO NOTHING RETURNING key
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line to be written: a message by one way."""

    message: Message
    key: str
    route: str
    method_id: int | None
    state: str
    note: str
    reason: str
    due_at: datetime | None
    """Null: it is never sent."""
    is_at_once: bool

    @property
    def values(self) -> tuple[object, ...]:
        message = self.message
        return (
            *(message.origin, message.kind, message.importance, message.subject),
            *(message.person_id, message.channel_id, self.method_id, self.route, self.key, message.key),
            *(message.title[:MOST_TITLE], message.text, message.path),
            *(self.reason[:MOST_NOTE], self.state, self.note[:MOST_NOTE]),
            *(json.dumps(message.data, cls=DjangoJSONEncoder), self.due_at, self.is_at_once),
        )


def write(rows: Sequence[Row], *, now: datetime) -> set[str]:
    """Write those whose key is new; the keys that were."""
    if not rows:
        return set()
    table, values = as_table([row.values for row in rows], _COLUMNS | _OTHERS, name="r")
    sql = _INSERT.format(names=_NAMES, table=table)
    return {key for (key,) in fetch(sql, [now, now, *values])}
