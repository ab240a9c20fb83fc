"""Every column of known words is held to them by the database."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_hold_the_audit_trail'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('shown_origin__in', ['live', 'sample', 'drill', 'test'])), name='accounts_user_shown_origin_is_known'),
        ),
    ]
