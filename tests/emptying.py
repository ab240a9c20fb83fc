"""What a test with real transactions leaves behind is deleted from the few tables it wrote to.

Django empties every table there is, which with more than a hundred of them costs a quarter of a second a test.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase
from psycopg import sql

KEPT = (
    "django_content_type",
    "auth_permission",
)  # written by Django after its migrations, the same for every test
TOO_LARGE = (
    8 * 2**20
)  # bytes: from here on deleted rows cost the next tests more than emptying all costs this one

_empty_all = TransactionTestCase._fixture_teardown


def install() -> None:
    """Every test with real transactions ends with `empty_written_tables` from now on."""
    TransactionTestCase._fixture_teardown = _empty_after


def let_triggers_sleep(settings: dict[str, Any]) -> None:
    """The embedded server's owner gives the tests' role the right to. `settings` is one of `DATABASES`."""
    where = {"host": settings["HOST"], "port": settings["PORT"]}
    with psycopg.connect(dbname="postgres", user="postgres", autocommit=True, **where) as owner:
        role = sql.Identifier(settings["USER"])
        owner.execute(sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(role))


def empty_written_tables(connection: BaseDatabaseWrapper) -> bool:
    """Delete all rows of all models' tables; False, with nothing done, where one is large or we may not.

    Neither foreign keys nor the triggers of frozen tables have a say: `session_replication_role` lets both sleep.
    """
    written = _written_tables(connection)
    if not _may_let_triggers_sleep(connection) or _largest(connection, written) > TOO_LARGE:
        return False
    if written:
        deletions = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in written]
        statements = [
            sql.SQL("SET LOCAL session_replication_role = replica"),
            *deletions,
        ]
        with connection.cursor() as cursor:
            cursor.execute("BEGIN; " + sql.SQL("; ").join(statements).as_string(None) + "; COMMIT")
    return True


def _empty_after(case: TransactionTestCase) -> None:
    done = [empty_written_tables(connections[name]) for name in case._databases_names(include_mirrors=False)]
    if not all(done):
        _empty_all(case)


def _written_tables(connection: BaseDatabaseWrapper) -> list[str]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table), sql.Identifier(table))
        for table in tables
        if table not in KEPT
    )
    with connection.cursor() as cursor:
        cursor.execute(asked.as_string(None))
        return [table for (table,) in cursor.fetchall()]


def _largest(connection: BaseDatabaseWrapper, tables: list[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(greatest(pg_relation_size(name::regclass), part.size)), 0)"
            " FROM unnest(%s::text[]) AS name, LATERAL"
            " (SELECT max(pg_relation_size(relid)) AS size FROM pg_partition_tree(name::regclass)) AS part",
            [tables],
        )
        (size,) = cursor.fetchone()
    return int(size)


def _may_let_triggers_sleep(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
        (may,) = cursor.fetchone()
    return bool(may)
