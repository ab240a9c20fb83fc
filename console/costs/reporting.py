"""What became of a file, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Q, Sum

from console.costs.checking import DEFECTS
from console.costs.models import BillingImport, ImportState

SHOWN = 5
WORDS = DEFECTS | {"untagged": "No tags (no defect)"}


def report(row: BillingImport) -> Iterator[str]:
    """State, rows, sums per currency, defects, the first rejected rows."""
    yield f"{row.file_name}: {row.get_state_display().lower()}{f', {row.message}' if row.message else ''}"
    if row.row_count:
        yield f"  {row.get_format_display()}, {row.row_count} rows, {row.rejected_count} rejected"
    if row.state == ImportState.DONE:
        yield from _sums(row)
    for reason, count in row.defect_counts.items():
        yield f"  {count:>7}  {WORDS.get(reason, reason)}"
    for rejected in row.rejected_rows.order_by("line")[:SHOWN]:
        yield f"  line {rejected.line}: {rejected.reason}"


def _sums(row: BillingImport) -> Iterator[str]:
    sums = (
        row.charges.values("currency")
        .annotate(
            billed_sum=Sum("billed"),
            effective_sum=Sum("effective"),
            list_sum=Sum("list"),
            spot=Count("pk", filter=Q(is_spot=True)),
        )
        .order_by("currency")
    )
    for each in sums:
        yield (
            f"  {each['currency']}: billed {each['billed_sum']}, effective {each['effective_sum']},"
            f" list {each['list_sum']}, {each['spot']} spot rows"
        )
    if row.replaced_count:
        yield f"  {row.replaced_count} rows of earlier files no longer count"
