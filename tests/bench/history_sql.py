"""The statements of `history.py`. Rows of history have the numbers 1 to n; open ones follow."""

from __future__ import annotations

SERVICES = 25
POOLS = 50

COMPANY = (
    """
    INSERT INTO fleet_team (id, origin, slug, name)
    SELECT t, 'live', 'team-' || t, 'Team ' || t FROM generate_series(1, 8) AS t
    """,
    """
    INSERT INTO fleet_service (id, origin, slug, name, team_id, kind, criticality, statefulness, replicas_wanted,
        description, log_url, trace_url, metric_url, created_at)
    SELECT s, 'live', 'service-' || s, 'Service ' || s, 1 + s %% 8, 'queue_workers', 'best_effort',
        (ARRAY['stateless', 'batch', 'stateful'])[1 + s %% 3], 12, '',
        'https://logs.example.com/?q={{ instance_id }}', '', '', %(now)s - interval '800 days'
    FROM generate_series(1, 25) AS s
    """,
    """
    INSERT INTO fleet_pool (id, origin, provider, region, zone, instance_type, os)
    SELECT p, 'live', (ARRAY['aws', 'gcp', 'azure'])[1 + p %% 3], 'region-' || p %% 8,
        'region-' || p %% 8 || (ARRAY['a', 'b', 'c'])[1 + p %% 3], 'type-' || p, 'linux'
    FROM generate_series(1, 50) AS p
    """,
    """
    INSERT INTO fleet_workloadstatus (id, origin, cluster, namespace, workload, service_id, at, wanted, ready, pending,
        is_declared, by_zone, needed)
    SELECT s, 'live', 'main', 'default', 'workload-' || s, s, %(now)s, 12, 9, 1, false, '{"a": 4, "b": 5, "c": 0}', 8
    FROM generate_series(1, 25) AS s
    """,
    """
    INSERT INTO feeds_feed (id, origin, slug, name, kind, account, region, cluster, expects_within, created_at,
        last_seen_at, last_accepted_at)
    SELECT f, 'live', 'history-' || f, 'Feed ' || f, 'aws-eventbridge', '', '', '', interval '1 day', %(now)s, %(now)s,
        %(now)s
    FROM generate_series(1, 4) AS f
    """,
)

_LIFE = """
    CREATE TEMP TABLE life AS
    SELECT i, at, s AS service_id, p AS pool_id, provider, region, zone, instance_type
    FROM (
        SELECT i, 1 + i %% 25 AS s, 1 + (1 + i %% 25) * 2 %% 50 + (i / 25) %% 2 AS p,
               %(now)s - interval '40 minutes'
               - make_interval(secs => %(days)s * 86400.0 * (%(n)s - i) / %(n)s + hashint8(i) %% 1800) AS at
        FROM generate_series(1, %(n)s::bigint) AS i
    ) AS each JOIN fleet_pool pool ON pool.id = p
    ORDER BY at
"""

_GROUPED = "(i / 125) * 25 + service_id"
"""Five reclaims of one service make an episode and a group."""

HISTORY = (
    _LIFE,
    "ANALYZE life",
    """
    INSERT INTO fleet_machine (id, origin, provider, account, region, zone, instance_id, instance_type, os, node_name,
        cluster, namespace, node_pool, tags, vcpus, declared_service, service_id, pool_id, first_seen_at, last_seen_at)
    SELECT i, 'live', provider, '204816327500', region, zone, 'i-' || lpad(to_hex(i), 17, '0'), instance_type, 'linux',
        'node-' || i, 'main', '', 'workers', '{}', 4, '', service_id, pool_id, at - interval '6 hours',
        at + interval '2 minutes'
    FROM life
    """,
    """
    INSERT INTO fleet_runninginterval (origin, machine_id, service_id, pool_id, lifecycle, started_at, ended_at,
        end_cause, replaces)
    SELECT 'live', i, service_id, pool_id, 'spot', at - interval '6 hours', at + interval '2 minutes', 'reclaimed', ''
    FROM life
    """,
    f"""
    INSERT INTO interruptions_episode (id, origin, service_id, started_at, last_started_at, ended_at, interruption_count)
    SELECT {_GROUPED}, 'live', service_id, min(at), max(at), max(at) + interval '2 minutes', count(*)
    FROM life GROUP BY 1, service_id
    """,
    f"""
    INSERT INTO interruptions_interruption (id, origin, key, ordinal, machine_id, service_id, pool_id, episode_id,
        provider, region, state, cause, action, known_by, native_id, opened_by, started_at, deadline_at, ended_at,
        notice_at, drain_started_at, terminated_at, running_at, evicted_at, has_drain_error, is_low_confidence,
        witness_count, observation_count, first_received_at, last_received_at, is_late, version, updated_at)
    SELECT i, 'live', provider || ':204816327500:' || region || ':i-' || lpad(to_hex(i), 17, '0') || ':1', 1, i,
        service_id, pool_id, {_GROUPED}, provider, region,
        (ARRAY['ended', 'ended', 'ended', 'ended', 'ended', 'ended', 'ended', 'presumed', 'cancelled', 'no_action'])
            [1 + (i / 7) %% 10],
        'spot', 'terminate', 'notice', '', '1:' || i, at, at + interval '2 minutes', at + interval '110 seconds', at,
        at + interval '3 seconds', at + interval '110 seconds', at + interval '95 seconds', at + interval '5 seconds',
        false, false, 2, 4, at + interval '1 second', at + interval '111 seconds', false, 3, at + interval '111 seconds'
    FROM life
    """,
    """
    INSERT INTO interruptions_hook (origin, feed_id, report_id, machine_id, interruption_id, at, received_at,
        started_at, finished_at, outcome, is_inferred, message)
    SELECT 'live', 1, 'h' || i, i, i, at + interval '60 seconds', at + interval '61 seconds', at + interval '4 seconds',
        at + interval '60 seconds', (ARRAY['complete', 'complete', 'complete', 'partial', 'failed'])[1 + (i / 3) %% 5],
        false, ''
    FROM life WHERE i %% 3 = 0
    """,
    """
    INSERT INTO interruptions_move (origin, feed_id, report_id, machine_id, interruption_id, at, received_at, workload,
        workload_class, evicted_at, running_at, to_node)
    SELECT 'live', 1, 'm' || i, i, i, at + interval '5 seconds', at + interval '96 seconds', 'default/web-' || i,
        'stateless', at + interval '5 seconds', at + make_interval(secs => 20 + i %% 300), ''
    FROM life WHERE i %% 4 = 0
    """,
    """
    INSERT INTO interruptions_volume (origin, feed_id, report_id, machine_id, interruption_id, at, received_at, volume,
        detached_at, attached_at)
    SELECT 'live', 1, 'v' || i, i, i, at, at, 'vol-' || i, at, at + interval '40 seconds' FROM life WHERE i %% 20 = 0
    """,
    """
    INSERT INTO interruptions_observation (received_at, origin, feed_id, delivery_pk, machine_id, interruption_id,
        event_id, machine_named, source, kind, occurred_at, deadline_at, outcome)
    SELECT at + interval '1 second', 'live', 1 + k %% 4, i, i, i, 'e' || i || '-' || k, '', 'aws-eventbridge',
        (ARRAY['interruption_notice', 'shutdown_started', 'terminated'])[k], at + interval '50 seconds' * (k - 1),
        at + interval '2 minutes', 'ok'
    FROM life, generate_series(1, 3) AS k WHERE i %% 10 = 0 OR at > %(now)s - interval '60 days'
    """,
    """
    INSERT INTO interruptions_logline (received_at, origin, machine_id, at, level, message, report_id)
    SELECT at + interval '9 seconds', 'live', i, at + interval '8 seconds', 'info', 'drained', 'l' || i
    FROM life WHERE at > %(now)s - interval '30 days'
    """,
    f"""
    INSERT INTO runbooks_execution (id, origin, version_id, service_id, started_at, finished_at)
    SELECT {_GROUPED}, 'live', (SELECT min(id) FROM runbooks_runbookversion), service_id, min(at),
        max(at) + interval '9 minutes'
    FROM life GROUP BY 1, service_id
    """,
    f"""
    INSERT INTO alerts_alertgroup (id, origin, key, service_id, execution_id, title, impact, severity, status,
        triggered_at, resolved_at, resolution, member_count, running_out_count, last_news_at, version)
    SELECT {_GROUPED}, 'live', 'service:' || service_id, service_id, {_GROUPED}, 'Reclaims of service ' || service_id,
        count(*) || ' machines gone; replicas not reported', 'warning', 'resolved', min(at),
        max(at) + interval '10 minutes', 'healed', count(*), 0, max(at), 4
    FROM life GROUP BY 1, service_id
    """,
    "INSERT INTO alerts_groupepisode (group_id, episode_id) SELECT id, id FROM interruptions_episode",
    f"""
    INSERT INTO alerts_groupmember (group_id, interruption_id, joined_at, reason)
    SELECT {_GROUPED}, i, at, 'same service within five minutes' FROM life
    """,
    """
    INSERT INTO alerts_alertevent (group_id, at, kind, text, data)
    SELECT g.id, g.triggered_at, kind, '', '{}'
    FROM alerts_alertgroup g, unnest(ARRAY['triggered', 'joined', 'resolved']) AS kind
    """,
    """
    INSERT INTO alerts_receipt (origin, group_id, trigger, rule, decision, reason, inputs, at)
    SELECT 'live', id, 'change:' || id, 'built-in', 'page', 'a service loses machines', '{}', triggered_at
    FROM alerts_alertgroup
    """,
    "DROP TABLE life",
)

OPEN = (
    # The fleet that has run all along: it gives every hour of the roll-ups its rows at every size.
    """
    INSERT INTO fleet_machine (id, origin, provider, account, region, zone, instance_id, instance_type, os, node_name,
        cluster, namespace, node_pool, tags, vcpus, declared_service, service_id, pool_id, first_seen_at, last_seen_at)
    SELECT %(n)s + m, 'live', p.provider, '204816327500', p.region, p.zone,
        'i-open' || lpad(m::text, 13, '0'), p.instance_type, 'linux', 'node-open-' || m, 'main', '', 'workers', '{}', 4,
        '', 1 + (m / 2) %% 25, p.id, %(now)s - interval '730 days', %(now)s
    FROM generate_series(1, %(open)s + 100) AS m JOIN fleet_pool p ON p.id = 1 + (m %% 50)
    """,
    """
    INSERT INTO fleet_runninginterval (origin, machine_id, service_id, pool_id, lifecycle, started_at, end_cause,
        replaces)
    SELECT 'live', id, service_id, pool_id, 'spot',
        CASE WHEN id <= %(n)s + 50 THEN first_seen_at ELSE %(now)s - interval '5 hours' END, '', ''
    FROM fleet_machine WHERE id > %(n)s
    """,
    """
    INSERT INTO interruptions_interruption (id, origin, key, ordinal, machine_id, service_id, pool_id, provider, region,
        state, cause, action, known_by, native_id, opened_by, started_at, deadline_at, notice_at, has_drain_error,
        is_low_confidence, witness_count, observation_count, first_received_at, last_received_at, is_late, due_at,
        version, updated_at)
    SELECT id, 'live', 'open:' || id, 1, id, service_id, pool_id, provider, region,
        (ARRAY['noticed', 'cordoned', 'draining', 'shutting_down'])[1 + id %% 4], 'spot', 'terminate', 'notice', '',
        '1:' || id, %(now)s, %(now)s + make_interval(secs => 3600 + id - %(n)s), %(now)s, false, false, 1, 2, %(now)s,
        %(now)s, false, %(now)s + interval '2 hours', 1, %(now)s
    FROM fleet_machine WHERE id > %(n)s AND id <= %(n)s + %(open)s
    """,
    """
    INSERT INTO interruptions_hook (origin, feed_id, report_id, machine_id, interruption_id, at, received_at,
        started_at, finished_at, outcome, is_inferred, message)
    SELECT 'live', 1, 'h' || id, machine_id, id, started_at, started_at, started_at, started_at + interval '9 seconds',
        (ARRAY['complete', 'failed'])[1 + id %% 2], false, 'the queue did not drain'
    FROM interruptions_interruption WHERE id > %(n)s AND id <= %(n)s + 60
    """,
    """
    INSERT INTO interruptions_move (origin, feed_id, report_id, machine_id, interruption_id, at, received_at, workload,
        workload_class, evicted_at, running_at, to_node)
    SELECT 'live', 1, 'm' || id, machine_id, id, started_at, started_at, 'default/open-' || id, 'stateless', started_at,
        CASE WHEN id %% 2 = 0 THEN started_at + interval '30 seconds' END, ''
    FROM interruptions_interruption WHERE id > %(n)s AND id <= %(n)s + 100
    """,
    """
    INSERT INTO interruptions_volume (origin, feed_id, report_id, machine_id, interruption_id, at, received_at, volume,
        detached_at)
    SELECT 'live', 1, 'v' || id, machine_id, id, started_at, started_at, 'vol-' || id, started_at
    FROM interruptions_interruption WHERE id > %(n)s AND id <= %(n)s + 20
    """,
    """
    INSERT INTO interruptions_observation (received_at, origin, feed_id, delivery_pk, machine_id, interruption_id,
        event_id, machine_named, source, kind, occurred_at, deadline_at, outcome)
    SELECT started_at, 'live', 1 + k %% 4, id, machine_id, id, 'o' || id || '-' || k, '', 'aws-eventbridge',
        'interruption_notice', started_at, deadline_at, 'ok'
    FROM interruptions_interruption, generate_series(1, 3) AS k WHERE id > %(n)s
    """,
    """
    INSERT INTO interruptions_logline (received_at, origin, machine_id, at, level, message, report_id)
    SELECT started_at, 'live', machine_id, started_at, 'info', 'draining, line ' || k, 'l' || id
    FROM interruptions_interruption, generate_series(1, 10) AS k WHERE id > %(n)s
    """,
    """
    INSERT INTO runbooks_execution (id, origin, version_id, service_id, started_at)
    SELECT coalesce((SELECT max(id) FROM alerts_alertgroup), 0) + g, 'live',
        (SELECT min(id) FROM runbooks_runbookversion), 1 + g %% 25, %(now)s
    FROM generate_series(1, %(groups)s) AS g
    """,
    """
    INSERT INTO alerts_alertgroup (id, origin, key, service_id, execution_id, title, impact, severity, status,
        triggered_at, acknowledged_at, resolution, member_count, running_out_count, earliest_deadline_at, last_news_at,
        version)
    SELECT id, 'live', 'service:open-' || id, service_id, id, 'Reclaims of service ' || service_id,
        '8 of 8 machines still running; replicas not reported', (ARRAY['critical', 'error', 'warning', 'info'])
        [1 + id %% 4], CASE WHEN id %% 2 = 0 THEN 'triggered' ELSE 'acknowledged' END, started_at,
        CASE WHEN id %% 2 = 1 THEN started_at END, '', 8, 8, started_at + interval '1 hour', started_at, 1
    FROM runbooks_execution WHERE finished_at IS NULL
    """,
    """
    INSERT INTO alerts_groupmember (group_id, interruption_id, joined_at, reason)
    SELECT g.id, i.id, i.started_at, 'same service within five minutes'
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM alerts_alertgroup WHERE status <> 'resolved') AS g
    JOIN interruptions_interruption i ON i.id > %(n)s AND (i.id - %(n)s) %% 40 = g.place %% 40
    """,
    """
    INSERT INTO alerts_alertevent (group_id, at, kind, text, data)
    SELECT id, triggered_at, 'triggered', '', '{}' FROM alerts_alertgroup WHERE status <> 'resolved'
    """,
)

FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND connamespace = current_schema()::regnamespace
"""
TRIGGERED = """
    SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace
"""
NUMBERED = (
    "fleet_team", "fleet_service", "fleet_pool", "fleet_workloadstatus", "fleet_machine", "feeds_feed",
    "interruptions_episode", "interruptions_interruption", "runbooks_execution", "alerts_alertgroup",
)  # fmt: skip
