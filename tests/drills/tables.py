"""Which tables there are, which hold rows of an origin, and how many."""

from __future__ import annotations

from django.apps import apps
from django.db import connection

KEPT = {
    "accounts_defaultview",
    "accounts_savedview",
    "alerts_undo",
    "alerts_evaluation",
    "alerts_rule",
    "alerts_ruleversion",
    "notifications_allowedhost",
    "notifications_attempt",
    "notifications_boardnotice",
    "notifications_contactmethod",
    "notifications_link",
    "notifications_personalrule",
    "notifications_quiethours",
    "notifications_subscriber",
    "accounts_invitation",
    "accounts_auditentry",
    "notifications_channel",
    "feeds_pipelineattempt",
    "feeds_pipelinestop",
    "interruptions_ratetarget",
    "slo_prometheusserver",
}
"""Tables that hold nothing of any one data origin."""


def counts(where: str = "true") -> dict[str, int]:
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(tables()):
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {where}")
            found[table] = cursor.fetchone()[0]
    return found


def tables() -> set[str]:
    return {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.startswith("console.")
    }
