"""Which row is spot compute, what it cost and what it is measured against (`metrics.md` 5.2 and 5.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from console.costs.formats.column import FocusRow
from console.costs.models import Cloud

RELATIVE, ABSOLUTE = Decimal("0.005"), Decimal("0.000001")
HALF = Decimal("0.5")
CLOUDS = (
    (Cloud.AWS, ("aws", "amazon")),
    (Cloud.AZURE, ("microsoft", "azure")),
    (Cloud.GCP, ("google", "gcp")),
)
AZURE_METERS = (" spot", "low priority")
GCP_STARTS = ("spot preemptible", "preemptible")
GCP_ATTACHED = "attached to spot preemptible vms"
EC2_NAMES = ("amazonec2", "amazon elastic compute cloud", "amazon ec2")
_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")


def cloud_of(provider: str) -> Cloud:
    """`Amazon Web Services, Inc.` and `AWS` are one cloud; one that is not known is `other`."""
    said = provider.lower()
    return next((cloud for cloud, words in CLOUDS if said.startswith(words)), Cloud.OTHER)


def differs(one: Decimal, other: Decimal) -> bool:
    """By more than 0.5 % of `other` and by more than a millionth (5.1)."""
    gap = abs(one - other)
    return gap > ABSOLUTE and gap > RELATIVE * abs(other)


def is_spot(row: FocusRow, *, cloud: Cloud) -> bool:
    """Usage of machines whose price says spot. A dynamic price alone is none: it is any price that may change."""
    if row.get("ChargeCategory", "").lower() != "usage":
        return False
    if row.get("ServiceCategory", "").lower() != "compute" and not _is_machine_service(row, cloud):
        return False
    if cloud == Cloud.AWS:
        return (
            (_is(row, "PricingCategory", "dynamic") and _is(row, "ServiceCategory", "compute"))
            or "spot instance-hour" in row.get("ChargeDescription", "").lower()
            or "SpotUsage" in _usage_type(row)
        )
    meter = (row.get("SkuMeter") or row.get("x_SkuMeterName", "")).lower()
    if cloud == Cloud.AZURE:
        return _is(row, "x_PricingSubcategory", "spot") or meter.endswith(AZURE_METERS)
    if cloud == Cloud.GCP:
        said = (meter, row.get("ChargeDescription", "").lower())
        return any(text.startswith(GCP_STARTS) or GCP_ATTACHED in text for text in said)
    return False


def _is(row: FocusRow, column: str, word: str) -> bool:
    return row.get(column, "").lower() == word


def _is_machine_service(row: FocusRow, cloud: Cloud) -> bool:
    """AWS files rows of EC2 under several categories; what it says of the machine counts then."""
    return cloud == Cloud.AWS and row.get("ServiceName", "").lower() in EC2_NAMES


def _usage_type(row: FocusRow) -> str:
    return row.get("x_UsageType", "")


def instance_type_of(row: FocusRow, *, cloud: Cloud) -> str:
    """The machine's type, where the row tells; product columns of spot rows are often empty."""
    meter = row.get("SkuMeter") or row.get("x_SkuMeterName", "")
    if cloud == Cloud.AWS:
        _, colon, named = _usage_type(row).partition("Usage:")
        first = (named if colon else row.get("ChargeDescription", "")).split(" ")[0]
        return first[:64] if _TYPE.fullmatch(first) else ""
    if cloud == Cloud.AZURE and _is(row, "ServiceName", "virtual machines"):
        return re.sub(r" (Spot|Low Priority)$", "", meter)[:64]
    return ""


@dataclass(frozen=True, slots=True)
class SpotCost:
    """What a spot row cost, and the on-demand price of the same work where it is known."""

    cost: Decimal
    is_repaired: bool
    baseline: Decimal | None


def spot_cost(
    *, billed: Decimal, effective: Decimal | None, listed: Decimal | None, cloud: Cloud
) -> SpotCost:
    """Spot is never amortised: where effective differs from billed, billed is right.

    AWS lists the on-demand price. Azure and Google list the spot price itself, so theirs is no baseline.
    A baseline below half the cost is none.
    """
    is_repaired = effective is not None and differs(effective, billed)
    cost = billed if effective is None or is_repaired else effective
    baseline = listed if cloud == Cloud.AWS and listed is not None and listed > 0 else None
    if baseline is not None and baseline < HALF * cost:
        baseline = None
    return SpotCost(cost, is_repaired, baseline)
