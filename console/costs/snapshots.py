"""Which older rows a newer snapshot lets go: those of the same provider, billing account and month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from console.costs.models import BillingImport, Restatement
from console.lib.rows import fetch, run

CLOSES_ON = 10
"""The day of the next month from which a month counts as closed, whatever its rows say (`metrics.md` 5.4)."""

_OLDER = """
FROM costs_charge c
WHERE c.origin = %(origin)s AND c.replaced_by_id IS NULL AND c.natural_key = ''
  AND c.billing_import_id <> ALL(%(ids)s)
  AND (c.provider, c.billing_account, c.billing_month) IN (
    SELECT n.provider, n.billing_account, n.billing_month FROM costs_charge n
    WHERE n.billing_import_id = ANY(%(ids)s) AND n.natural_key = '')
"""
"""Rows in force that are not of these imports and lie in a scope of theirs. Records of the spot data feed are no
bill: they are neither replaced nor replace."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A month of one billing account in one currency, before and after."""

    provider: str
    billing_account: str
    billing_month: date
    currency: str
    before: Decimal
    after: Decimal
    is_invoiced: bool
    """Each of its older rows names an invoice."""

    def __str__(self) -> str:
        account = f" account {self.billing_account}" if self.billing_account else ""
        return (
            f"{self.provider}{account} {self.billing_month:%Y-%m}, billed {self.before.normalize():f}"
            f" → {self.after.normalize():f} {self.currency}"
        )

    def is_closed(self, now: datetime) -> bool:
        return self.is_invoiced or now >= closes_at(self.billing_month)

    def restated(self, row: BillingImport, now: datetime) -> Restatement:
        return Restatement(
            billing_import=row,
            provider=self.provider,
            billing_account=self.billing_account,
            billing_month=self.billing_month,
            currency=self.currency,
            billed_before=self.before,
            billed_after=self.after,
            restated_at=now,
        )


def closes_at(month: date) -> datetime:
    """The tenth of the month after."""
    year, following = (month.year + 1, 1) if month.month == 12 else (month.year, month.month + 1)
    return datetime(year, following, CLOSES_ON, tzinfo=UTC)


def replaced_scopes(rows: Sequence[BillingImport]) -> list[Scope]:
    """Months whose older rows these imports replace, with what was billed and what is now."""
    found = fetch(
        f"""
        WITH older AS (
          SELECT c.provider, c.billing_account, c.billing_month, c.currency,
                 sum(c.billed) AS billed, bool_and(c.invoice <> '') AS is_invoiced {_OLDER}
          GROUP BY 1, 2, 3, 4),
        newer AS (
          SELECT provider, billing_account, billing_month, currency, sum(billed) AS billed
          FROM costs_charge WHERE billing_import_id = ANY(%(ids)s) GROUP BY 1, 2, 3, 4)
        SELECT o.provider, o.billing_account, o.billing_month, o.currency, o.billed,
               coalesce(n.billed, 0), o.is_invoiced
        FROM older o LEFT JOIN newer n USING (provider, billing_account, billing_month, currency)
        ORDER BY 3, 1, 2, 4
        """,  # noqa: S608 - the text above
        _given(rows),
    )
    return [Scope(*values) for values in found]


def let_go(rows: Sequence[BillingImport]) -> int:
    """Mark the older rows as replaced by the first of these imports. How many there were."""
    return run(
        f"UPDATE costs_charge SET replaced_by_id = %(first)s WHERE id IN (SELECT c.id {_OLDER})",  # noqa: S608
        _given(rows) | {"first": rows[0].pk},
    )


def _given(rows: Sequence[BillingImport]) -> dict[str, object]:
    return {"origin": str(rows[0].origin), "ids": [row.pk for row in rows]}
