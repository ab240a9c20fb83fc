"""One reclaim drawn against its deadline: every stage, hook, move and volume on one scale. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from console.interruptions.models import Hook, Interruption, Move, Volume

WIDTH = 100
"""Places on the scale are percents, so that the drawing fits any screen and its words keep their size."""
MARGIN = timedelta(seconds=5)
Tone = Literal["neutral", "warn", "danger", "ok", "muted"]
Scale = Callable[[datetime], float]


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of the drawing: from, to (None: still under way, or a moment), and where it lies on the scale."""

    track: str
    label: str
    started_at: datetime
    ended_at: datetime | None
    tone: Tone
    x: float
    width: float
    is_moment: bool

    @property
    def length(self) -> timedelta | None:
        """How long it took; None while it goes on, and for a moment."""
        return None if self.ended_at is None or self.is_moment else self.ended_at - self.started_at


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str
    """Time from the notice (or the start), as `+30 s`."""
    is_zero: bool = False


@dataclass(frozen=True, slots=True)
class Gantt:
    """The whole drawing: places in percent, the height in pixels."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    zero_x: float
    deadline_x: float | None
    ended_x: float | None
    height: int

    @property
    def deadline_anchor(self) -> str:
        """Where the deadline's name hangs, so that it stays inside the drawing."""
        place = self.deadline_x or 0
        return "end" if place > 80 else "start" if place < 20 else "middle"


@dataclass(frozen=True, slots=True)
class _Span:
    track: str
    label: str
    started_at: datetime
    ended_at: datetime | None
    tone: Tone = "neutral"
    is_moment: bool = False


_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
MOST_TICKS = 9
ROW_HEIGHT = 26


def draw(
    interruption: Interruption,
    *,
    hooks: Sequence[Hook],
    moves: Sequence[Move],
    volumes: Sequence[Volume],
    now: datetime,
) -> Gantt:
    """The drawing at `now`. Bars that have not ended reach to `now`, or to the deadline if that is later."""
    spans = [*_node(interruption), *_hooks(hooks, interruption), *_moves(moves), *_volumes(volumes)]
    zero = interruption.notice_at or interruption.started_at
    known = [s.started_at for s in spans] + [s.ended_at for s in spans if s.ended_at] + [zero]
    known += [at for at in (interruption.deadline_at, interruption.ended_at) if at]
    is_open = any(s.ended_at is None and not s.is_moment for s in spans)
    first, last = min(known) - MARGIN, max(known) + MARGIN
    if is_open and now > last and now - last < timedelta(hours=1):
        last = now
    scale = WIDTH / max((last - first).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return round((at - first).total_seconds() * scale, 3)

    bars = [_bar(span, x, until=last) for span in spans]
    return Gantt(
        bars=bars,
        ticks=_ticks(zero, first, last, x, word="notice" if interruption.notice_at else "start"),
        zero_x=x(zero),
        deadline_x=x(interruption.deadline_at) if interruption.deadline_at else None,
        ended_x=x(interruption.ended_at) if interruption.ended_at else None,
        height=len(bars) * ROW_HEIGHT,
    )


def _bar(span: _Span, x: Scale, *, until: datetime) -> Bar:
    start = x(span.started_at)
    end = x(span.ended_at or (span.started_at if span.is_moment else until))
    return Bar(
        track=span.track,
        label=span.label,
        started_at=span.started_at,
        ended_at=span.ended_at,
        tone=span.tone,
        x=start,
        width=max(round(end - start, 3), 0.0 if span.is_moment else 0.3),
        is_moment=span.is_moment,
    )


def _node(one: Interruption) -> list[_Span]:
    """The node track: from each stage to the next that was reached."""
    stages: list[tuple[str, datetime | None, Tone]] = [
        ("At risk", one.at_risk_at, "warn"),
        ("Notice", one.notice_at, "neutral"),
        ("Cordoned", one.cordoned_at, "neutral"),
        ("Draining", one.drain_started_at, "danger" if one.has_drain_error else "neutral"),
        ("Shutting down", one.shutdown_started_at, "neutral"),
        ("Shut down", one.shutdown_completed_at, "neutral"),
        (
            "Presumed gone" if one.state == "presumed" else "Gone",
            one.terminated_at or one.ended_at,
            "neutral",
        ),
    ]
    reached = [(label, at, tone) for label, at, tone in stages if at is not None]
    if reached and reached[0][0] == "At risk" and len(reached) > 1 and one.notice_at:
        reached[0] = ("At risk", max(reached[0][1], one.notice_at - timedelta(minutes=10)), "warn")
    spans = []
    for place, (label, at, tone) in enumerate(reached):
        is_last = place + 1 == len(reached)
        ended_at = one.ended_at if is_last else max(reached[place + 1][1], at)
        is_moment = label in ("Gone", "Shut down") or ended_at == at
        spans.append(_Span("Node", label, at, None if is_moment else ended_at, tone, is_moment))
    if one.replacement_launched_at:
        spans.append(
            _Span("Capacity", "Replacement", one.replacement_launched_at, None, "ok", is_moment=True)
        )
    return spans


def _hooks(hooks: Sequence[Hook], one: Interruption) -> list[_Span]:
    tones: dict[str, Tone] = {"complete": "ok", "partial": "warn", "failed": "danger"}
    return [
        _Span(
            "Hook", f"Hook: {hook.outcome}", hook.started_at or hook.at, hook.finished_at, tones[hook.outcome]
        )
        for hook in hooks
    ]


def _moves(moves: Sequence[Move]) -> list[_Span]:
    return [
        _Span("Pods", move.workload, move.evicted_at, move.running_at, "ok" if move.running_at else "warn")
        for move in moves
    ]


def _volumes(volumes: Sequence[Volume]) -> list[_Span]:
    return [
        _Span("Storage", volume.volume, volume.detached_at or volume.at, volume.attached_at,
              "ok" if volume.attached_at else "warn")
        for volume in volumes
    ]  # fmt: skip


def _ticks(zero: datetime, first: datetime, last: datetime, x: Scale, *, word: str) -> list[Tick]:
    length = (last - first).total_seconds()
    step = next((s for s in _STEPS if length / s <= MOST_TICKS), int(length // MOST_TICKS) or 1)
    offset = (first - zero).total_seconds()
    number = int(offset // step) + 1
    ticks = []
    while number * step < (last - zero).total_seconds():
        seconds = number * step
        label = _spoken(seconds, step) if seconds else word
        ticks.append(Tick(x(zero + timedelta(seconds=seconds)), label, is_zero=seconds == 0))
        number += 1
    return ticks


def _spoken(seconds: int, step: int) -> str:
    """In the unit of the steps, so that neighbours can be compared."""
    sign = "−" if seconds < 0 else "+"
    size = abs(seconds)
    if step < 60:
        return f"{sign}{size} s"
    return f"{sign}{size // 60} min" if step < 3600 else f"{sign}{size // 3600} h"
