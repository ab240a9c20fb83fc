"""Rows that change after their hour was rolled up say so themselves, whoever writes them.

Hours that every roll-up does anyway (this one and the one before) are not noted, so live traffic writes nothing.
"""

from __future__ import annotations

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION interruptions_is_fresh(at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT at >= date_trunc('hour', now(), 'UTC') - interval '1 hour'
       AND at < date_trunc('hour', now(), 'UTC') + interval '1 hour'
$$;

CREATE FUNCTION interruptions_dirty_by_interruption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT DISTINCT origin, date_trunc('hour', started_at, 'UTC'), date_trunc('hour', started_at, 'UTC') + interval '1 hour'
        FROM gone WHERE NOT interruptions_is_fresh(started_at);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT DISTINCT origin, date_trunc('hour', started_at, 'UTC'), date_trunc('hour', started_at, 'UTC') + interval '1 hour'
        FROM came WHERE NOT interruptions_is_fresh(started_at);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION interruptions_dirty_by_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT DISTINCT i.origin, date_trunc('hour', i.started_at, 'UTC'), date_trunc('hour', i.started_at, 'UTC') + interval '1 hour'
        FROM gone JOIN interruptions_interruption i ON i.id = gone.interruption_id
        WHERE NOT interruptions_is_fresh(i.started_at);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT DISTINCT i.origin, date_trunc('hour', i.started_at, 'UTC'), date_trunc('hour', i.started_at, 'UTC') + interval '1 hour'
        FROM came JOIN interruptions_interruption i ON i.id = came.interruption_id
        WHERE NOT interruptions_is_fresh(i.started_at);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION interruptions_dirty_by_interval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT origin, min(started_at), max(coalesce(ended_at, 'infinity'))
        FROM came WHERE NOT interruptions_is_fresh(started_at) GROUP BY origin;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT origin, min(started_at), max(coalesce(ended_at, 'infinity')) FROM gone GROUP BY origin;
    ELSE
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT DISTINCT origin, since, until FROM (
            SELECT gone.origin,
                   least(gone.started_at, came.started_at) AS since,
                   greatest(coalesce(gone.ended_at, 'infinity'), coalesce(came.ended_at, 'infinity')) AS until
            FROM gone JOIN came USING (id)
            WHERE (gone.machine_id, gone.service_id, gone.pool_id, gone.lifecycle)
                  IS DISTINCT FROM (came.machine_id, came.service_id, came.pool_id, came.lifecycle)
            UNION ALL
            SELECT gone.origin, least(gone.started_at, came.started_at), greatest(gone.started_at, came.started_at)
            FROM gone JOIN came USING (id) WHERE gone.started_at <> came.started_at
            UNION ALL
            SELECT gone.origin,
                   least(coalesce(gone.ended_at, 'infinity'), coalesce(came.ended_at, 'infinity')),
                   greatest(coalesce(gone.ended_at, 'infinity'), coalesce(came.ended_at, 'infinity'))
            FROM gone JOIN came USING (id) WHERE gone.ended_at IS DISTINCT FROM came.ended_at
        ) AS changed
        WHERE NOT interruptions_is_fresh(since);
    END IF;
    RETURN NULL;
END $$;
"""

TABLES = {
    "interruptions_interruption": "interruption",
    "interruptions_hook": "record",
    "interruptions_move": "record",
    "fleet_runninginterval": "interval",
}
TRANSITIONS = {
    "insert": "NEW TABLE AS came",
    "update": "OLD TABLE AS gone NEW TABLE AS came",
    "delete": "OLD TABLE AS gone",
}


def _triggers() -> str:
    return "\n".join(
        f"CREATE TRIGGER interruptions_dirty_{verb} AFTER {verb.upper()} ON {table} REFERENCING {named} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION interruptions_dirty_by_{kind}();"
        for table, kind in TABLES.items()
        for verb, named in TRANSITIONS.items()
    )


def _undo() -> str:
    drops = [f"DROP TRIGGER interruptions_dirty_{verb} ON {table};" for table in TABLES for verb in TRANSITIONS]
    drops += [f"DROP FUNCTION interruptions_dirty_by_{kind}();" for kind in ("interruption", "record", "interval")]
    return "\n".join([*drops, "DROP FUNCTION interruptions_is_fresh(timestamptz);"])


class Migration(migrations.Migration):
    dependencies = [("interruptions", "0005_measure_rollups"), ("fleet", "0001_first_rows")]

    operations = [migrations.RunSQL([FUNCTIONS, _triggers()], _undo())]
