"""One row judged: taken with its defects, or rejected with the reason (`metrics.md` 5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from console.costs.formats.column import FocusRow
from console.costs.spot import cloud_of, differs, instance_type_of, is_spot, spot_cost
from console.costs.values import Unreadable, decimal_of, mapping_of, moment_of

CHARGE_CATEGORIES = {word.lower(): word for word in ("Usage", "Purchase", "Tax", "Credit", "Adjustment")}
PRICING_CATEGORIES = {word.lower(): word for word in ("Standard", "Dynamic", "Committed", "Other")}
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_FULL_ZONE = re.compile(r"[a-z]{2}(-[a-z]+)+-\d.*|[a-z]+-[a-z]+\d+-[a-z]")
"""A zone that begins with its region: AWS, Oracle, Google. Numbers and ids of zones say nothing of the region."""
DAY = timedelta(days=1)

DEFECTS = {
    "effective_cost_differs_from_billed": "EffectiveCost is not BilledCost, and nothing was committed",
    "list_cost_not_price_times_quantity": "ListCost is not ListUnitPrice × PricingQuantity",
    "tags_not_json": "Tags are no JSON object",
    "zero_length_charge_period": "The charge period has no length",
    "region_missing": "No region",
    "pricing_category_missing": "Usage without a pricing category",
    "contracted_cost_missing": "No contracted cost",
    "zone_outside_region": "The zone lies outside the region",
    "value_not_readable": "An optional value cannot be read and was left out",
    "currency_changes": "Another currency than earlier rows of the same account and month",
    "charge_period_in_future": "The charge period lies in the future",
}
"""What each defect means, for people."""


class Rejected(ValueError):
    """The row cannot be counted; the message says why."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is supplied where a file does not say, and what the judge knows."""

    now: datetime
    provider: str = ""
    currency: str = ""
    columns: frozenset[str] = frozenset()
    """FOCUS columns that the file has: what a file never holds is no defect of each row."""


@dataclass(slots=True)
class Checked:
    """A row that counts. `values` are the fields of `Charge` apart from the import's own."""

    values: dict[str, Any]
    defects: dict[str, dict[str, str]] = field(default_factory=dict)
    is_untagged: bool = False


def check(row: FocusRow, options: Options) -> Checked:
    """Judge one row. Raises `Rejected`."""
    required = _required(row, options)
    defects: dict[str, dict[str, str]] = {}
    amounts = {
        name: _optional(row, name, defects)
        for name in ("EffectiveCost", "ListCost", "ContractedCost", "ListUnitPrice", "PricingQuantity")
    }
    ended = _optional_moment(row, "ChargePeriodEnd", defects)
    billing = _optional_moment(row, "BillingPeriodStart", defects) or required["charge_started_at"]
    pricing = row.get("PricingCategory", "")
    tags = mapping_of(row.get("Tags"))
    values = (
        required
        | _words(row)
        | {
            "pricing_category": PRICING_CATEGORIES.get(pricing.lower(), pricing[:32]),
            "charge_ended_at": ended,
            "billing_month": date(billing.year, billing.month, 1),
            "effective": amounts["EffectiveCost"],
            "list": amounts["ListCost"],
            "quantity": amounts["PricingQuantity"],
            "tags": tags or {},
        }
    )
    values |= _spot_values(row, values)
    _judge_amounts(row, values, amounts, defects)
    _judge_rest(row, values, options, defects)
    if tags is None:
        defects["tags_not_json"] = {"Tags": row["Tags"][:200]}
    return Checked(values, defects, is_untagged=tags == {})


def _required(row: FocusRow, options: Options) -> dict[str, Any]:
    provider = row.get("ProviderName") or options.provider
    if not provider:
        raise Rejected("ProviderName is missing: name it when importing, if the file is of one provider")
    currency = row.get("BillingCurrency") or options.currency
    if not currency:
        raise Rejected("BillingCurrency is missing: name it when importing, if the file is in one currency")
    if not _CURRENCY.fullmatch(currency):
        raise Rejected(f"BillingCurrency “{currency[:20]}” is not three letters")
    category = row.get("ChargeCategory", "")
    if category.lower() not in CHARGE_CATEGORIES:
        known = ", ".join(CHARGE_CATEGORIES.values())
        said = f"“{category[:40]}” is not known" if category else "is missing"
        raise Rejected(f"ChargeCategory {said}: it is one of {known}")
    try:
        billed = decimal_of(row.get("BilledCost"))
    except Unreadable as error:
        raise Rejected(f"BilledCost {error}") from error
    try:
        started = moment_of(row.get("ChargePeriodStart"))
    except Unreadable as error:
        raise Rejected(f"ChargePeriodStart {error}") from error
    if billed is None or started is None:
        raise Rejected(f"{'BilledCost' if billed is None else 'ChargePeriodStart'} is missing")
    return {
        "provider": provider[:64],
        "cloud": cloud_of(provider),
        "currency": currency.upper(),
        "charge_category": CHARGE_CATEGORIES[category.lower()],
        "billed": billed,
        "charge_started_at": started,
    }


def _optional(row: FocusRow, name: str, defects: dict[str, dict[str, str]]) -> Decimal | None:
    try:
        return decimal_of(row.get(name))
    except Unreadable:
        defects.setdefault("value_not_readable", {})[name] = row[name][:80]
        return None


def _optional_moment(row: FocusRow, name: str, defects: dict[str, dict[str, str]]) -> datetime | None:
    try:
        return moment_of(row.get(name))
    except Unreadable:
        defects.setdefault("value_not_readable", {})[name] = row[name][:80]
        return None


def _words(row: FocusRow) -> dict[str, Any]:
    return {
        "billing_account": row.get("BillingAccountId", "")[:128],
        "account": (row.get("SubAccountId") or row.get("BillingAccountId", ""))[:128],
        "region": row.get("RegionId", "")[:64],
        "zone": row.get("AvailabilityZone", "")[:64],
        "service_name": row.get("ServiceName", "")[:200],
        "service_category": row.get("ServiceCategory", "")[:64],
        "charge_class": row.get("ChargeClass", "")[:16].capitalize(),
        "description": row.get("ChargeDescription", "")[:2000],
        "resource": row.get("ResourceId", "")[:500],
        "invoice": row.get("InvoiceId", "")[:128],
        "unit": row.get("PricingUnit", "")[:64],
        "natural_key": row.get("x_NaturalKey", "")[:200],
        "extra": {
            name: row[name] for name in row if name.startswith(("x_", "X_")) and name != "x_NaturalKey"
        },
    }


def _spot_values(row: FocusRow, values: dict[str, Any]) -> dict[str, Any]:
    cloud = values["cloud"]
    if not is_spot(row, cloud=cloud):
        instance_type = instance_type_of(row, cloud=cloud) if "Usage:" in row.get("x_UsageType", "") else ""
        return {"is_spot": False, "instance_type": instance_type, "spot_cost": None, "is_repaired": False} | {
            "baseline": None
        }
    found = spot_cost(
        billed=values["billed"], effective=values["effective"], listed=values["list"], cloud=cloud
    )
    return {
        "is_spot": True,
        "instance_type": instance_type_of(row, cloud=cloud),
        "spot_cost": found.cost,
        "is_repaired": found.is_repaired,
        "baseline": found.baseline,
    }


def _judge_amounts(
    row: FocusRow,
    values: dict[str, Any],
    amounts: dict[str, Decimal | None],
    defects: dict[str, dict[str, str]],
) -> None:
    is_plain_usage = values["charge_category"] == "Usage" and values["pricing_category"] != "Committed"
    effective = amounts["EffectiveCost"]
    if is_plain_usage and effective is not None and differs(effective, values["billed"]):
        defects["effective_cost_differs_from_billed"] = _told(row, "EffectiveCost", "BilledCost")
    listed, price, quantity = amounts["ListCost"], amounts["ListUnitPrice"], amounts["PricingQuantity"]
    if (
        listed is not None
        and price is not None
        and quantity is not None
        and differs(listed, price * quantity)
    ):
        defects["list_cost_not_price_times_quantity"] = _told(
            row, "ListCost", "ListUnitPrice", "PricingQuantity"
        )


def _judge_rest(
    row: FocusRow, values: dict[str, Any], options: Options, defects: dict[str, dict[str, str]]
) -> None:
    started, ended, region, zone = (
        values[name] for name in ("charge_started_at", "charge_ended_at", "region", "zone")
    )
    if ended is not None and ended <= started:
        defects["zero_length_charge_period"] = _told(row, "ChargePeriodStart", "ChargePeriodEnd")
    if started > options.now + DAY:
        defects["charge_period_in_future"] = _told(row, "ChargePeriodStart")
    if "RegionId" in options.columns and not region:
        defects["region_missing"] = {}
    is_usage = values["charge_category"] == "Usage"
    if "PricingCategory" in options.columns and is_usage and not values["pricing_category"]:
        defects["pricing_category_missing"] = {}
    if "ContractedCost" in options.columns and not row.get("ContractedCost"):
        defects["contracted_cost_missing"] = {}
    if region and _FULL_ZONE.fullmatch(zone.lower()) and not zone.lower().startswith(region.lower()):
        defects["zone_outside_region"] = _told(row, "AvailabilityZone", "RegionId")


def _told(row: FocusRow, *names: str) -> dict[str, str]:
    return {name: row.get(name, "")[:200] for name in names}
