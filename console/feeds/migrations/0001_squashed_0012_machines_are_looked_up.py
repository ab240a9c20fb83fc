"""All that was made step by step, in one: a new console is made with it. The steps stay for those that began before.

What was written by hand is taken from the step that wrote it.
"""

from __future__ import annotations

from importlib import import_module

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from console.lib.squashing import CreateModels, by_hand

_tables = import_module('console.feeds.migrations.0002_partitioned_tables')
_newest = import_module('console.feeds.migrations.0004_test_feeds_and_replays')

class Migration(migrations.Migration):
    initial = True

    replaces = [
        ('feeds', '0001_first_rows'),
        ('feeds', '0002_partitioned_tables'),
        ('feeds', '0003_attempts_and_stops'),
        ('feeds', '0004_test_feeds_and_replays'),
        ('feeds', '0005_every_word_is_a_known_one'),
        ('feeds', '0006_pipelines_rest_and_share_attempts'),
        ('feeds', '0007_queued_deliveries_have_a_lane'),
        ('feeds', '0008_what_a_feed_knows_of_its_sender'),
        ('feeds', '0009_feeds_are_watched'),
        ('feeds', '0010_feeds_are_polled'),
        ('feeds', '0011_a_feed_has_a_limit'),
        ('feeds', '0012_machines_are_looked_up'),
    ]

    dependencies = [
        ('fleet', '0001_squashed_0007_what_moved_a_machine'),
    ]

    operations = [
        CreateModels(
            [
            migrations.CreateModel(
                name='PipelineStop',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=32, unique=True)),
                    ('reason', models.TextField()),
                    ('stopped_at', models.DateTimeField()),
                    ('retry_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='Feed',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('slug', models.SlugField(max_length=64, unique=True)),
                    ('name', models.CharField(max_length=120)),
                    ('kind', models.CharField(choices=[('aws-eventbridge', 'AWS EventBridge'), ('aws-sns', 'AWS SNS'), ('aws-sqs', 'AWS SQS (polled or relayed)'), ('aws-imds', 'AWS instance metadata'), ('nth-webhook', 'AWS node termination handler'), ('gcp-pubsub', 'GCP Pub/Sub push'), ('gcp-pubsub-pull', 'GCP Pub/Sub (pulled or relayed)'), ('gcp-metadata', 'GCP metadata server'), ('gcp-operations', 'GCP operations'), ('azure-eventgrid', 'Azure Event Grid'), ('azure-scheduled-events', 'Azure Scheduled Events'), ('kubernetes', 'Kubernetes event exporter'), ('kubernetes-watch', 'Kubernetes watch'), ('alertmanager', 'Prometheus Alertmanager'), ('cloudevents', 'CloudEvents'), ('node-report', 'Node report')], max_length=32)),
                    ('account', models.CharField(blank=True, max_length=128)),
                    ('region', models.CharField(blank=True, max_length=64)),
                    ('cluster', models.CharField(blank=True, max_length=128)),
                    ('settings', models.JSONField(blank=True, db_default={}, default=dict)),
                    ('sealed', models.JSONField(blank=True, db_default={}, default=dict)),
                    ('expects_within', models.DurationField(blank=True, null=True)),
                    ('most_per_second', models.PositiveIntegerField(blank=True, null=True)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('paused_at', models.DateTimeField(blank=True, null=True)),
                    ('resumed_at', models.DateTimeField(blank=True, null=True)),
                    ('silent_since', models.DateTimeField(blank=True, null=True)),
                    ('delayed_since', models.DateTimeField(blank=True, null=True)),
                    ('last_seen_at', models.DateTimeField(null=True)),
                    ('last_accepted_at', models.DateTimeField(null=True)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='feeds_owned', to='fleet.team')),
                    ('test_of', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='test_feed', to='feeds.feed')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='feeds_feed_origin_is_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['aws-eventbridge', 'aws-sns', 'aws-sqs', 'aws-imds', 'nth-webhook', 'gcp-pubsub', 'gcp-pubsub-pull', 'gcp-metadata', 'gcp-operations', 'azure-eventgrid', 'azure-scheduled-events', 'kubernetes', 'kubernetes-watch', 'alertmanager', 'cloudevents', 'node-report'])), name='feeds_feed_kind_is_known'), models.CheckConstraint(condition=models.Q(('test_of', None), ('origin', 'test'), _connector='OR'), name='feeds_feed_test_feed_is_of_origin_test'), models.CheckConstraint(condition=models.Q(('most_per_second', None), ('most_per_second__gte', 1), _connector='OR'), name='feeds_feed_may_send_something')],
                },
            ),
            migrations.CreateModel(
                name='DeliveryKey',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('delivery_id', models.CharField(max_length=512)),
                    ('received_at', models.DateTimeField()),
                    ('feed', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='delivery_keys', to='feeds.feed')),
                ],
                options={
                    'indexes': [models.Index(fields=['received_at'], name='feeds_deliverykey_received')],
                    'constraints': [models.UniqueConstraint(fields=('feed', 'delivery_id'), name='feeds_deliverykey_one_per_delivery')],
                },
            ),
            migrations.CreateModel(
                name='Delivery',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('received_at', models.DateTimeField()),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('delivery_id', models.CharField(max_length=512)),
                    ('result', models.CharField(choices=[('accepted', 'Accepted'), ('ignored', 'Ignored'), ('unrecognised', 'Unrecognised')], max_length=16)),
                    ('note', models.CharField(blank=True, max_length=200)),
                    ('headers', models.JSONField(default=dict)),
                    ('body', models.BinaryField()),
                    ('occurred_at', models.DateTimeField(null=True)),
                    ('feed', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='deliveries', to='feeds.feed')),
                ],
                options={
                    'db_table': 'feeds_delivery',
                },
            ),
            migrations.CreateModel(
                name='FeedEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('kind', models.CharField(choices=[('silent', 'Silent'), ('heard', 'Heard again'), ('excused', 'Owes nothing any more'), ('delayed', 'Delayed'), ('in_time', 'In time again')], max_length=16)),
                    ('text', models.CharField(max_length=300)),
                    ('feed', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='feeds.feed')),
                ],
                options={
                    'indexes': [models.Index(fields=['feed', '-at', '-id'], name='feeds_feedevent_newest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['silent', 'heard', 'excused', 'delayed', 'in_time'])), name='feeds_feedevent_kind_is_known')],
                },
            ),
            migrations.CreateModel(
                name='FeedHour',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('hour', models.DateTimeField()),
                    ('accepted', models.PositiveIntegerField(default=0)),
                    ('duplicates', models.PositiveIntegerField(default=0)),
                    ('ignored', models.PositiveIntegerField(default=0)),
                    ('unrecognised', models.PositiveIntegerField(default=0)),
                    ('rejected', models.PositiveIntegerField(default=0)),
                    ('heartbeats', models.PositiveIntegerField(default=0)),
                    ('turned_away', models.PositiveIntegerField(db_default=0, default=0)),
                    ('feed', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hours', to='feeds.feed')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('feed', 'hour'), name='feeds_feedhour_one_per_hour')],
                },
            ),
            migrations.CreateModel(
                name='FeedToken',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('prefix', models.CharField(editable=False, max_length=14)),
                    ('secret_hash', models.CharField(editable=False, max_length=64, unique=True)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('expires_at', models.DateTimeField(blank=True, null=True)),
                    ('feed', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='feeds.feed')),
                ],
            ),
            migrations.CreateModel(
                name='HeartbeatDelivery',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('received_at', models.DateTimeField()),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('delivery_id', models.CharField(max_length=512)),
                    ('headers', models.JSONField(default=dict)),
                    ('body', models.BinaryField()),
                    ('feed', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='heartbeat_deliveries', to='feeds.feed')),
                ],
                options={
                    'db_table': 'feeds_heartbeatdelivery',
                },
            ),
            migrations.CreateModel(
                name='LookupPlace',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('account', models.CharField(max_length=128)),
                    ('region', models.CharField(max_length=64)),
                    ('paid_until', models.DateTimeField()),
                    ('asked_at', models.DateTimeField(null=True)),
                    ('failure_count', models.PositiveSmallIntegerField(db_default=0, default=0)),
                    ('failing_since', models.DateTimeField(null=True)),
                    ('reason', models.CharField(blank=True, db_default='', max_length=300)),
                    ('retry_at', models.DateTimeField(null=True)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='feeds_lookupplace_origin_is_known'), models.UniqueConstraint(fields=('origin', 'account', 'region'), name='feeds_lookupplace_one_per_account_and_region'), models.CheckConstraint(condition=models.Q(models.Q(('failing_since', None), ('reason', '')), models.Q(('failing_since__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='feeds_lookupplace_fails_for_a_reason')],
                },
            ),
            migrations.CreateModel(
                name='MachineLookup',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('account', models.CharField(max_length=128)),
                    ('region', models.CharField(max_length=64)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('try_count', models.PositiveSmallIntegerField(db_default=0, default=0)),
                    ('answer', models.CharField(blank=True, choices=[('found', 'Found'), ('unknown', 'Not known there')], db_default='', max_length=8)),
                    ('answered_at', models.DateTimeField(null=True)),
                    ('machine', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='lookup', to='fleet.machine')),
                ],
                options={
                    'indexes': [models.Index(fields=['origin', 'account', 'region', 'due_at'], name='feeds_machinelookup_due'), models.Index(fields=['answered_at'], name='feeds_machinelookup_answered')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='feeds_machinelookup_origin_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at', None)), models.Q(('answer__in', ['found', 'unknown']), ('answered_at__isnull', False)), _connector='OR'), name='feeds_machinelookup_answer_is_known'), models.CheckConstraint(condition=models.Q(('due_at__isnull', False), ('answered_at__isnull', False), _connector='OR'), name='feeds_machinelookup_due_until_answered')],
                },
            ),
            migrations.CreateModel(
                name='PipelineAttempt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('pipeline', models.CharField(max_length=32)),
                    ('queued_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                    ('at', models.DateTimeField()),
                ],
                options={
                    'indexes': [models.Index(fields=['at'], name='feeds_pipelineattempt_at')],
                },
            ),
            migrations.CreateModel(
                name='PolledSource',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('address', models.CharField(max_length=400)),
                    ('asked_at', models.DateTimeField(null=True)),
                    ('failing_since', models.DateTimeField(null=True)),
                    ('reason', models.CharField(blank=True, max_length=300)),
                    ('retry_at', models.DateTimeField(null=True)),
                    ('feed', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='feeds.feed')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('feed', 'address'), name='feeds_polledsource_once_a_feed'), models.CheckConstraint(condition=models.Q(models.Q(('failing_since', None), ('reason', '')), models.Q(('failing_since__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='feeds_polledsource_fails_for_a_reason')],
                },
            ),
            migrations.CreateModel(
                name='QuarantinedItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('received_at', models.DateTimeField()),
                    ('last_at', models.DateTimeField()),
                    ('seen_count', models.PositiveIntegerField(default=1)),
                    ('code', models.CharField(max_length=32)),
                    ('detail', models.CharField(max_length=500)),
                    ('body_hash', models.CharField(max_length=64)),
                    ('headers', models.JSONField(default=dict)),
                    ('body', models.BinaryField()),
                    ('state', models.CharField(choices=[('held', 'Held'), ('replayed', 'Replayed'), ('discarded', 'Discarded')], default='held', max_length=16)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('delivery_pk', models.BigIntegerField(null=True)),
                    ('feed', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='quarantined', to='feeds.feed')),
                ],
                options={
                    'indexes': [models.Index(fields=['origin', 'state', '-id'], name='feeds_quarantineditem_newest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='feeds_quarantineditem_origin_is_known'), models.UniqueConstraint(condition=models.Q(('state', 'held')), fields=('feed', 'code', 'body_hash'), name='feeds_quarantineditem_held_once'), models.CheckConstraint(condition=models.Q(('state__in', ['held', 'replayed', 'discarded'])), name='feeds_quarantineditem_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'held')), models.Q(models.Q(('state', 'held'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='feeds_quarantineditem_held_iff_undecided')],
                },
            ),
            migrations.CreateModel(
                name='QuarantineReplay',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('code', models.CharField(blank=True, max_length=32)),
                    ('q', models.CharField(blank=True, max_length=200)),
                    ('up_to_pk', models.BigIntegerField()),
                    ('last_pk', models.BigIntegerField(default=0)),
                    ('wanted_count', models.PositiveIntegerField()),
                    ('replayed_count', models.PositiveIntegerField(default=0)),
                    ('refused_count', models.PositiveIntegerField(default=0)),
                    ('asked_by', models.CharField(max_length=200)),
                    ('asked_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('feed', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='replays', to='feeds.feed')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('finished_at', None)), fields=['id'], name='feeds_quarantinereplay_open')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='feeds_quarantinereplay_origin_is_known')],
                },
            ),
            migrations.CreateModel(
                name='QueuedDelivery',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('delivery_pk', models.BigIntegerField()),
                    ('received_at', models.DateTimeField()),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('reading', models.BinaryField()),
                    ('lane', models.SmallIntegerField(db_default=0, default=0)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('put_off_count', models.PositiveSmallIntegerField(db_default=0, default=0)),
                    ('feed', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='queued', to='feeds.feed')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='feeds_queueddelivery_origin_is_known')],
                },
            ),
            ],
            by_hand=('Delivery', 'HeartbeatDelivery'),
        ),
        migrations.RunSQL(_tables.DELIVERY, 'DROP TABLE feeds_delivery'),
        migrations.RunSQL(_tables.HEARTBEATDELIVERY, 'DROP TABLE feeds_heartbeatdelivery'),
        migrations.RunSQL('ALTER TABLE feeds_delivery ADD COLUMN occurred_at timestamptz', migrations.RunSQL.noop),
        *by_hand(_newest),
    ]
