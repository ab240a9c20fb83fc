"""All that was made step by step, in one: a new console is made with it. The steps stay for those that began before.

What was written by hand is taken from the step that wrote it.
"""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from console.lib.squashing import CreateModels, by_hand

_frozen = import_module('console.runbooks.migrations.0003_published_versions_and_marks_are_frozen')
_default = import_module('console.runbooks.migrations.0004_default_runbook')
_origin = import_module('console.runbooks.migrations.0005_runbooks_have_an_origin')

class Migration(migrations.Migration):
    initial = True

    replaces = [
        ('runbooks', '0001_first_rows'),
        ('runbooks', '0002_drafts_are_saved_and_marks_say_what_was_done'),
        ('runbooks', '0003_published_versions_and_marks_are_frozen'),
        ('runbooks', '0004_default_runbook'),
        ('runbooks', '0005_runbooks_have_an_origin'),
    ]

    dependencies = [
        ('fleet', '0001_squashed_0007_what_moved_a_machine'),
        ('accounts', '0001_squashed_0006_people_have_an_origin'),
    ]

    operations = [
        CreateModels(
            [
            migrations.CreateModel(
                name='Runbook',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('slug', models.SlugField(max_length=64, unique=True)),
                    ('name', models.CharField(max_length=120)),
                    ('summary', models.CharField(blank=True, max_length=300)),
                    ('is_default', models.BooleanField(default=False)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('archived_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='runbooks_runbook_one_default'), models.CheckConstraint(condition=models.Q(('is_default', False), ('archived_at', None), _connector='OR'), name='runbooks_runbook_default_is_in_use'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='runbooks_runbook_origin_is_known')],
                },
            ),
            migrations.CreateModel(
                name='RunbookAttachment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('attached_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('attached_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runbooks_attached', to=settings.AUTH_USER_MODEL)),
                    ('runbook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='runbooks.runbook')),
                    ('service', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='runbook_attachment', to='fleet.service')),
                ],
            ),
            migrations.CreateModel(
                name='RunbookVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('steps', models.JSONField(default=list)),
                    ('revision', models.PositiveIntegerField(default=1)),
                    ('change_note', models.CharField(blank=True, max_length=300)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('saved_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('published_at', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runbook_versions_written', to=settings.AUTH_USER_MODEL)),
                    ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runbook_versions_published', to=settings.AUTH_USER_MODEL)),
                    ('runbook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='runbooks.runbook')),
                    ('saved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runbook_versions_saved', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('runbook', 'number'), name='runbooks_runbookversion_one_per_number'), models.UniqueConstraint(condition=models.Q(('published_at', None)), fields=('runbook',), name='runbooks_runbookversion_one_draft'), models.CheckConstraint(condition=models.Q(('published_at__isnull', False), ('published_by', None), _connector='OR'), name='runbooks_runbookversion_draft_has_no_publisher'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='runbooks_runbookversion_numbers_begin_at_one')],
                },
            ),
            migrations.CreateModel(
                name='Execution',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('started_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='executions', to='fleet.service')),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='executions', to='runbooks.runbookversion')),
                ],
                options={
                    'indexes': [models.Index(fields=['version', 'origin', '-started_at'], name='runbooks_execution_newest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='runbooks_execution_origin_is_known')],
                },
            ),
            migrations.CreateModel(
                name='StepMark',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('step', models.PositiveSmallIntegerField()),
                    ('act', models.CharField(choices=[('tick', 'Done'), ('untick', 'Taken back'), ('skip', 'Skipped'), ('note', 'Note')], max_length=16)),
                    ('state', models.CharField(choices=[('open', 'Open'), ('done', 'Done'), ('skipped', 'Skipped')], max_length=16)),
                    ('note', models.CharField(blank=True, max_length=1000)),
                    ('by_label', models.CharField(blank=True, max_length=200)),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='step_marks', to=settings.AUTH_USER_MODEL)),
                    ('execution', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='runbooks.execution')),
                ],
                options={
                    'indexes': [models.Index(fields=['execution', 'step', '-id'], name='runbooks_stepmark_newest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['open', 'done', 'skipped'])), name='runbooks_stepmark_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('act', 'tick'), ('state', 'done')), models.Q(('act', 'untick'), ('state', 'open')), models.Q(('act', 'skip'), ('state', 'skipped'), models.Q(('note', ''), _negated=True)), models.Q(('act', 'note'), models.Q(('note', ''), _negated=True)), _connector='OR'), name='runbooks_stepmark_act_makes_state'), models.CheckConstraint(condition=models.Q(('step__gte', 1)), name='runbooks_stepmark_steps_begin_at_one')],
                },
            ),
            ],
        ),
        *by_hand(_frozen, _default, _origin),
    ]
