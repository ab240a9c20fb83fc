"""Bring the database up to what the code expects, and tell a person what stands in the way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TextIO

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from psycopg.conninfo import conninfo_to_dict

OLDEST_POSTGRES = 15
MIGRATION_LOCK = 0x53706F74  # any number of our own; one migrates, the others wait and find nothing to do


class CannotPrepare(Exception):
    """Carries the one sentence the operator is told."""


def prepare_database(out: TextIO) -> None:
    with _one_at_a_time():
        _refuse_newer_database()
        try:
            call_command("migrate", interactive=False, verbosity=1, stdout=out, skip_checks=True)
            call_command("createcachetable", verbosity=0)
        except InconsistentMigrationHistory as error:
            raise CannotPrepare(f"The database's list of migrations contradicts itself: {error}") from error
        except (DatabaseError, CommandError) as error:
            raise CannotPrepare(_what_failed(error)) from error


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """On a connection of its own: the lock belongs to a session, and goes with it whatever happens."""
    url = settings.DATABASE_LISTEN_URL
    try:
        session = psycopg.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.Error as error:
        raise CannotPrepare(f"The database {_shown(url)} cannot be reached: {_first_line(error)}.") from error
    with session:
        if session.info.server_version < OLDEST_POSTGRES * 10_000:
            found = session.info.server_version // 10_000
            raise CannotPrepare(
                f"The database {_shown(url)} is PostgreSQL {found}; "
                f"the console needs {OLDEST_POSTGRES} or later."
            )
        session.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        yield


def _refuse_newer_database() -> None:
    """Rows that a newer console wrote would be misread, so an older one does not start on them."""
    loader = MigrationExecutor(connection).loader
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("console.")}
    known = set(loader.disk_migrations)
    known |= {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    strange = sorted(key for key in loader.applied_migrations if key[0] in ours and key not in known)
    if strange:
        raise CannotPrepare(
            f"The database is newer than this console: it knows the migration {'.'.join(strange[0])}. "
            f"Start the newer version, or restore an older backup."
        )


def _what_failed(error: Exception) -> str:
    name = _next_migration()
    if name is None:
        return f"The database could not be prepared: {_first_line(error)}."
    return (
        f"The migration {name} could not be applied: {_first_line(error)}. Those before it stand; "
        f"mend the cause and start again, or restore the last backup if it was applied by half."
    )


def _next_migration() -> str | None:
    with contextlib.suppress(DatabaseError):
        executor = MigrationExecutor(connection)
        for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return f"{migration.app_label}.{migration.name}"
    return None


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")


def _shown(url: str) -> str:
    """Host and name, never the password."""
    parts = conninfo_to_dict(url)
    return f"{parts.get('dbname') or 'of no name'} at {parts.get('host') or 'localhost'}"
