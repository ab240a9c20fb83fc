"""The audit trail is append-only, and PostgreSQL says so, whoever asks: no update, no delete, no truncate."""

from __future__ import annotations

from django.db import migrations

HOLD = """
CREATE FUNCTION accounts_auditentry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only: % is refused.', TG_OP
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END
$$;
CREATE TRIGGER accounts_auditentry_is_not_altered BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_auditentry_is_append_only();
CREATE TRIGGER accounts_auditentry_is_not_emptied BEFORE TRUNCATE ON accounts_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_auditentry_is_append_only();
"""

RELEASE = """
DROP TRIGGER accounts_auditentry_is_not_emptied ON accounts_auditentry;
DROP TRIGGER accounts_auditentry_is_not_altered ON accounts_auditentry;
DROP FUNCTION accounts_auditentry_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit_actor_kinds_and_indexes")]

    operations = [migrations.RunSQL(HOLD, RELEASE)]
