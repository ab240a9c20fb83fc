"""AWS Cost and Usage Report, legacy and 2.0: CUR guide, line item, pricing and product columns."""

from __future__ import annotations

import json

from console.costs.formats.column import Columns, FocusRow, Format, Row, Translate, present
from console.costs.models import FileFormat
from console.costs.values import mapping_of, text_of

CATEGORIES = {
    **dict.fromkeys(("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage"), "Usage"),
    "Tax": "Tax",
    **dict.fromkeys(("Credit", "Refund"), "Credit"),
    **dict.fromkeys(("Fee", "RIFee", "SavingsPlanUpfrontFee", "SavingsPlanRecurringFee"), "Purchase"),
    **dict.fromkeys(
        (
            *("SavingsPlanNegation", "BundledDiscount", "EdpDiscount", "Discount"),
            *("PrivateRateDiscount", "SppDiscount", "FlatRateSubscription"),
        ),
        "Adjustment",
    ),
}
COMMITTED = {
    "DiscountedUsage": "reservationeffectivecost",
    "SavingsPlanCoveredUsage": "savingsplansavingsplaneffectivecost",
}
"""Line item types whose effective cost stands in a column of its own."""
FEES = ("RIFee", "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee", "SavingsPlanNegation")
"""Their effective cost is spread over other rows: it is left unknown rather than counted twice."""
TAG_COLUMN = "resourcetags/"
MACHINES = ("SpotUsage", "BoxUsage", "DedicatedUsage", "HostUsage", "UnusedBox")


def _translate(columns: Columns, file_name: str) -> Translate:
    tag_columns = [
        (at, name[len(TAG_COLUMN) :].removeprefix("user:"))
        for at, name in enumerate(columns.names)
        if name.lower().startswith(TAG_COLUMN)
    ]

    def translate(row: Row) -> FocusRow:
        kind, usage_type = columns.read(row, "lineitemlineitemtype"), columns.read(row, "lineitemusagetype")
        tags = {name: text for at, name in tag_columns if (text := text_of(row[at]))}
        found = _money(columns, row, kind) | _place(columns, row)
        found |= {
            "ChargeCategory": CATEGORIES.get(kind, kind),
            "PricingCategory": _pricing(kind, usage_type),
            "x_LineItemType": kind,
            "x_UsageType": usage_type,
            "ServiceCategory": _category(columns.read(row, "lineitemproductcode"), usage_type),
            "Tags": json.dumps(tags) if tags else _tags(columns.read(row, "resourcetags")),
        }
        return present(found)

    return translate


def _money(columns: Columns, row: Row, kind: str) -> dict[str, str]:
    billed = columns.read(row, "lineitemunblendedcost")
    effective = columns.read(row, COMMITTED[kind]) if kind in COMMITTED else billed
    return {
        "BilledCost": billed,
        "EffectiveCost": "" if kind in FEES else effective,
        "ListCost": columns.read(row, "pricingpublicondemandcost"),
        "BillingCurrency": columns.read(row, "lineitemcurrencycode"),
        "PricingQuantity": columns.read(row, "lineitemusageamount"),
        "PricingUnit": columns.read(row, "pricingunit"),
        "InvoiceId": columns.read(row, "billinvoiceid"),
        "BillingPeriodStart": columns.read(row, "billbillingperiodstartdate"),
        "ChargePeriodStart": columns.read(row, "lineitemusagestartdate"),
        "ChargePeriodEnd": columns.read(row, "lineitemusageenddate"),
    }


def _place(columns: Columns, row: Row) -> dict[str, str]:
    return {
        "ProviderName": "AWS",
        "BillingAccountId": columns.read(row, "billpayeraccountid"),
        "SubAccountId": columns.read(row, "lineitemusageaccountid"),
        "RegionId": columns.first(row, "productregioncode", "productregion"),
        "AvailabilityZone": columns.read(row, "lineitemavailabilityzone"),
        "ServiceName": columns.first(row, "productproductname", "productservicename", "lineitemproductcode"),
        "ResourceId": columns.read(row, "lineitemresourceid"),
        "ChargeDescription": columns.read(row, "lineitemlineitemdescription"),
    }


def _pricing(kind: str, usage_type: str) -> str:
    if kind in COMMITTED:
        return "Committed"
    if CATEGORIES.get(kind) != "Usage":
        return ""
    return "Dynamic" if "SpotUsage" in usage_type else "Standard"


def _category(product: str, usage_type: str) -> str:
    is_machine = product == "AmazonEC2" and any(word in usage_type for word in MACHINES)
    return "Compute" if is_machine else ""


def _tags(text: str) -> str:
    """CUR 2.0 puts `user_` or `user:` in front of what people named."""
    tags = mapping_of(text)
    if not tags:
        return text
    return json.dumps({name.removeprefix("user:").removeprefix("user_"): tags[name] for name in tags})


FORMAT = Format(
    FileFormat.AWS_CUR,
    frozenset({"lineitemlineitemtype", "lineitemunblendedcost", "lineitemusagestartdate"}),
    _translate,
)
