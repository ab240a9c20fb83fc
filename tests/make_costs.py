"""Factories of bills: FOCUS files of a few rows, imported as a person would."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.accounts.audit import Actor
from console.costs.giving import Asked, give
from console.costs.importing import work
from console.costs.models import BillingImport, Mode

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BY = Actor.console("test")
ROW = {
    "ProviderName": "AWS",
    "BilledCost": "1.5",
    "EffectiveCost": "1.5",
    "ListCost": "4",
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "PricingCategory": "Dynamic",
    "ServiceCategory": "Compute",
    "ServiceName": "Amazon Elastic Compute Cloud",
    "ChargePeriodStart": "2026-11-01T00:00:00Z",
    "ChargePeriodEnd": "2026-11-01T01:00:00Z",
    "BillingPeriodStart": "2026-11-01T00:00:00Z",
    "BillingAccountId": "111122223333",
    "SubAccountId": "111122223333",
    "RegionId": "eu-west-1",
    "AvailabilityZone": "eu-west-1a",
    "ChargeDescription": "m5.large Linux/UNIX Spot Instance-hour in EU (Ireland)",
    "InvoiceId": "",
    "Tags": '{"app": "checkout"}',
}


def focus_row(**fields: str) -> dict[str, str]:
    """A spot row of AWS: 1.50 USD for what costs 4.00 on demand."""
    return ROW | fields


def focus_csv(*rows: dict[str, str], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list((rows or (ROW,))[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def bring_in(*paths: Path, now: datetime = NOW, **asked: Any) -> list[BillingImport]:
    """Import files as one snapshot; appended unless said otherwise."""
    options = Asked(**{"origin": "live", "mode": Mode.APPEND} | asked)
    rows = give([path.name for path in paths], options, by=BY, now=now, is_at_once=True)
    work(rows, {row.pk: path for row, path in zip(rows, paths, strict=True)}, by=BY, now=now)
    return list(BillingImport.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk"))


def bring_in_text(folder: Path, text: str | bytes, name: str = "bill.csv", **asked: Any) -> BillingImport:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (row,) = bring_in(path, **asked)
    return row


def bring_in_rows(folder: Path, rows: Iterable[dict[str, str]], **asked: Any) -> BillingImport:
    return bring_in_text(folder, focus_csv(*rows), **asked)
