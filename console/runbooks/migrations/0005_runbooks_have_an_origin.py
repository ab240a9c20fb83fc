"""A runbook of the sample fleet goes with it, its published wording too; all others stay frozen for ever."""

from __future__ import annotations

from django.db import migrations, models

OF_SAMPLE_MAY_GO = """
CREATE OR REPLACE FUNCTION runbooks_runbookversion_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT 1 FROM runbooks_runbook WHERE id = OLD.runbook_id AND origin = 'sample'
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Version % of runbook % is published and frozen: % is refused.',
        OLD.number, OLD.runbook_id, TG_OP
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END
$$;
"""

NONE_MAY_GO = """
CREATE OR REPLACE FUNCTION runbooks_runbookversion_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Version % of runbook % is published and frozen: % is refused.',
        OLD.number, OLD.runbook_id, TG_OP
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0004_default_runbook")]

    operations = [
        migrations.AddField(
            model_name="runbook",
            name="origin",
            field=models.CharField(
                choices=[("live", "Live"), ("sample", "Sample"), ("drill", "Drill"), ("test", "Test")],
                default="live",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="runbook",
            constraint=models.CheckConstraint(
                condition=models.Q(("origin__in", ["live", "sample", "drill", "test"])),
                name="runbooks_runbook_origin_is_known",
            ),
        ),
        migrations.RunSQL(OF_SAMPLE_MAY_GO, NONE_MAY_GO),
    ]
