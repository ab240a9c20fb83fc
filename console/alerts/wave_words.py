"""What waves are called, and why each is there, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from console.alerts.detectors.cascade import QUIET, WINDOW, Cascade, Limits
from console.alerts.wave_reading import Extent, PoolNow, Zone

LONGEST = 200


def title_of(zone: Zone, pool_id: int | None, extent: Extent, pools: Sequence[PoolNow]) -> str:
    """`m6i.large in us-east-1b: 41 of 60 reclaimed in 2 min 10 s; 3 sibling pools quiet`.

    Of a whole zone: `us-east-1b: 41 of 60 reclaimed in 2 min 10 s; 2 of 5 pools hit, 3 quiet`. Where that is longer
    than a title may be, the name of the scope is cut and not the figures.
    """
    mine = [pool for pool in pools if pool_id is None or pool.id == pool_id]
    running = sum(pool.stock.running for pool in mine)
    of = f" of {running}" if running >= extent.machines else ""
    told = f"{extent.machines}{of} reclaimed in {spoken(extent.last_at - extent.first_at)}"
    figures = [told, _siblings(pool_id, pools), "" if running else "no inventory"]
    said = "; ".join(part for part in figures if part)
    return f"{_short(scope_of(zone, pool_id, pools), LONGEST - len(said) - 2)}: {said}"


def _short(name: str, length: int) -> str:
    return name if len(name) <= length else f"{name[: length - 1].rstrip()}…"


def scope_of(zone: Zone, pool_id: int | None, pools: Sequence[PoolNow]) -> str:
    """`m6i.large in us-east-1b`, or the zone alone."""
    named = next((pool.name for pool in pools if pool.id == pool_id), None)
    return f"{named} in {zone.name}" if named else zone.name


def _siblings(pool_id: int | None, pools: Sequence[PoolNow]) -> str:
    """What the pools beside do; of a whole zone, how many of its pools are hit and how many are quiet.

    Pools of the zone in which no spot machine runs are neither.
    """
    alive = [pool for pool in pools if pool.stock.running or pool.is_hit]
    if pool_id is None:
        hit = sum(pool.is_hit for pool in alive)
        rest = f"{len(alive) - hit} quiet" if hit < len(alive) else "none quiet"
        return f"{hit} of {len(alive)} pools hit, {rest}" if len(alive) > 1 else ""
    others = [pool for pool in alive if pool.id != pool_id]
    quiet = sum(not pool.is_hit for pool in others)
    if not others:
        return ""
    count = str(quiet) if quiet == len(others) else f"{quiet} of {len(others)}"
    return f"{count} sibling {'pool' if len(others) == 1 else 'pools'} quiet"


def reason_of(cascade: Cascade, scope: str, limits: Limits) -> str:
    """Why the rule fired, with the numbers that it looked at."""
    told = f"{cascade.reclaimed} machines of {scope} were reclaimed within {spoken(WINDOW)}"
    if not cascade.running:
        return f"{told}. No inventory says how many run there; without one, {limits.large} are a wave."
    return (
        f"{told}, of {cascade.running} running ({cascade.reclaimed / cascade.running:.0%}). At the usual rate "
        f"{cascade.expected:.2g} were to be expected; the chance of so many is {cascade.chance:.1e}. "
        f"A wave is at least {limits.least} machines, less likely than 1 in {1 / limits.chance:,.0f}, and "
        f"{limits.least_share:.0%} of what runs or {limits.large} machines."
    )


JOINING = (
    f"Machines of the scope join until none was reclaimed for {int(QUIET.total_seconds() // 60)} minutes."
)


def spoken(length: timedelta) -> str:
    """`2 min 10 s`."""
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    if not minutes:
        return f"{seconds} s"
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
