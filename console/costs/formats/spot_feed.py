"""AWS spot data feed: EC2 user guide, "Track your Spot Instance costs using the Spot Instance data feed"."""

from __future__ import annotations

import re
from datetime import timedelta

from console.costs.formats.column import Columns, FocusRow, Format, Row, Translate, present
from console.costs.models import FileFormat
from console.costs.values import Unreadable, moment_of

REGIONS = {
    "USE1": "us-east-1",
    "USE2": "us-east-2",
    "USW1": "us-west-1",
    "USW2": "us-west-2",
    "UGE1": "us-gov-east-1",
    "UGW1": "us-gov-west-1",
    "CAN1": "ca-central-1",
    "CAW1": "ca-west-1",
    "MXC1": "mx-central-1",
    "SAE1": "sa-east-1",
    "EU": "eu-west-1",
    "EUW1": "eu-west-1",
    "EUW2": "eu-west-2",
    "EUW3": "eu-west-3",
    "EUC1": "eu-central-1",
    "EUC2": "eu-central-2",
    "EUN1": "eu-north-1",
    "EUS1": "eu-south-1",
    "EUS2": "eu-south-2",
    "AFS1": "af-south-1",
    "ILC1": "il-central-1",
    "MEC1": "me-central-1",
    "MES1": "me-south-1",
    "APE1": "ap-east-1",
    "APN1": "ap-northeast-1",
    "APN2": "ap-northeast-2",
    "APN3": "ap-northeast-3",
    "APS1": "ap-southeast-1",
    "APS2": "ap-southeast-2",
    "APS3": "ap-south-1",
    "APS4": "ap-southeast-3",
    "APS5": "ap-south-2",
    "APS6": "ap-southeast-4",
    "APS7": "ap-southeast-5",
}
"""The beginning of a usage type in AWS's bills; none is us-east-1."""
_ACCOUNT = re.compile(r"(\d{12})\.\d{4}-\d{2}-\d{2}-\d{2}\.")


def region_of(usage_type: str) -> str:
    """`USE2-SpotUsage:m5.large` → `us-east-2`; empty for a beginning that is not known."""
    start, dash, _ = usage_type.partition("-")
    return REGIONS.get(start, "") if dash else "us-east-1"


def _translate(columns: Columns, file_name: str) -> Translate:
    named = _ACCOUNT.search(file_name)
    account = named[1] if named else ""

    def translate(row: Row) -> FocusRow:
        charge, _, currency = columns.read(row, "charge").partition(" ")
        usage_type, at = columns.read(row, "usagetype"), columns.read(row, "timestamp")
        started, ended = _hour(at)
        return present(
            {
                "ProviderName": "AWS",
                "BilledCost": charge,
                "EffectiveCost": charge,
                "BillingCurrency": currency.strip(),
                "ChargeCategory": "Usage",
                "PricingCategory": "Dynamic",
                "ServiceCategory": "Compute",
                "ServiceName": "Amazon Elastic Compute Cloud",
                "ChargePeriodStart": started,
                "ChargePeriodEnd": ended,
                "RegionId": region_of(usage_type),
                "BillingAccountId": account,
                "SubAccountId": account,
                "ResourceId": columns.read(row, "instanceid"),
                "x_UsageType": usage_type,
                "x_MaxPrice": columns.read(row, "mymaxprice"),
                "x_MarketPrice": columns.read(row, "marketprice"),
                "x_NaturalKey": f"aws-spot:{account}:{columns.read(row, 'instanceid')}:{at}",
            }
        )

    return translate


def _hour(text: str) -> tuple[str, str]:
    """The hour that a record belongs to; the text itself where it is no time, so that the checks can say so."""
    try:
        moment = moment_of(text)
    except Unreadable:
        return text, ""
    if moment is None:
        return "", ""
    started = moment.replace(minute=0, second=0, microsecond=0)
    return started.isoformat(), (started + timedelta(hours=1)).isoformat()


FORMAT = Format(
    FileFormat.AWS_SPOT_FEED,
    frozenset({"timestamp", "usagetype", "instanceid", "mymaxprice", "marketprice", "charge"}),
    _translate,
)
