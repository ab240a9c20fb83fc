# The foreign keys' own indexes repeat those that begin with the same column: each costs a write a row.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0005_groups_are_found_by_severity_and_kind'),
        ('interruptions', '0013_changes_rest_after_a_failure'),
    ]

    operations = [
        migrations.AlterField(
            model_name='groupmember',
            name='group',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='members', to='alerts.alertgroup'),
        ),
        migrations.AlterField(
            model_name='groupmember',
            name='interruption',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='interruptions.interruption'),
        ),
    ]
