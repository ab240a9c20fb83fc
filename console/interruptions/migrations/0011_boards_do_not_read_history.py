"""Indexes for what boards ask of the newest rows. Log lines are partitioned by hand, so is their index."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("interruptions", "0010_machines_that_strayed")]

    operations = [
        migrations.AddIndex(
            model_name="interruption",
            index=models.Index(
                condition=~Q(cause="spot"),
                fields=["origin", "cause", "-started_at", "-id"],
                name="interruptions_rare_cause",
            ),
        ),
        migrations.AddIndex(
            model_name="hook",
            index=models.Index(fields=["origin", "-at", "-id"], name="interruptions_hook_newest"),
        ),
        migrations.AddIndex(
            model_name="volume",
            index=models.Index(fields=["origin", "-at", "-id"], name="interruptions_volume_newest"),
        ),
        migrations.RunSQL(
            "CREATE INDEX interruptions_logline_newest ON interruptions_logline (origin, received_at DESC, id DESC)",
            "DROP INDEX interruptions_logline_newest",
        ),
    ]
