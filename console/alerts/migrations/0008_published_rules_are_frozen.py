"""PostgreSQL holds what was published, whoever asks; and every console has a rule for each detector, as version 1."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

from console.alerts.default_rules import install

HOLD = """
CREATE FUNCTION alerts_ruleversion_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Version % of rule % is published and frozen: % is refused.',
        OLD.number, OLD.rule_id, TG_OP
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END
$$;
CREATE TRIGGER alerts_ruleversion_published_is_frozen BEFORE UPDATE OR DELETE ON alerts_ruleversion
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION alerts_ruleversion_is_frozen();
"""
RELEASE = """
DROP TRIGGER alerts_ruleversion_published_is_frozen ON alerts_ruleversion;
DROP FUNCTION alerts_ruleversion_is_frozen();
"""


def install_defaults(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rule, version = apps.get_model("alerts", "Rule"), apps.get_model("alerts", "RuleVersion")
    install(rule.objects, version.objects, now=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("alerts", "0007_rules_and_their_receipts")]

    operations = [
        migrations.RunSQL(HOLD, RELEASE),
        migrations.RunPython(install_defaults, migrations.RunPython.noop),
    ]
