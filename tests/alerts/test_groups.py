"""What a person handles: one open group a key, its figures, its end, its history, whatever happens at once."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.db import connection

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry
from console.alerts import correlate, handling
from console.alerts import pipeline as alerting
from console.alerts.handling import By, NotPossible, StillFiring
from console.alerts.models import AlertGroup, GroupMember, Receipt
from console.feeds.models import QueuedDelivery
from console.ingest import pipeline
from console.interruptions.models import Interruption, InterruptionChange
from tests.ingest.hearing import HOUR, MACHINE, MINUTE, OTHER, at, aws, hear, node, record, store
from tests.make_accounts import make_user
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db

WARNING = aws("spot-warning-terminate", 0)
GONE = aws("state-terminated", 119)


def move(running: float | None = None) -> dict[str, object]:
    said = {"type": "move", "workload": "web/1", "class": "stateless", "evicted_at": 30}
    return said | ({} if running is None else {"running_at": running})


@pytest.fixture
def alice() -> By:
    user = make_user("alice")
    return By(user=user, actor=Actor.console("tests"))


def the_group() -> AlertGroup:
    """The one of a service; a wave may stand over it."""
    return AlertGroup.objects.get(key__startswith="service:")


def look(seconds: float) -> AlertGroup:
    alerting.alert(now=at(seconds))
    return the_group()


def test_ten_minutes_after_the_last_machine_ended_the_group_heals() -> None:
    hear([WARNING, GONE])
    assert look(119 + 10 * MINUTE - 1).is_open
    group = look(119 + 10 * MINUTE)
    assert (group.status, group.resolution) == ("resolved", "healed")
    assert group.events.order_by("pk").last().text == "Every machine has gone and its work runs elsewhere"


def test_with_moves_it_heals_when_the_last_one_runs() -> None:
    hear([WARNING, GONE, node(40, move(), instance_id=MACHINE)])
    assert look(2 * HOUR).is_open, "a move is pending, however long"
    hear([node(150, move(running=145), instance_id=MACHINE)])
    assert (the_group().status, the_group().resolution) == ("resolved", "healed")


def test_one_machine_still_running_keeps_it_open() -> None:
    hear([WARNING, GONE, aws("spot-warning-terminate", 60, machine=OTHER)])
    group = look(119 + 10 * MINUTE)
    assert (group.is_open, group.member_count, group.running_out_count) == (True, 2, 1)
    assert group.earliest_deadline_at == at(180)


def test_half_an_hour_without_news_closes_it_without_calling_it_healed() -> None:
    hear([WARNING])
    news = the_group().last_news_at
    assert look((news - at(0)).total_seconds() + 30 * MINUTE - 1).is_open
    group = look((news - at(0)).total_seconds() + 30 * MINUTE)
    assert (group.status, group.resolution) == ("resolved", "no_news")


def test_a_machine_that_turns_out_to_be_anothers_moves_and_its_old_group_closes_as_merged() -> None:
    checkout = make_service(slug="checkout")
    hear([WARNING])
    old = the_group()
    hear([node(20, {"type": "heartbeat"}, instance_id=MACHINE, service="checkout")])
    hear([node(30, move(), instance_id=MACHINE, service="checkout")])
    old.refresh_from_db()
    new = AlertGroup.objects.get(service=checkout)
    assert (old.status, old.resolution, old.member_count) == ("resolved", "merged", 0)
    assert (new.status, new.member_count) == ("triggered", 1)
    assert old.events.get(kind="left").text.startswith("1 attributed to Checkout by ")
    assert Interruption.objects.get().service == checkout


def test_what_turns_out_to_be_a_hint_leaves_a_closed_group_which_stays_closed_and_says_so() -> None:
    hear([WARNING, GONE, aws("spot-warning-terminate", 3, machine=OTHER)])
    alerting.alert(now=at(10))
    AlertGroup.objects.filter(pk=the_group().pk).update(
        status="resolved", resolution="by_hand", resolved_at=at(200)
    )
    hint = Interruption.objects.get(machine__instance_id=OTHER)
    Interruption.objects.filter(pk=hint.pk).update(state="no_action", ended_at=None, deadline_at=None)
    for _ in range(2):
        InterruptionChange.objects.create(interruption=hint, at=at(300))
        alerting.alert(now=at(300))
    group = the_group()
    assert (group.status, group.resolution, group.member_count) == ("resolved", "by_hand", 1)
    assert not GroupMember.objects.filter(interruption=hint).exists()
    left = group.events.get(kind="left")
    assert (left.text, left.data["interruptions"]) == ("1 turned out not to be reclaims", [hint.pk])


def test_acknowledging_twice_is_one_event_and_one_audit_entry(alice: By) -> None:
    hear([WARNING])
    for _ in range(2):
        handling.acknowledge(the_group().pk, by=alice, now=at(10))
    group = the_group()
    assert (group.status, group.acknowledged_by) == ("acknowledged", alice.user)
    assert group.events.filter(kind="acknowledged", by=alice.user).count() == 1
    entry = AuditEntry.objects.get(action="alert_group.acknowledge")
    assert (entry.before["status"], entry.after["status"]) == ("triggered", "acknowledged")
    handling.unacknowledge(group.pk, by=alice, now=at(11))
    assert the_group().status == "triggered"


def test_resolving_while_machines_run_out_asks_first(alice: By) -> None:
    hear([WARNING])
    with pytest.raises(StillFiring, match="1 machine"):
        handling.resolve(the_group().pk, by=alice, now=at(10))
    assert the_group().is_open
    group = handling.resolve(the_group().pk, by=alice, now=at(11), is_sure=True)
    assert (group.resolution, group.resolved_by) == ("by_hand", alice.user)


def test_news_of_a_machine_in_a_group_resolved_by_hand_opens_no_second_one(alice: By) -> None:
    hear([WARNING])
    handling.resolve(the_group().pk, by=alice, now=at(11), is_sure=True)
    hear([GONE])
    group = the_group()
    assert (group.resolution, group.running_out_count) == ("by_hand", 0)


def test_a_new_reclaim_after_the_resolve_opens_a_new_group_and_the_old_stays_closed(alice: By) -> None:
    hear([WARNING])
    old = handling.resolve(the_group().pk, by=alice, now=at(11), is_sure=True)
    hear([aws("spot-warning-terminate", 60, machine=OTHER)])
    new = AlertGroup.objects.open().get()
    assert list(new.members.values_list("interruption__machine__instance_id", flat=True)) == [OTHER]
    with pytest.raises(NotPossible, match="newer group"):
        handling.reopen(old.pk, by=alice, now=at(70))
    handling.resolve(new.pk, by=alice, now=at(71), is_sure=True)
    assert handling.reopen(old.pk, by=alice, now=at(72)).is_open


def test_a_group_reopened_by_hand_stays_open_for_half_an_hour_though_all_has_healed(alice: By) -> None:
    hear([WARNING, GONE])
    group = look(HOUR)
    handling.reopen(group.pk, by=alice, now=at(HOUR + 60))
    assert look(HOUR + 60 + 30 * MINUTE - 1).is_open
    assert look(HOUR + 60 + 30 * MINUTE).resolution == "healed"
    assert [e.kind for e in group.events.order_by("pk")] == ["triggered", "resolved", "reopened", "resolved"]


def test_a_silence_ends_by_itself_and_says_so(alice: By) -> None:
    hear([WARNING])
    handling.silence(the_group().pk, until=at(20 * MINUTE), by=alice, now=at(10))
    assert the_group().is_silenced(now=at(20 * MINUTE - 1))
    group = look(20 * MINUTE)
    assert (group.silenced_until, group.is_open) == (None, True)
    assert [e.kind for e in group.events.order_by("pk")] == ["triggered", "silenced", "unsilenced"]
    with pytest.raises(NotPossible, match="at most 7 days"):
        handling.silence(group.pk, until=at(8 * 24 * HOUR), by=alice, now=at(10))


def test_a_note_is_kept_and_an_empty_one_refused(alice: By) -> None:
    hear([WARNING])
    handling.add_note(the_group().pk, " drained by hand ", by=alice, now=at(10))
    assert the_group().events.get(kind="note").text == "drained by hand"
    with pytest.raises(NotPossible):
        handling.add_note(the_group().pk, "  ", by=alice, now=at(10))


def test_each_decision_leaves_one_receipt_with_its_inputs() -> None:
    hear([WARNING])
    receipt = Receipt.objects.get()
    assert receipt.trigger.startswith("change:")
    assert (receipt.inputs["members"], receipt.inputs["running_out"]) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_open_one_group_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MOST_DELIVERIES", 3)
    monkeypatch.setattr(alerting, "MOST_CHANGES", 3)
    store([aws("spot-warning-terminate", n, machine=f"i-{n:017x}") for n in range(24)])
    record(seconds=100)
    start = Barrier(3)

    def work() -> None:
        start.wait()
        try:
            while alerting.alert_batch(now=at(100)):
                pass
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    alerting.alert(now=at(100))
    assert not InterruptionChange.objects.exists()
    assert not QueuedDelivery.objects.exists()
    keys = AlertGroup.objects.open().values_list("key", flat=True)
    assert sorted(key.partition(":")[0] for key in keys) == ["service", "wave"]
    assert (the_group().member_count, GroupMember.objects.filter(group=the_group()).count()) == (24, 24)
    assert the_group().events.filter(kind="triggered").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_group_resolved_between_opening_and_joining_is_opened_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hear([WARNING])
    lock, left = correlate._lock, [1]

    def resolve() -> None:
        try:
            AlertGroup.objects.update(status="resolved", resolved_at=at(50), resolution="by_hand")
        finally:
            connection.close()

    def late_lock(*arguments: object) -> object:
        if left:
            left.pop()
            thread = Thread(target=resolve)
            thread.start()
            thread.join(20)
        return lock(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(correlate, "_lock", late_lock)
    hear([aws("spot-warning-terminate", 60, machine=OTHER)])
    assert AlertGroup.objects.count() == 2
    assert AlertGroup.objects.open().get().member_count == 1
