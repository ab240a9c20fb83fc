"""PostgreSQL holds what was published, and what was done, whoever asks.

A published version is neither changed nor deleted: checklists refer to its wording for ever. A mark is never
changed; it goes only with its whole execution.
"""

from __future__ import annotations

from django.db import migrations

HOLD = """
CREATE FUNCTION runbooks_runbookversion_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Version % of runbook % is published and frozen: % is refused.',
        OLD.number, OLD.runbook_id, TG_OP
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END
$$;
CREATE TRIGGER runbooks_runbookversion_published_is_frozen BEFORE UPDATE OR DELETE ON runbooks_runbookversion
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION runbooks_runbookversion_is_frozen();

CREATE FUNCTION runbooks_stepmark_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Marks of a checklist are append-only: % is refused.', TG_OP
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END
$$;
CREATE TRIGGER runbooks_stepmark_is_not_altered BEFORE UPDATE ON runbooks_stepmark
    FOR EACH ROW EXECUTE FUNCTION runbooks_stepmark_is_append_only();
"""

RELEASE = """
DROP TRIGGER runbooks_stepmark_is_not_altered ON runbooks_stepmark;
DROP FUNCTION runbooks_stepmark_is_append_only();
DROP TRIGGER runbooks_runbookversion_published_is_frozen ON runbooks_runbookversion;
DROP FUNCTION runbooks_runbookversion_is_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0002_drafts_are_saved_and_marks_say_what_was_done")]

    operations = [migrations.RunSQL(HOLD, RELEASE)]
