"""Stop and clear: everything of the sample fleet goes, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from console.accounts.models import AuditEntry, Role, User
from console.alerts.models import AlertGroup
from console.drills import clearing
from console.drills.sample.history import History, write_history
from console.drills.sample.lanes import INVENTORY
from console.drills.sample.live import WORKLOADS, Live
from console.drills.sample.machines import random_of
from console.drills.sample.progress import path_in
from console.drills.sample.traffic import REQUESTS
from console.drills.setting_up import ACTOR, set_up
from console.feeds.models import Feed
from console.interruptions import rollups
from console.interruptions.models import Interruption
from console.runbooks.models import Runbook
from tests.drills.telling import store, tell_feeds, tell_inventory, tell_past, tell_requests, tell_workloads
from tests.make_accounts import make_user
from tests.make_feeds import make_feed, make_held
from tests.make_interruptions import make_hook, make_interruption

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(microsecond=0)
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


@pytest.fixture
def history() -> History:
    return write_history(seed=1, anchor=NOW)


@pytest.fixture
def played(tmp_path: Path, history: History) -> Iterator[Path]:
    """A fleet that has played: some of its past, and its first minutes."""
    set_up(tmp_path, now=NOW)
    tell_past(history, batches=2, now=NOW)
    live = Live(history.fleet, now=NOW, chance=random_of(1, "live", 1))
    for seconds in range(0, 240, 20):
        now = NOW + timedelta(seconds=seconds)
        posts = live.due(now)
        tell_inventory([post.body for post in posts if post.lane == INVENTORY], now=now)
        tell_workloads([post.body for post in posts if post.lane == WORKLOADS])
        tell_requests([post.body for post in posts if post.lane == REQUESTS], now=now)
        tell_feeds([post for post in posts if post.lane not in (INVENTORY, WORKLOADS, REQUESTS)], now=now)
    make_held(Feed.objects.get(slug="sample-aws"))
    rollups.roll_up(now=NOW + timedelta(minutes=4))
    return tmp_path


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


def test_machines_belong_to_the_services_their_tags_name(played: Path) -> None:
    by_service = Interruption.objects.filter(service__slug="unattributed").count()
    assert by_service < 3
    assert Interruption.objects.filter(service__slug="checkout-workers").exists()


def test_clearing_leaves_nothing_behind(played: Path) -> None:
    before = counts()
    busy = {table for table, count in before.items() if count}
    assert {"alerts_groupmember", "interruptions_move", "interruptions_measurehour", "feeds_delivery"} <= busy
    assert clearing.ask(by=ACTOR, var=played, now=NOW)
    assert clearing.clear_if_asked() > 1_000
    left = {table for table, count in counts().items() if count}
    others = {"accounts_user", "interruptions_rollupstate", "runbooks_runbook", "runbooks_runbookversion"}
    assert left <= KEPT | others  # which other origins have too
    assert clearing.is_clean()
    assert list(Runbook.objects.values_list("slug", flat=True)) == ["spot-incident"]


def test_clearing_touches_nothing_live(played: Path) -> None:
    clearing.ask(by=ACTOR, var=played, now=NOW)
    clearing.clear()
    live = make_feed(slug="live-aws")
    make_held(live)
    make_hook(make_interruption(), feed=live)
    other = make_feed(slug="drill", origin="drill")
    store(
        other,
        [post.body for post in write_history(seed=1, anchor=NOW).batches[0] if post.lane == "aws"],
        now=NOW,
    )
    before = counts()
    set_up(played, now=NOW)
    clearing.ask(by=ACTOR, var=played, now=NOW)
    clearing.clear()
    after = counts()
    assert {name: after[name] for name in after if name != "accounts_auditentry"} == {
        name: before[name] for name in before if name != "accounts_auditentry"
    }
    assert sum(before.values()) > 200


def test_people_who_looked_at_the_sample_look_at_live_data_again(played: Path) -> None:
    alice, bob = make_user("alice", shown_origin="sample"), make_user("bob", shown_origin="drill")
    clearing.ask(by=ACTOR, var=played, now=NOW)
    clearing.clear()
    shown = dict(User.objects.values_list("email", "shown_origin"))
    assert (shown[alice.email], shown[bob.email]) == ("live", "drill")


def test_asking_takes_the_keys_at_once_and_is_noted(
    played: Path, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert clearing.ask(by=ACTOR, var=played, now=NOW)
    assert clearing.is_under_way()
    assert not path_in(played).exists()
    assert AuditEntry.objects.filter(action="sample.clear").count() == 1


def test_without_the_wish_nothing_is_cleared(played: Path) -> None:
    assert clearing.clear_if_asked() == 0
    assert Interruption.objects.filter(origin="sample").exists()


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
