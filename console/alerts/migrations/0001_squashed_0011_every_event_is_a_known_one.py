"""All that was made step by step, in one: a new console is made with it. The steps stay for those that began before.

What was written by hand is taken from the step that wrote it.
"""

from __future__ import annotations

from importlib import import_module
import datetime

import console.accounts.models
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from console.lib.squashing import CreateModels, by_hand

_frozen = import_module('console.alerts.migrations.0008_published_rules_are_frozen')

class Migration(migrations.Migration):
    initial = True

    replaces = [
        ('alerts', '0001_first_rows'),
        ('alerts', '0002_waves_name_their_pool'),
        ('alerts', '0003_work_that_was_set_aside'),
        ('alerts', '0004_programs_are_named'),
        ('alerts', '0005_groups_are_found_by_severity_and_kind'),
        ('alerts', '0006_one_index_each'),
        ('alerts', '0007_rules_and_their_receipts'),
        ('alerts', '0008_published_rules_are_frozen'),
        ('alerts', '0009_escalations_and_tickets'),
        ('alerts', '0010_planned_quiet'),
        ('alerts', '0011_every_event_is_a_known_one'),
    ]

    dependencies = [
        ('fleet', '0001_squashed_0007_what_moved_a_machine'),
        ('interruptions', '0001_squashed_0020_what_touches_the_new_sums'),
        ('notifications', '0001_squashed_0002_subscribers'),
        ('runbooks', '0001_squashed_0005_runbooks_have_an_origin'),
        ('accounts', '0001_squashed_0006_people_have_an_origin'),
    ]

    operations = [
        CreateModels(
            [
            migrations.CreateModel(
                name='AlertGroup',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('key', models.CharField(max_length=200)),
                    ('condition', models.CharField(blank=True, db_default='', max_length=32)),
                    ('title', models.CharField(max_length=200)),
                    ('impact', models.CharField(blank=True, max_length=300)),
                    ('severity', models.CharField(choices=[('critical', 'Critical'), ('error', 'Error'), ('warning', 'Warning'), ('info', 'Info')], default='warning', max_length=16)),
                    ('status', models.CharField(choices=[('triggered', 'Triggered'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved')], default='triggered', max_length=16)),
                    ('triggered_at', models.DateTimeField()),
                    ('acknowledged_at', models.DateTimeField(null=True)),
                    ('acknowledged_by_label', models.CharField(blank=True, db_default='', max_length=200)),
                    ('resolved_at', models.DateTimeField(null=True)),
                    ('resolution', models.CharField(blank=True, choices=[('healed', 'Healed'), ('by_hand', 'Resolved by hand'), ('no_news', 'No news'), ('late', 'Over before it was heard of'), ('merged', 'Merged into another')], max_length=16)),
                    ('cooldown_until', models.DateTimeField(null=True)),
                    ('silenced_until', models.DateTimeField(null=True)),
                    ('below_need_since', models.DateTimeField(null=True)),
                    ('cascaded_at', models.DateTimeField(null=True)),
                    ('suppressed_until', models.DateTimeField(null=True)),
                    ('member_count', models.PositiveIntegerField(default=0)),
                    ('running_out_count', models.PositiveIntegerField(default=0)),
                    ('earliest_deadline_at', models.DateTimeField(null=True)),
                    ('last_news_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('put_off_count', models.PositiveSmallIntegerField(db_default=0, default=0)),
                    ('version', models.PositiveIntegerField(default=1)),
                    ('acknowledged_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='groups_acknowledged', to=settings.AUTH_USER_MODEL)),
                    ('execution', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='alert_group', to='runbooks.execution')),
                    ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='alerts.alertgroup')),
                    ('pool', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='waves', to='fleet.pool')),
                    ('resolved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='groups_resolved', to=settings.AUTH_USER_MODEL)),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='alert_groups', to='fleet.service')),
                    ('silenced_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='groups_silenced', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alert_groups', to='fleet.team')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('status', 'resolved'), _negated=True), fields=['origin', '-triggered_at', '-id'], name='alerts_alertgroup_open'), models.Index(fields=['origin', '-triggered_at', '-id'], name='alerts_alertgroup_newest'), models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='alerts_alertgroup_due'), models.Index(fields=['service', '-triggered_at'], name='alerts_alertgroup_service'), models.Index(fields=['origin', 'severity', '-triggered_at', '-id'], name='alerts_alertgroup_severity'), models.Index(condition=models.Q(('key__startswith', 'wave:')), fields=['origin', '-triggered_at', '-id'], name='alerts_alertgroup_wave'), models.Index(condition=models.Q(models.Q(('key__startswith', 'service:'), _negated=True), models.Q(('key__startswith', 'wave:'), _negated=True)), fields=['origin', '-triggered_at', '-id'], name='alerts_alertgroup_finding'), models.Index(fields=['origin', 'key', '-id'], name='alerts_alertgroup_of_key')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'resolved'), _negated=True), fields=('origin', 'key'), name='alerts_alertgroup_one_open_per_key'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='alerts_alertgroup_origin_is_known'), models.CheckConstraint(condition=models.Q(('status__in', ['triggered', 'acknowledged', 'resolved'])), name='alerts_alertgroup_status_is_known'), models.CheckConstraint(condition=models.Q(('severity__in', ['critical', 'error', 'warning', 'info'])), name='alerts_alertgroup_severity_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', False), ('status', 'resolved')), models.Q(models.Q(('status', 'resolved'), _negated=True), ('resolution', ''), ('resolved_at', None)), _connector='OR'), name='alerts_alertgroup_resolved_iff_time'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'acknowledged'), _negated=True), ('acknowledged_at__isnull', False), _connector='OR'), name='alerts_alertgroup_acknowledged_has_time')],
                },
            ),
            migrations.CreateModel(
                name='Escalation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('state', models.CharField(choices=[('running', 'Running'), ('acknowledged', 'Acknowledged'), ('silenced', 'Held by a silence'), ('suppressed', 'Held by a suppression'), ('exhausted', 'Nobody answered'), ('healed', 'Healed'), ('ended', 'Ended')], default='running', max_length=16)),
                    ('policy', models.JSONField()),
                    ('chosen_because', models.CharField(max_length=300)),
                    ('begun_by', models.CharField(max_length=200)),
                    ('is_paging', models.BooleanField(default=True)),
                    ('started_at', models.DateTimeField()),
                    ('pass_number', models.PositiveSmallIntegerField(default=1)),
                    ('level', models.PositiveSmallIntegerField(default=0)),
                    ('rounds_left', models.PositiveSmallIntegerField(default=0)),
                    ('told_count', models.PositiveIntegerField(default=0)),
                    ('next_at', models.DateTimeField(null=True)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('put_off_count', models.PositiveSmallIntegerField(db_default=0, default=0)),
                    ('reminded_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='escalations', to='alerts.alertgroup')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='alerts_escalation_due'), models.Index(fields=['group', '-id'], name='alerts_escalation_newest'), models.Index(condition=models.Q(('state', 'exhausted')), fields=['group'], name='alerts_escalation_exhausted')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='alerts_escalation_origin_is_known'), models.CheckConstraint(condition=models.Q(('state__in', ['running', 'acknowledged', 'silenced', 'suppressed', 'exhausted', 'healed', 'ended'])), name='alerts_escalation_state_is_known'), models.UniqueConstraint(condition=models.Q(('state__in', ['healed', 'ended']), _negated=True), fields=('group',), name='alerts_escalation_one_open_per_group'), models.CheckConstraint(condition=models.Q(models.Q(('due_at', None), ('ended_at__isnull', False), ('state__in', ['healed', 'ended'])), models.Q(models.Q(('state__in', ['healed', 'ended']), _negated=True), ('ended_at', None)), _connector='OR'), name='alerts_escalation_closed_iff_time')],
                },
            ),
            migrations.CreateModel(
                name='EscalationStep',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('kind', models.CharField(choices=[('told', 'Told'), ('by_hand', 'Paged by hand'), ('skipped', 'Nobody reachable'), ('fell_back', 'Another policy'), ('repeated', 'Told again'), ('held', 'Held'), ('resumed', 'Goes on'), ('called_off', 'Called off'), ('reminded', 'Reminded'), ('expired', 'Acknowledgement ended'), ('unanswered', 'Nobody answered'), ('over', 'Told that it is over')], max_length=16)),
                    ('pass_number', models.PositiveSmallIntegerField(default=0)),
                    ('level', models.PositiveSmallIntegerField(default=0)),
                    ('why', models.CharField(max_length=300)),
                    ('notification_key', models.CharField(blank=True, max_length=200)),
                    ('channel', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='escalation_steps', to='notifications.channel')),
                    ('escalation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='alerts.escalation')),
                    ('group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='escalation_steps', to='alerts.alertgroup')),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='escalation_steps', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['group', '-id'], name='alerts_escalationstep_newest'), models.Index(condition=models.Q(('person__isnull', False)), fields=['person', 'at'], name='alerts_escalationstep_person')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['told', 'by_hand', 'skipped', 'fell_back', 'repeated', 'held', 'resumed', 'called_off', 'reminded', 'expired', 'unanswered', 'over'])), name='alerts_escalationstep_kind_is_known')],
                },
            ),
            migrations.CreateModel(
                name='Evaluation',
                fields=[
                    ('name', models.CharField(default='minute', max_length=16, primary_key=True, serialize=False)),
                    ('minute', models.DateTimeField()),
                    ('took_ms', models.PositiveIntegerField(default=0)),
                    ('subjects', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('name', 'minute')), name='alerts_evaluation_is_one')],
                },
            ),
            migrations.CreateModel(
                name='Feedback',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('verdict', models.CharField(choices=[('good', 'Good'), ('not_actionable', 'Not actionable'), ('noise', 'Noise')], max_length=16)),
                    ('at', models.DateTimeField()),
                    ('group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='feedback', to='alerts.alertgroup')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='feedback', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('group', 'person'), name='alerts_feedback_one_per_person'), models.CheckConstraint(condition=models.Q(('verdict__in', ['good', 'not_actionable', 'noise'])), name='alerts_feedback_verdict_is_known')],
                },
            ),
            migrations.CreateModel(
                name='GroupEpisode',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('episode', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='groups_covering', to='interruptions.episode')),
                    ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='episodes_covered', to='alerts.alertgroup')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('group', 'episode'), name='alerts_groupepisode_once')],
                },
            ),
            migrations.CreateModel(
                name='GroupMember',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('joined_at', models.DateTimeField()),
                    ('reason', models.CharField(max_length=200)),
                    ('group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='members', to='alerts.alertgroup')),
                    ('interruption', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='interruptions.interruption')),
                ],
                options={
                    'indexes': [models.Index(fields=['interruption'], name='alerts_groupmember_of')],
                    'constraints': [models.UniqueConstraint(fields=('group', 'interruption'), name='alerts_groupmember_once')],
                },
            ),
            migrations.CreateModel(
                name='Rule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('slug', models.SlugField(max_length=64, unique=True)),
                    ('name', models.CharField(max_length=120)),
                    ('detector', models.CharField(max_length=64)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('evaluated_at', models.DateTimeField(null=True)),
                    ('failed_at', models.DateTimeField(null=True)),
                    ('runbook', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='rules', to='runbooks.runbook')),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='fleet.team')),
                ],
            ),
            migrations.CreateModel(
                name='RuleVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('revision', models.PositiveIntegerField(default=1)),
                    ('is_enabled', models.BooleanField(default=True)),
                    ('scope', models.JSONField(blank=True, default=dict)),
                    ('thresholds', models.JSONField(default=dict)),
                    ('table', models.JSONField(default=dict)),
                    ('severity', models.CharField(choices=[('critical', 'Critical'), ('error', 'Error'), ('warning', 'Warning'), ('info', 'Info')], default='warning', max_length=16)),
                    ('evaluations', models.PositiveSmallIntegerField(default=2)),
                    ('resolve_after', models.DurationField(default=datetime.timedelta(seconds=900))),
                    ('cooldown', models.DurationField(default=datetime.timedelta(seconds=1800))),
                    ('group_by', models.CharField(default='service', max_length=16)),
                    ('change_note', models.CharField(blank=True, max_length=300)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('saved_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('published_at', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rule_versions_written', to=settings.AUTH_USER_MODEL)),
                    ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rule_versions_published', to=settings.AUTH_USER_MODEL)),
                    ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='alerts.rule')),
                    ('saved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rule_versions_saved', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('rule', 'number'), name='alerts_ruleversion_one_per_number'), models.UniqueConstraint(condition=models.Q(('published_at', None)), fields=('rule',), name='alerts_ruleversion_one_draft'), models.CheckConstraint(condition=models.Q(('published_at__isnull', False), ('published_by', None), _connector='OR'), name='alerts_ruleversion_draft_has_no_publisher'), models.CheckConstraint(condition=models.Q(('number__gte', 1), ('evaluations__gte', 1)), name='alerts_ruleversion_numbers_begin_at_one'), models.CheckConstraint(condition=models.Q(('severity__in', ['critical', 'error', 'warning', 'info'])), name='alerts_ruleversion_severity_is_known')],
                },
            ),
            migrations.CreateModel(
                name='RuleState',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('scope', models.CharField(max_length=128)),
                    ('standing', models.CharField(choices=[('pending', 'Holds, not long enough yet'), ('firing', 'Firing'), ('cooling', 'Over, cooling down')], max_length=16)),
                    ('severity', models.CharField(choices=[('critical', 'Critical'), ('error', 'Error'), ('warning', 'Warning'), ('info', 'Info')], max_length=16)),
                    ('true_count', models.PositiveIntegerField(default=0)),
                    ('true_since', models.DateTimeField()),
                    ('fired_at', models.DateTimeField(null=True)),
                    ('clear_since', models.DateTimeField(null=True)),
                    ('over_at', models.DateTimeField(null=True)),
                    ('evaluated_at', models.DateTimeField()),
                    ('value', models.FloatField(null=True)),
                    ('limit', models.FloatField(null=True)),
                    ('text', models.CharField(blank=True, max_length=300)),
                    ('group', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='rule_states', to='alerts.alertgroup')),
                    ('rule', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='states', to='alerts.rule')),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='rule_states', to='fleet.service')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='states', to='alerts.ruleversion')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('rule', 'origin', 'scope'), name='alerts_rulestate_one_per_scope'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='alerts_rulestate_origin_is_known'), models.CheckConstraint(condition=models.Q(('standing__in', ['pending', 'firing', 'cooling'])), name='alerts_rulestate_standing_is_known'), models.CheckConstraint(condition=models.Q(('severity__in', ['critical', 'error', 'warning', 'info'])), name='alerts_rulestate_severity_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('standing', 'cooling'), _negated=True), ('over_at__isnull', False), _connector='OR'), name='alerts_rulestate_cooling_has_time')],
                },
            ),
            migrations.CreateModel(
                name='Receipt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('trigger', models.CharField(max_length=64)),
                    ('rule', models.CharField(max_length=64)),
                    ('decision', models.CharField(choices=[('page', 'Page'), ('ticket', 'Ticket'), ('log', 'Log'), ('suppress', 'Suppress')], max_length=16)),
                    ('severity', models.CharField(choices=[('critical', 'Critical'), ('error', 'Error'), ('warning', 'Warning'), ('info', 'Info')], db_default='info', default='info', max_length=16)),
                    ('reason', models.CharField(max_length=300)),
                    ('inputs', models.JSONField(default=dict)),
                    ('windows', models.JSONField(db_default={}, default=dict)),
                    ('suppressions', models.JSONField(db_default=[], default=list)),
                    ('roster', models.JSONField(db_default={}, default=dict)),
                    ('at', models.DateTimeField()),
                    ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='receipts', to='alerts.alertgroup')),
                    ('rule_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='alerts.ruleversion')),
                ],
                options={
                    'indexes': [models.Index(models.OrderBy(models.F('group')), models.OrderBy(models.F('id'), descending=True), name='alerts_receipt_newest'), models.Index(models.OrderBy(models.F('group')), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('decision__in', ['page', 'ticket'])), name='alerts_receipt_told'), models.Index(models.OrderBy(models.F('rule_version')), models.OrderBy(models.F('at'), descending=True), condition=models.Q(('decision__in', ['page', 'ticket', 'suppress'])), name='alerts_receipt_of_rule')],
                    'constraints': [models.UniqueConstraint(fields=('group', 'rule_version', 'trigger'), name='alerts_receipt_one_per_trigger', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='alerts_receipt_origin_is_known'), models.CheckConstraint(condition=models.Q(('decision__in', ['page', 'ticket', 'log', 'suppress'])), name='alerts_receipt_decision_is_known'), models.CheckConstraint(condition=models.Q(('severity__in', ['critical', 'error', 'warning', 'info'])), name='alerts_receipt_severity_is_known')],
                },
            ),
            migrations.CreateModel(
                name='SetAside',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('is_new', models.BooleanField(default=False)),
                    ('is_replay', models.BooleanField(default=False)),
                    ('detail', models.CharField(max_length=500)),
                    ('at', models.DateTimeField()),
                    ('last_at', models.DateTimeField()),
                    ('failed_count', models.PositiveIntegerField(default=1)),
                    ('group', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='settling_set_aside', to='alerts.alertgroup')),
                    ('interruption', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='alerting_set_aside', to='interruptions.interruption')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='alerts_setaside_origin_is_known'), models.CheckConstraint(condition=models.Q(('interruption', None), ('group', None), _connector='XOR'), name='alerts_setaside_is_about_one_thing')],
                },
            ),
            migrations.CreateModel(
                name='Suppression',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('kind', models.CharField(choices=[('maintenance', 'Maintenance'), ('capacity_change', 'Capacity change')], max_length=16)),
                    ('name', models.CharField(max_length=120)),
                    ('reason', models.CharField(max_length=500)),
                    ('author_label', models.CharField(blank=True, default='', max_length=200)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField(null=True)),
                    ('rrule', models.CharField(blank=True, default='', max_length=300)),
                    ('duration', models.DurationField()),
                    ('time_zone', models.CharField(default='UTC', max_length=64, validators=[console.accounts.models.validate_time_zone])),
                    ('share', models.PositiveSmallIntegerField(default=50)),
                    ('needs_signature', models.BooleanField(default=False)),
                    ('signed_at', models.DateTimeField(null=True)),
                    ('cancelled_at', models.DateTimeField(null=True)),
                    ('cancelled_by_label', models.CharField(blank=True, default='', max_length=200)),
                    ('created_at', models.DateTimeField()),
                    ('expanded_until', models.DateTimeField()),
                    ('expand_at', models.DateTimeField(null=True)),
                    ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='suppressions', to=settings.AUTH_USER_MODEL)),
                    ('cancelled_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='suppressions_cancelled', to=settings.AUTH_USER_MODEL)),
                    ('signed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='suppressions_signed', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='suppressions', to='fleet.team')),
                ],
                options={
                    'indexes': [models.Index(fields=['origin', '-created_at', '-id'], name='alerts_suppression_newest'), models.Index(condition=models.Q(('expand_at__isnull', False)), fields=['expand_at'], name='alerts_suppression_due'), models.Index(condition=models.Q(models.Q(('rrule', ''), _negated=True), ('cancelled_at', None)), fields=['origin', '-id'], name='alerts_suppression_repeating')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='alerts_suppression_origin_is_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['maintenance', 'capacity_change'])), name='alerts_suppression_kind_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('ends_at__gt', models.F('starts_at')), ('rrule', '')), models.Q(models.Q(('rrule', ''), _negated=True), ('ends_at', None)), _connector='OR'), name='alerts_suppression_ends_or_repeats'), models.CheckConstraint(condition=models.Q(('duration__gt', datetime.timedelta(0))), name='alerts_suppression_lasts_some_time'), models.CheckConstraint(condition=models.Q(('kind', 'maintenance'), ('duration__lte', datetime.timedelta(days=1)), _connector='OR'), name='alerts_suppression_capacity_change_within_a_day'), models.CheckConstraint(condition=models.Q(('share__gte', 1), ('share__lte', 100)), name='alerts_suppression_share_is_a_percentage'), models.CheckConstraint(condition=models.Q(models.Q(('signed_at', None), ('signed_by', None)), models.Q(('needs_signature', True), ('signed_at__isnull', False), ('signed_by__isnull', False)), _connector='OR'), name='alerts_suppression_signed_has_person'), models.CheckConstraint(condition=models.Q(('signed_by', None), ('author', None), models.Q(('signed_by', models.F('author')), _negated=True), _connector='OR'), name='alerts_suppression_signed_by_another'), models.CheckConstraint(condition=models.Q(('author__isnull', False), models.Q(('author_label', ''), _negated=True), _connector='OR'), name='alerts_suppression_has_author')],
                },
            ),
            migrations.CreateModel(
                name='SuppressionOccurrence',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('begun_at', models.DateTimeField(null=True)),
                    ('released_at', models.DateTimeField(null=True)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('suppression', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='occurrences', to='alerts.suppression')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('released_at', None)), fields=['origin', 'starts_at'], name='alerts_suppressionocc_live'), models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='alerts_suppressionocc_due'), models.Index(fields=['origin', '-ends_at', '-id'], name='alerts_suppressionocc_past')],
                    'constraints': [models.UniqueConstraint(fields=('suppression', 'starts_at'), name='alerts_suppressionoccurrence_one_per_start'), models.CheckConstraint(condition=models.Q(('ends_at__gte', models.F('starts_at'))), name='alerts_suppressionoccurrence_ends_after_start'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='alerts_suppressionoccurrence_origin_is_known')],
                },
            ),
            migrations.CreateModel(
                name='SuppressionHit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('trigger', models.CharField(max_length=64)),
                    ('decision', models.CharField(choices=[('page', 'Page'), ('ticket', 'Ticket'), ('log', 'Log'), ('suppress', 'Suppress')], max_length=16)),
                    ('at', models.DateTimeField()),
                    ('group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='suppression_hits', to='alerts.alertgroup')),
                    ('occurrence', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='hits', to='alerts.suppressionoccurrence')),
                ],
                options={
                    'indexes': [models.Index(models.OrderBy(models.F('occurrence')), models.OrderBy(models.F('id'), descending=True), name='alerts_suppressionhit_newest'), models.Index(fields=['group'], name='alerts_suppressionhit_group')],
                    'constraints': [models.UniqueConstraint(fields=('occurrence', 'group', 'trigger'), name='alerts_suppressionhit_once'), models.CheckConstraint(condition=models.Q(('decision__in', ['page', 'ticket', 'log', 'suppress'])), name='alerts_suppressionhit_decision_is_known')],
                },
            ),
            migrations.CreateModel(
                name='SuppressionScope',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('service', 'Service'), ('team', 'Team'), ('pool', 'Pool'), ('label', 'Label')], max_length=8)),
                    ('provider', models.CharField(blank=True, default='', max_length=16)),
                    ('region', models.CharField(blank=True, default='', max_length=64)),
                    ('zone', models.CharField(blank=True, default='', max_length=64)),
                    ('instance_type', models.CharField(blank=True, default='', max_length=64)),
                    ('label_key', models.CharField(blank=True, default='', max_length=128)),
                    ('label_value', models.CharField(blank=True, default='', max_length=256)),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='suppression_scopes', to='fleet.service')),
                    ('suppression', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scopes', to='alerts.suppression')),
                    ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='suppression_scopes', to='fleet.team')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['service', 'team', 'pool', 'label'])), name='alerts_suppressionscope_kind_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'service'), ('label_key', ''), ('service__isnull', False), ('team', None)), models.Q(('kind', 'team'), ('label_key', ''), ('service', None), ('team__isnull', False)), models.Q(('kind', 'pool'), ('label_key', ''), ('service', None), ('team', None), models.Q(('instance_type', ''), ('provider', ''), ('region', ''), ('zone', ''), _negated=True)), models.Q(('kind', 'label'), ('service', None), ('team', None), models.Q(('label_key', ''), _negated=True)), _connector='OR'), name='alerts_suppressionscope_names_its_thing')],
                },
            ),
            migrations.CreateModel(
                name='Ticket',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('rule', models.CharField(max_length=64)),
                    ('title', models.CharField(max_length=200)),
                    ('reason', models.CharField(max_length=300)),
                    ('severity', models.CharField(choices=[('critical', 'Critical'), ('error', 'Error'), ('warning', 'Warning'), ('info', 'Info')], max_length=16)),
                    ('state', models.CharField(choices=[('open', 'Open'), ('in_progress', 'In progress'), ('done', 'Done'), ('wont_do', "Won't do")], default='open', max_length=16)),
                    ('opened_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('link', models.URLField(blank=True, max_length=500)),
                    ('version', models.PositiveIntegerField(default=1)),
                    ('group', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='alerts.alertgroup')),
                    ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to=settings.AUTH_USER_MODEL)),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='fleet.service')),
                    ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='fleet.team')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state__in', ['done', 'wont_do']), _negated=True), fields=['origin', 'due_at', 'id'], name='alerts_ticket_open'), models.Index(fields=['origin', '-opened_at', '-id'], name='alerts_ticket_newest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='alerts_ticket_origin_is_known'), models.UniqueConstraint(fields=('group', 'rule'), name='alerts_ticket_one_per_rule_and_group'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'in_progress', 'done', 'wont_do'])), name='alerts_ticket_state_is_known'), models.CheckConstraint(condition=models.Q(('severity__in', ['critical', 'error', 'warning', 'info'])), name='alerts_ticket_severity_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ['done', 'wont_do'])), models.Q(models.Q(('state__in', ['done', 'wont_do']), _negated=True), ('finished_at', None)), _connector='OR'), name='alerts_ticket_finished_iff_time')],
                },
            ),
            migrations.CreateModel(
                name='TicketEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('kind', models.CharField(choices=[('opened', 'Opened'), ('state', 'State'), ('owner', 'Owner'), ('due', 'Due'), ('link', 'Link'), ('note', 'Note')], max_length=16)),
                    ('by_label', models.CharField(blank=True, max_length=200)),
                    ('text', models.TextField(blank=True)),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ticket_events', to=settings.AUTH_USER_MODEL)),
                    ('ticket', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='alerts.ticket')),
                ],
                options={
                    'indexes': [models.Index(fields=['ticket', '-id'], name='alerts_ticketevent_newest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['opened', 'state', 'owner', 'due', 'link', 'note'])), name='alerts_ticketevent_kind_is_known')],
                },
            ),
            migrations.CreateModel(
                name='AlertEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('kind', models.CharField(choices=[('triggered', 'Triggered'), ('joined', 'Machines joined'), ('left', 'Machines left'), ('acknowledged', 'Acknowledged'), ('unacknowledged', 'Acknowledgement taken back'), ('silenced', 'Silenced'), ('unsilenced', 'Silence lifted'), ('suppressed', 'Suppressed'), ('released', 'No longer suppressed'), ('resolved', 'Resolved'), ('reopened', 'Re-opened'), ('note', 'Note'), ('severity', 'Severity changed'), ('checklist', 'Checklist'), ('told', 'Told'), ('escalated', 'Escalated'), ('reminded', 'Reminded'), ('expired', 'Acknowledgement ended'), ('unanswered', 'Nobody answered'), ('called_off', 'Called off'), ('ticket', 'Ticket')], max_length=16)),
                    ('by_label', models.CharField(blank=True, db_default='', max_length=200)),
                    ('text', models.TextField(blank=True)),
                    ('data', models.JSONField(default=dict)),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='alert_events', to=settings.AUTH_USER_MODEL)),
                    ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='alerts.alertgroup')),
                ],
                options={
                    'indexes': [models.Index(fields=['group', '-id'], name='alerts_alertevent_newest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['triggered', 'joined', 'left', 'acknowledged', 'unacknowledged', 'silenced', 'unsilenced', 'suppressed', 'released', 'resolved', 'reopened', 'note', 'severity', 'checklist', 'told', 'escalated', 'reminded', 'expired', 'unanswered', 'called_off', 'ticket'])), name='alerts_alertevent_kind_is_known')],
                },
            ),
            ],
        ),
        migrations.AddField(
            model_name='alertgroup',
            name='rule',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='groups', to='alerts.rule'),
        ),
        migrations.AddField(
            model_name='alertgroup',
            name='suppressed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='groups_suppressed', to='alerts.suppression'),
        ),
        migrations.AddIndex(
            model_name='alertgroup',
            index=models.Index(condition=models.Q(('rule__isnull', False)), fields=['rule', '-triggered_at'], name='alerts_alertgroup_rule'),
        ),
        *by_hand(_frozen),
    ]
