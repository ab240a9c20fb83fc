"""FOCUS 1.0 to 1.3: specification/columns of github FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec."""

from __future__ import annotations

from console.costs.formats.column import Columns, FocusRow, Format, Row, Translate, plain
from console.costs.models import FileFormat
from console.costs.values import text_of

REQUIRED = ("BilledCost", "BillingCurrency", "ChargeCategory", "ChargePeriodStart", "ProviderName")
USED = (
    *REQUIRED,
    *("EffectiveCost", "ListCost", "ContractedCost", "ListUnitPrice", "PricingQuantity", "PricingUnit"),
    *("PricingCategory", "ChargeClass", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd"),
    *("BillingAccountId", "SubAccountId", "ResourceId", "RegionId", "AvailabilityZone", "ServiceName"),
    *("ServiceCategory", "SkuId", "SkuPriceId", "SkuMeter", "SkuPriceDetails", "InvoiceId"),
    *("CommitmentDiscountStatus", "ChargeDescription", "Tags"),
)
RENAMED = {"serviceprovidername": "ProviderName"}
"""FOCUS 1.3 calls the provider so."""


def _translate(columns: Columns, file_name: str) -> Translate:
    known = {plain(name): name for name in USED}
    if "ProviderName" not in columns:
        known |= RENAMED
    names = [
        known.get(short) or (name if name.lower().startswith("x_") else "")
        for name, short in zip(columns.names, columns.plain, strict=True)
    ]

    def translate(row: Row) -> FocusRow:
        return {
            name: text for name, value in zip(names, row, strict=True) if name and (text := text_of(value))
        }

    return translate


FORMAT = Format(
    FileFormat.FOCUS, frozenset({"billedcost", "chargecategory", "chargeperiodstart"}), _translate
)
