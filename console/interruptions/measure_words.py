"""A measure in words: the question, its figure, and the sentence that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from console.interruptions.measures import Measure
from console.lib.durations import in_words
from console.lib.statistics import Status

TONES = {Status.GREEN: "ok", Status.AMBER: "warn", Status.RED: "danger", Status.GREY: "muted"}
ICONS = {
    Status.GREEN: "circle-check",
    Status.AMBER: "triangle-alert",
    Status.RED: "octagon-alert",
    Status.GREY: "circle-dashed",
}
PARTS = {"detect": "until the loss is plain", "attach": "to attach the volume", "catch_up": "to catch up"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question, its figure, and the sentence."""

    question: str
    name: str
    value: str
    unit: str
    sentence: str
    status: Status
    facts: tuple[str, ...] = ()
    is_low_confidence: bool = False
    url: str = ""
    way_on: tuple[str, str] = ("", "")
    """Where to go, and the words of the link, when a missing input keeps the figure grey."""
    snippet: str = ""
    """What a node or program sends to report it, where nobody does."""

    @property
    def tone(self) -> str:
        return TONES[self.status]

    @property
    def icon(self) -> str:
        return ICONS[self.status]


@dataclass(frozen=True, slots=True)
class Line:
    """One place in the table of a measure's page."""

    label: str
    value: str
    between: str
    n: int
    beside: tuple[str, ...]
    status: Status
    is_low_confidence: bool
    reason: str
    url: str

    @property
    def tone(self) -> str:
        return TONES[self.status]

    @property
    def icon(self) -> str:
        return ICONS[self.status]


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "m4": ("Lost", "Worked", "Starting again"),
    "m6": ("p50", "within 60 s", "not heard again"),
    "m8": ("p50", "within 120 s", "not ready"),
}
"""What stands beside the figure of each place."""
NOUNS = {"m4": "jobs", "m6": "reclaims", "m8": "replicas"}


def seconds(value: float | None, *, is_at_least: bool = False) -> str:
    if value is None:
        return ""
    text = f"{value:.1f} s" if value < 10 else in_words(round(value))
    return f"> {text}" if is_at_least else text


def against(one: Measure, form: str) -> str:
    """What the colour says, in words."""
    goal = form.format(one.target)
    match one.status:
        case Status.GREEN:
            told = f"the target of {goal} is met"
        case Status.RED:
            told = f"the target of {goal} is missed"
        case Status.AMBER:
            told = f"the target of {goal} is not safely met"
        case _:
            told = f"too little for a verdict against the target of {goal}"
    return f"{told}: {one.reason[0].lower()}{one.reason[1:].rstrip('.')}" if one.reason else told


def answer_of(one: Measure) -> Answer:
    """M4, M6 or M8 as a question with its answer."""
    return _ANSWERS[one.name](one)


def _lost(one: Measure) -> Answer:
    lost, useful = one.figures["lost_seconds"] or 0, one.figures["useful_seconds"] or 0
    is_by_tasks = one.unit != "share of work"
    facts = []
    if one.interval:
        facts.append(f"95 %: {100 * one.interval.low:.1f} to {100 * one.interval.high:.1f} %")
    if one.n:
        facts.append(f"n = {one.n:,} {'attempts' if is_by_tasks else 'jobs'}")
    if one.figures["restart_seconds"]:
        facts.append(f"{in_words(one.figures['restart_seconds'])} more to start again")
    if one.figures["assumed"]:
        facts.append(f"{one.figures['assumed']:.0f} assumed")
    sentence = one.reason
    if one.value is not None and is_by_tasks:
        sentence = f"{one.value:.0%} of the task attempts were retries; {against(one, '{:.0%}')}."
    elif one.value is not None:
        sentence = (
            f"{in_words(lost)} of {in_words(lost + useful)} of work were lost; {against(one, '{:.0%}')}."
        )
    return Answer(
        question="How much work is lost?",
        name="Lost work",
        value="" if one.value is None else f"{100 * one.value:.1f}",
        unit="% of work" if not is_by_tasks else "% retried",
        sentence=sentence,
        status=one.status,
        facts=tuple(facts),
        is_low_confidence=one.is_low_confidence,
        url=one.rows_url,
        snippet="" if one.value is not None else SNIPPETS["m4"],
    )


def _gap(one: Measure) -> Answer:
    facts = _ranks(one)
    if one.figures["cut_short"]:
        facts.append(f"{one.figures['cut_short']:.0f} of {one.figures['nodes']:.0f} cut short before the end")
    sentence = one.reason
    if one.value is not None and one.is_at_least:
        sentence = f"Some {one.signal} has not been heard again after {seconds(one.value)}; {against(one, '{:.0f} s')}."
    elif one.value is not None:
        sentence = (
            f"19 of 20 reclaims were unseen for at most {seconds(one.value)}; {against(one, '{:.0f} s')}."
        )
    return Answer(
        question=f"Do we see what happens? ({one.signal})",
        name=f"Observability gap, {one.signal}",
        value=seconds(one.value, is_at_least=one.is_at_least),
        unit="p95, 7 days" if one.window and one.window.days == 7 else "p95",
        sentence=sentence,
        status=one.status,
        facts=tuple(facts),
        url=one.rows_url,
        snippet="" if one.value is not None else SNIPPETS["m6"].replace("telemetry", one.signal),
    )


def _recovery(one: Measure) -> Answer:
    facts = _ranks(one)
    facts += [
        f"{seconds(mean)} {words}"
        for part, words in PARTS.items()
        if (mean := one.figures[f"{part}_mean"]) is not None
    ]
    sentence = one.reason
    if one.value is not None and one.is_at_least:
        sentence = f"Some replica is not ready after {seconds(one.value)}; {against(one, '{:.0f} s')}."
    elif one.value is not None:
        sentence = (
            f"19 of 20 replicas were ready within {seconds(one.value)} of their last write; "
            f"{against(one, '{:.0f} s')}."
        )
    return Answer(
        question="How soon is lost data served again?",
        name="Replica recovery",
        value=seconds(one.value, is_at_least=one.is_at_least),
        unit="p95, 7 days" if one.window and one.window.days == 7 else "p95",
        sentence=sentence,
        status=one.status,
        facts=tuple(facts),
        url=one.rows_url,
        snippet="" if one.value is not None else SNIPPETS["m8"],
    )


def _ranks(one: Measure) -> list[str]:
    if one.figures["p50"] is None:
        return []
    half = seconds(one.figures["p50"], is_at_least=bool(one.figures["p50_is_at_least"]))
    return [f"p50 {half}", f"{one.figures['within_target']:.0%} within {one.target:.0f} s", f"n = {one.n:,}"]


_ANSWERS: Mapping[str, Callable[[Measure], Answer]] = {"m4": _lost, "m6": _gap, "m8": _recovery}
SNIPPETS = {
    "m4": '{"type": "work", "job": "nightly", "attempt": 1, "useful_seconds": 7200, "lost_seconds": 310,'
    ' "last_checkpoint_at": "2026-03-11T14:31:40Z"}',
    "m6": '{"type": "sample", "signal": "telemetry", "replica": "shard-3", "at": "2026-03-11T14:31:40Z"}',
    "m8": '{"type": "replica", "name": "db-2", "last_write_at": "2026-03-11T14:31:40Z",'
    ' "ready_at": "2026-03-11T14:33:05Z"}',
}
"""Entries of a node report that would report what is missing."""


def line_of(one: Measure) -> Line:
    """A group of M4, M6 or M8 as a line of its table."""
    figures, between = one.figures, ""
    if one.interval is not None and one.name == "m4":
        between = f"{100 * one.interval.low:.1f} to {100 * one.interval.high:.1f} %"
    if one.name == "m4":
        lost, useful = figures["lost_seconds"] or 0, figures["useful_seconds"] or 0
        beside = (in_words(lost), in_words(lost + useful), in_words(figures["restart_seconds"] or 0))
        value = "" if one.value is None else f"{100 * one.value:.1f} %"
    else:
        half = seconds(figures["p50"], is_at_least=bool(figures["p50_is_at_least"]))
        share = figures["within_target"]
        unfinished = figures["silent" if one.name == "m6" else "pending"] or 0
        beside = (half, "" if share is None else f"{share:.0%}", f"{unfinished:.0f}")
        value = seconds(one.value, is_at_least=one.is_at_least)
        if one.interval is not None:
            between = f"{100 * one.interval.low:.0f} to {100 * one.interval.high:.0f} % within"
    return Line(
        label=one.label,
        value=value,
        between=between,
        n=one.n,
        beside=beside,
        status=one.status,
        is_low_confidence=one.is_low_confidence,
        reason=one.reason,
        url=one.rows_url,
    )
