"""The questions an executive asks, each with a sentence as its answer and the figure that carries it."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from console.interruptions.measure_words import Answer, against, seconds
from console.interruptions.measures import Measure
from console.lib.durations import in_words

IMPORT = "Import the inventory"


def answers(
    rate: Measure, share: Measure | None, shutdown: Measure, moves: Sequence[Measure], *, period: str
) -> list[Answer]:
    """Lost how often? Shut down cleanly? Running again how soon? Worth what?"""
    return [_rate(rate, share, period), _shutdown(shutdown, period), *[_moves(one) for one in moves]]


def _rate(one: Measure, share: Measure | None, period: str) -> Answer:
    weeks = one.figures.get("instance_weeks") or 0
    facts = [_range(one, 1), f"{one.n:,} reclaims in {weeks:,.0f} instance-weeks" if one.n or weeks else ""]
    if one.figures.get("unexplained"):
        facts.append(f"+{one.figures['unexplained']:.0f} unexplained")
    if share and share.value is not None and share.interval:
        low, high = 100 * share.interval.low, 100 * share.interval.high
        facts.append(f"{share.value:.1%} of machines hit in 7 days ({low:.1f} to {high:.1f})")
    if one.target is not None:
        facts.append(f"target {one.target:.3g}, off target above {one.red or 0:.3g}")
    if one.value is None:
        sentence = one.reason
    else:
        sentence = (
            f"In the last {period}, {one.value:.1f} reclaims a week for every 100 machines running; "
            f"{against(one, '{:.3g}')}."
        )
    return Answer(
        question="How often do we lose machines?",
        name="Interruption rate",
        value="" if one.value is None else f"{one.value:.1f}",
        unit="per 100 instance-weeks",
        sentence=sentence,
        status=one.status,
        facts=tuple(fact for fact in facts if fact),
        is_low_confidence=one.is_low_confidence,
        url=one.rows_url,
        way_on=(reverse("interruptions:target_list"), "See the targets")
        if one.value is not None
        else (reverse("fleet:import_rows", args=["inventory"]), IMPORT),
    )


def _shutdown(one: Measure, period: str) -> Answer:
    facts = []
    if one.interval:
        facts.append(f"95 %: {100 * one.interval.low:.1f} to {100 * one.interval.high:.1f} %")
        facts.append(f"n = {one.n:,}")
    if one.figures.get("m2n") is not None:
        facts.append(f"{one.figures['m2n'] or 0:.1%} of those with a notice")
    if one.value is None:
        sentence = one.reason
    else:
        done = one.figures["complete"] or 0
        judged = f"{done:,.0f} of {one.n:,} reclaims in the last {period} shut down in time"
        sentence = f"{judged}; {against(one, '{:.0%}')}."
    return Answer(
        question="Do services shut down cleanly?",
        name="Graceful shutdowns",
        value="" if one.value is None else f"{100 * one.value:.1f}",
        unit="%",
        sentence=sentence,
        status=one.status,
        facts=tuple(facts),
        is_low_confidence=one.is_low_confidence,
        url=one.rows_url,
    )


def _moves(one: Measure) -> Answer:
    is_batch = one.workload_class == "batch"
    kind = "batch work" if is_batch else "stateless work"
    facts = []
    if one.figures["p50"] is not None:
        facts.append(f"p50 {seconds(one.figures['p50'], is_at_least=bool(one.figures['p50_is_at_least']))}")
        facts.append(f"{one.figures['within_target']:.0%} within {_goal(one)}")
        facts.append(f"n = {one.n:,}")
    if one.value is None:
        sentence = one.reason
    else:
        took, goal = seconds(one.value, is_at_least=False), _goal(one)
        sentence = f"19 of 20 moves took at most {took}; the target is under {goal}."
        if one.is_at_least:
            sentence = f"Some work still waits after {took}; the target is under {goal}."
    return Answer(
        question=f"How soon does {kind} run again?",
        name=f"Reschedule latency, {'batch' if is_batch else 'stateless'}",
        value="" if one.value is None else seconds(one.value, is_at_least=one.is_at_least),
        unit="p95, 7 days",
        sentence=sentence + (f" {one.reason}" if one.reason and one.value is not None else ""),
        status=one.status,
        facts=tuple(facts),
        url=one.rows_url,
    )


def _goal(one: Measure) -> str:
    target = one.target or 0
    return f"{target / 60:.0f} min" if target >= 60 and target % 60 == 0 else in_words(target)


def _range(one: Measure, digits: int) -> str:
    if one.interval is None:
        return ""
    return f"95 %: {one.interval.low:.{digits}f} to {one.interval.high:.{digits}f}"
