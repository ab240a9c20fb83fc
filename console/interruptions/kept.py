"""What pages read from the roll-ups is kept in memory until the next roll-up, a minute later at most.

Sums change only with a roll-up, which moves `rolled_up_at`; everything read names the one it belongs to, so nothing
has to be thrown away by hand. Names and teams of services are as old as the sums beside them. What is open now,
agents and targets are read apart, each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from django.db import connection

from console.lib.rows import fetch

Rows = list[tuple[Any, ...]]
Key = tuple[str, datetime, str, str]

MOST_ITEMS = 300_000
"""Values in all, those inside of arrays too: some 10 MB a process."""
MOST_ITEMS_ONE = 60_000
"""A larger answer is not kept, or a few of them would push out all others."""


@dataclass(slots=True)
class Shelf:
    """Answers by question, the least recently asked thrown away first."""

    answers: OrderedDict[Key, tuple[Rows, int]] = field(default_factory=OrderedDict)
    items: int = 0
    lock: Lock = field(default_factory=Lock)

    def get(self, key: Key) -> Rows | None:
        with self.lock:
            found = self.answers.get(key)
            if found is None:
                return None
            self.answers.move_to_end(key)
            return found[0]

    def put(self, key: Key, rows: Rows) -> None:
        if rows and len(rows) * len(rows[0]) > MOST_ITEMS_ONE:
            return
        items = sum(_items(row) for row in rows)
        if items > MOST_ITEMS_ONE:
            return
        with self.lock:
            self._drop(key)
            self.answers[key] = rows, items
            self.items += items
            while self.items > MOST_ITEMS:
                self._drop(next(iter(self.answers)))

    def clear(self) -> None:
        with self.lock:
            self.answers.clear()
            self.items = 0

    def _drop(self, key: Key) -> None:
        _, items = self.answers.pop(key, ([], 0))
        self.items -= items


_shelf = Shelf()


def kept_rows(sql: str, values: Sequence[Any], *, as_of: datetime) -> Rows:
    """What `fetch` answers, read once a roll-up. `as_of`: the roll-up that these sums are of. Do not alter the rows."""
    key = str(connection.settings_dict["NAME"]), as_of, sql, repr(values)
    rows = _shelf.get(key)
    if rows is None:
        rows = fetch(sql, values)
        _shelf.put(key, rows)
    return rows


def forget() -> None:
    """For who rolls up again at the very same time, as tests do."""
    _shelf.clear()


def _items(row: tuple[Any, ...]) -> int:
    return sum(_size(value) for value in row)


def _size(value: object) -> int:
    """Text that holds many values counts as some."""
    if isinstance(value, list):
        return len(value)
    return 1 + len(value) // 16 if isinstance(value, str) else 1
