"""The shape of a measure: a figure that carries its range, its age, its verdict and the way to its rows.

`measures_m1.py` to `measures_m8.py` compute them from the roll-ups; pages, API and CSV only print what
stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from console.interruptions.models import RollupState
from console.lib.statistics import Interval, Status

WEEK = timedelta(days=7)
TREND_WEEKS = 13
NOT_COMPUTED = "The figures are being computed for the first time."


class Dimension(StrEnum):
    """What every measure can be grouped and filtered by."""

    SERVICE = "service"
    TEAM = "team"
    REGION = "region"
    ZONE = "zone"
    TYPE = "type"
    POOL = "pool"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data: one origin, narrowed by any dimension. Empty means all."""

    origin: str
    service: str = ""
    team: str = ""
    region: str = ""
    zone: str = ""
    type: str = ""
    pool: str = ""
    provider: str = ""

    @property
    def filters(self) -> dict[str, str]:
        return {d.value: getattr(self, d.value) for d in Dimension if getattr(self, d.value)}

    def narrowed(self, dimension: Dimension, key: str) -> Scope:
        return replace(self, **{dimension.value: key})


@dataclass(frozen=True, slots=True)
class Window:
    """[since, until): `since` on the hour, `until` on the hour or as far as the roll-up reaches."""

    since: datetime
    until: datetime
    as_of: datetime

    @classmethod
    def last(cls, length: timedelta, *, as_of: datetime) -> Window:
        """The last so many hours, with the hour now running on top."""
        return cls(_hour(as_of) - length, as_of, as_of)

    @classmethod
    def ending(cls, until: datetime, length: timedelta, *, as_of: datetime) -> Window:
        """So many hours up to a past hour."""
        return cls(_hour(until) - length, _hour(until), as_of)

    @classmethod
    def weeks(cls, count: int, *, as_of: datetime) -> Window:
        """So many calendar weeks from Monday, the one now running the last of them."""
        monday = _hour(as_of).replace(hour=0) - timedelta(days=as_of.astimezone(UTC).weekday())
        return cls(monday - (count - 1) * WEEK, as_of, as_of)

    @property
    def days(self) -> int:
        return round((self.until - self.since) / timedelta(days=1))


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def rolled_up_at(origin: str) -> datetime | None:
    """How far the figures of this origin reach: what pages print as "data as of"."""
    return RollupState.objects.filter(origin=origin).values_list("rolled_up_at", flat=True).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure. `value` None is "not known", which is never 0 and never green."""

    name: str
    unit: str
    value: float | None
    is_at_least: bool = False
    """Something unfinished decides it: the true value is greater than `value`."""
    interval: Interval | None = None
    n: int = 0
    status: Status = Status.GREY
    reason: str = ""
    """Why there is no verdict, or why it is not better."""
    target: float | None = None
    red: float | None = None
    is_low_confidence: bool = False
    notes: tuple[str, ...] = ()
    figures: Mapping[str, float | None] = field(default_factory=dict)
    """Its parts and companions, by name."""
    workload_class: str = ""
    """Of M3: stateless or batch."""
    signal: str = ""
    """Of M6: telemetry or audit."""
    key: str = ""
    label: str = ""
    """The group it stands for, when grouped."""
    window: Window | None = None
    rows_url: str = ""

    @property
    def as_of(self) -> datetime | None:
        return self.window.as_of if self.window else None


def rows_url(scope: Scope, window: Window | None, **extra: str) -> str:
    """The list of the very interruptions that were counted."""
    query = {**scope.filters, "cause": "spot", "outcome": "counted", "origin": scope.origin, **extra}
    if query["origin"] == "live":
        del query["origin"]
    if window is not None:
        query |= {"since": _iso(window.since), "until": _iso(window.until)}
    return f"/interruptions/?{urlencode(query)}"


MEASURE_PAGES = {
    "m4": "/interruptions/lost-work/",
    "m6": "/interruptions/gaps/",
    "m8": "/interruptions/recovery/",
}


def measure_url(name: str, scope: Scope, window: Window | None, **extra: str) -> str:
    """The page of a measure whose rows are not reclaims, narrowed to what was counted."""
    query = scope.filters | ({"origin": scope.origin} if scope.origin != "live" else {}) | extra
    if window is not None:
        query |= {"since": _iso(window.since), "until": _iso(window.until)}
    return f"{MEASURE_PAGES[name]}?{urlencode(query)}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def unknown(name: str, unit: str, reason: str) -> Measure:
    """A measure of which nothing can be said yet."""
    return Measure(name=name, unit=unit, value=None, reason=reason)
