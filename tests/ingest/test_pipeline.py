"""A captured payload in, interruptions and groups out; each story told twice, shuffled, and piece by piece."""

from __future__ import annotations

import random

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from console.alerts import pipeline as alerting
from console.alerts.models import AlertGroup, Receipt
from console.feeds.models import Delivery, PipelineAttempt, QueuedDelivery
from console.fleet.models import Machine
from console.interruptions.models import Interruption, InterruptionChange, Observation
from console.interruptions.recording import settle_due
from tests.ingest import outcome
from tests.ingest.hearing import (
    DAY,
    HOUR,
    MACHINE,
    MINUTE,
    NODE,
    OTHER,
    Message,
    at,
    aws,
    hear,
    hear_one_by_one,
    node,
    record,
    store,
)
from tests.make_fleet import make_interval, make_service

pytestmark = pytest.mark.django_db

WARNING = aws("spot-warning-terminate", 0)
STOPPING = aws("spot-warning-stop", 0)
REBALANCE = aws("rebalance", -HOUR)
EVICTED = aws("bid-evicted-two", 121)
GONE = aws("state-terminated", 119)
BY_NODE = {"node_name": NODE}
BOTH = {"node_name": NODE, "instance_id": MACHINE}
NOTICE = {"type": "notice", "action": "terminate", "deadline_at": 119}

STORIES = {
    "a warning alone": [WARNING],
    "rebalance, then warning": [REBALANCE, WARNING, GONE],
    "rebalance alone, and the end of a scale-in": [REBALANCE, GONE],
    "a rebalance six days before": [aws("rebalance", -6 * DAY), WARNING],
    "stopped, started, and interrupted again": [
        STOPPING, aws("state-stopped", 118), aws("state-running", HOUR), aws("request-fulfilled", HOUR + 1),
        aws("spot-warning-stop", 2 * HOUR), aws("state-stopped", 2 * HOUR + 100)],
    "one eviction of two machines": [EVICTED],
    "reclaimed without a warning": [aws("bid-evicted", 100), aws("state-terminated", 90)],
    "node and EventBridge witness one reclaim": [
        WARNING, node(3, NOTICE, {"type": "hook", "started_at": 10, "finished_at": 40, "outcome": "complete"}, **BOTH),
        EVICTED, GONE],
    "a node known by its name only, then by both": [
        node(2, NOTICE, **BY_NODE), aws("rebalance", -MINUTE), node(30, {"type": "heartbeat"}, **BOTH), GONE],
    "two machines that turn out to be one": [
        node(2, NOTICE, **BY_NODE), WARNING, GONE,
        node(60, {"type": "move", "workload": "web/1", "class": "stateless", "evicted_at": 20, "running_at": 55},
             **BOTH)],
    "a state change that waits for its warning": [aws("state-shutting-down", 60), GONE, WARNING],
    "a replacement comes up": [
        WARNING, aws("asg-terminate-action", 10), GONE, aws("asg-launched", 90, machine=OTHER),
        aws("state-running", 95, machine=OTHER)],
    "a capacity reservation is taken back": [aws("capacity-reservation-warning", 0), GONE],
    "maintenance opens nothing": [aws("health-retirement", 0)],
}  # fmt: skip


def _everything() -> tuple[object, ...]:
    return outcome.interruptions(), outcome.unattached(), outcome.episodes()


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("seed", range(3))
def test_any_order_and_any_repetition_tell_the_same_story(story: str, seed: int) -> None:
    messages: list[Message] = list(STORIES[story])
    now = max(message.received for message in messages) + 1
    hear(messages, seconds=now)
    told = _everything()
    assert outcome.episodes() == outcome.naive_episodes()
    hear_one_by_one(messages, seconds=now)
    assert _everything() == told
    _forget()
    random.Random(seed).shuffle(messages)
    hear_one_by_one(messages, seconds=now)
    hear(messages, seconds=now)
    assert _everything() == told
    _nothing_waits()


def _forget() -> None:
    """Empty the record, as if nothing had ever been heard."""
    for model in (Receipt, AlertGroup, InterruptionChange, Observation, Interruption, Machine):
        if model is Interruption:
            Interruption.objects.update(merged_into=None)
        model.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM interruptions_observationkey; DELETE FROM interruptions_episode;"
            "DELETE FROM feeds_deliverykey; DELETE FROM feeds_delivery; DELETE FROM feeds_heartbeatdelivery"
        )


def _nothing_waits() -> None:
    assert not QueuedDelivery.objects.exists()
    assert not InterruptionChange.objects.exists()


def _states() -> list[str]:
    return [one["state"] for one in outcome.interruptions()]


def test_a_warning_becomes_one_interruption_one_group_and_one_receipt() -> None:
    hear([WARNING])
    hear([WARNING])
    (one,) = Interruption.objects.all()
    assert one.key == f"aws:204816327500:eu-central-1:{MACHINE}:1"
    assert (one.state, one.notice_at, one.deadline_at) == ("noticed", at(0), at(120))
    (group,) = AlertGroup.objects.all()
    assert (group.status, group.member_count, group.running_out_count) == ("triggered", 1, 1)
    assert [(r.decision, r.origin) for r in Receipt.objects.all()] == [("log", "live")]
    assert Delivery.objects.count() == 1


def test_a_rebalance_is_a_hint_and_opens_no_group_until_its_warning_comes() -> None:
    hear([REBALANCE])
    assert (_states(), AlertGroup.objects.count(), outcome.episodes()) == (["at_risk"], 0, [])
    hear([WARNING])
    assert _states() == ["noticed"]
    assert AlertGroup.objects.get().member_count == 1


def test_a_rebalance_without_a_warning_ends_as_no_action_after_a_day() -> None:
    hear([REBALANCE])
    assert settle_due(now=at(DAY - HOUR - 1)) == 0
    assert settle_due(now=at(DAY - HOUR)) == 1
    assert _states() == ["no_action"]
    assert settle_due(now=at(2 * DAY)) == 0
    assert not AlertGroup.objects.exists()


def test_a_stop_and_a_start_make_the_next_warning_another_interruption() -> None:
    hear(STORIES["stopped, started, and interrupted again"])
    keys = list(Interruption.objects.order_by("started_at").values_list("key", flat=True))
    assert [key.rpartition(":")[2] for key in keys] == ["1", "2"]
    assert _states() == ["ended", "ended"]


def test_a_late_restart_splits_an_interruption_and_the_part_with_the_opener_keeps_the_key() -> None:
    again = aws("spot-warning-stop", 30 * MINUTE, received=HOUR)
    hear([STOPPING, aws("state-stopped", 118)])
    hear([aws("state-stopped", 31 * MINUTE, received=HOUR), aws("bid-evicted", 32 * MINUTE, received=HOUR)])
    key = Interruption.objects.get().key
    hear([aws("state-running", 20 * MINUTE, received=2 * HOUR), again], seconds=2 * HOUR)
    first, second = Interruption.objects.order_by("started_at")
    assert first.key == key
    assert (first.ended_at, second.started_at) == (at(118), at(30 * MINUTE))


def test_one_eviction_event_of_two_machines_is_two_interruptions_already_ended() -> None:
    hear([EVICTED])
    rows = Interruption.objects.order_by("key")
    assert {(row.state, row.notice_at, row.known_by) for row in rows} == {("ended", None, "audit")}
    assert sorted(Machine.objects.values_list("instance_id", flat=True)) == sorted([MACHINE, OTHER])
    assert AlertGroup.objects.get().member_count == 2
    assert [members for *_, members in outcome.episodes()] == [2]


def test_a_node_and_eventbridge_are_two_witnesses_of_one_interruption() -> None:
    hear_one_by_one(STORIES["node and EventBridge witness one reclaim"])
    mine = Interruption.objects.get(machine__instance_id=MACHINE)
    assert (mine.witness_count, mine.deadline_at) == (2, at(119))
    assert (mine.shutdown_started_at, mine.shutdown_completed_at) == (at(10), at(40))
    assert mine.hook_records.get().outcome == "complete"


def test_a_name_learnt_later_joins_two_machines_with_their_history_groups_and_notes() -> None:
    search = make_service(slug="search-indexer")
    hear([node(2, NOTICE, service="search-indexer", **BY_NODE)])
    older = Interruption.objects.get()
    hear([WARNING])
    assert Interruption.objects.count() == 2
    younger = Interruption.objects.exclude(pk=older.pk).get()
    lone = AlertGroup.objects.get(service__slug="unattributed")
    lone.events.create(at=at(30), kind="note", text="I am looking at it")
    hear([node(60, {"type": "heartbeat"}, **BOTH)])

    older.refresh_from_db()
    younger.refresh_from_db()
    assert (younger.merged_into, younger.state) == (older, "no_action")
    assert (older.state, older.machine.instance_id, older.service) == ("noticed", MACHINE, search)
    assert older.aliases.get().key == younger.key
    assert older.observation_count == 2
    home = AlertGroup.objects.get(service=search)
    assert list(home.members.values_list("interruption", flat=True)) == [older.pk]
    lone.refresh_from_db()
    assert (lone.status, lone.resolution) == ("resolved", "merged")
    left = lone.events.filter(kind="left").get()
    assert left.text == "1 attributed to Search indexer"
    assert left.data["interruptions"] == [older.pk]
    assert lone.events.filter(kind="note").exists()
    assert outcome.episodes() == outcome.naive_episodes()


def test_of_two_joined_reclaims_of_one_service_the_group_stays_and_counts_one() -> None:
    hear([node(2, NOTICE, **BY_NODE)])
    hear([WARNING])
    group = AlertGroup.objects.get()
    assert group.member_count == 2
    hear([node(60, {"type": "heartbeat"}, **BOTH)])
    group.refresh_from_db()
    survivor = Interruption.objects.get(merged_into=None)
    assert (group.status, group.member_count) == ("triggered", 1)
    assert group.members.get().interruption == survivor


def test_a_reclaim_told_too_late_gets_a_closed_group_and_a_receipt_that_says_so() -> None:
    hear(
        [aws("spot-warning-terminate", 0, received=3 * HOUR), aws("state-terminated", 119, received=3 * HOUR)]
    )
    group = AlertGroup.objects.get()
    assert (group.status, group.resolution, group.member_count) == ("resolved", "late", 1)
    assert Receipt.objects.get().reason.startswith("Late by 2 h 58 min")
    assert group.triggered_at == at(0)


def test_late_reclaims_of_one_episode_share_one_closed_group() -> None:
    late = [aws("spot-warning-terminate", 20 * n, machine=f"i-{n:017x}", received=HOUR) for n in range(6)]
    hear(late[:3])
    hear(late[3:])
    assert AlertGroup.objects.get().member_count == 6
    assert not AlertGroup.objects.open().exists()


def test_a_replay_from_the_archive_is_recorded_and_nobody_is_told() -> None:
    hear([aws("spot-warning-replayed", 0)])
    assert _states() == ["noticed"]
    assert AlertGroup.objects.get().resolution == "late"


def test_what_waits_is_attached_when_its_warning_comes() -> None:
    hear([aws("state-shutting-down", 60), GONE])
    assert (outcome.interruptions(), len(outcome.unattached())) == ([], 2)
    hear([WARNING])
    one = Interruption.objects.get()
    assert (one.state, one.shutdown_started_at, one.ended_at) == ("ended", at(60), at(119))
    assert outcome.unattached() == []


def test_an_inventory_that_lists_the_machine_as_stopped_ends_the_interruption() -> None:
    hear([WARNING])
    machine = Machine.objects.get()
    make_interval(machine=machine, service=machine.service, started_at=at(-HOUR), ended_at=at(110))
    assert settle_due(now=at(109)) == 0
    assert settle_due(now=at(112)) == 1
    assert settle_due(now=at(113)) == 0
    one = Interruption.objects.get()
    assert (one.state, one.ended_at, one.due_at) == ("ended", at(110), None)


def test_silence_past_the_deadline_presumes_the_end() -> None:
    hear([WARNING])
    assert settle_due(now=at(120 + 15 * MINUTE - 1)) == 0
    assert settle_due(now=at(120 + 15 * MINUTE)) == 1
    alerting.alert(now=at(120 + 15 * MINUTE))
    one = Interruption.objects.get()
    assert (one.state, one.ended_at) == ("presumed", at(120))
    group = AlertGroup.objects.get()
    assert (group.status, group.resolution) == ("resolved", "healed")


def test_a_heartbeat_long_after_the_deadline_cancels() -> None:
    hear([WARNING])
    hear([node(10 * MINUTE, {"type": "heartbeat"}, instance_id=MACHINE)])
    assert settle_due(now=at(120 + 15 * MINUTE)) == 1
    alerting.alert(now=at(120 + 15 * MINUTE))
    assert _states() == ["cancelled"]
    assert outcome.episodes() == []


def test_an_interruption_whose_observations_are_gone_is_looked_at_once_and_not_for_ever() -> None:
    hear([WARNING])
    Observation.objects.all().delete()
    assert settle_due(now=at(DAY)) == 1
    assert settle_due(now=at(DAY)) == 0


def test_one_origin_never_joins_another() -> None:
    for origin in ("live", "drill", "sample", "test"):
        hear([WARNING, GONE, EVICTED], origin=origin)
    for rows in (Interruption, AlertGroup, Machine):
        counts = {
            origin: rows.objects.filter(origin=origin).count()
            for origin in ("live", "drill", "sample", "test")
        }
        assert len(set(counts.values())) == 1, counts
    assert not Interruption.objects.exclude(machine__origin=F("origin")).exists()
    assert {e.origin for e in AlertGroup.objects.all()} == {"live", "drill", "sample", "test"}
    reasons = set(Receipt.objects.filter(origin="drill").values_list("reason", flat=True))
    assert reasons
    assert all(reason.startswith("Not sent: drill") for reason in reasons)


def test_origins_in_one_batch_are_recorded_apart() -> None:
    store([WARNING], origin="live")
    store([WARNING], origin="drill")
    record(seconds=2)
    assert sorted(Interruption.objects.values_list("origin", flat=True)) == ["drill", "live"]


def test_a_launch_serves_the_earliest_interruption_without_one() -> None:
    lost = [aws("spot-warning-terminate", n, machine=f"i-{n:017x}") for n in (1, 2, 3)]
    launched = [aws("asg-launched", 60 + n, machine=f"i-{n:017x}") for n in (11, 12)]
    hear(lost + launched)
    rows = Interruption.objects.order_by("started_at").values_list("replacement_launched_at", flat=True)
    assert list(rows) == [at(71), at(72), None]


def test_a_node_name_used_again_after_months_does_not_take_the_old_ones_key() -> None:
    hear([node(0, NOTICE, **BY_NODE)])
    later = 60 * DAY
    hear([node(later, {"type": "notice", "deadline_at": later + 120}, **BY_NODE)])
    first, second = Interruption.objects.order_by("started_at")
    assert first.machine != second.machine
    assert first.key != second.key


def test_a_batch_leaves_no_mark_of_its_attempt(transactional_db: None) -> None:
    before = set(PipelineAttempt.objects.values_list("pk", flat=True))
    hear([WARNING])
    assert set(PipelineAttempt.objects.values_list("pk", flat=True)) == before


def test_a_batch_costs_the_same_number_of_statements_however_many_it_holds() -> None:
    counts = []
    for start, size in ((0, 2), (100, 2), (200, 60)):
        store([aws("spot-warning-terminate", n, machine=f"i-{n:017x}") for n in range(start, start + size)])
        with CaptureQueriesContext(connection) as queries:
            record(seconds=600)
        counts.append(len(queries))
    assert counts[1] == counts[2]
    assert counts[2] <= 40
