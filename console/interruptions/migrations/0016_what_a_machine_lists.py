"""What a machine's own metadata lists, on the observation that tells it."""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("interruptions", "0015_pods_are_found_by_time")]
    operations = [
        migrations.AddField(
            "observation",
            "listed",
            django.contrib.postgres.fields.ArrayField(models.CharField(max_length=256), null=True),
        ),
        migrations.AddField("observation", "incarnation", models.BigIntegerField(null=True)),
    ]
