"""What a cost page is asked to show, out of its address: dimension, month, view and filters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDay

from console.costs.models import Charge, DailyCost
from console.fleet.models import UNATTRIBUTED, Service

DIMENSIONS = {
    "service": "Service",
    "team": "Team",
    "provider": "Provider",
    "region": "Region",
    "account": "Account",
    "period": "Month",
}
VIEWS = {"charge": "When it was used", "billing": "When it was billed"}
FILTERS = ("service", "team", "provider", "region", "account", "currency")
NONE = "(none)"
"""In an address: rows that name nothing in this dimension."""
ALL = "all"
SPOT: dict[str, dict[str, bool]] = {
    "1": {"is_spot": True},
    "priced": {"is_spot": True, "baseline__isnull": False},
    "unpriced": {"is_spot": True, "baseline__isnull": True},
}
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One question about costs. `month` is `2026-11`, or `all`."""

    origin: str
    by: str
    view: str
    month: str
    filters: Mapping[str, str]
    spot: str = ""
    """Of the rows: all, or one of `SPOT`."""

    @classmethod
    def of(cls, query: Mapping[str, str], *, origin: str, newest: str) -> Wanted:
        """What cannot be read is left out: an old link still opens its page."""
        by, view, month = (query.get(name, "") for name in ("by", "view", "month"))
        is_month = _MONTH.fullmatch(month) is not None
        return cls(
            origin=origin,
            by=by if by in DIMENSIONS else "service",
            view=view if view in VIEWS else "charge",
            month=month if is_month or month == ALL else newest,
            filters={name: query[name][:128] for name in FILTERS if query.get(name)},
            spot=query["spot"] if query.get("spot") in SPOT else "",
        )

    def days(self) -> QuerySet[DailyCost]:
        """Daily sums that answer it."""
        found = DailyCost.objects.filter(origin=self.origin)
        if (start := self.month_start) is not None:
            column = "billing_month" if self.view == "billing" else "day"
            found = found.filter(**{f"{column}__gte": start, f"{column}__lt": _following(start)})
        return found.filter(self._filters())

    def charges(self) -> QuerySet[Charge]:
        """The rows behind the same sums."""
        found = Charge.objects.counted(origin=self.origin)
        if (start := self.month_start) is not None and self.view == "billing":
            found = found.filter(billing_month=start)
        elif start is not None:
            first, last = (
                datetime(each.year, each.month, 1, tzinfo=UTC) for each in (start, _following(start))
            )
            found = found.filter(charge_started_at__gte=first, charge_started_at__lt=last)
        found = found.filter(**SPOT.get(self.spot, {}))
        return found.filter(self._filters()).filter(Q(natural_key="") | ~_is_billed())

    @property
    def month_start(self) -> date | None:
        return date(int(self.month[:4]), int(self.month[5:]), 1) if _MONTH.fullmatch(self.month) else None

    def address(self, **changes: str) -> str:
        """The query string of the same question, changed."""
        given = {"by": self.by, "view": self.view, "month": self.month, **self.filters}
        if self.origin != "live":
            given["origin"] = self.origin
        return urlencode({name: value for name, value in (given | changes).items() if value})

    def _filters(self) -> Q:
        found = Q()
        for name, value in self.filters.items():
            if name == "team":
                services = Service.objects.filter(origin=self.origin, team__isnull=False)
                owned = services if value == UNATTRIBUTED else services.filter(team__slug=value)
                inside = Q(service__in=owned.values("slug"))
                found &= ~inside if value == UNATTRIBUTED else inside
            else:
                found &= Q(**{name: "" if value == NONE else value})
        return found


def _following(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _is_billed() -> Exists:
    """A record of the spot data feed whose account has spot rows of a bill that day (`rolling_up.py`)."""
    started = ExpressionWrapper(OuterRef("charge_started_at"), output_field=DateTimeField())
    day = TruncDay(started, tzinfo=UTC)
    return Exists(
        Charge.objects.filter(
            origin=OuterRef("origin"),
            cloud=OuterRef("cloud"),
            account=OuterRef("account"),
            replaced_by=None,
            natural_key="",
            is_spot=True,
            charge_started_at__gte=day,
            charge_started_at__lt=day + timedelta(days=1),
        )
    )
