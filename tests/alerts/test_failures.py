"""What happens to changes when alerting on them fails: each rule of `design.md` section 2, a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry, Role
from console.alerts import correlate, pipeline, routing, setting_aside, settle
from console.alerts.models import AlertGroup, GroupMember, Receipt, SetAside
from console.alerts.setting_aside import Again
from console.alerts.touched import Change, Touched
from console.feeds.attempts import LONGEST_DELAY
from console.feeds.models import PipelineAttempt, PipelineStop
from console.ingest import health
from console.interruptions.models import Interruption, InterruptionChange
from tests.ingest.hearing import MINUTE, at, aws, record, store
from tests.make_accounts import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def machine(number: int) -> str:
    return f"i-{number:017x}"


def reclaims(count: int) -> None:
    """So many reclaims, recorded and not yet alerted on."""
    store([aws("spot-warning-terminate", 0, machine=machine(n)) for n in range(count)])
    record(seconds=60)


def number_of(interruption_id: int) -> int:
    return int(Interruption.objects.get(pk=interruption_id).machine.instance_id.removeprefix("i-"), 16)


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let correlating raise while any of the machines is in the batch (all, if none is named)."""

    def install(error: Exception, *numbers: int) -> None:
        def broken(changes: Sequence[Change], *, now: datetime) -> Touched:
            if not numbers or any(number_of(c.interruption_id) in numbers for c in changes):
                raise error
            return correlate_as_ever(changes, now=now)

        monkeypatch.setattr(correlate, "correlate", broken)

    correlate_as_ever = correlate.correlate
    return install


def members() -> set[int]:
    ids = GroupMember.objects.filter(group__key__startswith="service:").values_list("interruption", flat=True)
    return {number_of(pk) for pk in ids}


def finding() -> AlertGroup:
    return AlertGroup.objects.get(key=setting_aside.FINDING)


def deadlock() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = psycopg.errors.DeadlockDetected("deadlock detected")
    return error


def test_a_poisoned_change_is_found_by_halving_and_the_others_are_alerted_on(
    fail: Callable[..., None],
) -> None:
    reclaims(20)
    fail(ValueError("poisoned"), 7, 12)
    assert pipeline.alert_batch(now=at(61)) == 20
    assert members() == set(range(20)) - {7, 12}
    assert not InterruptionChange.objects.exists()
    assert not PipelineAttempt.objects.exists()
    aside = SetAside.objects.order_by("pk")
    assert {number_of(one.interruption_id or 0) for one in aside} == {7, 12}
    assert {one.detail for one in aside} == {"ValueError: poisoned"}


def test_what_is_set_aside_stands_on_the_board_until_nothing_is(
    fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reclaims(20)
    fail(ValueError("poisoned"), 7)
    pipeline.alert(now=at(61))
    assert finding().is_open
    assert finding().impact.startswith("1 thing is set aside")
    monkeypatch.undo()
    assert setting_aside.try_again(Again("live"), by=Actor.console("test"), now=at(90)) == 1
    assert AuditEntry.objects.filter(action="set_aside.try_again").count() == 1
    pipeline.alert(now=at(91))
    assert members() == set(range(20))
    assert not SetAside.objects.exists()
    assert not finding().is_open


def test_what_fails_again_comes_back_and_is_counted(fail: Callable[..., None]) -> None:
    reclaims(1)
    fail(ValueError("first"))
    pipeline.alert(now=at(61))
    InterruptionChange.objects.create(interruption=Interruption.objects.get(), at=at(62))
    fail(ValueError("second"))
    pipeline.alert(now=at(63))
    (aside,) = SetAside.objects.all()
    assert (aside.detail, aside.failed_count, aside.is_new) == ("ValueError: second", 2, True)


def test_newer_news_that_goes_through_forgets_what_was_set_aside(
    fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reclaims(1)
    fail(ValueError("for a while"))
    pipeline.alert(now=at(61))
    monkeypatch.undo()
    store([aws("state-shutting-down", 62, machine=machine(0))])
    record(seconds=64)
    pipeline.alert(now=at(65))
    assert members() == {0}
    assert not SetAside.objects.exists()
    assert not finding().is_open


def test_two_changes_of_one_poisoned_interruption_are_set_aside_once(fail: Callable[..., None]) -> None:
    reclaims(1)
    InterruptionChange.objects.create(interruption=Interruption.objects.get(), at=at(61))
    fail(ValueError("both"))
    assert pipeline.alert_batch(now=at(62)) == 2
    assert SetAside.objects.count() == 1


def test_an_error_that_may_pass_gives_the_batch_back_rests_longer_each_time_and_counts_no_attempt(
    fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reclaims(3)
    fail(deadlock())
    seconds, waits = 61.0, []
    for _ in range(10):
        with pytest.raises(OperationalError):
            pipeline.alert_batch(now=at(seconds))
        assert pipeline.alert_batch(now=at(seconds)) == 0, "it rests"
        (due_at,) = set(InterruptionChange.objects.values_list("due_at", flat=True))
        assert due_at is not None
        waits.append((due_at - at(seconds)).total_seconds())
        seconds += waits[-1]
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert not PipelineAttempt.objects.exists()
    assert not SetAside.objects.exists()
    monkeypatch.undo()
    assert pipeline.alert_batch(now=at(seconds)) == 3
    assert members() == {0, 1, 2}


def test_what_rests_does_not_hold_up_what_comes_after_it(
    fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reclaims(1)
    fail(deadlock())
    with pytest.raises(OperationalError):
        pipeline.alert_batch(now=at(61))
    monkeypatch.undo()
    store([aws("spot-warning-terminate", 0, machine=machine(1))])
    record(seconds=61)
    assert pipeline.alert_batch(now=at(61)) == 1
    assert members() == {1}


@pytest.mark.parametrize(("size", "bad"), [(60, 6), (20, 5)])
def test_too_many_culprits_stop_alerting_which_says_so_and_goes_on_by_itself(
    size: int, bad: int, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reclaims(size)
    fail(ValueError("a bug of ours"), *range(bad))
    assert pipeline.alert(now=at(61)) == 0
    assert InterruptionChange.objects.count() == size
    assert not SetAside.objects.exists(), "nothing is set aside"
    assert PipelineStop.objects.get().name == "alert"
    assert AlertGroup.objects.get(key="pipeline_stopped:alert").is_open
    assert [text for text in health._stopped() if "alert pipeline stopped" in text]
    assert pipeline.alert(now=at(61 + MINUTE - 1)) == 0, "it rests for a minute"
    monkeypatch.undo()
    assert pipeline.alert(now=at(61 + MINUTE)) == size
    assert not PipelineStop.objects.exists()
    assert not AlertGroup.objects.get(key="pipeline_stopped:alert").is_open


def test_a_decision_that_is_broken_altogether_still_stops_the_pipeline_and_shows_in_health(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Raising an alert about it needs the decision too; the stop does not."""

    def broken(*_: Any, **__: Any) -> list[Receipt]:
        raise ValueError("no decision")

    reclaims(20)
    monkeypatch.setattr(routing, "decide", broken)
    assert pipeline.alert(now=at(61)) == 0
    assert PipelineStop.objects.get().name == "alert"
    assert not AlertGroup.objects.exists()
    monkeypatch.undo()
    assert pipeline.alert(now=at(61 + MINUTE)) == 20
    assert Receipt.objects.exists()


def test_a_group_that_cannot_be_looked_at_is_set_aside_and_the_others_settle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make = [AlertGroup(key=f"service:{n}", title=f"{n}", triggered_at=at(0), last_news_at=at(0), due_at=at(60))
            for n in range(8)]  # fmt: skip
    groups = AlertGroup.objects.bulk_create(make)
    poisoned, refresh = groups[3].pk, settle.refresh

    def broken(some: Sequence[AlertGroup], **rest: Any) -> list[AlertGroup]:
        if any(group.pk == poisoned for group in some):
            raise ValueError("unreadable")
        return refresh(some, **rest)

    monkeypatch.setattr(settle, "refresh", broken)
    assert pipeline.alert(now=at(61)) == 8
    assert SetAside.objects.get().group_id == poisoned
    assert AlertGroup.objects.filter(resolution="merged").count() == 7
    assert pipeline.alert(now=at(3600)) == 0, "it blocks nothing and is not tried for ever"
    monkeypatch.undo()
    setting_aside.try_again(Again("live"), by=Actor.console("test"), now=at(4000))
    pipeline.alert(now=at(4000))
    assert not SetAside.objects.exists()
    assert not AlertGroup.objects.get(pk=poisoned).is_open


WORKER = """
import os, sys
import django
django.setup()
from console.alerts import correlate, pipeline
from console.interruptions.models import Interruption
from tests.ingest.hearing import at
KILLER, SECONDS = sys.argv[1], int(sys.argv[2])
as_ever = correlate.correlate
def deadly(changes, *, now):
    ids = [change.interruption_id for change in changes]
    if Interruption.objects.filter(pk__in=ids, machine__instance_id=KILLER).exists():
        os.kill(os.getpid(), 9)
    return as_ever(changes, now=now)
correlate.correlate = deadly
pipeline.alert(now=at(SECONDS))
"""


def work(killer: str = "", *, seconds: int) -> int:
    """A worker of its own process at that second; its exit code."""
    known = connection.settings_dict
    url = f"postgresql://{known['USER']}@/{known['NAME']}?host={known['HOST']}&port={known['PORT'] or 5432}"
    env = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "console.config.settings"}
    argv = [sys.executable, "-c", WORKER, killer, str(seconds)]
    return subprocess.run(argv, env=env, cwd=settings.BASE_DIR, check=False, timeout=60).returncode


def test_a_change_that_kills_its_worker_runs_alone_from_the_third_attempt_and_is_set_aside_after_the_fifth() -> (
    None
):
    reclaims(5)
    assert [work(machine(2), seconds=60 + MINUTE * n) for n in range(2)] == [-9, -9]
    assert members() == set(), "its companions went down with it"
    assert work(machine(2), seconds=60 + 2 * MINUTE) == -9
    assert {0, 1} <= members(), "what came before it ran alone"
    codes = []
    while InterruptionChange.objects.exists():
        codes.append(work(machine(2), seconds=60 + MINUTE * (3 + len(codes))))
        assert len(codes) < 6
    assert codes == [-9, -9, 0]
    assert members() == {0, 1, 3, 4}
    (aside,) = SetAside.objects.all()
    assert (number_of(aside.interruption_id or 0), aside.detail[:16]) == (2, "Its workers died")
    assert not PipelineAttempt.objects.exists()


def test_after_a_killed_worker_its_batch_rests_before_it_is_taken_up_again() -> None:
    reclaims(2)
    assert work(machine(0), seconds=60) == -9
    assert pipeline.alert_batch(now=at(60)) == 2, "looked at, and left to rest"
    assert members() == set()
    assert set(InterruptionChange.objects.values_list("due_at", flat=True)) == {at(60.5)}
    assert pipeline.alert_batch(now=at(60.5)) == 2
    assert members() == {0, 1}
    assert not PipelineAttempt.objects.exists()


def test_no_rest_is_longer_than_a_minute() -> None:
    assert timedelta(minutes=1) == LONGEST_DELAY


def test_the_quarantine_shows_what_alerting_set_aside_and_lets_a_responder_try_it_again(
    fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    reclaims(20)
    fail(ValueError("poisoned <b>"), 7)
    pipeline.alert(now=at(61))
    client.force_login(make_user("alice", role=Role.RESPONDER))
    page = client.get("/quarantine/").content.decode()
    assert machine(7) in page
    assert "ValueError: poisoned &lt;b&gt;" in page
    monkeypatch.undo()
    assert client.post("/quarantine/set-aside/again/", {"all": "1"}).status_code == 302
    pipeline.alert(now=at(70))
    assert members() == set(range(20))
    assert "What alerting set aside" not in client.get("/quarantine/").content.decode()


def test_a_viewer_cannot_try_again(client: Client) -> None:
    client.force_login(make_user("bob", role=Role.VIEWER))
    assert client.post("/quarantine/set-aside/again/", {"all": "1"}).status_code == 403


def test_the_metrics_say_how_much_is_set_aside_and_rests(fail: Callable[..., None], client: Client) -> None:
    reclaims(20)
    fail(ValueError("poisoned"), 7)
    pipeline.alert(now=at(61))
    store([aws("spot-warning-terminate", 0, machine=machine(30))])
    record(seconds=62)
    fail(deadlock())
    with pytest.raises(OperationalError):
        pipeline.alert_batch(now=datetime.now(UTC) + timedelta(hours=1))
    said = client.get("/metrics").content.decode()
    assert 'spot_console_set_aside{origin="live"} 1.0' in said
    assert 'spot_console_queue_resting{queue="alert"} 1.0' in said
    assert 'spot_console_queue_resting{queue="record"} 0.0' in said
