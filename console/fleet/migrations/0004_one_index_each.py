# The foreign keys' own indexes repeat those that begin with the same column: each costs a write a row.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('fleet', '0003_machines_are_found_by_the_start_of_their_name'),
    ]

    operations = [
        migrations.AlterField(
            model_name='machine',
            name='merged_into',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged_machines', to='fleet.machine'),
        ),
        migrations.AlterField(
            model_name='machine',
            name='pool',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='machines', to='fleet.pool'),
        ),
        migrations.AlterField(
            model_name='machine',
            name='service',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='machines', to='fleet.service'),
        ),
        migrations.AddIndex(
            model_name='machine',
            index=models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='fleet_machine_merged'),
        ),
    ]
