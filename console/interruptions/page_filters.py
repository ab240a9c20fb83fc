"""What the URL of a page of figures asks for: which stretch of time, of whom, grouped by what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from console.interruptions.measures import Dimension, Scope, Window

PERIODS = {
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "28d": ("28 days", timedelta(days=28)),
    "13w": ("13 weeks", timedelta(weeks=13)),
}
PROVIDERS = ("aws", "azure", "gcp")
LONGEST = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFilters:
    """`since` and `until` come with a link from a figure: then exactly its stretch is shown."""

    usual: str
    period: str
    by: Dimension
    dimensions: Sequence[str]
    chosen: dict[str, str]
    """The dimensions it is narrowed to."""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, query: QueryDict, *, usual: str, usual_by: str, dimensions: Sequence[str]) -> PageFilters:
        period, by = query.get("period", ""), query.get("by", "")
        since, until = _moment(query.get("since", "")), _moment(query.get("until", ""))
        is_stretch = since is not None and until is not None and since < until <= since + LONGEST
        names = [dimension.value for dimension in Dimension]
        return cls(
            usual=usual,
            period=period if period in PERIODS else usual,
            by=Dimension(by if by in dimensions else usual_by),
            dimensions=dimensions,
            chosen={name: value for name in names if (value := query.get(name, "").strip()[:100])},
            since=since if is_stretch else None,
            until=until if is_stretch else None,
        )

    @property
    def words(self) -> str:
        return PERIODS[self.period][0]

    @property
    def periods(self) -> list[tuple[str, str]]:
        return [(key, f"Last {words}") for key, (words, _) in PERIODS.items()]

    @property
    def providers(self) -> Sequence[str]:
        return PROVIDERS

    @property
    def provider(self) -> str:
        return self.chosen.get("provider", "")

    @property
    def hidden(self) -> dict[str, str]:
        """What the form passes on without showing it as a field; the page says it in words."""
        return {name: value for name, value in self.chosen.items() if name != "provider"}

    @property
    def is_set(self) -> bool:
        return bool(self.chosen) or self.since is not None or self.period != self.usual

    def query(self, **extra: str) -> str:
        """The same page again, as a query string."""
        stretch = {"since": _iso(self.since), "until": _iso(self.until)} if self.since and self.until else {}
        own = {"period": self.period, "by": self.by.value, **self.chosen, **stretch, **extra}
        return urlencode({name: value for name, value in own.items() if value})

    @property
    def csv(self) -> str:
        return self.query(format="csv")

    def scope(self, origin: str) -> Scope:
        return Scope(origin, **self.chosen)

    def window(self, as_of: datetime) -> Window:
        if self.since is not None and self.until is not None:
            return Window(self.since, min(self.until, as_of), as_of)
        return Window.last(PERIODS[self.period][1], as_of=as_of)


def _moment(text: str) -> datetime | None:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return at if at is not None and timezone.is_aware(at) else None


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
