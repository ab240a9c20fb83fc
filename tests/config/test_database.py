"""Bringing the database up to date, and what is said when that cannot be done."""

from __future__ import annotations

import io

import pytest
from django.db import connection

from console.config.database import CannotPrepare, prepare_database

pytestmark = pytest.mark.django_db


def test_a_database_that_is_up_to_date_is_left_alone() -> None:
    out = io.StringIO()
    prepare_database(out)
    assert "No migrations to apply" in out.getvalue()


def test_a_database_newer_than_the_code_is_refused() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('fleet', '9999_later', now())"
        )
    with pytest.raises(CannotPrepare, match=r"newer than this console: .* fleet\.9999_later"):
        prepare_database(io.StringIO())


def test_a_migration_applied_by_half_is_named_with_its_cause() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    with pytest.raises(
        CannotPrepare, match=r"The migration sessions\.0001_initial could not be applied: .* already exists"
    ):
        prepare_database(io.StringIO())
