"""Where a rule stands with one scope after one more look. Pure: replay steps through a month with it.

Not so many looks in a row: pending. Enough: it fires. Not so for long enough: it is over, and cools down; what fires
again meanwhile opens the same group again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from console.alerts.detecting import Judged
from console.alerts.models import Severity, Standing
from console.alerts.rules_in_force import InForce

MOST_BETWEEN = timedelta(minutes=3)
"""Looks further apart are not in a row: minutes that were missed are not made up for."""


class Act(Enum):
    NOTHING = auto()
    FIRE = auto()
    REFRESH = auto()
    REOPEN = auto()
    RESOLVE = auto()


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of one scope."""

    standing: Standing
    severity: Severity
    true_count: int
    true_since: datetime
    evaluated_at: datetime
    fired_at: datetime | None = None
    clear_since: datetime | None = None
    over_at: datetime | None = None
    group_id: int | None = None


def step(
    state: State | None, judged: Judged | None, rule: InForce, *, now: datetime
) -> tuple[State | None, Act]:
    """The next state, None where nothing needs to be remembered, and what is to be done. `judged` None: no data."""
    if state is None:
        if judged is None or not judged.is_true:
            return None, Act.NOTHING
        state = State(Standing.PENDING, _severity(judged, rule), 0, now, now)
    match state.standing:
        case Standing.PENDING:
            after, act = _pending(state, judged, rule, now=now)
        case Standing.FIRING:
            after, act = _firing(state, judged, rule, now=now)
        case _:
            after, act = _cooling(state, judged, rule, now=now)
    if after is None:
        return None, act
    severity = _severity(judged, rule) if judged and judged.is_true else after.severity
    return replace(after, severity=severity, evaluated_at=now), act


def _severity(judged: Judged, rule: InForce) -> Severity:
    return judged.severity or rule.severity


def _in_a_row(state: State, now: datetime) -> int:
    return 1 if now - state.evaluated_at > MOST_BETWEEN else state.true_count + 1


def _pending(
    state: State, judged: Judged | None, rule: InForce, *, now: datetime
) -> tuple[State | None, Act]:
    if judged is None or not judged.is_true:
        return None, Act.NOTHING
    count = _in_a_row(state, now)
    since = now if count == 1 else state.true_since
    counted = replace(state, true_count=count, true_since=since)
    if count < rule.evaluations:
        return counted, Act.NOTHING
    return replace(counted, standing=Standing.FIRING, fired_at=now), Act.FIRE


def _firing(state: State, judged: Judged | None, rule: InForce, *, now: datetime) -> tuple[State | None, Act]:
    if judged is not None and not judged.is_over:
        count = state.true_count + judged.is_true
        return replace(state, clear_since=None, true_count=count), Act.REFRESH
    since = state.clear_since or now
    if now - since < rule.resolve_after:
        return replace(state, clear_since=since), Act.NOTHING
    over = replace(state, standing=Standing.COOLING, clear_since=None, over_at=now, true_count=0)
    return over, Act.RESOLVE


def _cooling(
    state: State, judged: Judged | None, rule: InForce, *, now: datetime
) -> tuple[State | None, Act]:
    if state.over_at is None or now - state.over_at >= rule.cooldown:
        return step(None, judged, rule, now=now)
    if judged is None or not judged.is_true:
        return replace(state, true_count=0), Act.NOTHING
    count = _in_a_row(state, now)
    since = now if count == 1 else state.true_since
    counted = replace(state, true_count=count, true_since=since)
    if count < rule.evaluations:
        return counted, Act.NOTHING
    return replace(counted, standing=Standing.FIRING, fired_at=now, over_at=None), Act.REOPEN
