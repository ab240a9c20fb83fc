"""All that was made step by step, in one: a new console is made with it. The steps stay for those that began before."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from console.lib.squashing import CreateModels

class Migration(migrations.Migration):
    initial = True

    replaces = [
        ('notifications', '0001_first_rows'),
        ('notifications', '0002_subscribers'),
    ]

    dependencies = [
        ('fleet', '0001_squashed_0007_what_moved_a_machine'),
        ('accounts', '0001_squashed_0006_people_have_an_origin'),
    ]

    operations = [
        CreateModels(
            [
            migrations.CreateModel(
                name='AllowedHost',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('host', models.CharField(max_length=253, unique=True)),
                    ('reason', models.CharField(blank=True, max_length=200)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hosts_allowed', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='BoardNotice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('is_shown', models.BooleanField(default=False)),
                    ('is_heard', models.BooleanField(default=False)),
                    ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='board_notice', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='Channel',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('kind', models.CharField(choices=[('null', 'Nowhere'), ('email', 'E-mail'), ('slack', 'Slack'), ('teams', 'Microsoft Teams'), ('pagerduty', 'PagerDuty'), ('opsgenie', 'Opsgenie'), ('webhook', 'Webhook'), ('gateway', 'SMS, voice and others')], max_length=16)),
                    ('sealed_settings', models.TextField(blank=True, editable=False)),
                    ('address_hint', models.CharField(blank=True, editable=False, max_length=120)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('archived_at', models.DateTimeField(blank=True, null=True)),
                    ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='channels_created', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='channels', to='fleet.team')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['null', 'email', 'slack', 'teams', 'pagerduty', 'opsgenie', 'webhook', 'gateway'])), name='notifications_channel_kind_is_known')],
                },
            ),
            migrations.CreateModel(
                name='ContactMethod',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('account', 'E-mail of the account'), ('email', 'Another e-mail address'), ('gateway', 'SMS, voice and others'), ('slack', 'Slack'), ('teams', 'Microsoft Teams'), ('webhook', 'Webhook')], max_length=16)),
                    ('label', models.CharField(max_length=80)),
                    ('sealed_settings', models.TextField(blank=True, editable=False)),
                    ('address_hint', models.CharField(blank=True, editable=False, max_length=120)),
                    ('bundle_after', models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(50)])),
                    ('bundle_minutes', models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(120)])),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('verified_at', models.DateTimeField(editable=False, null=True)),
                    ('archived_at', models.DateTimeField(editable=False, null=True)),
                    ('code_hash', models.CharField(blank=True, editable=False, max_length=64)),
                    ('code_expires_at', models.DateTimeField(editable=False, null=True)),
                    ('code_tries', models.PositiveSmallIntegerField(default=0, editable=False)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contact_methods', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['account', 'email', 'gateway', 'slack', 'teams', 'webhook'])), name='notifications_contactmethod_kind_is_known'), models.UniqueConstraint(condition=models.Q(('kind', 'account')), fields=('person',), name='notifications_contactmethod_one_account'), models.CheckConstraint(condition=models.Q(('bundle_after__range', (1, 50)), ('bundle_minutes__range', (1, 120))), name='notifications_contactmethod_bundles_within_bounds')],
                },
            ),
            migrations.CreateModel(
                name='Notification',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('key', models.CharField(max_length=220, unique=True)),
                    ('message_key', models.CharField(max_length=200)),
                    ('kind', models.CharField(choices=[('page', 'Page'), ('ticket', 'Ticket'), ('reminder', 'Reminder'), ('healed', 'Healed'), ('update', 'Update'), ('report', 'Report'), ('trial', 'Test')], max_length=16)),
                    ('importance', models.CharField(choices=[('default', 'Default'), ('important', 'Important')], default='default', max_length=16)),
                    ('subject', models.CharField(max_length=100)),
                    ('route', models.CharField(max_length=40)),
                    ('title', models.CharField(max_length=200)),
                    ('text', models.TextField(blank=True)),
                    ('path', models.CharField(blank=True, max_length=300)),
                    ('reason', models.CharField(blank=True, max_length=300)),
                    ('data', models.JSONField(default=dict)),
                    ('state', models.CharField(choices=[('queued', 'Queued'), ('sending', 'Being sent'), ('handed_over', 'Handed over'), ('delivered', 'Delivered'), ('failed', 'Failed'), ('unknown', 'Unknown'), ('called_off', 'Called off'), ('not_sent', 'Not sent')], default='queued', max_length=16)),
                    ('note', models.CharField(blank=True, max_length=300)),
                    ('created_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('send_at', models.DateTimeField(null=True)),
                    ('sent_at', models.DateTimeField(null=True)),
                    ('settled_at', models.DateTimeField(null=True)),
                    ('called_off_at', models.DateTimeField(null=True)),
                    ('attempt_count', models.PositiveSmallIntegerField(default=0)),
                    ('channel', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notifications', to='notifications.channel')),
                    ('lead', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='bundled', to='notifications.notification')),
                    ('method', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notifications', to='notifications.contactmethod')),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notifications', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('send_at__isnull', False)), fields=['send_at'], name='notifications_due'), models.Index(condition=models.Q(('send_at__isnull', False)), fields=['route', 'subject'], name='notifications_waiting'), models.Index(fields=['subject', 'id'], name='notifications_subject'), models.Index(condition=models.Q(('state', 'failed')), fields=['settled_at'], name='notifications_failed'), models.Index(models.OrderBy(models.F('route')), models.OrderBy(models.F('sent_at'), descending=True), name='notifications_sent_by_route'), models.Index(models.OrderBy(models.F('created_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='notifications_newest'), models.Index(models.OrderBy(models.F('state')), models.OrderBy(models.F('created_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='notifications_by_state')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='notifications_notification_origin_is_known'), models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'sending', 'handed_over', 'delivered', 'failed', 'unknown', 'called_off', 'not_sent'])), name='notifications_notification_state_is_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['page', 'ticket', 'reminder', 'healed', 'update', 'report', 'trial'])), name='notifications_notification_kind_is_known'), models.CheckConstraint(condition=models.Q(('importance__in', ['default', 'important'])), name='notifications_notification_importance_is_known'), models.CheckConstraint(condition=models.Q(('person', None), ('channel', None), _connector='XOR'), name='notifications_notification_has_one_recipient'), models.CheckConstraint(condition=models.Q(('origin', 'live'), models.Q(('attempt_count', 0), ('send_at', None), ('state', 'not_sent')), _connector='OR'), name='notifications_notification_only_live_leaves_the_house'), models.CheckConstraint(condition=models.Q(models.Q(('send_at__isnull', False), ('state__in', ['queued', 'sending'])), ('state', 'unknown'), models.Q(('send_at', None), ('state__in', ['handed_over', 'delivered', 'failed', 'called_off', 'not_sent'])), _connector='OR'), name='notifications_notification_waits_iff_time'), models.UniqueConstraint(condition=models.Q(('lead', None), ('state', 'sending')), fields=('route',), name='notifications_notification_one_at_a_time')],
                },
            ),
            migrations.CreateModel(
                name='Link',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('token_hash', models.CharField(max_length=64, unique=True)),
                    ('purpose', models.CharField(max_length=32)),
                    ('subject', models.CharField(max_length=100)),
                    ('label', models.CharField(blank=True, max_length=200)),
                    ('created_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('used_at', models.DateTimeField(null=True)),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='acting_links', to=settings.AUTH_USER_MODEL)),
                    ('notification', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='links', to='notifications.notification')),
                ],
                options={
                    'indexes': [models.Index(fields=['expires_at'], name='notifications_link_expires')],
                },
            ),
            migrations.CreateModel(
                name='Attempt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveSmallIntegerField()),
                    ('started_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('outcome', models.CharField(choices=[('unfinished', 'Under way'), ('handed_over', 'Handed over'), ('delivered', 'Delivered'), ('failed', 'Failed'), ('lost', 'Answer lost')], default='unfinished', max_length=16)),
                    ('answer', models.CharField(blank=True, max_length=500)),
                    ('notification', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='notifications.notification')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('notification', 'number'), name='notifications_attempt_one_per_number'), models.CheckConstraint(condition=models.Q(('outcome__in', ['unfinished', 'handed_over', 'delivered', 'failed', 'lost'])), name='notifications_attempt_outcome_is_known')],
                },
            ),
            migrations.CreateModel(
                name='OutwardEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('key', models.CharField(max_length=600, unique=True)),
                    ('type', models.CharField(max_length=64)),
                    ('subject', models.CharField(max_length=512)),
                    ('service', models.CharField(blank=True, max_length=64)),
                    ('at', models.DateTimeField()),
                    ('written_at', models.DateTimeField()),
                    ('body', models.JSONField()),
                ],
                options={
                    'indexes': [models.Index(fields=['written_at'], name='notifications_outward_written')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='notifications_outwardevent_origin_is_known')],
                },
            ),
            migrations.CreateModel(
                name='PersonalRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('importance', models.CharField(choices=[('default', 'Default'), ('important', 'Important')], max_length=16)),
                    ('delay_minutes', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(1440)])),
                    ('method', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='notifications.contactmethod')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('method', 'importance', 'delay_minutes'), name='notifications_personalrule_once'), models.CheckConstraint(condition=models.Q(('importance__in', ['default', 'important'])), name='notifications_personalrule_importance_is_known'), models.CheckConstraint(condition=models.Q(('delay_minutes__lte', 1440)), name='notifications_personalrule_delay_within_a_day')],
                },
            ),
            migrations.CreateModel(
                name='QuietHours',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('days', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), default=list, size=None)),
                    ('starts', models.TimeField()),
                    ('ends', models.TimeField()),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='quiet_hours', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('days__contained_by', [0, 1, 2, 3, 4, 5, 6]), ('days__len__gt', 0)), name='notifications_quiethours_days_are_days'), models.CheckConstraint(condition=models.Q(('starts', models.F('ends')), _negated=True), name='notifications_quiethours_end_sometime')],
                },
            ),
            migrations.CreateModel(
                name='Subscriber',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('url', models.CharField(max_length=500)),
                    ('sealed_secret', models.TextField(editable=False)),
                    ('event_types', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                    ('services', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                    ('may_be_private', models.BooleanField(default=False)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('paused_at', models.DateTimeField(blank=True, null=True)),
                    ('archived_at', models.DateTimeField(blank=True, null=True)),
                    ('failing_since', models.DateTimeField(null=True)),
                    ('last_delivered_at', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='subscribers_made', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='notifications_subscriber_origin_is_known'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'drill'])), name='notifications_subscriber_hears_no_sample_or_test')],
                },
            ),
            migrations.CreateModel(
                name='EventDelivery',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('subject', models.CharField(max_length=512)),
                    ('state', models.CharField(choices=[('queued', 'Queued'), ('delivered', 'Delivered'), ('failed', 'Given up')], default='queued', max_length=16)),
                    ('send_at', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('note', models.CharField(blank=True, max_length=300)),
                    ('settled_at', models.DateTimeField(null=True)),
                    ('event', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notifications.outwardevent')),
                    ('subscriber', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notifications.subscriber')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('send_at__isnull', False)), fields=['send_at'], name='notifications_delivery_due'), models.Index(fields=['subscriber', '-id'], name='notifications_delivery_newest'), models.Index(condition=models.Q(('state', 'queued')), fields=['subscriber', 'subject', 'id'], name='notifications_delivery_turn')],
                    'constraints': [models.UniqueConstraint(fields=('event', 'subscriber'), name='notifications_eventdelivery_one_per_subscriber'), models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'delivered', 'failed'])), name='notifications_eventdelivery_state_is_known')],
                },
            ),
            ],
        ),
    ]
