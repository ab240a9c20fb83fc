"""All that was made step by step, in one: a new console is made with it. The steps stay for those that began before.

What was written by hand is taken from the step that wrote it.
"""

from __future__ import annotations

from importlib import import_module

import console.accounts.models
import django.contrib.postgres.fields
import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from console.lib.squashing import CreateModels, by_hand

_held = import_module('console.accounts.migrations.0003_hold_the_audit_trail')

class Migration(migrations.Migration):
    initial = True

    replaces = [
        ('accounts', '0001_first_rows'),
        ('accounts', '0002_audit_actor_kinds_and_indexes'),
        ('accounts', '0003_hold_the_audit_trail'),
        ('accounts', '0004_every_word_is_a_known_one'),
        ('accounts', '0005_a_scope_for_feeds'),
        ('accounts', '0006_people_have_an_origin'),
    ]

    dependencies = []

    operations = [
        CreateModels(
            [
            migrations.CreateModel(
                name='User',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('password', models.CharField(max_length=128, verbose_name='password')),
                    ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('email', models.EmailField(max_length=254, unique=True)),
                    ('name', models.CharField(blank=True, max_length=120)),
                    ('role', models.CharField(choices=[('viewer', 'Viewer'), ('responder', 'Responder'), ('manager', 'Manager'), ('admin', 'Administrator')], default='viewer', max_length=16)),
                    ('is_active', models.BooleanField(default=True)),
                    ('time_zone', models.CharField(default='UTC', max_length=64, validators=[console.accounts.models.validate_time_zone])),
                    ('theme', models.CharField(choices=[('system', 'As the system'), ('light', 'Light'), ('dark', 'Dark')], default='system', max_length=8)),
                    ('has_single_keys', models.BooleanField(default=True)),
                    ('shown_origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['viewer', 'responder', 'manager', 'admin'])), name='accounts_user_role_is_known'), models.CheckConstraint(condition=models.Q(('theme__in', ['system', 'light', 'dark'])), name='accounts_user_theme_is_known'), models.CheckConstraint(condition=models.Q(('shown_origin__in', ['live', 'sample', 'drill', 'test'])), name='accounts_user_shown_origin_is_known'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='accounts_user_origin_is_known'), models.CheckConstraint(condition=models.Q(('origin', 'live'), ('is_active', False), _connector='OR'), name='accounts_user_made_up_people_are_not_let_in')],
                },
            ),
            migrations.CreateModel(
                name='AuditEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField(default=django.utils.timezone.now)),
                    ('actor_kind', models.CharField(choices=[('person', 'Person'), ('token', 'API token'), ('sign-on', 'Single sign-on'), ('console', 'Console')], max_length=16)),
                    ('actor_id', models.BigIntegerField(null=True)),
                    ('actor_label', models.CharField(max_length=200)),
                    ('action', models.CharField(max_length=64)),
                    ('subject_kind', models.CharField(max_length=64)),
                    ('subject_id', models.CharField(blank=True, max_length=64)),
                    ('subject_label', models.CharField(blank=True, max_length=200)),
                    ('before', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
                    ('after', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
                    ('address', models.GenericIPAddressField(null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['-at', '-id'], name='accounts_auditentry_newest'), models.Index(fields=['subject_kind', 'subject_id', '-id'], name='accounts_auditentry_subject'), models.Index(fields=['actor_label', '-id'], name='accounts_auditentry_actor'), models.Index(fields=['action', '-id'], name='accounts_auditentry_action')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('actor_kind__in', ['person', 'token', 'sign-on', 'console'])), name='accounts_auditentry_actor_kind_is_known')],
                },
            ),
            migrations.CreateModel(
                name='ApiToken',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120)),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                    ('prefix', models.CharField(editable=False, max_length=12)),
                    ('secret_hash', models.CharField(editable=False, max_length=64, unique=True)),
                    ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('read', 'Read everything except the audit trail'), ('facts', 'Push inventory, workloads, requests and samples'), ('act', 'Acknowledge, silence, resolve, tick'), ('manage', 'Change services, rules and runbooks'), ('audit', 'Read the audit trail'), ('admin', 'Connect and change feeds, issue and revoke their secrets')], max_length=16), size=None)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('expires_at', models.DateTimeField(blank=True, null=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='accounts_apitoken_origin_is_known'), models.CheckConstraint(condition=models.Q(('scopes__contained_by', ['read', 'facts', 'act', 'manage', 'audit', 'admin'])), name='accounts_apitoken_scopes_are_known')],
                },
            ),
            migrations.CreateModel(
                name='Invitation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('email', models.EmailField(max_length=254)),
                    ('role', models.CharField(choices=[('viewer', 'Viewer'), ('responder', 'Responder'), ('manager', 'Manager'), ('admin', 'Administrator')], default='viewer', max_length=16)),
                    ('secret_hash', models.CharField(editable=False, max_length=64, unique=True)),
                    ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                    ('expires_at', models.DateTimeField()),
                    ('accepted_at', models.DateTimeField(blank=True, null=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('invited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invitations_sent', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['viewer', 'responder', 'manager', 'admin'])), name='accounts_invitation_role_is_known'), models.UniqueConstraint(condition=models.Q(('accepted_at', None), ('revoked_at', None)), fields=('email',), name='accounts_invitation_one_open_per_address')],
                },
            ),
            ],
        ),
        *by_hand(_held),
    ]
