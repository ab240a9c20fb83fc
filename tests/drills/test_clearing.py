"""Stop and clear: everything of the sample fleet goes, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client

from console.accounts.models import Role
from console.alerts.models import AlertGroup
from console.drills import clearing
from console.drills.sample.history import History, write_history
from console.drills.setting_up import ACTOR, set_up
from console.interruptions.models import Interruption
from tests.drills.tables import KEPT, tables
from tests.drills.telling import tell_past
from tests.make_accounts import make_user

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def history() -> History:
    return write_history(seed=1, anchor=NOW)


def test_every_table_is_either_cleared_or_kept_on_purpose() -> None:
    named = [table for table, _ in clearing.TABLES]
    assert len(named) == len(set(named))
    assert set(named) | KEPT == tables()
    assert not set(named) & KEPT


def test_the_past_opens_no_group_and_tells_nobody(tmp_path: Path, history: History) -> None:
    set_up(tmp_path, now=NOW)
    tell_past(history, batches=8, now=NOW)
    assert Interruption.objects.filter(origin="sample", is_late=True).count() > 100
    assert not Interruption.objects.filter(is_late=False).exclude(state="no_action").exists()
    assert set(AlertGroup.objects.values_list("status", "resolution")) == {("resolved", "late")}


def test_nothing_to_clear_is_no_error(tmp_path: Path) -> None:
    assert not clearing.ask(by=ACTOR, var=tmp_path, now=NOW)
    assert clearing.clear() == 0


@pytest.mark.parametrize(("role", "status"), [(Role.ADMIN, 302), (Role.MANAGER, 403), (Role.VIEWER, 403)])
def test_only_an_administrator_may_stop_and_clear(
    client: Client, tmp_path: Path, role: Role, status: int
) -> None:
    set_up(tmp_path, now=NOW)
    client.force_login(make_user("alice", role=role))
    assert client.post("/sample/clear/").status_code == status
    assert clearing.is_under_way() == (role is Role.ADMIN)


def test_the_banner_offers_it_to_administrators_and_says_when_it_is_under_way(
    client: Client, tmp_path: Path
) -> None:
    set_up(tmp_path, now=NOW)
    client.force_login(make_user("bob", role=Role.VIEWER, shown_origin="sample"))
    page = client.get("/oncall/").content.decode()
    assert "A sample fleet is playing" in page
    assert "/sample/clear/" not in page
    client.force_login(make_user("alice", role=Role.ADMIN, shown_origin="sample"))
    assert 'action="/sample/clear/"' in client.get("/oncall/").content.decode()
    client.post("/sample/clear/")
    page = client.get("/oncall/").content.decode()
    assert "being cleared" in page
    assert "/sample/clear/" not in page
