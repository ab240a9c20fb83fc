# The foreign keys' own indexes repeat those that begin with the same column: each costs a write a row.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('interruptions', '0008_launches_are_found_by_time'),
    ]

    operations = [
        migrations.AlterField(
            model_name='interruption',
            name='machine',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='interruptions', to='fleet.machine'),
        ),
        migrations.AlterField(
            model_name='interruption',
            name='service',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='interruptions', to='fleet.service'),
        ),
        migrations.AlterField(
            model_name='interruption',
            name='pool',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='interruptions', to='fleet.pool'),
        ),
        migrations.AlterField(
            model_name='interruption',
            name='merged_into',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged_interruptions', to='interruptions.interruption'),
        ),
        migrations.AddIndex(
            model_name='interruption',
            index=models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='interruptions_merged'),
        ),
        migrations.AlterField(
            model_name='interruptionchange',
            name='interruption',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='interruptions.interruption'),
        ),
    ]
