"""Writing receipts, once each, and reading who was told of a group last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from console.alerts.models import Receipt
from console.lib.rows import as_table, fetch

_COLUMNS = {
    "origin": "text",
    "group_id": "bigint",
    "trigger": "text",
    "rule": "text",
    "rule_version_id": "bigint",
    "decision": "text",
    "severity": "text",
    "reason": "text",
    "inputs": "text",
    "windows": "text",
    "suppressions": "text",
    "roster": "text",
    "at": "timestamptz",
}
_JSON = ("inputs", "windows", "suppressions", "roster")
_TOLD = """
SELECT DISTINCT ON (group_id) group_id, decision, severity, at, rule FROM alerts_receipt
WHERE group_id = ANY(%s) AND decision IN ('page', 'ticket') ORDER BY group_id, id DESC
"""


class Told(NamedTuple):
    """The newest page or ticket of a group."""

    decision: str
    severity: str
    at: datetime
    rule: str


def write(receipts: Sequence[Receipt]) -> list[Receipt]:
    """Store these in one statement; those that were new come back with their ids, in the order of their groups."""
    wanted = {(receipt.group_id, receipt.trigger): receipt for receipt in receipts}
    rows = [_row(wanted[key]) for key in sorted(wanted)]
    table, values = as_table(rows, _COLUMNS, name="r")
    names = ", ".join(_COLUMNS)
    chosen = ", ".join(f"r.{name}::jsonb" if name in _JSON else f"r.{name}" for name in _COLUMNS)
    new = fetch(
        f"INSERT INTO alerts_receipt ({names}) SELECT {chosen} FROM {table}"  # noqa: S608 - names of this file
        " ON CONFLICT DO NOTHING RETURNING id, group_id, trigger",
        values,
    )
    for pk, group_id, trigger in new:
        wanted[group_id, trigger].pk = pk
        wanted[group_id, trigger]._state.adding = False
    return [wanted[group_id, trigger] for _, group_id, trigger in sorted(new)]


def _row(receipt: Receipt) -> list[object]:
    return [
        json.dumps(getattr(receipt, name), default=str) if name in _JSON else getattr(receipt, name)
        for name in _COLUMNS
    ]


def told_of(group_ids: Sequence[int]) -> dict[int, Told]:
    """By group id: the newest time that somebody was told. Absent: nobody ever was."""
    return {pk: Told(*told) for pk, *told in fetch(_TOLD, [list(group_ids)])}
