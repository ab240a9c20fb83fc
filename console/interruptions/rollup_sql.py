"""The set-based statements of the roll-up. Each computes one table's rows for [since, until) of one origin.

A reclaim, its hook and its moves all count in the hour in which the reclaim started, at its service and pool.
Running time counts in the hours in which it passed.
"""

from __future__ import annotations

from console.interruptions.models.rollup import COUNTS

COUNTED = "i.cause = 'spot' AND i.state NOT IN ('at_risk', 'no_action', 'cancelled')"
"""`Interruption.objects.counted()` as SQL."""

UNEXPLAINED = (
    "i.cause = 'unknown' AND i.known_by = 'vanished' AND i.state NOT IN ('at_risk', 'no_action', 'cancelled')"
    " AND i.started_at <= %(now)s - interval '24 hours'"
)

RUNNING = """
    SELECT r.machine_id, r.service_id, r.pool_id, r.lifecycle, r.started_at,
           coalesce(p.provider, m.provider) AS provider, coalesce(p.region, m.region) AS region,
           CASE WHEN r.ended_at IS NOT NULL THEN least(r.ended_at, %(now)s)
                WHEN m.heartbeat_at IS NULL THEN %(now)s
                ELSE greatest(r.started_at, least(m.heartbeat_at + interval '90 seconds', %(now)s)) END AS ended_at,
           r.ended_at IS NULL AND m.heartbeat_at < %(now)s - interval '90 seconds' AS is_assumed
    FROM fleet_runninginterval r
    JOIN fleet_machine m ON m.id = r.machine_id
    LEFT JOIN fleet_pool p ON p.id = r.pool_id
    WHERE r.origin = %(origin)s AND r.lifecycle IN ('spot', 'unknown')
      AND r.started_at < %(until)s AND (r.ended_at IS NULL OR r.ended_at > %(since)s)
"""

RECLAIMS = f"""
    SELECT i.id, i.machine_id, i.service_id, i.pool_id, i.started_at, i.state, i.known_by, i.notice_at,
           i.deadline_at, i.ended_at, i.drain_started_at, i.shutdown_completed_at, i.has_drain_error, i.cause,
           i.first_received_at, i.at_risk_at,
           coalesce(p.provider, i.provider) AS provider, coalesce(p.region, i.region) AS region,
           date_trunc('hour', i.started_at, 'UTC') AS hour
    FROM interruptions_interruption i LEFT JOIN fleet_pool p ON p.id = i.pool_id
    WHERE i.origin = %(origin)s AND i.started_at >= %(since)s AND i.started_at < %(until)s
      AND (({COUNTED}) OR ({UNEXPLAINED}))
"""  # noqa: S608

VERDICTS = f"""
    SELECT i.*, h.started_at AS hook_started_at, h.finished_at AS hook_finished_at, h.is_inferred,
           CASE WHEN i.cause <> 'spot' THEN 'unexplained'
                WHEN i.known_by = 'vanished' THEN 'no_notice'
                WHEN h.outcome = 'complete'
                     AND h.finished_at > coalesce(i.ended_at, i.deadline_at) THEN 'overdue'
                WHEN h.outcome IS NOT NULL THEN h.outcome
                WHEN i.notice_at IS NULL THEN 'no_notice'
                WHEN coalesce(i.ended_at, i.deadline_at) + interval '15 minutes' <= %(now)s THEN 'no_report'
                ELSE 'undecided' END AS verdict
    FROM ({RECLAIMS}) AS i
    LEFT JOIN LATERAL (
        SELECT * FROM (
            SELECT k.outcome, k.started_at, coalesce(k.finished_at, k.at) AS finished_at, k.is_inferred, k.id
            FROM interruptions_hook k WHERE k.interruption_id = i.id
            UNION ALL
            SELECT CASE WHEN i.has_drain_error THEN 'failed' ELSE 'complete' END, NULL,
                   i.shutdown_completed_at, true, 0
            WHERE i.shutdown_completed_at IS NOT NULL
        ) AS told ORDER BY told.is_inferred, told.finished_at DESC, told.id DESC LIMIT 1
    ) AS h ON true
"""  # noqa: S608

SLOW = """
    hook_finished_at - hook_started_at > 0.8 * CASE
        WHEN deadline_at > notice_at THEN deadline_at - notice_at
        WHEN provider IN ('gcp', 'azure') THEN interval '30 seconds' ELSE interval '120 seconds' END
"""

MEASURE_HOURS = f"""
    INSERT INTO interruptions_measurehour (origin, hour, service_id, pool_id, provider, region, {", ".join(COUNTS)})
    WITH exposure AS (
        SELECT hour, service_id, pool_id, provider, region, lifecycle,
               (extract(epoch FROM least(ended_at, hour + interval '1 hour') - greatest(started_at, hour))
                * 1000000)::bigint AS microseconds,
               is_assumed AND lifecycle = 'spot' AND ended_at <= hour + interval '1 hour' AS ends_here
        FROM ({RUNNING}) AS run
        JOIN generate_series(%(since)s, %(until)s - interval '1 hour', interval '1 hour') AS hours (hour)
          ON started_at < hour + interval '1 hour' AND ended_at > hour
    ), facts AS (
        SELECT hour, service_id, pool_id, provider, region, lifecycle, microseconds, NULL AS verdict,
               NULL AS state, false AS is_inferred, false AS is_noticed, false AS is_timed, false AS is_slow,
               coalesce(ends_here, false) AS ends_here
        FROM exposure
        UNION ALL
        SELECT hour, service_id, pool_id, provider, region, NULL, 0, verdict, state,
               coalesce(is_inferred, false) AND verdict IN ('complete', 'failed', 'overdue'),
               notice_at IS NOT NULL AND known_by <> 'vanished',
               hook_started_at IS NOT NULL AND hook_finished_at IS NOT NULL,
               hook_started_at IS NOT NULL AND {SLOW}, false
        FROM ({VERDICTS}) AS told
    )
    SELECT %(origin)s, hour, service_id, pool_id, provider, region,
           coalesce(sum(microseconds) FILTER (WHERE lifecycle = 'spot'), 0),
           coalesce(sum(microseconds) FILTER (WHERE lifecycle = 'unknown'), 0),
           count(*) FILTER (WHERE verdict <> 'unexplained'),
           count(*) FILTER (WHERE verdict <> 'unexplained' AND state = 'presumed'),
           count(*) FILTER (WHERE verdict = 'unexplained'),
           count(*) FILTER (WHERE verdict = 'complete'),
           count(*) FILTER (WHERE verdict IN ('partial', 'overdue')),
           count(*) FILTER (WHERE verdict = 'failed'),
           count(*) FILTER (WHERE verdict = 'no_report'),
           count(*) FILTER (WHERE verdict = 'no_notice'),
           count(*) FILTER (WHERE verdict = 'undecided'),
           count(*) FILTER (WHERE is_inferred),
           count(*) FILTER (WHERE verdict = 'overdue'),
           count(*) FILTER (WHERE is_noticed AND verdict NOT IN ('undecided', 'unexplained')),
           count(*) FILTER (WHERE is_noticed AND verdict = 'complete'),
           count(*) FILTER (WHERE is_timed AND verdict <> 'unexplained'),
           count(*) FILTER (WHERE is_slow AND verdict <> 'unexplained'),
           count(*) FILTER (WHERE ends_here),
           0
    FROM facts GROUP BY hour, service_id, pool_id, provider, region
    ORDER BY hour  -- an hour's rows lie together, and reading some hours reads few pages
"""  # noqa: S608

LATENCY_HOURS = f"""
    INSERT INTO interruptions_latencyhour
        (origin, hour, service_id, pool_id, provider, region, workload_class, milliseconds, pending_since)
    SELECT %(origin)s, hour, service_id, pool_id, provider, region, workload_class,
           coalesce(array_agg(took ORDER BY took) FILTER (WHERE took IS NOT NULL), '{{}}'),
           coalesce(array_agg(evicted_at ORDER BY evicted_at) FILTER (WHERE took IS NULL), '{{}}')
    FROM (
        SELECT i.hour, i.service_id, i.pool_id, i.provider, i.region, v.workload_class,
               least(v.evicted_at, i.drain_started_at, i.ended_at) AS evicted_at,
               CASE WHEN v.running_at IS NOT NULL THEN greatest(0, floor(1000 * extract(
                   epoch FROM v.running_at - least(v.evicted_at, i.drain_started_at, i.ended_at))))::bigint END AS took
        FROM ({RECLAIMS}) AS i JOIN interruptions_move v ON v.interruption_id = i.id WHERE i.cause = 'spot'
    ) AS moved
    GROUP BY hour, service_id, pool_id, provider, region, workload_class
"""  # noqa: S608

# Members with a neighbour of their pool within 180 s. Whether a member begins a bunch, and whether the last of an
# hour is followed up in the next, depends on 180 s either side alone: so an hour is done with its two neighbours.
BUNCHES = f"""
    WITH near AS (
        SELECT i.service_id, i.pool_id, coalesce(p.provider, i.provider) AS provider,
               coalesce(p.region, i.region) AS region, i.started_at, i.id,
               date_trunc('hour', i.started_at, 'UTC') AS hour
        FROM interruptions_interruption i LEFT JOIN fleet_pool p ON p.id = i.pool_id
        WHERE i.origin = %(origin)s AND {COUNTED}
          AND i.started_at >= %(since)s - interval '180 seconds'
          AND i.started_at < %(until)s + interval '180 seconds'
    ), linked AS (
        SELECT *, coalesce(started_at - lag(started_at) OVER chain > interval '180 seconds', true) AS is_first,
               coalesce(lead(started_at) OVER chain - started_at > interval '180 seconds', true) AS is_last
        FROM near WINDOW chain AS (PARTITION BY pool_id, provider, region ORDER BY started_at, id)
    ), placed AS (
        SELECT *, count(*) FILTER (WHERE is_first) OVER (
            PARTITION BY pool_id, provider, region, hour ORDER BY started_at, id) AS segment
        FROM linked WHERE started_at >= %(since)s AND started_at < %(until)s
    ), pieces AS (
        SELECT hour, pool_id, provider, region, segment, service_id, count(*) AS size FROM placed
        WHERE NOT (is_first AND is_last) GROUP BY hour, pool_id, provider, region, segment, service_id
    ), crossing AS (
        SELECT hour, pool_id, provider, region, segment, segment = 0 OR NOT bool_or(is_last) AS crosses
        FROM placed GROUP BY hour, pool_id, provider, region, segment
    ), sorted AS (
        SELECT pieces.*, crosses FROM pieces JOIN crossing c
          ON (c.hour, c.provider, c.region, c.segment) = (pieces.hour, pieces.provider, pieces.region, pieces.segment)
         AND c.pool_id IS NOT DISTINCT FROM pieces.pool_id
    )
"""  # noqa: S608

BUNCH_PIECES = f"""
    INSERT INTO interruptions_bunchpiece (origin, hour, pool_id, provider, region, segment, service_id, count)
    {BUNCHES}
    SELECT %(origin)s, hour, pool_id, provider, region, segment, service_id, size FROM sorted WHERE crosses
"""  # noqa: S608

BUNCH_PAIRS = f"""
    INSERT INTO interruptions_bunchpair
        (origin, hour, pool_id, provider, region, service_id, other_service_id, excess)
    {BUNCHES}
    SELECT %(origin)s, a.hour, a.pool_id, a.provider, a.region, a.service_id, b.service_id,
           sum(CASE WHEN a.service_id = b.service_id THEN a.size * (a.size - 1) ELSE 2 * a.size * b.size END) AS excess
    FROM sorted a JOIN sorted b
      ON (b.hour, b.provider, b.region, b.segment) = (a.hour, a.provider, a.region, a.segment)
     AND b.pool_id IS NOT DISTINCT FROM a.pool_id AND b.service_id >= a.service_id
    WHERE NOT a.crosses
    GROUP BY a.hour, a.pool_id, a.provider, a.region, a.service_id, b.service_id
    HAVING sum(CASE WHEN a.service_id = b.service_id THEN a.size * (a.size - 1) ELSE 1 END) > 0
"""  # noqa: S608

BUNCH_EXCESS = """
    WITH sums AS MATERIALIZED (
        SELECT hour, provider, region, service_id, coalesce(pool_id, 0) AS pool, sum(excess) AS excess
        FROM interruptions_bunchpair WHERE origin = %(origin)s AND hour >= %(since)s AND hour < %(until)s
        GROUP BY hour, provider, region, service_id, coalesce(pool_id, 0)
    ), counted AS MATERIALIZED (
        SELECT id, hour, provider, region, service_id, coalesce(pool_id, 0) AS pool
        FROM interruptions_measurehour
        WHERE origin = %(origin)s AND hour >= %(since)s AND hour < %(until)s AND reclaim_count > 0
    )
    UPDATE interruptions_measurehour h SET bunch_excess = found.excess FROM (
        SELECT id, coalesce(excess, 0) AS excess
        FROM counted LEFT JOIN sums USING (hour, provider, region, service_id, pool)
    ) AS found WHERE h.id = found.id AND h.bunch_excess <> found.excess
"""

MEASURE_DAYS = f"""
    INSERT INTO interruptions_measureday (origin, day, service_id, pool_id, provider, region, {", ".join(COUNTS)})
    SELECT origin, date_trunc('day', hour, 'UTC') AS day, service_id, pool_id, provider, region,
           {", ".join(f"sum({name})" for name in COUNTS)}
    FROM interruptions_measurehour
    WHERE origin = %(origin)s AND hour >= %(since)s AND hour < %(until)s
    GROUP BY origin, date_trunc('day', hour, 'UTC'), service_id, pool_id, provider, region
"""  # noqa: S608

MACHINE_DAYS = f"""
    INSERT INTO interruptions_machineday
        (origin, day, service_id, pool_id, provider, region, ran, reclaimed, unknown)
    SELECT %(origin)s, day, service_id, pool_id, provider, region,
           coalesce(array_agg(DISTINCT machine_id ORDER BY machine_id) FILTER (WHERE what = 'spot'), '{{}}'),
           coalesce(array_agg(DISTINCT machine_id ORDER BY machine_id) FILTER (WHERE what = 'reclaimed'), '{{}}'),
           coalesce(array_agg(DISTINCT machine_id ORDER BY machine_id) FILTER (WHERE what = 'unknown'), '{{}}')
    FROM (
        SELECT day, service_id, pool_id, provider, region, machine_id, lifecycle AS what
        FROM ({RUNNING}) AS run
        JOIN generate_series(%(since)s, %(until)s - interval '1 day', interval '1 day') AS days (day)
          ON started_at < day + interval '1 day' AND ended_at > day
        UNION ALL
        SELECT date_trunc('day', started_at, 'UTC'), service_id, pool_id, provider, region, machine_id, 'reclaimed'
        FROM ({RECLAIMS}) AS told WHERE cause = 'spot'
    ) AS seen GROUP BY day, service_id, pool_id, provider, region
"""  # noqa: S608

REPORTING = """
    INSERT INTO interruptions_reportingservice (service_id)
    SELECT DISTINCT service_id FROM interruptions_measurehour
    WHERE origin = %(origin)s AND hour >= %(since)s AND hour < %(until)s
      AND complete_count + partial_count + failed_count > 0
    ON CONFLICT DO NOTHING
"""

SILENT = """
    SELECT r.machine_id, greatest(r.started_at, m.heartbeat_at + interval '90 seconds') AS ended_at
    FROM fleet_runninginterval r
    JOIN fleet_machine m ON m.id = r.machine_id
    WHERE r.origin = %(origin)s AND r.ended_at IS NULL AND r.lifecycle IN ('spot', 'unknown')
      AND m.heartbeat_at < %(now)s - interval '90 seconds'
"""

NOTE_CHANGED_ENDS = f"""
    INSERT INTO interruptions_dirtyhours (origin, since, until)
    SELECT %(origin)s, least(known.ended_at, silent.ended_at), %(now)s
    FROM (SELECT * FROM interruptions_assumedend WHERE origin = %(origin)s) AS known
    FULL JOIN ({SILENT}) AS silent USING (machine_id)
    WHERE known.ended_at IS DISTINCT FROM silent.ended_at
"""  # noqa: S608

ASSUMED_ENDS = f"""
    INSERT INTO interruptions_assumedend (origin, machine_id, ended_at)
    SELECT %(origin)s, silent.* FROM ({SILENT}) AS silent
"""  # noqa: S608
