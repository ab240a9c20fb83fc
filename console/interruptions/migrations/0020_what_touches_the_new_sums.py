"""Samples know the machine that sent them; late work, volumes, replicas and samples touch their hours.

Everything is summed once from the beginning: the new tables start empty.
"""

from __future__ import annotations

from django.db import migrations

SAMPLES = """
ALTER TABLE interruptions_sample DROP CONSTRAINT interruptions_sample_once;
ALTER TABLE interruptions_sample ADD CONSTRAINT interruptions_sample_once
    UNIQUE NULLS NOT DISTINCT (origin, service_id, signal, replica, at, machine_id);
CREATE INDEX interruptions_sample_of_machine ON interruptions_sample (machine_id, signal, at)
    WHERE machine_id IS NOT NULL;
"""
SAMPLES_BACK = """
DROP INDEX interruptions_sample_of_machine;
ALTER TABLE interruptions_sample DROP CONSTRAINT interruptions_sample_once;
DELETE FROM interruptions_sample WHERE machine_id IS NOT NULL;
ALTER TABLE interruptions_sample ADD CONSTRAINT interruptions_sample_once
    UNIQUE (origin, service_id, signal, replica, at);
"""

# A gap is closed by a sample at most 24 h after the end; a checkpoint is good for 7 days (`rollup_records.py`).
FUNCTIONS = """
CREATE FUNCTION interruptions_dirty_by_sample() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO interruptions_dirtyhours (origin, since, until)
    SELECT DISTINCT origin, date_trunc('hour', at, 'UTC') - interval '25 hours',
           date_trunc('hour', at, 'UTC') + CASE signal WHEN 'checkpoint' THEN interval '7 days' ELSE interval '2 hours' END
    FROM came WHERE signal IN ('telemetry', 'audit', 'checkpoint') AND at < date_trunc('hour', now(), 'UTC') - interval '1 hour';
    RETURN NULL;
END $$;

CREATE FUNCTION interruptions_dirty_by_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT DISTINCT origin, date_trunc('hour', at, 'UTC'), date_trunc('hour', at, 'UTC') + interval '1 hour'
        FROM gone WHERE interruption_id IS NULL AND NOT interruptions_is_fresh(at);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT DISTINCT origin, date_trunc('hour', at, 'UTC'), date_trunc('hour', at, 'UTC') + interval '1 hour'
        FROM came WHERE interruption_id IS NULL AND NOT interruptions_is_fresh(at);
    END IF;
    RETURN NULL;
END $$;
"""

# A hint counts in its own hour, which may lie days before that of the reclaim it foretold.
INTERRUPTION = """
CREATE OR REPLACE FUNCTION interruptions_dirty_by_interruption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT DISTINCT origin, date_trunc('hour', at, 'UTC'), date_trunc('hour', at, 'UTC') + interval '1 hour'
        FROM gone CROSS JOIN LATERAL (VALUES (started_at), (at_risk_at)) AS touched (at)
        WHERE NOT interruptions_is_fresh(at);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO interruptions_dirtyhours (origin, since, until)
        SELECT DISTINCT origin, date_trunc('hour', at, 'UTC'), date_trunc('hour', at, 'UTC') + interval '1 hour'
        FROM came CROSS JOIN LATERAL (VALUES (started_at), (at_risk_at)) AS touched (at)
        WHERE NOT interruptions_is_fresh(at);
    END IF;
    RETURN NULL;
END $$;
"""
INTERRUPTION_BACK = INTERRUPTION.replace("(VALUES (started_at), (at_risk_at))", "(VALUES (started_at))")

TRANSITIONS = {
    "insert": "NEW TABLE AS came",
    "update": "OLD TABLE AS gone NEW TABLE AS came",
    "delete": "OLD TABLE AS gone",
}
OF_A_RECLAIM = ("work", "volume", "replica")


def _trigger(name: str, verb: str, table: str, function: str) -> str:
    return (
        f"CREATE TRIGGER {name} AFTER {verb.upper()} ON interruptions_{table} REFERENCING {TRANSITIONS[verb]} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION interruptions_dirty_by_{function}();"
    )


def _triggers() -> str:
    made = [
        _trigger(f"interruptions_dirty_{verb}", verb, table, "record")
        for table in OF_A_RECLAIM
        for verb in TRANSITIONS
    ]
    made += [_trigger(f"interruptions_dirty_alone_{verb}", verb, "work", "work") for verb in TRANSITIONS]
    made.append(_trigger("interruptions_dirty_insert", "insert", "sample", "sample"))
    return "\n".join(made)


def _undo() -> str:
    drops = [
        f"DROP TRIGGER interruptions_dirty_{verb} ON interruptions_{table};"
        for table in OF_A_RECLAIM
        for verb in TRANSITIONS
    ]
    drops += [f"DROP TRIGGER interruptions_dirty_alone_{verb} ON interruptions_work;" for verb in TRANSITIONS]
    drops.append("DROP TRIGGER interruptions_dirty_insert ON interruptions_sample;")
    drops += [f"DROP FUNCTION interruptions_dirty_by_{kind}();" for kind in ("work", "sample")]
    return "\n".join(drops)


class Migration(migrations.Migration):
    dependencies = [("interruptions", "0019_sums_of_notices_jobs_and_streams")]

    operations = [
        migrations.RunSQL(SAMPLES, SAMPLES_BACK),
        migrations.RunSQL([FUNCTIONS, _triggers()], _undo()),
        migrations.RunSQL(INTERRUPTION, INTERRUPTION_BACK),
        migrations.RunSQL(
            "UPDATE interruptions_rollupstate SET rolled_up_at = NULL, swept_at = NULL", migrations.RunSQL.noop
        ),
    ]
