"""Stop and clear, of a fleet that has played: everything of it goes, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from console.accounts.models import AuditEntry, User
from console.drills import clearing
from console.drills.sample.history import write_history
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
from tests.drills.tables import KEPT, counts
from tests.drills.telling import store, tell_feeds, tell_inventory, tell_past, tell_requests, tell_workloads
from tests.make_accounts import make_user
from tests.make_feeds import make_feed, make_held
from tests.make_interruptions import make_hook, make_interruption

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def fleet(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A fleet that has played: some of its past, and its first minutes. Rolled back after the last test."""
    folder = tmp_path_factory.mktemp("played")
    with django_db_blocker.unblock(), transaction.atomic():
        _play(folder)
        yield folder
        transaction.set_rollback(True)


def _play(folder: Path) -> None:
    history = write_history(seed=1, anchor=NOW)
    set_up(folder, now=NOW)
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


@pytest.fixture
def played(fleet: Path, tmp_path: Path) -> Path:
    """Its folder, to be written to."""
    shutil.copytree(fleet, tmp_path, dirs_exist_ok=True)
    return tmp_path


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
