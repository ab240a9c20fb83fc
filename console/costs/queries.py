"""What the pages of this room show."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from console.costs.checking import DEFECTS
from console.costs.models import BillingImport, Defect, ImportState, RejectedRow, Restatement

NEWEST = 100
SHOWN = 50


@dataclass(frozen=True, slots=True)
class CurrencySums:
    """An import's rows in one currency, as the file has them."""

    currency: str
    rows: int
    billed: Decimal
    effective: Decimal | None
    list: Decimal | None
    spot_rows: int


@dataclass(frozen=True, slots=True)
class ImportPage:
    """One import with everything a person needs to judge it."""

    row: BillingImport
    sums: list[CurrencySums]
    defects: list[tuple[str, int]]
    """What is odd, in words, and how many rows it concerns."""
    untagged: int
    rejected: list[RejectedRow]
    examples: list[tuple[str, Defect]]
    restatements: list[Restatement]
    others: list[BillingImport]
    """The other files of the same bill."""


def import_rows(*, origin: str) -> list[BillingImport]:
    """The newest imports."""
    newest = BillingImport.objects.filter(origin=origin).select_related("created_by").order_by("-pk")
    return list(newest[:NEWEST])


def import_page(row: BillingImport) -> ImportPage:
    """A constant number of queries, however large the file was."""
    counts = {reason: count for reason, count in row.defect_counts.items() if reason != "untagged"}
    defects = row.defects.order_by("line", "reason")[:SHOWN] if counts else []
    return ImportPage(
        row=row,
        sums=_sums(row) if row.state == ImportState.DONE else [],
        defects=[(DEFECTS.get(reason, reason), count) for reason, count in counts.items()],
        untagged=row.defect_counts.get("untagged", 0),
        rejected=list(row.rejected_rows.order_by("line")[:SHOWN]) if row.rejected_count else [],
        examples=[(DEFECTS.get(each.reason, each.reason), each) for each in defects],
        restatements=list(row.restatements.order_by("billing_month", "pk")),
        others=list(BillingImport.objects.filter(batch=row.batch).exclude(pk=row.pk).order_by("pk")[:50]),
    )


def _sums(row: BillingImport) -> list[CurrencySums]:
    found = (
        row.charges.values("currency")
        .annotate(
            rows=Count("pk"),
            billed_sum=Sum("billed"),
            effective_sum=Sum("effective"),
            list_sum=Sum("list"),
            spot=Count("pk", filter=Q(is_spot=True)),
        )
        .order_by("currency")
    )
    return [
        CurrencySums(
            each["currency"],
            each["rows"],
            each["billed_sum"],
            each["effective_sum"],
            each["list_sum"],
            each["spot"],
        )
        for each in found
    ]
