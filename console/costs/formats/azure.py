"""Azure cost details, actual and amortized: Microsoft Cost Management, "Understand cost details fields"."""

from __future__ import annotations

from datetime import timedelta

from console.costs.formats.column import Columns, FocusRow, Format, Row, Translate, present
from console.costs.models import FileFormat
from console.costs.values import Unreadable, mapping_of, moment_of

CATEGORIES = {
    "usage": "Usage",
    "purchase": "Purchase",
    "refund": "Purchase",
    "tax": "Tax",
    "credit": "Credit",
    "adjustment": "Adjustment",
    "roundingadjustment": "Adjustment",
    "unusedreservation": "Usage",
    "unusedsavingsplan": "Usage",
}
PRICING = {
    "ondemand": "Standard",
    "spot": "Dynamic",
    "reservation": "Committed",
    "savingsplan": "Committed",
}


def kind_of(file_name: str) -> FileFormat:
    """The columns are the same in both; the export is named after what it holds."""
    is_amortized = "amortized" in file_name.lower() or "amortised" in file_name.lower()
    return FileFormat.AZURE_AMORTIZED if is_amortized else FileFormat.AZURE_ACTUAL


def _translate(columns: Columns, file_name: str) -> Translate:
    is_amortized = kind_of(file_name) == FileFormat.AZURE_AMORTIZED

    def translate(row: Row) -> FocusRow:
        charge = columns.read(row, "chargetype")
        pricing = columns.read(row, "pricingmodel")
        cost = columns.first(row, "costinbillingcurrency", "cost")
        is_committed = PRICING.get(pricing.lower()) == "Committed"
        day = columns.first(row, "date", "usagedatetime")
        found = {
            "BilledCost": "0" if is_amortized and is_committed else cost,
            "EffectiveCost": cost,
            "ChargeCategory": CATEGORIES.get(charge.lower(), charge),
            "ChargeClass": "Correction" if charge.lower() == "refund" else "",
            "PricingCategory": PRICING.get(pricing.lower(), pricing),
            "x_PricingSubcategory": "Spot" if pricing.lower() == "spot" else "",
            "ChargePeriodStart": day,
            "ChargePeriodEnd": _next_day(day),
            "Tags": _tags(columns.read(row, "tags")),
        }
        return present(found | _place(columns, row))

    return translate


def _place(columns: Columns, row: Row) -> dict[str, str]:
    return {
        "ProviderName": "Microsoft",
        "BillingCurrency": columns.first(row, "billingcurrencycode", "billingcurrency"),
        "BillingAccountId": columns.read(row, "billingaccountid"),
        "SubAccountId": columns.first(row, "subscriptionid", "subscriptionguid"),
        "BillingPeriodStart": columns.read(row, "billingperiodstartdate"),
        "InvoiceId": columns.read(row, "invoiceid"),
        "RegionId": columns.read(row, "resourcelocation").lower().replace(" ", ""),
        "AvailabilityZone": columns.read(row, "availabilityzone"),
        "ServiceName": columns.read(row, "metercategory"),
        "ServiceCategory": columns.read(row, "servicefamily"),
        "SkuMeter": columns.read(row, "metername"),
        "ResourceId": columns.first(row, "resourceid", "instanceid"),
        "PricingQuantity": columns.first(row, "quantity", "usagequantity"),
        "PricingUnit": columns.read(row, "unitofmeasure"),
        "ChargeDescription": columns.first(row, "productname", "product"),
    }


def _next_day(text: str) -> str:
    try:
        day = moment_of(text)
    except Unreadable:
        return ""
    return (day + timedelta(days=1)).isoformat() if day else ""


def _tags(text: str) -> str:
    """Enterprise exports leave the braces away."""
    braced = "{" + text + "}"
    return braced if text and not text.startswith("{") and mapping_of(braced) is not None else text


FORMAT = Format(
    FileFormat.AZURE_ACTUAL,
    frozenset({"costinbillingcurrency", "pricingmodel", "chargetype", "date", "metername"}),
    _translate,
    kind_of=kind_of,
)
