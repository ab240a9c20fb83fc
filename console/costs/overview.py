"""What spot saved, by one dimension and currency: sums of daily rows, each with its rate and the way to its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Max, Sum
from django.db.models.functions import TruncMonth

from console.costs.asked import NONE, Wanted
from console.costs.models import BillingImport, Charge, DailyCost, Restatement
from console.costs.savings import SpotSums
from console.costs.snapshots import closes_at
from console.fleet.models import UNATTRIBUTED, Service

COLUMNS = {
    "service": "service",
    "team": "service",
    "provider": "provider",
    "region": "region",
    "account": "account",
}
PARTIAL_DAYS = 2
"""Providers deliver a day's rows for about so long (`metrics.md` 5.4)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table: a service, team, … in one currency."""

    key: str
    name: str
    currency: str
    rows: int
    billed: Decimal
    spot: SpotSums
    repaired_rows: int
    rows_url: str
    spot_share: Decimal | None
    """Of all spot spend in this currency, priced or not; None where there is none."""

    @property
    def spot_spend(self) -> Decimal:
        return self.spot.cost + self.spot.cost_without_baseline


@dataclass(frozen=True, slots=True)
class CurrencyTable:
    """All lines in one currency, largest spot spend first, and their total."""

    currency: str
    total: Line
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Overview:
    """The page. Currencies are never added up."""

    tables: list[CurrencyTable]
    months: list[str]
    status: str
    as_of: datetime | None
    restatements: list[Restatement]


SUMS: dict[str, Any] = {
    "row_sum": Sum("rows"),
    "billed_sum": Sum("billed"),
    "spot_rows_sum": Sum("spot_rows"),
    "cost_sum": Sum("spot_cost"),
    "baseline_sum": Sum("baseline"),
    "unpriced_rows_sum": Sum("unpriced_rows"),
    "unpriced_sum": Sum("unpriced_cost"),
    "repaired_sum": Sum("repaired_rows"),
}


def known_months(*, origin: str, view: str) -> list[str]:
    """Months with charges, newest first."""
    column = "billing_month" if view == "billing" else "day"
    found = DailyCost.objects.filter(origin=origin).annotate(month=TruncMonth(column))
    return [f"{month:%Y-%m}" for month in found.values_list("month", flat=True).distinct().order_by("-month")]


def overview(wanted: Wanted, *, months: list[str], now: datetime) -> Overview:
    """A constant number of queries, whatever the rows."""
    found = _summed(wanted)
    named = _names(wanted)
    tables = [_table(wanted, currency, found[currency], named) for currency in sorted(found)]
    done = BillingImport.objects.filter(origin=wanted.origin).aggregate(at=Max("finished_at"))
    return Overview(tables, months, _status(wanted, now), done["at"], _restatements(wanted))


def _summed(wanted: Wanted) -> dict[str, dict[str, dict[str, Any]]]:
    """`{currency: {key: sums}}`. Services of one team are one line."""
    days = wanted.days()
    if wanted.by == "period":
        column = "billing_month" if wanted.view == "billing" else "day"
        days = days.annotate(key=TruncMonth(column))
    else:
        days = days.annotate(key=F(COLUMNS[wanted.by]))
    teams = _teams(wanted) if wanted.by == "team" else None
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    summed: Iterable[Any] = days.values("currency", "key").annotate(**SUMS).order_by()
    for each in summed:
        key = f"{each['key']:%Y-%m}" if isinstance(each["key"], date) else each["key"]
        key = teams.get(key, UNATTRIBUTED) if teams is not None else key
        there = found[each["currency"]].setdefault(key, dict.fromkeys(SUMS, Decimal(0)))
        for name in SUMS:
            there[name] += each[name]
    if wanted.by in ("service", "team"):
        for sums in found.values():
            sums.setdefault(UNATTRIBUTED, dict.fromkeys(SUMS, Decimal(0)))
    return found


def _table(
    wanted: Wanted, currency: str, found: dict[str, dict[str, Any]], named: dict[str, str]
) -> CurrencyTable:
    whole = {name: sum((sums[name] for sums in found.values()), Decimal(0)) for name in SUMS}
    spend = whole["cost_sum"] + whole["unpriced_sum"]
    lines = [_line(wanted, currency, key, sums, named, spend) for key, sums in found.items()]
    lines.sort(key=lambda line: (-line.spot_spend, -line.billed, line.name))
    return CurrencyTable(currency, _line(wanted, currency, None, whole, named, spend), lines)


def _line(
    wanted: Wanted,
    currency: str,
    key: str | None,
    sums: dict[str, Any],
    named: dict[str, str],
    spend: Decimal,
) -> Line:
    narrowed = {"currency": currency}
    if key is not None:
        narrowed["month" if wanted.by == "period" else wanted.by] = key or NONE
    spot = SpotSums(
        cost=sums["cost_sum"],
        baseline=sums["baseline_sum"],
        cost_without_baseline=sums["unpriced_sum"],
        rows=int(sums["spot_rows_sum"]),
        rows_without_baseline=int(sums["unpriced_rows_sum"]),
    )
    ours = spot.cost + spot.cost_without_baseline
    return Line(
        key=key or NONE,
        name="Together" if key is None else named.get(key, key or "not named"),
        currency=currency,
        rows=int(sums["row_sum"]),
        billed=sums["billed_sum"],
        spot=spot,
        repaired_rows=int(sums["repaired_sum"]),
        rows_url=wanted.address(**narrowed),
        spot_share=ours / spend if spend else None,
    )


def _names(wanted: Wanted) -> dict[str, str]:
    """What people call the services or teams that the console knows."""
    if wanted.by not in ("service", "team"):
        return {}
    services = Service.objects.filter(origin=wanted.origin)
    columns = ("slug", "name") if wanted.by == "service" else ("team__slug", "team__name")
    named = dict(services.values_list(*columns))
    return {str(key): str(name) for key, name in named.items() if key} | {UNATTRIBUTED: "Unattributed"}


def _teams(wanted: Wanted) -> dict[str, str]:
    services = Service.objects.filter(origin=wanted.origin, team__isnull=False)
    return {slug: str(team) for slug, team in services.values_list("slug", "team__slug")}


def _status(wanted: Wanted, now: datetime) -> str:
    """Whether the month may still change (`metrics.md` 5.4)."""
    month = wanted.month_start
    if month is None:
        return ""
    newest = (now - timedelta(days=PARTIAL_DAYS)).astimezone(UTC).date()
    if now < closes_at(month):
        bill = wanted.charges()
        if bill.exists() and not bill.filter(invoice="").exists():
            return "invoiced"
        is_partial = newest < (month + timedelta(days=32)).replace(day=1)
        return f"open, days since {newest:%-d %B} are partial" if is_partial else "open"
    return "closed"


def _restatements(wanted: Wanted) -> list[Restatement]:
    found = Restatement.objects.filter(billing_import__origin=wanted.origin)
    if (month := wanted.month_start) is not None:
        found = found.filter(billing_month=month)
    return list(found.select_related("billing_import__created_by").order_by("-restated_at", "-pk")[:10])


CHARGE_ORDER = ("-charge_started_at", "-pk")


def charge_values(charge: Charge) -> dict[str, object]:
    """One row for a CSV, exact."""
    gross = None
    if charge.baseline is not None and charge.spot_cost is not None:
        gross = charge.baseline - charge.spot_cost
    return {name: getattr(charge, name) for name in CHARGE_COLUMNS[:-3]} | {
        "gross": gross,
        "file": charge.billing_import.file_name,
        "line": charge.line,
    }


CHARGE_COLUMNS = (
    *("charge_started_at", "charge_ended_at", "billing_month", "provider", "billing_account", "account"),
    *("region", "zone", "service", "service_name", "charge_category", "pricing_category", "description"),
    *("resource", "instance_type", "currency", "billed", "effective", "list", "quantity", "unit", "is_spot"),
    *("spot_cost", "is_repaired", "baseline", "gross", "file", "line"),
)
