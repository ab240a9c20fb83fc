"""Each bench begins with the tables and nothing in them: no figure depends on which bench ran before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection

PRISTINE = "bench_pristine"
_END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
"""Ours alone: `DROP … WITH (FORCE)` may not end a worker of autovacuum, which a plain drop sends away by itself."""


def keep_pristine() -> None:
    """Right after migrating: what every bench begins with."""
    _copy(connection.settings_dict["NAME"], into=PRISTINE)


def begin_anew() -> None:
    """Whatever the last bench left is gone."""
    _copy(PRISTINE, into=connection.settings_dict["NAME"])


def make_empty(database: str) -> None:
    """Another database with the tables and nothing else."""
    _copy(PRISTINE, into=database)


@contextmanager
def using(database: str) -> Iterator[None]:
    """What runs inside reads and writes this database."""
    main = connection.settings_dict["NAME"]
    _let_go()
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        _let_go()
        connection.settings_dict["NAME"] = main


def _copy(database: str, *, into: str) -> None:
    _let_go()
    with _maintenance() as cursor:
        cursor.execute(_END_SESSIONS, [into])
        cursor.execute(f'DROP DATABASE IF EXISTS "{into}"')
        cursor.execute(f'CREATE DATABASE "{into}" TEMPLATE "{database}"')


def _let_go() -> None:
    connection.close()
    connection.close_pool()


@contextmanager
def _maintenance() -> Iterator[psycopg.Cursor]:
    """Where databases are made: in none of ours."""
    values = connection.get_connection_params() | {
        "dbname": "postgres",
        "cursor_factory": psycopg.ClientCursor,
    }
    with psycopg.connect(**values, autocommit=True) as raw, raw.cursor() as cursor:
        yield cursor
