"""Machines that interruptions have to follow note themselves, whoever moves them."""

import django.db.models.deletion
from django.db import migrations, models

NOTE = """
CREATE FUNCTION interruptions_note_stray() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM interruptions_interruption WHERE machine_id = NEW.id)
       OR (NEW.merged_into_id IS NOT NULL
           AND EXISTS (SELECT 1 FROM interruptions_observation WHERE machine_id = NEW.id)) THEN
        INSERT INTO interruptions_straymachine (origin, machine_id, from_service_id, noted_at)
        VALUES (NEW.origin, NEW.id, OLD.service_id, now());
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER interruptions_machine_strays AFTER UPDATE OF service_id, pool_id, merged_into_id ON fleet_machine
FOR EACH ROW WHEN (
    OLD.service_id <> NEW.service_id OR OLD.pool_id IS DISTINCT FROM NEW.pool_id
    OR OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id
) EXECUTE FUNCTION interruptions_note_stray();
"""
FORGET = """
DROP TRIGGER interruptions_machine_strays ON fleet_machine;
DROP FUNCTION interruptions_note_stray();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('fleet', '0002_when_a_machine_was_listed'),
        ('interruptions', '0009_one_index_each'),
    ]

    operations = [
        migrations.CreateModel(
            name='StrayMachine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(choices=[('live', 'Live'), ('sample', 'Sample'), ('drill', 'Drill'), ('test', 'Test')], default='live', max_length=8)),
                ('noted_at', models.DateTimeField()),
                ('from_service', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='fleet.service')),
                ('machine', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='strays', to='fleet.machine')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'sample', 'drill', 'test'])), name='interruptions_straymachine_origin_is_known')],
            },
        ),
        migrations.RunSQL(NOTE, FORGET),
    ]
