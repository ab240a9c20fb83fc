# Written with every observation: an index that repeats the unique one, and a look at the feed, cost a write each.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feeds', '0007_queued_deliveries_have_a_lane'),
        ('interruptions', '0016_what_a_machine_lists'),
    ]

    operations = [
        migrations.AlterField(
            model_name='observationkey',
            name='feed',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='observation_keys', to='feeds.feed'),
        ),
    ]
