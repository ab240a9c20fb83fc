"""Prefix searches use these indexes whatever the database's collation."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0002_when_a_machine_was_listed")]

    operations = [
        migrations.RemoveIndex(model_name="machine", name="fleet_machine_instance"),
        migrations.RemoveIndex(model_name="machine", name="fleet_machine_node"),
        migrations.AddIndex(
            model_name="machine",
            index=models.Index(
                fields=["origin", "instance_id"],
                name="fleet_machine_instance",
                opclasses=["varchar_ops", "varchar_pattern_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="machine",
            index=models.Index(
                condition=models.Q(("node_name", ""), _negated=True),
                fields=["origin", "node_name"],
                name="fleet_machine_node",
                opclasses=["varchar_ops", "varchar_pattern_ops"],
            ),
        ),
    ]
