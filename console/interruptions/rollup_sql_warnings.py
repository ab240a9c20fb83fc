"""The statements that sum how reclaims were announced: notice, channels, recommendations.

*Told* is what a channel says of the machine itself. Hints, pods, launches, withdrawals and notices of something else
(maintenance) are not. *Warned* is told by a notice that may open a reclaim.
"""

from __future__ import annotations

from console.interruptions.rollup_sql import COUNTED, RECLAIMS

ENOUGH = 0.5
"""A notice is usable while at least this share of the promised window is left."""
TOLD = """
    o.outcome <> 'cancelled'
    AND o.kind IN ('interruption_notice', 'node_cordoned', 'node_drain_started', 'shutdown_started',
                   'shutdown_completed', 'terminated', 'state_change')
    AND (o.kind <> 'interruption_notice' OR o.may_open)
"""

# A reclaim may hold a hint of seven days before it; observations are kept by the time of their receipt.
STATEMENTS = f"""
    SELECT r.id, o.feed_id, o.source, min(o.received_at) AS told_at, min(o.id) AS first_id,
           min(o.received_at) FILTER (WHERE o.kind = 'interruption_notice') AS warned_at
    FROM reclaims r JOIN interruptions_observation o ON o.interruption_id = r.id
    WHERE o.received_at >= %(since)s - interval '9 days' AND {TOLD}
    GROUP BY r.id, o.feed_id, o.source
"""  # noqa: S608

JUDGED = f"""
    WITH reclaims AS MATERIALIZED (SELECT * FROM ({RECLAIMS}) AS i WHERE cause = 'spot'),
    statements AS MATERIALIZED ({STATEMENTS}),
    heard AS (SELECT id, min(told_at) AS told_at, min(warned_at) AS warned_at FROM statements GROUP BY id),
    windows AS (
        SELECT r.*, h.told_at, h.warned_at, r.ended_at <= %(now)s AS is_over,
               coalesce(r.deadline_at, r.ended_at) AS limit_at,
               CASE WHEN r.deadline_at > r.notice_at THEN r.deadline_at - r.notice_at
                    WHEN r.provider IN ('gcp', 'azure') THEN interval '30 seconds'
                    ELSE interval '120 seconds' END AS promised
        FROM reclaims r LEFT JOIN heard h USING (id)
    ), judged AS MATERIALIZED (
        SELECT *, CASE
            WHEN is_over IS NOT TRUE THEN 'running'
            WHEN coalesce(told_at, first_received_at) > ended_at + interval '1 day' THEN 'history'
            WHEN warned_at IS NULL THEN 'untold'
            WHEN warned_at >= least(limit_at, ended_at) THEN 'late'
            WHEN limit_at - warned_at < {ENOUGH} * promised THEN 'short'
            ELSE 'usable' END AS notice
        FROM windows
    )
"""  # noqa: S608
"""Each reclaim of the stretch with its verdict, in `judged`."""

NOTICES = f"""
    {JUDGED}, channels AS (
        SELECT j.*, s.feed_id, s.source, s.told_at AS channel_at, s.warned_at AS channel_warned_at,
               row_number() OVER (PARTITION BY j.id ORDER BY s.told_at, s.first_id) AS place
        FROM judged j JOIN statements s USING (id) WHERE j.notice NOT IN ('running', 'history')
    ), witnessed AS (
        INSERT INTO interruptions_witnesshour (origin, hour, service_id, pool_id, provider, region, feed_id, source,
            told_count, before_count, warned_count, first_count)
        SELECT %(origin)s, hour, service_id, pool_id, provider, region, feed_id, source, count(*),
               count(*) FILTER (WHERE channel_at < ended_at),
               count(*) FILTER (WHERE channel_warned_at < least(limit_at, ended_at)),
               count(*) FILTER (WHERE place = 1)
        FROM channels GROUP BY hour, service_id, pool_id, provider, region, feed_id, source
    )
    INSERT INTO interruptions_noticehour (origin, hour, service_id, pool_id, provider, region, over_count,
        usable_count, short_count, late_count, untold_count, history_count, hintable_count, hinted_count,
        promised, actual, leads)
    SELECT %(origin)s, hour, service_id, pool_id, provider, region,
           count(*) FILTER (WHERE notice NOT IN ('running', 'history')),
           count(*) FILTER (WHERE notice = 'usable'),
           count(*) FILTER (WHERE notice = 'short'),
           count(*) FILTER (WHERE notice = 'late'),
           count(*) FILTER (WHERE notice = 'untold'),
           count(*) FILTER (WHERE notice = 'history'),
           count(*) FILTER (WHERE provider = 'aws'),
           count(*) FILTER (WHERE provider = 'aws' AND at_risk_at < coalesce(notice_at, started_at)),
           coalesce(array_agg(promised_ms ORDER BY promised_ms) FILTER (WHERE promised_ms IS NOT NULL), '{{}}'),
           coalesce(array_agg(actual_ms ORDER BY actual_ms) FILTER (WHERE actual_ms IS NOT NULL), '{{}}'),
           coalesce(array_agg(lead_ms ORDER BY lead_ms) FILTER (WHERE lead_ms IS NOT NULL), '{{}}')
    FROM (
        SELECT *,
               CASE WHEN notice NOT IN ('running', 'history') AND deadline_at >= notice_at
                    THEN floor(1000 * extract(epoch FROM deadline_at - notice_at))::bigint END AS promised_ms,
               CASE WHEN notice NOT IN ('running', 'history')
                    THEN floor(1000 * extract(epoch FROM ended_at - told_at))::bigint END AS actual_ms,
               CASE WHEN provider = 'aws' AND at_risk_at < coalesce(notice_at, started_at)
                    THEN floor(1000 * extract(epoch FROM coalesce(notice_at, started_at) - at_risk_at))::bigint
                    END AS lead_ms
        FROM judged
    ) AS told
    GROUP BY hour, service_id, pool_id, provider, region
"""  # noqa: S608

# Partition promotes a machine's latest hint alone; an earlier one was followed too unless the machine stopped.
HINTS = f"""
    INSERT INTO interruptions_hinthour
        (origin, hour, service_id, pool_id, provider, region, hint_count, followed_count, beside_count)
    SELECT %(origin)s, hour, service_id, pool_id, provider, region,
           count(*) FILTER (WHERE NOT is_beside),
           count(*) FILTER (WHERE NOT is_beside AND is_followed),
           count(*) FILTER (WHERE is_beside)
    FROM (
        SELECT date_trunc('hour', i.at_risk_at, 'UTC') AS hour, i.service_id, i.pool_id,
               coalesce(p.provider, i.provider) AS provider, coalesce(p.region, i.region) AS region,
               NOT is_mere AND i.at_risk_at >= coalesce(i.notice_at, i.started_at) AS is_beside,
               CASE WHEN NOT is_mere THEN {COUNTED} ELSE EXISTS (
                   SELECT 1 FROM interruptions_interruption n
                   WHERE n.machine_id = i.machine_id AND n.id <> i.id AND n.origin = i.origin
                     AND {COUNTED.replace("i.", "n.")}
                     AND n.started_at > i.at_risk_at AND n.started_at <= i.at_risk_at + interval '7 days'
                     AND NOT EXISTS (
                         SELECT 1 FROM interruptions_observation o
                         WHERE o.machine_id = i.machine_id AND o.received_at >= i.first_received_at - interval '1 day'
                           AND o.occurred_at > i.at_risk_at AND o.occurred_at < n.started_at
                           AND (o.is_restart OR o.kind = 'terminated' AND o.outcome <> 'cancelled' OR
                                o.kind = 'state_change' AND o.machine_state IN ('stopped', 'deallocated', 'suspended')))
               ) END AS is_followed
        FROM interruptions_interruption i
        LEFT JOIN fleet_pool p ON p.id = i.pool_id
        CROSS JOIN LATERAL (SELECT i.state IN ('at_risk', 'no_action') AS is_mere) AS hint
        WHERE i.origin = %(origin)s AND i.at_risk_at >= %(since)s AND i.at_risk_at < %(until)s
          AND i.merged_into_id IS NULL
    ) AS hints
    GROUP BY hour, service_id, pool_id, provider, region
"""  # noqa: S608
