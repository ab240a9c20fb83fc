"""Pods are matched by the time of what was said of them: without this a match reads every observation."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ('interruptions', '0014_rare_states_are_found_by_an_index'),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX interruptions_observation_pod ON interruptions_observation (occurred_at)"
            " WHERE source = 'k8s.event' AND kind IN ('pod_evicted', 'pod_scheduled', 'pod_running')",
            'DROP INDEX interruptions_observation_pod',
        ),
    ]
