"""When machines ran: stretches put together from reports that may be late, repeated and incomplete."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from console.fleet.models import Lifecycle
from console.lib.rows import as_table, fetch, run


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one report says of a machine's running. Whatever it does not say is None or empty.

    `seen_running_at` is for reports that show it running without saying since when.
    """

    machine_id: int
    service_id: int
    pool_id: int | None = None
    lifecycle: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end_cause: str = ""
    replaces: str = ""
    vcpus: int | None = None
    seen_running_at: datetime | None = None


@dataclass(slots=True)
class _Interval:
    service_id: int
    pool_id: int | None
    lifecycle: str
    started_at: datetime
    ended_at: datetime | None
    end_cause: str
    replaces: str
    vcpus: int | None


_COLUMNS = {
    "machine_id": "bigint",
    "service_id": "bigint",
    "pool_id": "bigint",
    "lifecycle": "text",
    "started_at": "timestamptz",
    "ended_at": "timestamptz",
    "end_cause": "text",
    "replaces": "text",
    "vcpus": "int",
}


def put_stretches(stretches: Sequence[Stretch], *, origin: str) -> set[int]:
    """Store what the reports say; the ids of machines of which anything changed.

    The machines must be locked (`resolve_machines`). A closed interval is never opened again: a newer
    start opens the next one, and a start older than a known one is closed where the next begins.
    """
    machines = sorted({each.machine_id for each in stretches})
    before = _read(machines)
    after = {pk: {at: replace(one) for at, one in held.items()} for pk, held in before.items()}
    for each in sorted(stretches, key=_when):
        _apply(after.setdefault(each.machine_id, {}), each)
    for held in after.values():
        _close_overtaken(held)
    lines = [
        (
            pk,
            one.service_id,
            one.pool_id,
            one.lifecycle,
            at,
            one.ended_at,
            one.end_cause,
            one.replaces,
            one.vcpus,
        )
        for pk, held in after.items()
        for at, one in held.items()
        if before.get(pk, {}).get(at) != one
    ]
    _write(lines, origin)
    return {line[0] for line in lines}


def _when(each: Stretch) -> tuple[int, float]:
    """Starts in their order, then what hangs on them."""
    at = each.started_at or each.seen_running_at or each.ended_at
    return (0 if each.started_at else 1, at.timestamp() if at else 0.0)


def _read(machines: Sequence[int]) -> dict[int, dict[datetime, _Interval]]:
    rows = fetch(
        "SELECT machine_id, service_id, pool_id, lifecycle, started_at, ended_at, end_cause, replaces, vcpus"
        " FROM fleet_runninginterval WHERE machine_id = ANY(%s)",
        [list(machines)],
    )
    held: dict[int, dict[datetime, _Interval]] = {}
    for pk, *rest in rows:
        one = _Interval(*rest)
        held.setdefault(pk, {})[one.started_at] = one
    return held


def _apply(held: dict[datetime, _Interval], told: Stretch) -> None:
    started_at = told.started_at or _start_of(held, told)
    if started_at is None:
        return
    one = held.get(started_at)
    if one is None:
        one = held[started_at] = _Interval(
            told.service_id, told.pool_id, Lifecycle.UNKNOWN, started_at, None, "", "", None
        )
    if one.ended_at is None:
        one.service_id, one.pool_id = told.service_id, told.pool_id or one.pool_id
    one.pool_id = one.pool_id or told.pool_id
    one.lifecycle = told.lifecycle or one.lifecycle
    one.vcpus = told.vcpus if told.vcpus is not None else one.vcpus
    one.replaces = told.replaces or one.replaces
    if told.ended_at is not None and told.ended_at >= started_at:
        one.ended_at = told.ended_at
        one.end_cause = told.end_cause or one.end_cause


def _start_of(held: dict[datetime, _Interval], told: Stretch) -> datetime | None:
    """Which interval a report without a start speaks of; None when there is nothing to say it of."""
    running = [at for at, one in held.items() if one.ended_at is None]
    if running:
        return max(running)
    if told.ended_at is not None:
        return next((at for at, one in held.items() if one.ended_at == told.ended_at), None)
    seen = told.seen_running_at
    if seen is None or any(one.ended_at is None or one.ended_at >= seen for one in held.values()):
        return None
    return seen


def _close_overtaken(held: dict[datetime, _Interval]) -> None:
    """An interval without an end cannot run on after the next one began."""
    starts = sorted(held)
    for at, following in pairwise(starts):
        if held[at].ended_at is None:
            held[at].ended_at = following


def _write(lines: Iterable[tuple[object, ...]], origin: str) -> None:
    """One statement; what closes goes first, because a machine has at most one open interval."""
    ordered = sorted(lines, key=lambda line: (line[5] is None, line[0], line[4]))
    if not ordered:
        return
    table, values = as_table(ordered, _COLUMNS, name="w")
    names = ", ".join(_COLUMNS)
    sets = ", ".join(
        f"{name} = EXCLUDED.{name}" for name in _COLUMNS if name not in ("machine_id", "started_at")
    )
    run(
        f"INSERT INTO fleet_runninginterval (origin, {names}) SELECT %s, {names} FROM {table}"  # noqa: S608
        f" ON CONFLICT (machine_id, started_at) DO UPDATE SET {sets}",
        [origin, *values],
    )
