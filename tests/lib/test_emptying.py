"""Tests with real transactions leave nothing behind, not even in tables whose rows may never be deleted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from console.accounts import audit
from tests import emptying
from tests.make_accounts import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_written_is_gone_and_what_django_needs_stays() -> None:
    make_user()
    _act()
    permissions = Permission.objects.count()

    assert emptying.empty_written_tables(connection)

    assert emptying._written_tables(connection) == []
    assert Permission.objects.count() == permissions > 0


def test_a_large_table_is_left_to_django(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    monkeypatch.setattr(emptying, "TOO_LARGE", 0)

    assert not emptying.empty_written_tables(connection)

    user.refresh_from_db()


def test_triggers_are_awake_again_afterwards() -> None:
    _act()
    emptying.empty_written_tables(connection)
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)


def _act() -> None:
    audit.record(
        audit.Actor.console("tests"), action="test.acted", now=datetime.now(UTC), subject_kind="test"
    )
