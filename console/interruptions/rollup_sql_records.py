"""The statements that sum what nodes and services report around a reclaim: jobs, streams, replicas."""

from __future__ import annotations

from console.interruptions.rollup_sql import RECLAIMS

_PLACED = "hour, service_id, pool_id, provider, region"
_SPOT = f"(SELECT * FROM ({RECLAIMS}) AS i WHERE cause = 'spot')"  # noqa: S608
_MS = "floor(1000 * extract(epoch FROM {}))::bigint"

# Work that no reclaim holds counts where its machine is. A report that came before the reclaim tells of work
# under way, not of what was lost: then the loss is assumed, from the last checkpoint known to the end.
JOB_FACTS = f"""
    WITH reclaims AS MATERIALIZED {_SPOT},
    reported AS (
        SELECT r.hour, r.service_id, r.pool_id, r.provider, r.region, r.id, r.machine_id, w.job, w.attempt,
               w.useful_seconds, w.lost_seconds, w.restart_seconds, w.last_checkpoint_at AS since
        FROM reclaims r JOIN interruptions_work w ON w.interruption_id = r.id
        UNION ALL
        SELECT date_trunc('hour', w.at, 'UTC'), m.service_id, m.pool_id, coalesce(p.provider, m.provider),
               coalesce(p.region, m.region), NULL, m.id, w.job, w.attempt,
               w.useful_seconds, w.lost_seconds, w.restart_seconds, w.last_checkpoint_at
        FROM interruptions_work w JOIN fleet_machine m ON m.id = w.machine_id LEFT JOIN fleet_pool p ON p.id = m.pool_id
        WHERE w.origin = %(origin)s AND w.interruption_id IS NULL AND w.at >= %(since)s AND w.at < %(until)s
    ), silent AS (
        SELECT r.* FROM reclaims r JOIN fleet_service s ON s.id = r.service_id
        WHERE s.statefulness = 'batch' AND r.ended_at <= %(now)s AND NOT EXISTS (
            SELECT 1 FROM interruptions_work w WHERE w.interruption_id = r.id
            AND (w.received_at >= r.started_at OR w.finished_at IS NOT NULL))
    ), under_way AS (
        SELECT DISTINCT ON (r.id, w.job) r.id, w.job, 0::bigint AS useful,
               coalesce(w.last_checkpoint_at, w.at - make_interval(
                   secs => w.useful_seconds + w.lost_seconds + w.restart_seconds)) AS since
        FROM silent r JOIN interruptions_work w ON w.origin = %(origin)s AND w.machine_id = r.machine_id
        WHERE w.finished_at IS NULL AND w.received_at < r.started_at AND w.at > r.ended_at - interval '7 days'
          AND w.at <= r.ended_at
        ORDER BY r.id, w.job, w.attempt DESC
    ), checkpointed AS (
        SELECT r.id, coalesce(nullif(c.replica, ''), 'machine ' || r.machine_id) AS job,
               {_MS.format("c.last_at - c.first_at")} AS useful, c.last_at AS since
        FROM silent r CROSS JOIN LATERAL (
            SELECT o.replica, min(o.at) AS first_at, max(o.at) AS last_at FROM interruptions_sample o
            WHERE o.machine_id = r.machine_id AND o.signal = 'checkpoint'
              AND o.at > r.ended_at - interval '7 days' AND o.at <= r.ended_at
            GROUP BY o.replica
        ) AS c WHERE NOT EXISTS (SELECT 1 FROM under_way u WHERE u.id = r.id)
    ), assumed AS (
        SELECT r.hour, r.service_id, r.pool_id, r.provider, r.region, r.id, r.machine_id, a.job, a.since, a.useful,
               greatest(0, {_MS.format("r.ended_at - a.since")}) AS lost
        FROM (SELECT * FROM under_way UNION ALL SELECT * FROM checkpointed) AS a JOIN silent r USING (id)
    ), facts AS (
        SELECT {_PLACED}, id, machine_id, job, attempt, since, round(1000 * useful_seconds)::bigint AS useful,
               round(1000 * lost_seconds)::bigint AS lost, round(1000 * restart_seconds)::bigint AS restart,
               'reported' AS how, useful_seconds + lost_seconds + restart_seconds = 0 AS is_task
        FROM reported
        UNION ALL SELECT {_PLACED}, id, machine_id, job, NULL, since, useful, lost, 0, 'assumed', false FROM assumed
        UNION ALL SELECT {_PLACED}, id, machine_id, '', NULL, NULL, 0, 0, 0, 'unreported', false FROM silent r
            WHERE NOT EXISTS (SELECT 1 FROM assumed a WHERE a.id = r.id)
    )
"""  # noqa: S608
"""Each attempt at a job, in `facts`, with the reclaim it fell into."""

JOBS = f"""
    INSERT INTO interruptions_jobhour (origin, {_PLACED}, job, attempt_count, useful, lost, restart,
        assumed_count, assumed_lost, task_count, retried_count, unreported_count)
    {JOB_FACTS}
    SELECT %(origin)s, {_PLACED}, job, count(*) FILTER (WHERE how = 'reported'), sum(useful), sum(lost), sum(restart),
           count(*) FILTER (WHERE how = 'assumed'), coalesce(sum(lost) FILTER (WHERE how = 'assumed'), 0),
           count(*) FILTER (WHERE is_task), count(*) FILTER (WHERE is_task AND attempt > 1),
           count(*) FILTER (WHERE how = 'unreported')
    FROM facts GROUP BY {_PLACED}, job
"""  # noqa: S608

GAPS = f"""
    WITH ended AS MATERIALIZED (
        SELECT * FROM {_SPOT} AS r WHERE ended_at <= %(now)s
    ), pushed AS MATERIALIZED (
        SELECT DISTINCT o.service_id, o.signal, o.replica FROM interruptions_sample o
        WHERE o.origin = %(origin)s AND o.machine_id IS NULL AND o.signal IN ('telemetry', 'audit')
          AND o.service_id IN (SELECT service_id FROM ended)
          AND o.at > (SELECT min(ended_at) FROM ended) - interval '1 hour' AND o.at <= (SELECT max(ended_at) FROM ended)
    ), streams AS (
        SELECT DISTINCT e.id, o.service_id AS stream_of, o.signal, o.replica
        FROM ended e JOIN interruptions_sample o ON o.machine_id = e.machine_id AND o.signal IN ('telemetry', 'audit')
         AND o.at > e.ended_at - interval '1 hour' AND o.at <= e.ended_at
        UNION SELECT e.id, p.service_id, p.signal, p.replica FROM ended e JOIN pushed p USING (service_id)
        WHERE EXISTS (
            SELECT 1 FROM interruptions_sample o
            WHERE (o.origin, o.service_id, o.signal, o.replica) = (%(origin)s, p.service_id, p.signal, p.replica)
              AND o.machine_id IS NULL AND o.at > e.ended_at - interval '1 hour' AND o.at <= e.ended_at)
    ), gaps AS (
        SELECT e.*, s.signal, s.replica, greatest(before.at, skewed.at) AS last_at, following.at AS next_at
        FROM streams s JOIN ended e USING (id)
        CROSS JOIN LATERAL (
            SELECT max(o.at) AS at FROM interruptions_sample o
            WHERE (o.origin, o.service_id, o.signal, o.replica) = (%(origin)s, s.stream_of, s.signal, s.replica)
              AND o.at > e.ended_at - interval '1 hour' AND o.at <= e.ended_at
        ) AS before
        CROSS JOIN LATERAL (
            SELECT max(o.at) AS at FROM interruptions_sample o
            WHERE o.machine_id = e.machine_id AND o.signal = s.signal AND o.replica = s.replica
              AND o.at > e.ended_at AND o.at <= e.ended_at + interval '15 minutes'
        ) AS skewed
        CROSS JOIN LATERAL (
            SELECT min(o.at) AS at FROM interruptions_sample o
            WHERE (o.origin, o.service_id, o.signal, o.replica) = (%(origin)s, s.stream_of, s.signal, s.replica)
              AND o.at > e.ended_at AND o.at <= e.ended_at + interval '24 hours'
              AND o.machine_id IS DISTINCT FROM e.machine_id
        ) AS following
        WHERE before.at IS NOT NULL
    )
"""  # noqa: S608
"""Each stream of each machine that went, in `gaps`: its last sample before the end, and the next by another.

A stream silent for an hour before the end had ended before; one silent for a day after it has ended for good.
"""

STREAMS = f"""
    INSERT INTO interruptions_streamhour (origin, {_PLACED}, signal, milliseconds, silent_since, skewed_count,
        streamless_count, node_count, cut_count)
    {GAPS}, worst AS (
        SELECT id, signal, bool_or(next_at IS NULL) AS is_silent, min(last_at) FILTER (WHERE next_at IS NULL) AS since,
               max(greatest(0, {_MS.format("next_at - last_at")})) AS took, bool_or(next_at < last_at) AS is_skewed
        FROM gaps GROUP BY id, signal
    ), own AS (
        SELECT e.id, wanted.signal, max(o.at) AS last_at
        FROM ended e CROSS JOIN (VALUES ('telemetry'), ('audit')) AS wanted (signal)
        JOIN interruptions_sample o ON o.machine_id = e.machine_id AND o.signal = wanted.signal
         AND o.at > e.ended_at - interval '24 hours' AND o.at <= e.ended_at
        GROUP BY e.id, wanted.signal
    )
    SELECT %(origin)s, e.hour, e.service_id, e.pool_id, e.provider, e.region, wanted.signal,
           coalesce(array_agg(w.took ORDER BY w.took) FILTER (WHERE w.is_silent IS FALSE), '{{}}'),
           coalesce(array_agg(w.since ORDER BY w.since) FILTER (WHERE w.is_silent), '{{}}'),
           count(*) FILTER (WHERE w.is_skewed AND w.is_silent IS FALSE),
           count(*) FILTER (WHERE w.id IS NULL),
           count(own.id),
           count(*) FILTER (WHERE own.last_at < e.ended_at - interval '60 seconds')
    FROM ended e CROSS JOIN (VALUES ('telemetry'), ('audit')) AS wanted (signal)
    LEFT JOIN worst w ON w.id = e.id AND w.signal = wanted.signal
    LEFT JOIN own ON own.id = e.id AND own.signal = wanted.signal
    GROUP BY e.hour, e.service_id, e.pool_id, e.provider, e.region, wanted.signal
"""  # noqa: S608

RECOVERED = f"""
    SELECT r.*, p.id AS replica_id, p.name, p.last_write_at, p.ready_at,
           least(greatest(coalesce(v.detached_at, r.ended_at, p.last_write_at), p.last_write_at), p.ready_at)
               AS let_go_at,
           least(greatest(coalesce(v.attached_at, v.detached_at, r.ended_at, p.last_write_at), v.detached_at,
                          p.last_write_at), p.ready_at) AS attached_at
    FROM {_SPOT} AS r JOIN interruptions_replica p ON p.interruption_id = r.id
    LEFT JOIN LATERAL (
        SELECT min(o.detached_at) AS detached_at, max(o.attached_at) AS attached_at
        FROM interruptions_volume o WHERE o.interruption_id = r.id
    ) AS v ON true
"""  # noqa: S608
"""Each replica that was lost. Detected: when its volume was let go, else when its machine went."""

RECOVERIES = f"""
    INSERT INTO interruptions_recoveryhour
        (origin, {_PLACED}, milliseconds, detect, attach, catch_up, pending_since)
    SELECT %(origin)s, {_PLACED},
           coalesce(array_agg(took ORDER BY took) FILTER (WHERE took IS NOT NULL), '{{}}'),
           coalesce(array_agg(detect ORDER BY detect) FILTER (WHERE took IS NOT NULL), '{{}}'),
           coalesce(array_agg(attach ORDER BY attach) FILTER (WHERE took IS NOT NULL), '{{}}'),
           coalesce(array_agg(took - detect - attach ORDER BY took - detect - attach)
                    FILTER (WHERE took IS NOT NULL), '{{}}'),
           coalesce(array_agg(last_write_at ORDER BY last_write_at) FILTER (WHERE took IS NULL), '{{}}')
    FROM (
        SELECT *, CASE WHEN ready_at IS NOT NULL
                       THEN greatest(0, {_MS.format("ready_at - last_write_at")}) END AS took,
               greatest(0, {_MS.format("let_go_at - last_write_at")}) AS detect,
               greatest(0, {_MS.format("attached_at - let_go_at")}) AS attach
        FROM ({RECOVERED}) AS recovered
    ) AS replicas
    GROUP BY {_PLACED}
"""  # noqa: S608
