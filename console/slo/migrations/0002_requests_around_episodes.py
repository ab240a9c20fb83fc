"""Requests around episodes are summed, and what was counted is known by its source."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('fleet', '0001_squashed_0007_what_moved_a_machine'),
        ('interruptions', '0001_squashed_0020_what_touches_the_new_sums'),
        ('slo', '0001_first_rows'),
    ]

    operations = [
        migrations.CreateModel(
            name='CountState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                ('counted_for', models.BigIntegerField(default=0)),
                ('dirty_since', models.DateTimeField(null=True)),
                ('dirty_until', models.DateTimeField(null=True)),
                ('last_minute', models.DateTimeField(null=True)),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='count_states', to='fleet.service')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('origin', 'service', 'counted_for'), name='slo_countstate_once'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='slo_countstate_origin_is_known')],
            },
        ),
        migrations.CreateModel(
            name='EpisodeRequests',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                ('counted_for', models.BigIntegerField(default=0)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('during_good', models.FloatField()),
                ('during_total', models.FloatField()),
                ('before_good', models.FloatField()),
                ('before_total', models.FloatField()),
                ('hour_good', models.FloatField()),
                ('hour_total', models.FloatField()),
                ('spent_good', models.FloatField()),
                ('spent_total', models.FloatField()),
                ('episode', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='requests', to='interruptions.episode')),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='episode_requests', to='fleet.service')),
            ],
            options={
                'indexes': [models.Index(fields=['origin', 'service', 'counted_for', '-started_at'], name='slo_episoderequests_latest'), models.Index(fields=['started_at'], name='slo_episoderequests_by_age')],
                'constraints': [models.UniqueConstraint(fields=('episode', 'counted_for'), name='slo_episoderequests_once'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='slo_episoderequests_origin_is_known')],
            },
        ),
    ]
