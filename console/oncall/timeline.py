"""Layers and overrides laid over each other: who is on call at every moment of a stretch of time. Pure.

A higher layer covers the ones below wherever it has somebody. Overrides lie over all layers, in the order in
which they were made, so that of two the newer one counts; one that names whom it replaces holds only where
that person would be on call otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from console.oncall.plan import Gap, OverridePlan, Plan, Shift
from console.oncall.turns import covered, pieces


def pieces_of(plan: Plan, since: datetime, until: datetime) -> list[Shift]:
    """Every turn and override that counts, cut to [since, until); neighbours may be one person's."""
    found: list[Shift] = []
    for _, layer in layer_pieces(plan, since, until):
        found = cover(found, layer)
    for override in sorted(plan.overrides, key=lambda override: override.id):
        found = cover(found, _held(override, found, since, until))
    return found


def layer_pieces(plan: Plan, since: datetime, until: datetime) -> list[tuple[int, list[Shift]]]:
    """What each layer would say alone, by its position, the lowest first."""
    by_position: dict[int, list[Shift]] = {}
    for layer in sorted(plan.layers, key=lambda layer: (layer.position, layer.valid_from)):
        by_position.setdefault(layer.position, []).extend(pieces(layer, since, until))
    return sorted(by_position.items())


def shifts_of(plan: Plan, since: datetime, until: datetime) -> list[Shift]:
    """Half-open, in order, without overlap; a person's turns one after another are one shift."""
    return merged(pieces_of(plan, since, until))


def merged(found: Iterable[Shift]) -> list[Shift]:
    shifts: list[Shift] = []
    for piece in found:
        if shifts and _is_continued(shifts[-1], piece):
            shifts[-1] = shifts[-1].cut(shifts[-1].started_at, piece.ended_at)
        else:
            shifts.append(piece)
    return shifts


def gaps_of(plan: Plan, since: datetime, until: datetime) -> list[Gap]:
    """When nobody is on call. Whose turn it would be plays no part, so no turn is worked out."""
    held = [stretch for layer in plan.layers for stretch in covered(layer, since, until)]
    held += [Gap(one.started_at, one.ended_at) for one in plan.overrides if one.replaced_id is None]
    gaps, reached = [], since
    for stretch in sorted(held, key=lambda stretch: stretch.started_at):
        if stretch.started_at >= until:
            break
        if stretch.started_at > reached:
            gaps.append(Gap(reached, stretch.started_at))
        reached = max(reached, stretch.ended_at)
    if reached < until:
        gaps.append(Gap(reached, until))
    return gaps


def cover(below: Sequence[Shift], above: Sequence[Shift]) -> list[Shift]:
    """`above` whole, and of `below` what it leaves free. Both in order and without overlap, as is the answer."""
    if not above or not below:
        return list(above or below)
    free: list[Shift] = []
    at = 0
    for piece in below:
        while at < len(above) and above[at].ended_at <= piece.started_at:
            at += 1
        start, look = piece.started_at, at
        while look < len(above) and above[look].started_at < piece.ended_at:
            if start < above[look].started_at:
                free.append(piece.cut(start, above[look].started_at))
            start = above[look].ended_at
            look += 1
        if start < piece.ended_at:
            free.append(piece.cut(start, piece.ended_at))
    return sorted([*free, *above], key=lambda piece: piece.started_at)


def _held(override: OverridePlan, found: Sequence[Shift], since: datetime, until: datetime) -> list[Shift]:
    """Where an override holds, given who would be on call without it."""
    start, end = max(since, override.started_at), min(until, override.ended_at)
    if start >= end:
        return []
    whole = Shift(override.person_id, start, end, override, override.started_at)
    if override.replaced_id is None:
        return [whole]
    return [
        whole.cut(max(start, piece.started_at), min(end, piece.ended_at))
        for piece in found
        if piece.person_id == override.replaced_id and piece.started_at < end and piece.ended_at > start
    ]


def _is_continued(shift: Shift, piece: Shift) -> bool:
    return shift.person_id == piece.person_id and shift.ended_at == piece.started_at
