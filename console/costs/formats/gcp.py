"""Google Cloud billing export, flat or nested: Cloud Billing, "Structure of Standard data export"."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from console.costs.formats.column import Columns, FocusRow, Format, Row, Translate, present
from console.costs.models import FileFormat
from console.costs.values import Unreadable, decimal_of

CATEGORIES = {
    "": "Usage",
    "regular": "Usage",
    "tax": "Tax",
    "adjustment": "Adjustment",
    "rounding_error": "Adjustment",
}
NESTED = ("service", "sku", "project", "location", "usage", "invoice", "resource")


def _translate(columns: Columns, file_name: str) -> Translate:
    def translate(row: Row) -> FocusRow:
        nested = {name: _object(columns.read(row, name)) for name in NESTED}

        def read(part: str, name: str) -> str:
            found = nested[part].get(name)
            return str(found) if found is not None else columns.read(row, part + name.replace("_", ""))

        cost, kind = columns.read(row, "cost"), columns.read(row, "costtype").lower()
        sku, month = read("sku", "description"), read("invoice", "month")
        found = {
            "ProviderName": "Google Cloud",
            "BilledCost": cost,
            "EffectiveCost": _with_credits(cost, columns.first(row, "credits", "creditsamount")),
            "ListCost": columns.read(row, "costatlist"),
            "BillingCurrency": columns.read(row, "currency"),
            "ChargeCategory": CATEGORIES.get(kind, kind),
            "PricingCategory": _pricing(sku) if CATEGORIES.get(kind) == "Usage" else "",
            "ChargePeriodStart": columns.read(row, "usagestarttime"),
            "ChargePeriodEnd": columns.read(row, "usageendtime"),
            "BillingPeriodStart": f"{month[:4]}-{month[4:6]}-01" if len(month) == 6 else "",
            "BillingAccountId": columns.read(row, "billingaccountid"),
            "SubAccountId": read("project", "id"),
            "RegionId": read("location", "region"),
            "AvailabilityZone": read("location", "zone"),
            "ServiceName": read("service", "description"),
            "ServiceCategory": "Compute" if read("service", "description") == "Compute Engine" else "",
            "SkuId": read("sku", "id"),
            "SkuMeter": sku,
            "ChargeDescription": sku,
            "ResourceId": read("resource", "global_name") or read("resource", "name"),
            "PricingQuantity": read("usage", "amount_in_pricing_units") or read("usage", "amount"),
            "PricingUnit": read("usage", "pricing_unit") or read("usage", "unit"),
            "Tags": _labels(columns.read(row, "labels")),
        }
        return present(found)

    return translate


def _object(text: str) -> dict[str, Any]:
    found = _json(text) if text.startswith("{") else None
    return found if isinstance(found, dict) else {}


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=str)
    except ValueError:
        return None


def _pricing(sku: str) -> str:
    if "preemptible" in sku.lower():
        return "Dynamic"
    return "Committed" if sku.startswith("Commitment") else "Standard"


def _with_credits(cost: str, credit: str) -> str:
    """The cost less its credits, which the export lists beside it as negative amounts."""
    listed = _json(credit) if credit.startswith("[") else None
    amounts = [str(each.get("amount", "0")) for each in listed if isinstance(each, dict)] if listed else []
    try:
        total = decimal_of(cost)
        parts = [decimal_of(amount) or Decimal(0) for amount in amounts or [credit]]
    except Unreadable:
        return cost
    return cost if total is None else format(total + sum(parts, Decimal(0)), "f")


def _labels(text: str) -> str:
    """`[{"key": …, "value": …}]` as an object."""
    pairs = _json(text) if text.startswith("[") else None
    if not isinstance(pairs, list):
        return text
    return json.dumps({str(each.get("key")): each.get("value") for each in pairs if isinstance(each, dict)})


FORMAT = Format(
    FileFormat.GCP_EXPORT,
    frozenset({"cost", "currency", "skudescription", "servicedescription", "usagestarttime"}),
    _translate,
    other_needs=frozenset({"cost", "currency", "sku", "service", "usagestarttime"}),
)
