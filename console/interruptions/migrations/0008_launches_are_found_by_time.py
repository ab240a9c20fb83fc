"""Replacements are matched by the time of launch: without this a match looks at every machine of a service."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ('interruptions', '0007_ends_and_bunches_are_summed'),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX interruptions_observation_launch ON interruptions_observation (occurred_at)"
            " WHERE kind = 'replacement_launched'",
            'DROP INDEX interruptions_observation_launch',
        ),
    ]
