"""What a program did is told with its name, as what a person did is with theirs."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0003_work_that_was_set_aside")]

    operations = [
        migrations.AddField("alertevent", "by_label", models.CharField(blank=True, db_default="", max_length=200)),
        migrations.AddField(
            "alertgroup", "acknowledged_by_label", models.CharField(blank=True, db_default="", max_length=200)
        ),
    ]
