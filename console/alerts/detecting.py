"""What a detector is: a name, its limits with units, what it reads, and a pure judgement over what was read.

A detector is one file of `detectors/` that holds a `DETECTOR`; `registry.py` finds it there. `read` is one or two
set-based statements bounded by `now`; `judge` is pure. So the same code looks at this minute and at one of last month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from console.alerts.models.words import Severity
from console.fleet.models import Criticality

PLATFORM = "platform"
"""The column of the table for what concerns no single service."""
CLASSES = (*Criticality.values, PLATFORM)
SLACK = 0.1
"""A measure has to come back so far within its limit, as a share of it, before it counts as over."""

Row = dict[str, str]
"""Class of service to decision."""


def row(critical: str, user_facing: str, others: str, platform: str = "") -> Row:
    """One row of `metrics.md` section 3's table: batch and best effort share a column."""
    decisions = (critical, user_facing, others, others, platform or critical)
    return dict(zip(CLASSES, decisions, strict=True))


TICKETS = row("ticket", "ticket", "ticket")
LOGS = row("log", "log", "log")


class Kind(StrEnum):
    SAMPLED = "sampled"
    """Looked at once a minute."""
    EVENT = "event"
    """Looked at when its rows change; fires at once."""


class Subject(StrEnum):
    """What one judgement is about."""

    SERVICE = "service"
    FEED = "feed"
    PLACE = "place"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit that a rule may set. Outside `least` to `most` it could never hold, or would mean nothing."""

    name: str
    label: str
    default: float
    unit: str = ""
    least: float = 0.0
    most: float = float("inf")
    is_whole: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A row of the table: what holds, and whom that tells, by class of service."""

    name: str
    label: str
    row: Row


HOLDS = "holds"
"""The one condition of most detectors."""


def one_condition(label: str, row: Row = TICKETS) -> tuple[Condition, ...]:
    return (Condition(HOLDS, label, row),)


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as judgements see it."""

    id: int
    origin: str
    slug: str
    name: str
    criticality: str
    team_id: int | None = None
    team_slug: str = ""
    team_name: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What readings are asked for: whose rows, and as of when. Rows after `now` do not exist."""

    origins: Sequence[str]
    now: datetime
    heard_by: datetime | None = None
    """What was reported until then counts, however late. Null: what was heard by `now`, as it is live."""

    @property
    def known_at(self) -> datetime:
        return self.heard_by or self.now

    def since(self, length: timedelta) -> datetime:
        return self.now - length


@dataclass(frozen=True, slots=True)
class Given:
    """What a judgement is given beside the rows: the rule's limits, the services by id, the moment."""

    limits: Mapping[str, float]
    services: Mapping[int, ServiceRow]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is so of one subject. `scope` completes the key of the group that it may open."""

    scope: str
    origin: str
    title: str
    """Of the group, where it fires."""
    text: str
    """One sentence with the figures, true whether it holds or not."""
    is_true: bool
    is_clear: bool | None = None
    """None: as soon as it does not hold."""
    service_id: int | None = None
    team_id: int | None = None
    value: float | None = None
    limit: float | None = None
    condition: str = HOLDS
    severity: Severity | None = None
    """None: the rule's."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    windows: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return not self.is_true if self.is_clear is None else self.is_clear and not self.is_true


Read = Callable[[Asked], Any]
Judge = Callable[[Any, Given], Iterable[Judged]]


def nothing(_: Mapping[str, float]) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One way in which things go wrong, and how it is seen."""

    name: str
    title: str
    about: str
    """What it looks at and when it holds, in a sentence or two, with no figures that a rule may set."""
    kind: Kind = Kind.SAMPLED
    subject: Subject = Subject.SERVICE
    thresholds: tuple[Threshold, ...] = ()
    conditions: tuple[Condition, ...]
    severity: Severity = Severity.WARNING
    read: Read | None = None
    judge: Judge | None = None
    evaluations: int = 2
    is_replayable: bool = True
    """Its rows say how things were at any past moment, and not only how they are now."""
    impossible: Callable[[Mapping[str, float]], Iterable[str]] = nothing
    """Why it could never hold with these limits, beyond what their ranges say."""

    @property
    def defaults(self) -> dict[str, float]:
        return {one.name: one.default for one in self.thresholds}

    @property
    def table(self) -> dict[str, Row]:
        return {one.name: dict(one.row) for one in self.conditions}

    @property
    def groupings(self) -> tuple[str, ...]:
        """What one open group may be about."""
        is_measured = self.subject is Subject.SERVICE and self.judge is not None
        return ("service", "team") if is_measured else (self.subject.value,)


def over(window: timedelta, given: Given, **more: Any) -> dict[str, Any]:
    """The one window that a measure looks at, as a receipt keeps it."""
    return {"long": {"since": (given.now - window).isoformat(), "until": given.now.isoformat(), **more}}


def counted(number: int, one: str, many: str = "") -> str:
    """`1 hook`, `6 hooks`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
