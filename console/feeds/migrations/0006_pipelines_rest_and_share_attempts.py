"""Attempts are those of every pipeline; what failed rests before it is tried again."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("feeds", "0005_every_word_is_a_known_one"),
    ]

    operations = [
        migrations.RenameModel("RecordAttempt", "PipelineAttempt"),
        migrations.RenameIndex(
            "pipelineattempt", new_name="feeds_pipelineattempt_at", old_name="feeds_recordattempt_at"
        ),
        migrations.AddField(
            "pipelineattempt",
            "pipeline",
            models.CharField(max_length=32, default="record"),
            preserve_default=False,
        ),
        migrations.AddField("queueddelivery", "due_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "queueddelivery", "put_off_count", models.PositiveSmallIntegerField(default=0, db_default=0)
        ),
    ]
