"""Objectives, servers, and requests a minute by the day: that table is written by hand, as Django cannot partition."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

MINUTES = """
CREATE SEQUENCE slo_requestminute_id_seq CACHE 50;
CREATE TABLE slo_requestminute (
    id bigint NOT NULL DEFAULT nextval('slo_requestminute_id_seq'),
    minute timestamptz NOT NULL CONSTRAINT slo_requestminute_is_a_minute
        CHECK (minute = date_trunc('minute', minute, 'UTC')),
    origin varchar(8) NOT NULL CONSTRAINT slo_requestminute_origin_is_known
        CHECK (origin IN ('live', 'sample', 'drill', 'test')),
    service_id bigint NOT NULL,
    counted_for bigint NOT NULL DEFAULT 0,
    good double precision NOT NULL,
    total double precision NOT NULL,
    PRIMARY KEY (id, minute),
    CONSTRAINT slo_requestminute_once UNIQUE (origin, service_id, counted_for, minute),
    CONSTRAINT slo_requestminute_is_possible CHECK (good >= 0 AND good <= total)
) PARTITION BY RANGE (minute);
ALTER SEQUENCE slo_requestminute_id_seq OWNED BY slo_requestminute.id;
CREATE TABLE slo_requestminute_default PARTITION OF slo_requestminute DEFAULT;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('fleet', '0001_squashed_0007_what_moved_a_machine'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PrometheusServer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
                ('base_url', models.CharField(max_length=500)),
                ('sealed_token', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='RequestMinute',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('minute', models.DateTimeField()),
                        ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                        ('counted_for', models.BigIntegerField(default=0)),
                        ('good', models.FloatField()),
                        ('total', models.FloatField()),
                        ('service', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='request_minutes', to='fleet.service')),
                    ],
                    options={
                        'db_table': 'slo_requestminute',
                    },
                ),
            ],
            database_operations=[migrations.RunSQL(MINUTES, 'DROP TABLE slo_requestminute')],
        ),
        migrations.CreateModel(
            name='Objective',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                ('slug', models.SlugField(max_length=48)),
                ('name', models.CharField(max_length=80)),
                ('objective_class', models.CharField(choices=[('critical', 'Critical'), ('user_facing', 'Spot-backed, user-facing'), ('batch', 'Batch'), ('best_effort', 'Best effort')], max_length=16)),
                ('target_percent', models.DecimalField(decimal_places=4, max_digits=7)),
                ('planned_burn', models.FloatField(default=1.0)),
                ('source', models.CharField(choices=[('pushed', 'Pushed each minute'), ('prometheus', 'Asked of Prometheus')], default='pushed', max_length=16)),
                ('good_query', models.TextField(blank=True)),
                ('total_query', models.TextField(blank=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('archived_at', models.DateTimeField(null=True)),
                ('next_poll_at', models.DateTimeField(null=True)),
                ('polled_until', models.DateTimeField(null=True)),
                ('poll_failed_at', models.DateTimeField(null=True)),
                ('poll_error', models.CharField(blank=True, max_length=500)),
                ('poll_failures', models.PositiveIntegerField(default=0)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='objectives_created', to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='objectives', to='fleet.service')),
                ('server', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='objectives', to='slo.prometheusserver')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_poll_at__isnull', False)), fields=['next_poll_at'], name='slo_objective_due')],
                'constraints': [models.UniqueConstraint(models.F('origin'), models.F('service'), django.db.models.functions.text.Lower('slug'), name='slo_objective_one_per_slug'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='slo_objective_origin_is_known'), models.CheckConstraint(condition=models.Q(('objective_class__in', ['critical', 'user_facing', 'batch', 'best_effort'])), name='slo_objective_class_is_known'), models.CheckConstraint(condition=models.Q(('source__in', ['pushed', 'prometheus'])), name='slo_objective_source_is_known'), models.CheckConstraint(condition=models.Q(('target_percent__gt', 0), ('target_percent__lt', 100)), name='slo_objective_leaves_a_budget'), models.CheckConstraint(condition=models.Q(models.Q(('good_query', ''), ('next_poll_at', None), ('server', None), ('source', 'pushed'), ('total_query', '')), models.Q(('server__isnull', False), ('source', 'prometheus'), models.Q(('good_query', ''), _negated=True), models.Q(('total_query', ''), _negated=True)), _connector='OR'), name='slo_objective_source_is_whole'), models.CheckConstraint(condition=models.Q(('archived_at', None), ('next_poll_at', None), _connector='OR'), name='slo_objective_ended_is_not_polled')],
            },
        ),
        migrations.CreateModel(
            name='RequestHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                ('counted_for', models.BigIntegerField(default=0)),
                ('hour', models.DateTimeField()),
                ('good', models.FloatField(db_default=0, default=0)),
                ('total', models.FloatField(db_default=0, default=0)),
                ('minute_count', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='request_hours', to='fleet.service')),
            ],
            options={
                'indexes': [models.Index(fields=['hour'], name='slo_requesthour_by_age')],
                'constraints': [models.UniqueConstraint(fields=('origin', 'service', 'counted_for', 'hour'), name='slo_requesthour_once'), models.CheckConstraint(condition=models.Q(('minute_count__lte', 60), ('good__gte', 0), ('good__lte', models.F('total'))), name='slo_requesthour_is_possible'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='slo_requesthour_origin_is_known')],
            },
        ),
    ]
