"""All that was made step by step, in one: a new console is made with it. The steps stay for those that began before."""

from __future__ import annotations

import console.accounts.models
import console.oncall.models.layer
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

from console.lib.squashing import CreateModels

class Migration(migrations.Migration):
    initial = True

    replaces = [
        ('oncall', '0001_first_rows'),
        ('oncall', '0002_escalation_policies'),
        ('oncall', '0003_layers_overrides_swaps_notes_and_calendars'),
    ]

    dependencies = [
        ('fleet', '0001_squashed_0007_what_moved_a_machine'),
        ('notifications', '0001_squashed_0002_subscribers'),
        ('accounts', '0001_squashed_0006_people_have_an_origin'),
    ]

    operations = [
        BtreeGistExtension(),
        CreateModels(
            [
            migrations.CreateModel(
                name='EscalationPolicy',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('slug', models.SlugField(max_length=64)),
                    ('name', models.CharField(max_length=120)),
                    ('repeats', models.PositiveSmallIntegerField(default=1)),
                    ('acknowledged_minutes', models.PositiveSmallIntegerField(default=30)),
                    ('version', models.PositiveIntegerField(default=1)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('archived_at', models.DateTimeField(blank=True, null=True)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='escalation_policies', to='fleet.team')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('origin', 'slug'), name='oncall_escalationpolicy_one_per_slug'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='oncall_escalationpolicy_origin_is_known'), models.CheckConstraint(condition=models.Q(('acknowledged_minutes__gte', 5), ('acknowledged_minutes__lte', 1440), ('repeats__lte', 9)), name='oncall_escalationpolicy_within_bounds')],
                },
            ),
            migrations.CreateModel(
                name='EscalationLevel',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveSmallIntegerField()),
                    ('wait_minutes', models.PositiveSmallIntegerField(default=5)),
                    ('policy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='levels', to='oncall.escalationpolicy')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('policy', 'position'), name='oncall_escalationlevel_one_per_position'), models.CheckConstraint(condition=models.Q(('position__gte', 1), ('wait_minutes__gte', 1), ('wait_minutes__lte', 1440)), name='oncall_escalationlevel_within_bounds')],
                },
            ),
            migrations.CreateModel(
                name='Layer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveSmallIntegerField()),
                    ('name', models.CharField(blank=True, max_length=60)),
                    ('kind', models.CharField(choices=[('hourly', 'Hours'), ('daily', 'Days'), ('weekly', 'Weeks'), ('monthly', 'Months')], max_length=8)),
                    ('length', models.PositiveSmallIntegerField(default=1)),
                    ('time_zone', models.CharField(max_length=64)),
                    ('starts_on', models.DateField()),
                    ('handover_at', models.TimeField()),
                    ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(choices=[(0, 'Mon'), (1, 'Tue'), (2, 'Wed'), (3, 'Thu'), (4, 'Fri'), (5, 'Sat'), (6, 'Sun')]), blank=True, default=list, size=None)),
                    ('hours_from', models.TimeField(blank=True, null=True)),
                    ('hours_until', models.TimeField(blank=True, null=True)),
                    ('valid_from', models.DateTimeField()),
                    ('valid_until', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='layers_written', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['hourly', 'daily', 'weekly', 'monthly'])), name='oncall_layer_kind_is_known'), models.CheckConstraint(condition=models.Q(('length__gte', 1)), name='oncall_layer_turns_last'), models.CheckConstraint(condition=models.Q(('position__gte', 1)), name='oncall_layer_position_from_one'), models.CheckConstraint(condition=models.Q(('weekdays__contained_by', [0, 1, 2, 3, 4, 5, 6])), name='oncall_layer_weekdays_are_known'), models.CheckConstraint(condition=models.Q(models.Q(('hours_from', None), ('hours_until', None)), models.Q(('hours_from__isnull', False), ('hours_until__isnull', False), models.Q(('hours_from', models.F('hours_until')), _negated=True)), _connector='OR'), name='oncall_layer_hours_begin_and_end'), models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='oncall_layer_valid_for_a_while')],
                },
            ),
            migrations.CreateModel(
                name='LayerMember',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveSmallIntegerField()),
                    ('layer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='members', to='oncall.layer')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='layer_places', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('layer', 'position'), name='oncall_layermember_one_per_place')],
                },
            ),
            migrations.CreateModel(
                name='PolicyUse',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='oncall.escalationpolicy')),
                    ('service', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='escalation_use', to='fleet.service')),
                    ('team', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='escalation_use', to='fleet.team')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='oncall_policyuse_origin_is_known'), models.CheckConstraint(condition=models.Q(('service', None), ('team', None), _connector='OR'), name='oncall_policyuse_is_for_one_thing'), models.UniqueConstraint(condition=models.Q(('service', None), ('team', None)), fields=('origin',), name='oncall_policyuse_one_default_per_origin')],
                },
            ),
            migrations.CreateModel(
                name='Rotation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('slug', models.SlugField(max_length=64, unique=True)),
                    ('name', models.CharField(max_length=120)),
                    ('time_zone', models.CharField(default='UTC', max_length=64, validators=[console.accounts.models.validate_time_zone])),
                    ('is_round_the_clock', models.BooleanField(db_default=True, default=True)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('archived_at', models.DateTimeField(blank=True, null=True)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rotations', to='fleet.team')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='oncall_rotation_origin_is_known')],
                },
            ),
            migrations.CreateModel(
                name='LevelTarget',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('rotation', 'Rotation'), ('person', 'Person'), ('team', 'Team'), ('channel', 'Channel')], max_length=16)),
                    ('channel', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='escalation_targets', to='notifications.channel')),
                    ('level', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='targets', to='oncall.escalationlevel')),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='escalation_targets', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='escalation_targets', to='fleet.team')),
                    ('rotation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='escalation_targets', to='oncall.rotation')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['rotation', 'person', 'team', 'channel'])), name='oncall_leveltarget_kind_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('channel__isnull', True), ('kind', 'rotation'), ('person__isnull', True), ('rotation__isnull', False), ('team__isnull', True)), models.Q(('channel__isnull', True), ('kind', 'person'), ('person__isnull', False), ('rotation__isnull', True), ('team__isnull', True)), models.Q(('channel__isnull', True), ('kind', 'team'), ('person__isnull', True), ('rotation__isnull', True), ('team__isnull', False)), models.Q(('channel__isnull', False), ('kind', 'channel'), ('person__isnull', True), ('rotation__isnull', True), ('team__isnull', True)), _connector='OR'), name='oncall_leveltarget_names_what_its_kind_says')],
                },
            ),
            migrations.CreateModel(
                name='HandOffNote',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('by_label', models.CharField(blank=True, max_length=200)),
                    ('text', models.TextField()),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hand_off_notes', to=settings.AUTH_USER_MODEL)),
                    ('rotation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='oncall.rotation')),
                ],
                options={
                    'indexes': [models.Index(fields=['rotation', '-at'], name='oncall_handoffnote_newest')],
                },
            ),
            migrations.CreateModel(
                name='CalendarLink',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('nonce', models.CharField(max_length=32, unique=True)),
                    ('created_at', models.DateTimeField()),
                    ('revoked_at', models.DateTimeField(null=True)),
                    ('last_used_at', models.DateTimeField(null=True)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calendar_links', to=settings.AUTH_USER_MODEL)),
                    ('rotation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='calendar_links', to='oncall.rotation')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('person', 'rotation'), name='oncall_calendarlink_one_in_use', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='SwapRequest',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('started_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField()),
                    ('return_started_at', models.DateTimeField(null=True)),
                    ('return_ended_at', models.DateTimeField(null=True)),
                    ('message', models.CharField(blank=True, max_length=300)),
                    ('state', models.CharField(choices=[('open', 'Waits for an answer'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('withdrawn', 'Withdrawn')], default='open', max_length=12)),
                    ('created_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('asked', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='swaps_offered', to=settings.AUTH_USER_MODEL)),
                    ('asker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='swaps_asked_for', to=settings.AUTH_USER_MODEL)),
                    ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='swaps', to='oncall.rotation')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['asked'], name='oncall_swaprequest_asked')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['open', 'accepted', 'declined', 'withdrawn'])), name='oncall_swaprequest_state_is_known'), models.CheckConstraint(condition=models.Q(('asker', models.F('asked')), _negated=True), name='oncall_swaprequest_is_between_two_people'), models.CheckConstraint(condition=models.Q(('ended_at__gt', models.F('started_at'))), name='oncall_swaprequest_lasts_a_while'), models.CheckConstraint(condition=models.Q(models.Q(('return_ended_at', None), ('return_started_at', None)), ('return_ended_at__gt', models.F('return_started_at')), _connector='OR'), name='oncall_swaprequest_return_lasts_a_while'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='oncall_swaprequest_decided_iff_time')],
                },
            ),
            migrations.CreateModel(
                name='Override',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('override', 'Override'), ('take_over', 'Take-over'), ('swap', 'Swap')], default='override', max_length=12)),
                    ('started_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField()),
                    ('reason', models.CharField(blank=True, max_length=200)),
                    ('source_key', models.CharField(blank=True, max_length=64)),
                    ('created_at', models.DateTimeField()),
                    ('created_by_label', models.CharField(blank=True, max_length=200)),
                    ('cancelled_at', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='overrides_made', to=settings.AUTH_USER_MODEL)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='overrides', to=settings.AUTH_USER_MODEL)),
                    ('replaced', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='overrides_of_own_shifts', to=settings.AUTH_USER_MODEL)),
                    ('rotation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='oncall.rotation')),
                    ('swap', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='oncall.swaprequest')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('cancelled_at', None)), fields=['rotation', 'ended_at'], name='oncall_override_standing')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['override', 'take_over', 'swap'])), name='oncall_override_kind_is_known'), models.CheckConstraint(condition=models.Q(('ended_at__gt', models.F('started_at'))), name='oncall_override_lasts_a_while'), models.CheckConstraint(condition=models.Q(('replaced', None), models.Q(('person', models.F('replaced')), _negated=True), _connector='OR'), name='oncall_override_is_between_two_people'), models.UniqueConstraint(condition=models.Q(('source_key', ''), _negated=True), fields=('rotation', 'source_key'), name='oncall_override_one_per_imported_event')],
                },
            ),
            ],
        ),
        migrations.AddField(
            model_name='layer',
            name='rotation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='layers', to='oncall.rotation'),
        ),
        migrations.AddConstraint(
            model_name='layer',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('rotation', '='), ('position', '='), (console.oncall.models.layer.StretchOfTime('valid_from', 'valid_until'), '&&')], name='oncall_layer_one_version_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='swaprequest',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('state', 'open')), expressions=[('rotation', '='), ('asker', '='), (console.oncall.models.layer.StretchOfTime('started_at', 'ended_at'), '&&')], name='oncall_swaprequest_one_open_per_shift'),
        ),
    ]
