"""Every column of known words is held to them by the database."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feeds', '0004_test_feeds_and_replays'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='queueddelivery',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='feeds_queueddelivery_origin_is_known'),
        ),
    ]
