"""M7 and M9 in words: the question, its figure, and the sentence that answers it."""

from __future__ import annotations

from collections.abc import Mapping

from console.interruptions.measure_words import Answer, Line, against
from console.interruptions.measures import Measure

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "m7": ("Median", "Failed during", "Failed before"),
    "m9": ("Median", "Failed in the hour", "Of the budget"),
}
"""What stands beside the figure of each place."""


def times(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}×" if value < 10 else f"{value:,.0f}×"


def between(one: Measure) -> str:
    return f"{one.interval.low:.2f} to {one.interval.high:.2f}×" if one.interval else ""


def _share(bad: float | None, total: float | None) -> str:
    return "" if bad is None or not total else f"{bad:,.0f} of {total:,.0f}"


def answer_of(one: Measure) -> Answer:
    """M7 or M9 as a question with its answer."""
    return _spike(one) if one.name == "m7" else _burn(one)


def _facts(one: Measure) -> tuple[str, ...]:
    facts = []
    if one.interval:
        facts.append(f"95 %: {between(one)}")
    if one.figures.get("median") is not None:
        facts.append(f"median {times(one.figures['median'])}")
    facts.append(f"n = {one.n:,} of {one.figures.get('episodes') or 0:,.0f} episodes")
    return tuple(facts)


def _spike(one: Measure) -> Answer:
    sentence = one.reason
    if one.value is not None:
        sentence = (
            f"While machines went, {times(one.value)} as many requests failed as in the hour before, in the worst"
            f" episode; {against(one, '{:.0f}×')}."
        )
    return Answer(
        question="Do users feel it when machines go?",
        name="Error spike",
        value=times(one.value),
        unit="as many errors, worst episode",
        sentence=sentence,
        status=one.status,
        facts=_facts(one),
        is_low_confidence=one.is_low_confidence,
        url=one.rows_url,
    )


def _burn(one: Measure) -> Answer:
    sentence = one.reason
    if one.value is not None:
        used = one.figures["budget_used"] or 0.0
        sentence = (
            f"In the worst hour after an episode the budget went {times(one.value)} as fast as it may, which is"
            f" {used:.3%} of 30 days' budget; {against(one, '{:g}×')}."
        )
    return Answer(
        question="How fast do budgets burn after evictions?",
        name="Burn after eviction",
        value=times(one.value),
        unit="the even pace, worst hour",
        sentence=sentence,
        status=one.status,
        facts=_facts(one),
        is_low_confidence=one.is_low_confidence,
        url=one.rows_url,
    )


def line_of(one: Measure) -> Line:
    """A group as a line of its table."""
    figures = one.figures
    if one.name == "m7":
        beside = (
            times(figures["median"]),
            _share(figures["during_bad"], figures["during_total"]),
            _share(figures["before_bad"], figures["before_total"]),
        )
    else:
        used = figures["budget_used"]
        beside = (
            times(figures["median"]),
            _share(figures["bad"], figures["total"]),
            "" if used is None else f"{used:.3%}",
        )
    return Line(
        label=one.label,
        value=times(one.value),
        between=between(one),
        n=one.n,
        beside=beside,
        status=one.status,
        is_low_confidence=one.is_low_confidence,
        reason=one.reason,
        url=one.rows_url,
    )
