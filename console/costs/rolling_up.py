"""Daily sums, rebuilt for the days that an import touched, in its own transaction: they cannot disagree with the rows.

Records of the spot data feed are no bill. They count only on days of an account for which no spot row of a bill is
there, so that nothing is counted twice once the bill arrives.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.lib.rows import fetch, run

_TOUCHED = """
SELECT DISTINCT (charge_started_at AT TIME ZONE 'UTC')::date FROM costs_charge
WHERE origin = %(origin)s AND (billing_import_id = ANY(%(ids)s) OR replaced_by_id = ANY(%(ids)s))
"""
FEED_IS_BILLED = """
(c.natural_key <> '' AND EXISTS (
  SELECT FROM costs_charge b
  WHERE b.origin = c.origin AND b.replaced_by_id IS NULL AND b.natural_key = '' AND b.is_spot
    AND b.cloud = c.cloud AND b.account = c.account
    AND b.charge_started_at >= date_trunc('day', c.charge_started_at, 'UTC')
    AND b.charge_started_at < date_trunc('day', c.charge_started_at, 'UTC') + interval '24 hours'))
"""
_INSERT = f"""
INSERT INTO costs_dailycost (origin, day, billing_month, currency, cloud, provider, account, region, service, rows,
  billed, spot_rows, spot_cost, baseline, unpriced_rows, unpriced_cost, repaired_rows)
SELECT c.origin, (c.charge_started_at AT TIME ZONE 'UTC')::date, c.billing_month, c.currency, c.cloud, c.provider,
  c.account, c.region, c.service, count(*), sum(c.billed),
  count(*) FILTER (WHERE c.is_spot),
  coalesce(sum(c.spot_cost) FILTER (WHERE c.baseline IS NOT NULL), 0), coalesce(sum(c.baseline), 0),
  count(*) FILTER (WHERE c.is_spot AND c.baseline IS NULL),
  coalesce(sum(c.spot_cost) FILTER (WHERE c.baseline IS NULL), 0),
  count(*) FILTER (WHERE c.is_repaired)
FROM costs_charge c
JOIN unnest(%(days)s::date[]) AS d(day)
  ON c.charge_started_at >= d.day::timestamp AT TIME ZONE 'UTC'
  AND c.charge_started_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
WHERE c.origin = %(origin)s AND c.replaced_by_id IS NULL AND NOT {FEED_IS_BILLED}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608 - the text above


def roll_up(*, origin: str, import_ids: Sequence[int]) -> None:
    """Rebuild the days on which these imports brought rows or let rows go."""
    given = {"origin": origin, "ids": list(import_ids)}
    days = [day for (day,) in fetch(_TOUCHED, given)]
    if not days:
        return
    run(
        "DELETE FROM costs_dailycost WHERE origin = %(origin)s AND day = ANY(%(days)s)",
        {"origin": origin, "days": days},
    )
    run(_INSERT, {"origin": origin, "days": days})
