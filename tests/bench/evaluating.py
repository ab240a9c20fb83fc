"""What the minute costs: all rules over a thousand services, with a week of reclaims behind them."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.alerts.evaluating.minute import evaluate
from console.alerts.models import AlertGroup, Evaluation
from console.interruptions.models import RollupState
from console.interruptions.rollups import roll_up
from tests.bench import databases
from tests.bench.figure import AtMost, percentile

SERVICES = 1_000
MACHINES = 20_000
RECLAIMS = 3_000
"""15 in a hundred machines a week, three times the target."""
ALL_FIRE = 30_000
"""So many that nearly every rule fires for nearly every service: the worst that a minute can be, told beside."""
MINUTES = 12
MOST_MS = 1_000.0

FLEET = (
    "INSERT INTO fleet_team (id, origin, slug, name) SELECT t, 'live', 'team-' || t, 'Team ' || t"
    " FROM generate_series(1, 40) AS t",
    """
    INSERT INTO fleet_service (id, origin, slug, name, team_id, kind, criticality, statefulness, replicas_wanted,
        description, log_url, trace_url, metric_url, created_at)
    SELECT s, 'live', 'service-' || s, 'Service ' || s, 1 + s %% 40, 'queue_workers',
        (ARRAY['critical', 'user_facing', 'batch', 'best_effort'])[1 + s %% 4], 'stateless', 12, '', '', '', '', %(now)s
    FROM generate_series(1, %(services)s) AS s
    """,
    """
    INSERT INTO fleet_pool (id, origin, provider, region, zone, instance_type, os)
    SELECT p, 'live', 'aws', 'region-' || p %% 4, 'region-' || p %% 4 || 'a', 'type-' || p, 'linux'
    FROM generate_series(1, 40) AS p
    """,
    """
    INSERT INTO fleet_workloadstatus (origin, cluster, namespace, workload, service_id, at, wanted, ready, pending,
        is_declared, by_zone, needed)
    SELECT 'live', 'main', 'default', 'workload-' || s, s, %(now)s, 12, 11, 0, false, '{"a": 6, "b": 5}', 6
    FROM generate_series(1, %(services)s) AS s
    """,
    """
    INSERT INTO fleet_machine (id, origin, provider, account, region, zone, instance_id, instance_type, os, node_name,
        cluster, namespace, node_pool, tags, vcpus, declared_service, service_id, pool_id, first_seen_at, last_seen_at,
        heartbeat_at)
    SELECT m, 'live', 'aws', '1', p.region, p.zone, 'i-' || m, p.instance_type, 'linux', 'node-' || m, 'main', '', '',
        '{}', 4, '', 1 + m %% %(services)s, p.id, %(now)s - interval '9 days', %(now)s, %(now)s
    FROM generate_series(1, %(machines)s) AS m JOIN fleet_pool p ON p.id = 1 + hashint4(m) & 3 + 4 * (m %% 10)
    """,
    """
    INSERT INTO fleet_runninginterval (origin, machine_id, service_id, pool_id, lifecycle, started_at, end_cause, replaces)
    SELECT 'live', id, service_id, pool_id, CASE WHEN id %% 5 = 0 THEN 'on-demand' ELSE 'spot' END, first_seen_at, '', ''
    FROM fleet_machine
    """,
    """
    INSERT INTO interruptions_interruption (id, origin, key, ordinal, machine_id, service_id, pool_id, provider, region,
        state, cause, action, known_by, native_id, opened_by, started_at, deadline_at, ended_at, notice_at,
        has_drain_error, is_low_confidence, witness_count, observation_count, first_received_at, last_received_at,
        is_late, version, updated_at)
    SELECT i, 'live', 'bench:' || i, 1, m.id, m.service_id, m.pool_id, 'aws', m.region, 'ended', 'spot', 'terminate',
        'notice', '', '1:' || i, at, at + interval '2 minutes', at + interval '2 minutes', at, false, false, 1, 1, at, at,
        false, 1, at
    FROM generate_series(1, %(reclaims)s) AS i
    CROSS JOIN LATERAL (SELECT %(now)s - make_interval(secs => 7 * 86400.0 * i / %(reclaims)s) AS at) w
    JOIN fleet_machine m ON m.id = 1 + (i * 7) %% %(machines)s
    """,
    """
    INSERT INTO interruptions_hook (origin, report_id, machine_id, interruption_id, at, received_at, started_at,
        finished_at, outcome, is_inferred, message)
    SELECT 'live', 'h' || id, machine_id, id, started_at, started_at, started_at, started_at + interval '50 seconds',
        (ARRAY['complete', 'complete', 'complete', 'partial', 'failed'])[1 + id %% 5], false, ''
    FROM interruptions_interruption
    """,
    """
    INSERT INTO interruptions_move (origin, report_id, machine_id, interruption_id, at, received_at, workload,
        workload_class, evicted_at, running_at, to_node)
    SELECT 'live', 'm' || id, machine_id, id, started_at, started_at, 'default/web-' || id, 'stateless', started_at,
        started_at + make_interval(secs => 10 + id %% 40), ''
    FROM interruptions_interruption
    """,
    """
    INSERT INTO interruptions_work (origin, report_id, machine_id, interruption_id, at, received_at, job, attempt,
        useful_seconds, lost_seconds, restart_seconds)
    SELECT 'live', 'w' || id, machine_id, id, started_at, started_at, 'job-' || id, 1, 7200, 300, 20
    FROM interruptions_interruption
    """,
    """
    INSERT INTO interruptions_replica (origin, report_id, machine_id, interruption_id, at, received_at, name,
        last_write_at, ready_at)
    SELECT 'live', 'r' || id, machine_id, id, started_at, started_at, 'r-' || id, started_at,
        started_at + interval '70 seconds'
    FROM interruptions_interruption WHERE id %% 3 = 0
    """,
    """
    INSERT INTO interruptions_sample (origin, service_id, signal, replica, at, value)
    SELECT 'live', s, 'telemetry', '', %(now)s - make_interval(mins => 5 * n), 1
    FROM generate_series(1, %(services)s) AS s, generate_series(0, 288) AS n
    """,
    """
    INSERT INTO interruptions_sample (origin, service_id, signal, replica, at, value)
    SELECT 'live', i.service_id, 'audit', m.node_name, i.started_at, 1
    FROM interruptions_interruption i JOIN fleet_machine m ON m.id = i.machine_id ON CONFLICT DO NOTHING
    """,
)


def a_minute() -> AtMost:
    """The slowest of the minutes after the two in which what is wrong fires; beside it, where everything is wrong."""
    worst = _minutes(ALL_FIRE, database="bench_all_fire")
    usual = _minutes(RECLAIMS, database="bench_usual")
    more = {**usual, **{f"all_fire_{name}": value for name, value in worst.items()}}
    return AtMost(float(usual["p95"]), "ms", MOST_MS, {**more, "services": SERVICES})


def _minutes(reclaims: int, *, database: str) -> dict[str, float]:
    databases.make_empty(database)
    with databases.using(database):
        now = timezone.now()
        _fill(now, reclaims)
        times, statements = [], 0
        for minute in range(MINUTES):
            started = time.perf_counter()
            with CaptureQueriesContext(connection) as context:
                evaluate(now=now + timedelta(minutes=minute))
            times.append(1_000 * (time.perf_counter() - started))
            statements = max(statements, len(context))
        return {
            "p50": round(percentile(times[2:], 50), 1),
            "p95": round(percentile(times[2:], 95), 1),
            "first_firing_ms": round(times[1], 1),
            "judgements": Evaluation.objects.get().subjects,
            "groups": AlertGroup.objects.count(),
            "queries": statements,
        }


def _fill(now: object, reclaims: int) -> None:
    values = {"now": now, "services": SERVICES, "machines": MACHINES, "reclaims": reclaims}
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in FLEET:
            cursor.execute(statement, values)
        for table in (
            "fleet_team",
            "fleet_service",
            "fleet_pool",
            "fleet_machine",
            "interruptions_interruption",
        ):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
    RollupState.objects.update_or_create(origin="live", defaults={"rolled_up_at": None})
    roll_up(now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
