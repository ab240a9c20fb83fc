"""Whose words a file's columns are, and each row of it in the words of FOCUS, which the checks know.

Columns are compared by their letters and digits alone: `lineItem/UnblendedCost` of the legacy report,
`line_item_unblended_cost` of CUR 2.0 and of Athena's Parquet are one column.
"""

from __future__ import annotations

from console.costs.formats import azure, cur, focus, gcp, spot_feed
from console.costs.formats.column import Columns, Format
from console.costs.opening import NotReadable

FORMATS: tuple[Format, ...] = (focus.FORMAT, cur.FORMAT, spot_feed.FORMAT, azure.FORMAT, gcp.FORMAT)

__all__ = ["FORMATS", "Columns", "Format", "recognise"]


def recognise(columns: Columns, *, name: str) -> Format:
    """The format that has every column it needs. Raises `NotReadable` naming what the nearest one misses."""
    if twice := columns.twice():
        raise NotReadable(f"{name} has the column {twice} more than once. Export it again.")
    for known in FORMATS:
        if not known.missing(columns):
            return known
    nearest = min(FORMATS, key=lambda known: len(known.missing(columns)) / len(known.needs))
    missing = ", ".join(sorted(nearest.missing(columns)))
    if len(nearest.missing(columns)) == len(nearest.needs):
        labels = ", ".join(known.label for known in FORMATS)
        raise NotReadable(f"{name} has columns of no bill that is known here. Known are: {labels}.")
    raise NotReadable(
        f"{name} looks like {nearest.label} and lacks {missing}. Its columns may have been renamed; export it"
        " again with the provider's own names."
    )
