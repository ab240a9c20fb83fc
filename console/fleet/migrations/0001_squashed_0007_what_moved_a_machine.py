"""All that was made step by step, in one: a new console is made with it. The steps stay for those that began before."""

from __future__ import annotations

import django.db.models.constraints
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from console.lib.squashing import CreateModels

class Migration(migrations.Migration):
    initial = True

    replaces = [
        ('fleet', '0001_first_rows'),
        ('fleet', '0002_when_a_machine_was_listed'),
        ('fleet', '0003_machines_are_found_by_the_start_of_their_name'),
        ('fleet', '0004_one_index_each'),
        ('fleet', '0005_a_claim_is_a_name'),
        ('fleet', '0006_platform_teams_and_what_runs_now'),
        ('fleet', '0007_what_moved_a_machine'),
    ]

    dependencies = [
        ('accounts', '0001_squashed_0006_people_have_an_origin'),
        # Not needed; but each step after ours draws all our models anew, so what others bring is made before.
        ('account', '0009_emailaddress_unique_primary_email'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('mfa', '0003_authenticator_type_uniq'),
        ('socialaccount', '0006_alter_socialaccount_extra_data'),
        ('usersessions', '0001_initial'),
    ]

    operations = [
        CreateModels(
            [
            migrations.CreateModel(
                name='Pool',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('provider', models.CharField(max_length=16)),
                    ('region', models.CharField(blank=True, max_length=64)),
                    ('zone', models.CharField(blank=True, max_length=64)),
                    ('instance_type', models.CharField(blank=True, max_length=64)),
                    ('os', models.CharField(blank=True, max_length=32)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('origin', 'provider', 'region', 'zone', 'instance_type', 'os'), name='fleet_pool_one_per_identity'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='fleet_pool_origin_is_known')],
                },
            ),
            migrations.CreateModel(
                name='Service',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('slug', models.SlugField(max_length=64)),
                    ('name', models.CharField(max_length=120)),
                    ('kind', models.CharField(choices=[('batch_etl', 'Batch ETL'), ('ml_training', 'ML training'), ('ci_runners', 'CI runners'), ('queue_workers', 'Queue workers'), ('analytics', 'Analytics clusters'), ('transcoding', 'Transcoding'), ('canary', 'Canary'), ('notebooks', 'Notebooks'), ('simulation', 'Simulation (HPC)'), ('edge', 'Edge fleets')], default='queue_workers', max_length=16)),
                    ('criticality', models.CharField(choices=[('critical', 'Critical'), ('user_facing', 'Spot-backed, user-facing'), ('batch', 'Batch'), ('best_effort', 'Best effort')], default='best_effort', max_length=16)),
                    ('statefulness', models.CharField(choices=[('stateless', 'Stateless'), ('batch', 'Batch'), ('stateful', 'Stateful')], default='stateless', max_length=16)),
                    ('replicas_wanted', models.PositiveIntegerField(blank=True, null=True)),
                    ('description', models.TextField(blank=True)),
                    ('log_url', models.CharField(blank=True, max_length=500)),
                    ('trace_url', models.CharField(blank=True, max_length=500)),
                    ('metric_url', models.CharField(blank=True, max_length=500)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('archived_at', models.DateTimeField(blank=True, null=True)),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='services_owned', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('origin', 'slug'), name='fleet_service_one_per_slug'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='fleet_service_origin_is_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['batch_etl', 'ml_training', 'ci_runners', 'queue_workers', 'analytics', 'transcoding', 'canary', 'notebooks', 'simulation', 'edge'])), name='fleet_service_kind_is_known'), models.CheckConstraint(condition=models.Q(('criticality__in', ['critical', 'user_facing', 'batch', 'best_effort'])), name='fleet_service_criticality_is_known'), models.CheckConstraint(condition=models.Q(('statefulness__in', ['stateless', 'batch', 'stateful'])), name='fleet_service_statefulness_is_known')],
                },
            ),
            migrations.CreateModel(
                name='Machine',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('provider', models.CharField(blank=True, max_length=16)),
                    ('account', models.CharField(blank=True, max_length=128)),
                    ('region', models.CharField(blank=True, max_length=64)),
                    ('zone', models.CharField(blank=True, max_length=64)),
                    ('instance_id', models.CharField(blank=True, max_length=256)),
                    ('instance_type', models.CharField(blank=True, max_length=64)),
                    ('os', models.CharField(blank=True, max_length=32)),
                    ('node_name', models.CharField(blank=True, max_length=256)),
                    ('cluster', models.CharField(blank=True, max_length=128)),
                    ('namespace', models.CharField(blank=True, max_length=128)),
                    ('node_pool', models.CharField(blank=True, max_length=128)),
                    ('tags', models.JSONField(blank=True, default=dict)),
                    ('vcpus', models.PositiveIntegerField(blank=True, null=True)),
                    ('declared_service', models.CharField(blank=True, max_length=64)),
                    ('attributed_by', models.CharField(blank=True, choices=[('tags', 'tags learnt'), ('place', 'its place learnt'), ('node', "the node's own word"), ('rule', 'a rule changed')], db_default='', max_length=8)),
                    ('attributed_at', models.DateTimeField(null=True)),
                    ('first_seen_at', models.DateTimeField()),
                    ('last_seen_at', models.DateTimeField()),
                    ('heartbeat_at', models.DateTimeField(null=True)),
                    ('listed_at', models.DateTimeField(null=True)),
                    ('merged_into', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged_machines', to='fleet.machine')),
                    ('pool', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='machines', to='fleet.pool')),
                    ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='machines', to='fleet.service')),
                ],
                options={
                    'indexes': [models.Index(fields=['origin', '-last_seen_at', '-id'], name='fleet_machine_newest'), models.Index(fields=['service', '-id'], name='fleet_machine_service'), models.Index(fields=['origin', 'instance_id'], name='fleet_machine_instance', opclasses=['varchar_ops', 'varchar_pattern_ops']), models.Index(condition=models.Q(('node_name', ''), _negated=True), fields=['origin', 'node_name'], name='fleet_machine_node', opclasses=['varchar_ops', 'varchar_pattern_ops']), models.Index(fields=['pool'], name='fleet_machine_pool'), models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='fleet_machine_merged'), models.Index(condition=models.Q(('heartbeat_at__isnull', False)), fields=['origin', 'heartbeat_at'], name='fleet_machine_heartbeat')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='fleet_machine_origin_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('attributed_at', None), ('attributed_by', '')), models.Q(('attributed_at__isnull', False), ('attributed_by__in', ['tags', 'place', 'node', 'rule'])), _connector='OR'), name='fleet_machine_attributed_by_is_known')],
                },
            ),
            migrations.CreateModel(
                name='AttributionRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('position', models.PositiveIntegerField()),
                    ('provider', models.CharField(blank=True, max_length=16)),
                    ('account', models.CharField(blank=True, max_length=128)),
                    ('region', models.CharField(blank=True, max_length=64)),
                    ('namespace', models.CharField(blank=True, max_length=128)),
                    ('node_pool', models.CharField(blank=True, max_length=128)),
                    ('tags', models.JSONField(blank=True, default=dict)),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attribution_rules', to='fleet.service')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('origin', 'position'), name='fleet_attributionrule_one_per_position'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='fleet_attributionrule_origin_is_known'), models.CheckConstraint(condition=models.Q(('account', ''), ('namespace', ''), ('node_pool', ''), ('provider', ''), ('region', ''), ('tags', {}), _negated=True), name='fleet_attributionrule_has_a_condition')],
                },
            ),
            migrations.CreateModel(
                name='Team',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('slug', models.SlugField(max_length=64)),
                    ('name', models.CharField(max_length=120)),
                    ('is_platform', models.BooleanField(db_default=False, default=False)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('origin', 'slug'), name='fleet_team_one_per_slug'), models.UniqueConstraint(condition=models.Q(('is_platform', True)), fields=('origin',), name='fleet_team_one_platform'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='fleet_team_origin_is_known')],
                },
            ),
            migrations.CreateModel(
                name='WorkloadStatus',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('cluster', models.CharField(max_length=128)),
                    ('namespace', models.CharField(max_length=128)),
                    ('workload', models.CharField(max_length=256)),
                    ('at', models.DateTimeField()),
                    ('wanted', models.PositiveIntegerField()),
                    ('ready', models.PositiveIntegerField()),
                    ('pending', models.PositiveIntegerField(default=0)),
                    ('is_declared', models.BooleanField(default=False)),
                    ('by_zone', models.JSONField(default=dict)),
                    ('disruptions_allowed', models.PositiveIntegerField(null=True)),
                    ('needed', models.PositiveIntegerField(null=True)),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='workloads', to='fleet.service')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('origin', 'cluster', 'namespace', 'workload'), name='fleet_workloadstatus_one_per_workload'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='fleet_workloadstatus_origin_is_known')],
                },
            ),
            migrations.CreateModel(
                name='MachineAlias',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('provider', models.CharField(max_length=16, null=True)),
                    ('scope', models.CharField(max_length=128)),
                    ('id_kind', models.CharField(choices=[('instance', 'Instance id'), ('node', 'Node name and uid'), ('provider_id', 'Provider id'), ('claim', 'Karpenter NodeClaim')], max_length=16)),
                    ('id_value', models.CharField(max_length=512)),
                    ('node_uid', models.CharField(blank=True, max_length=128)),
                    ('machine', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='fleet.machine')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('origin', 'id_kind', 'id_value', 'provider', 'scope', 'node_uid'), name='fleet_machinealias_one_machine_per_name', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='fleet_machinealias_origin_is_known'), models.CheckConstraint(condition=models.Q(('id_kind__in', ['instance', 'node', 'provider_id', 'claim'])), name='fleet_machinealias_id_kind_is_known')],
                },
            ),
            migrations.CreateModel(
                name='RunningInterval',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('lifecycle', models.CharField(choices=[('spot', 'Spot'), ('on-demand', 'On-demand'), ('warm', 'Warm'), ('unknown', 'Not reported')], default='unknown', max_length=16)),
                    ('started_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('end_cause', models.CharField(blank=True, max_length=32)),
                    ('replaces', models.CharField(blank=True, max_length=256)),
                    ('vcpus', models.PositiveIntegerField(null=True)),
                    ('machine', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='intervals', to='fleet.machine')),
                    ('pool', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='intervals', to='fleet.pool')),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='intervals', to='fleet.service')),
                ],
                options={
                    'indexes': [models.Index(fields=['origin', 'started_at'], name='fleet_runninginterval_start'), models.Index(fields=['origin', 'ended_at'], name='fleet_runninginterval_end'), models.Index(fields=['service', 'started_at'], name='fleet_runninginterval_service'), models.Index(condition=models.Q(('ended_at', None)), fields=['service', 'pool'], name='fleet_runninginterval_running'), models.Index(condition=models.Q(('replaces', ''), _negated=True), fields=['origin', 'replaces'], name='fleet_runninginterval_replaces')],
                    'constraints': [models.UniqueConstraint(fields=('machine', 'started_at'), name='fleet_runninginterval_one_per_start'), models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('machine',), name='fleet_runninginterval_one_open_per_machine'), models.CheckConstraint(condition=models.Q(('ended_at', None), ('ended_at__gte', models.F('started_at')), _connector='OR'), name='fleet_runninginterval_ends_after_start'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='fleet_runninginterval_origin_is_known'), models.CheckConstraint(condition=models.Q(('lifecycle__in', ['spot', 'on-demand', 'warm', 'unknown'])), name='fleet_runninginterval_lifecycle_is_known')],
                },
            ),
            ],
        ),
        migrations.AddField(
            model_name='service',
            name='team',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='services', to='fleet.team'),
        ),
    ]
