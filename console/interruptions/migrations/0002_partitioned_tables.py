"""Observations by month of receipt, samples by day, log lines by day of receipt.

The tables are written by hand because Django cannot partition; their state is what the models say.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

OBSERVATION = """
CREATE SEQUENCE interruptions_observation_id_seq CACHE 50;
CREATE TABLE interruptions_observation (
    id bigint NOT NULL DEFAULT nextval('interruptions_observation_id_seq'),
    received_at timestamptz NOT NULL,
    origin varchar(8) NOT NULL CONSTRAINT interruptions_observation_origin_is_known
        CHECK (origin IN ('live', 'sample', 'drill', 'test')),
    feed_id bigint NOT NULL,
    delivery_pk bigint NOT NULL,
    machine_id bigint,
    interruption_id bigint,
    event_id varchar(512) NOT NULL,
    machine_named varchar(512) NOT NULL,
    source varchar(32) NOT NULL,
    kind varchar(32) NOT NULL,
    occurred_at timestamptz NOT NULL,
    deadline_at timestamptz,
    outcome varchar(16) NOT NULL,
    cause varchar(24) NOT NULL DEFAULT '',
    action varchar(16) NOT NULL DEFAULT '',
    machine_state varchar(32) NOT NULL DEFAULT '',
    native_id varchar(256) NOT NULL DEFAULT '',
    "group" varchar(256) NOT NULL DEFAULT '',
    boot_id varchar(128) NOT NULL DEFAULT '',
    node_uid varchar(128) NOT NULL DEFAULT '',
    may_open boolean NOT NULL DEFAULT false,
    is_precise_deadline boolean NOT NULL DEFAULT false,
    is_restart boolean NOT NULL DEFAULT false,
    is_observed boolean NOT NULL DEFAULT false,
    is_future boolean NOT NULL DEFAULT false,
    is_low_confidence boolean NOT NULL DEFAULT false,
    is_replay boolean NOT NULL DEFAULT false,
    labels jsonb NOT NULL DEFAULT '{}',
    message varchar(500) NOT NULL DEFAULT '',
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
ALTER SEQUENCE interruptions_observation_id_seq OWNED BY interruptions_observation.id;
CREATE TABLE interruptions_observation_default PARTITION OF interruptions_observation DEFAULT;
CREATE INDEX interruptions_observation_machine ON interruptions_observation (machine_id, occurred_at);
CREATE INDEX interruptions_observation_of ON interruptions_observation (interruption_id)
    WHERE interruption_id IS NOT NULL;
CREATE INDEX interruptions_observation_native ON interruptions_observation (native_id) WHERE native_id <> '';
CREATE INDEX interruptions_observation_newest ON interruptions_observation (origin, received_at DESC, id DESC);
"""

SAMPLE = """
CREATE SEQUENCE interruptions_sample_id_seq CACHE 50;
CREATE TABLE interruptions_sample (
    id bigint NOT NULL DEFAULT nextval('interruptions_sample_id_seq'),
    at timestamptz NOT NULL,
    origin varchar(8) NOT NULL CONSTRAINT interruptions_sample_origin_is_known
        CHECK (origin IN ('live', 'sample', 'drill', 'test')),
    service_id bigint NOT NULL,
    signal varchar(64) NOT NULL,
    replica varchar(256) NOT NULL DEFAULT '',
    value double precision,
    PRIMARY KEY (id, at),
    CONSTRAINT interruptions_sample_once UNIQUE (origin, service_id, signal, replica, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE interruptions_sample_id_seq OWNED BY interruptions_sample.id;
CREATE TABLE interruptions_sample_default PARTITION OF interruptions_sample DEFAULT;
"""

LOGLINE = """
CREATE SEQUENCE interruptions_logline_id_seq CACHE 50;
CREATE TABLE interruptions_logline (
    id bigint NOT NULL DEFAULT nextval('interruptions_logline_id_seq'),
    received_at timestamptz NOT NULL,
    origin varchar(8) NOT NULL CONSTRAINT interruptions_logline_origin_is_known
        CHECK (origin IN ('live', 'sample', 'drill', 'test')),
    machine_id bigint NOT NULL,
    at timestamptz NOT NULL,
    level varchar(16) NOT NULL,
    message text NOT NULL,
    report_id varchar(512) NOT NULL,
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
ALTER SEQUENCE interruptions_logline_id_seq OWNED BY interruptions_logline.id;
CREATE TABLE interruptions_logline_default PARTITION OF interruptions_logline DEFAULT;
CREATE INDEX interruptions_logline_machine ON interruptions_logline (machine_id, at);
"""


class Migration(migrations.Migration):
    dependencies = [
        ('interruptions', '0001_first_rows'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(OBSERVATION, 'DROP TABLE interruptions_observation'),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='Observation',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('received_at', models.DateTimeField()),
                        ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                        ('delivery_pk', models.BigIntegerField()),
                        ('event_id', models.CharField(max_length=512)),
                        ('machine_named', models.CharField(max_length=512)),
                        ('source', models.CharField(max_length=32)),
                        ('kind', models.CharField(choices=[('rebalance_recommendation', 'Rebalance recommendation'), ('interruption_notice', 'Interruption notice'), ('state_change', 'State change'), ('node_cordoned', 'Node cordoned'), ('node_drain_started', 'Node drain started'), ('pod_evicted', 'Pod evicted'), ('shutdown_started', 'Shutdown started'), ('shutdown_completed', 'Shutdown completed'), ('terminated', 'Terminated'), ('pod_scheduled', 'Pod scheduled'), ('pod_running', 'Pod running'), ('replacement_launched', 'Replacement launched'), ('heartbeat', 'Heartbeat')], max_length=32)),
                        ('occurred_at', models.DateTimeField()),
                        ('deadline_at', models.DateTimeField(null=True)),
                        ('outcome', models.CharField(choices=[('ok', 'Ok'), ('error', 'Error'), ('cancelled', 'Cancelled')], max_length=16)),
                        ('cause', models.CharField(blank=True, choices=[('spot', 'Spot'), ('capacity_reservation', 'Capacity reservation'), ('maintenance', 'Maintenance'), ('customer', 'Customer'), ('unknown', 'Unknown')], max_length=24)),
                        ('action', models.CharField(blank=True, max_length=16)),
                        ('machine_state', models.CharField(blank=True, max_length=32)),
                        ('native_id', models.CharField(blank=True, max_length=256)),
                        ('group', models.CharField(blank=True, max_length=256)),
                        ('boot_id', models.CharField(blank=True, max_length=128)),
                        ('node_uid', models.CharField(blank=True, max_length=128)),
                        ('may_open', models.BooleanField(default=False)),
                        ('is_precise_deadline', models.BooleanField(default=False)),
                        ('is_restart', models.BooleanField(default=False)),
                        ('is_observed', models.BooleanField(default=False)),
                        ('is_future', models.BooleanField(default=False)),
                        ('is_low_confidence', models.BooleanField(default=False)),
                        ('is_replay', models.BooleanField(default=False)),
                        ('labels', models.JSONField(default=dict)),
                        ('message', models.CharField(blank=True, max_length=500)),
                        ('feed', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='observations', to='feeds.feed')),
                        ('interruption', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='observations', to='interruptions.interruption')),
                        ('machine', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='observations', to='fleet.machine')),
                    ],
                    options={
                        'db_table': 'interruptions_observation',
                    },
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(SAMPLE, 'DROP TABLE interruptions_sample'),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='Sample',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('at', models.DateTimeField()),
                        ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                        ('signal', models.CharField(max_length=64)),
                        ('replica', models.CharField(blank=True, max_length=256)),
                        ('value', models.FloatField(null=True)),
                        ('service', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='samples', to='fleet.service')),
                    ],
                    options={
                        'db_table': 'interruptions_sample',
                    },
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(LOGLINE, 'DROP TABLE interruptions_logline'),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='LogLine',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('received_at', models.DateTimeField()),
                        ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                        ('at', models.DateTimeField()),
                        ('level', models.CharField(max_length=16)),
                        ('message', models.TextField()),
                        ('report_id', models.CharField(max_length=512)),
                        ('machine', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='log_lines', to='fleet.machine')),
                    ],
                    options={
                        'db_table': 'interruptions_logline',
                    },
                ),
            ],
        ),
    ]
