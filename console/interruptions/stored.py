"""Reading stored interruptions back, as deciding compares them with what is now known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from console.interruptions.keys import Stored
from console.interruptions.known import Told
from console.interruptions.writing import COLUMNS
from console.lib.rows import fetch

_NAMES = list(COLUMNS)
_PLACES = {name: place for place, name in enumerate(_NAMES)}
_ROWS = (
    f"SELECT i.id, i.episode_id, {', '.join(f'i.{name}' for name in _NAMES)}, "  # noqa: S608
    "array(SELECT a.key FROM interruptions_interruptionalias a WHERE a.interruption_id = i.id) "
    "FROM interruptions_interruption i WHERE i.id = ANY(%s) ORDER BY i.id"
)
_ORDINALS = """
SELECT machine_id, max(ordinal) FROM interruptions_interruption WHERE machine_id = ANY(%s) GROUP BY machine_id
"""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A stored interruption: what it is called, and every column that deciding may change."""

    stored: Stored
    episode_id: int | None
    values: tuple[Any, ...]

    def _value(self, name: str) -> Any:
        return self.values[_PLACES[name]]

    @property
    def machine_id(self) -> int:
        return int(self._value("machine_id"))

    @property
    def service_id(self) -> int:
        return int(self._value("service_id"))

    @property
    def over_at(self) -> datetime:
        at: datetime = self._value("ended_at") or self._value("deadline_at") or self.started_at
        return at

    @property
    def started_at(self) -> datetime:
        at: datetime = self._value("started_at")
        return at


def rows_of(told: Mapping[int, Told]) -> dict[int, Row]:
    """The interruptions that hold any of these observations, by id."""
    homes = sorted({home for one in told.values() for home in one.homes.values()})
    if not homes:
        return {}
    return {row[0]: _row(row) for row in fetch(_ROWS, [homes])}


def highest_ordinals(machine_ids: Sequence[int]) -> dict[int, int]:
    """The highest number that each machine's interruptions ever had."""
    return dict(fetch(_ORDINALS, [list(machine_ids)]))


def _row(row: tuple[Any, ...]) -> Row:
    values = row[2:-1]
    return Row(
        stored=Stored(
            id=row[0],
            key=values[_PLACES["key"]],
            opened_by=values[_PLACES["opened_by"]],
            ordinal=values[_PLACES["ordinal"]],
            native_id=values[_PLACES["native_id"]],
            aliases=tuple(row[-1]),
        ),
        episode_id=row[1],
        values=tuple(values),
    )
