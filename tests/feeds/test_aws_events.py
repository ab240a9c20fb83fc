"""Every EventBridge event the console knows, and every way one can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.feeds.normalised import Action, Cause, Kind, Outcome, Reading, Rejected, Result

PAYLOADS = Path(__file__).parent / "payloads"
SENT_AT = datetime(2026, 3, 11, 14, 31, 40, tzinfo=UTC)
MACHINE = "i-0d41c7a9be2f60538"
OTHER = "i-0aa17e52c4d93b806"
FLEET = "fleet-3b9e6c10-77d4-4f0a-a2c5-90be14fd8a31"
SPOT_FLEET = "sfr-5c0d2e81-64ab-4c39-b7f2-0e1da9c38b47"
Read = Callable[..., Reading]
Refuse = Callable[..., Rejected]

WARNING = {"kind": Kind.INTERRUPTION_NOTICE, "cause": Cause.SPOT, "may_open": True}
LATER = SENT_AT + timedelta(seconds=120)
EXPECTED: dict[str, dict[str, Any]] = {
    "spot-warning-terminate": {**WARNING, "action": Action.TERMINATE, "deadline_at": LATER},
    "spot-warning-stop": {**WARNING, "action": Action.STOP, "deadline_at": LATER},
    "spot-warning-hibernate": {**WARNING, "action": Action.HIBERNATE, "deadline_at": SENT_AT},
    "spot-warning-zone-in-arn": {**WARNING, "action": Action.TERMINATE, "deadline_at": LATER},
    "spot-warning-elided-id-with-arn": {**WARNING, "action": Action.TERMINATE, "deadline_at": LATER},
    "capacity-reservation-warning": {
        **WARNING,
        "cause": Cause.CAPACITY_RESERVATION,
        "action": Action.TERMINATE,
    },
    "rebalance": {**WARNING, "kind": Kind.REBALANCE_RECOMMENDATION},
    "state-pending": {"kind": Kind.STATE_CHANGE, "state": "pending"},
    "state-running": {"kind": Kind.STATE_CHANGE, "state": "running", "is_restart": True},
    "state-stopping": {"kind": Kind.STATE_CHANGE, "state": "stopping"},
    "state-stopped": {"kind": Kind.STATE_CHANGE, "state": "stopped"},
    "state-shutting-down": {"kind": Kind.SHUTDOWN_STARTED, "state": "shutting-down"},
    "state-terminated": {"kind": Kind.TERMINATED, "state": "terminated"},
    "request-fulfilled": {"kind": Kind.REPLACEMENT_LAUNCHED, "is_restart": True},
    "fleet-launched": {
        "kind": Kind.REPLACEMENT_LAUNCHED,
        "group": FLEET,
        "zone": "eu-central-1b",
        "instance_type": "m6g.xlarge",
    },
    "fleet-terminated": {
        "kind": Kind.TERMINATED,
        "group": FLEET,
        "zone": "eu-central-1b",
        "instance_type": "m6g.xlarge",
    },
    "fleet-termination_notified": {
        "kind": Kind.STATE_CHANGE,
        "group": FLEET,
        "zone": "eu-central-1b",
        "instance_type": "m6g.xlarge",
    },
    "spot-fleet-launched": {"kind": Kind.REPLACEMENT_LAUNCHED, "group": SPOT_FLEET},
    "fleet-error": {
        "kind": Kind.REPLACEMENT_LAUNCHED,
        "outcome": Outcome.ERROR,
        "group": FLEET,
        "machine": None,
    },
    "spot-fleet-error": {
        "kind": Kind.REPLACEMENT_LAUNCHED,
        "outcome": Outcome.ERROR,
        "group": SPOT_FLEET,
        "machine": None,
    },
    "fleet-unusable": {
        "kind": Kind.REPLACEMENT_LAUNCHED,
        "outcome": Outcome.ERROR,
        "group": FLEET,
        "machine": None,
    },
    "fleet-halted": {"kind": Kind.STATE_CHANGE, "group": FLEET, "machine": None},
    "fleet-request-cancelled": {"kind": Kind.STATE_CHANGE, "group": FLEET, "machine": None},
    "asg-terminate-action": {"kind": Kind.SHUTDOWN_STARTED, "group": "web-spot"},
    "asg-launch-action": {"kind": Kind.REPLACEMENT_LAUNCHED, "group": "web-spot"},
    "asg-launch-into-warm-pool": {"kind": Kind.STATE_CHANGE, "group": "web-spot"},
    "asg-launched": {"kind": Kind.REPLACEMENT_LAUNCHED, "group": "web-spot", "zone": "eu-central-1a"},
    "asg-launch-failed": {
        "kind": Kind.REPLACEMENT_LAUNCHED,
        "outcome": Outcome.ERROR,
        "group": "web-spot",
        "zone": "eu-central-1a",
    },
    "asg-launch-failed-no-machine": {
        "kind": Kind.REPLACEMENT_LAUNCHED,
        "outcome": Outcome.ERROR,
        "group": "web-spot",
        "zone": "eu-central-1a",
        "machine": None,
    },
    "asg-terminated": {"kind": Kind.TERMINATED, "group": "web-spot", "zone": "eu-central-1a"},
    "asg-terminate-failed": {
        "kind": Kind.STATE_CHANGE,
        "outcome": Outcome.ERROR,
        "group": "web-spot",
        "zone": "eu-central-1a",
    },
}


@pytest.mark.parametrize("case", EXPECTED)
def test_each_event_says_what_its_row_of_the_table_says(case: str, read_case: Read) -> None:
    reading = read_case(f"aws/{case}")
    (event,) = reading.events
    said = {
        "kind": event.kind,
        "occurred_at": event.occurred_at,
        "deadline_at": event.deadline_at,
        "outcome": event.outcome,
        "cause": event.cause,
        "action": event.action,
        "state": event.state,
        "may_open": event.may_open,
        "is_restart": event.is_restart,
        "group": event.group,
        "machine": event.machine.instance_id,
        "zone": event.machine.zone,
        "instance_type": event.machine.instance_type,
        "account": event.machine.account,
        "region": event.machine.region,
    }
    unsaid = {
        "occurred_at": SENT_AT,
        "deadline_at": None,
        "outcome": Outcome.OK,
        "cause": None,
        "action": None,
        "state": None,
        "may_open": False,
        "is_restart": False,
        "group": None,
        "machine": MACHINE,
        "zone": None,
        "instance_type": None,
        "account": "204816327500",
        "region": "eu-central-1",
    }
    assert said == {**unsaid, **EXPECTED[case]}
    envelope = json.loads((PAYLOADS / f"aws/{case}.json").read_bytes())
    assert event.source == "aws.eventbridge"
    assert event.event_id == reading.delivery_id == envelope["id"]


@pytest.mark.parametrize(
    ("case", "code", "detail"),
    [
        ("spot-warning-elided-id", "missing_instance_id", "detail.instance-id"),
        ("bad-missing-machine", "missing_instance_id", "detail.instance-id"),
        ("bid-evicted-none", "missing_instance_id", "instanceIdSet"),
        ("health-no-entities", "missing_instance_id", "affectedEntities"),
        ("bad-time-placeholder", "invalid_time", "time:"),
        ("bad-time-missing", "invalid_time", "time:"),
        ("bad-time-number", "invalid_time", "time:"),
        ("bad-time-unset", "invalid_time", "time:"),
        ("bad-action", "invalid_field", "terminate, stop or hibernate"),
        ("bad-action-missing", "invalid_field", "terminate, stop or hibernate"),
        ("bad-account", "invalid_field", "account: must be 12 digits"),
        ("bad-account-number", "invalid_field", "account: must be text"),
        ("bad-account-missing", "invalid_field", "account: missing"),
        ("bad-instance-id", "invalid_field", "8 or 17 hex digits"),
        ("bad-instance-id-number", "invalid_field", "detail.instance-id: must be text"),
        ("bad-detail", "invalid_field", "detail: must be an object"),
        ("bad-detail-type", "invalid_field", "detail-type: must be text"),
        ("bad-region", "invalid_field", "region: must be text"),
        ("bad-nul-region", "invalid_field", "control characters"),
    ],
)
def test_a_wrong_event_is_refused_and_told_why(
    case: str, code: str, detail: str, refuse_case: Refuse
) -> None:
    refusal = refuse_case(f"aws/{case}")
    assert refusal.code == code
    assert detail in refusal.detail
    assert not refusal.is_relayed


@pytest.mark.parametrize(
    "case", ["health-issue", "health-other-service", "health-dedicated-host", "ecs-task"]
)
def test_events_of_no_interest_are_ignored(case: str, read_case: Read) -> None:
    reading = read_case(f"aws/{case}")
    assert (reading.result, reading.events) == (Result.IGNORED, ())


@pytest.mark.parametrize(
    ("case", "note"),
    [
        ("unknown-detail-type", "EC2 Instance Teleported"),
        ("another-source", "com.example.tests"),
        ("service-event-other", "SharedSnapshotCopyInitiated"),
        ("state-floating", "floating"),
        ("fleet-renamed", "renamed"),
    ],
)
def test_an_unknown_event_is_kept_as_unrecognised(case: str, note: str, read_case: Read) -> None:
    reading = read_case(f"aws/{case}")
    assert (reading.result, reading.events) == (Result.UNRECOGNISED, ())
    assert note in reading.note


def test_the_feed_supplies_an_account_the_event_lacks(read_case: Read) -> None:
    (event,) = read_case("aws/bad-account-missing", account="999900001111").events
    assert event.machine.account == "999900001111"


def test_an_archive_replay_is_marked(read_case: Read) -> None:
    assert read_case("aws/spot-warning-replayed").is_replay
    assert not read_case("aws/spot-warning-terminate").is_replay


def test_an_event_without_an_id_is_known_by_its_content(read_bytes: Any) -> None:
    event = json.loads((PAYLOADS / "aws/spot-warning-stop.json").read_bytes())
    del event["id"]
    reordered = dict(reversed(event.items()))
    first, second = (read_bytes(json.dumps(body).encode()).items[0].outcome for body in (event, reordered))
    assert first.events[0].event_id == second.events[0].event_id
    later = read_bytes(json.dumps({**event, "time": "2026-03-11T14:31:41Z"}).encode()).items[0].outcome
    assert later.events[0].event_id != first.events[0].event_id


def test_a_placeholder_id_counts_as_none(read_bytes: Any) -> None:
    event = json.loads((PAYLOADS / "aws/spot-warning-stop.json").read_bytes())
    for placeholder in ("{event-id}", "00000000-0000-0000-0000-000000000000", "1e55...", " "):
        outcome = read_bytes(json.dumps({**event, "id": placeholder}).encode()).items[0].outcome
        assert outcome.events[0].event_id != placeholder


def test_an_endless_id_is_shortened_and_still_tells_events_apart(read_bytes: Any) -> None:
    event = json.loads((PAYLOADS / "aws/spot-warning-stop.json").read_bytes())
    ids = {
        read_bytes(json.dumps({**event, "id": "x" * 100_000 + tail}).encode()).items[0].outcome.delivery_id
        for tail in "ab"
    }
    assert len(ids) == 2
    assert all(len(event_id) <= 255 for event_id in ids)


def test_a_time_far_ahead_is_flagged_and_kept(read_bytes: Any) -> None:
    event = json.loads((PAYLOADS / "aws/rebalance.json").read_bytes())
    for time, is_future in (("2026-03-11T14:36:42Z", False), ("2026-03-11T14:36:43Z", True)):
        (said,) = read_bytes(json.dumps({**event, "time": time}).encode()).items[0].outcome.events
        assert said.is_future is is_future


def test_an_eviction_in_eventbridge_equals_its_bare_record(read_case: Read) -> None:
    wrapped, bare = read_case("aws/bid-evicted"), read_case("aws/record-bid-evicted")
    assert wrapped.events == bare.events
    assert wrapped.delivery_id == bare.delivery_id == "6e0f5a1c-93d2-4c77-b2ab-1f4d8e3605c9"
    (event,) = bare.events
    assert (event.source, event.kind, event.cause) == ("aws.cloudtrail", Kind.TERMINATED, Cause.SPOT)
    assert event.may_open
    assert event.occurred_at == SENT_AT - timedelta(seconds=2)


def test_an_eviction_of_two_machines_is_two_statements(read_case: Read) -> None:
    wrapped, bare = read_case("aws/bid-evicted-two"), read_case("aws/record-bid-evicted-two")
    assert wrapped.events == bare.events
    assert [event.machine.instance_id for event in bare.events] == [MACHINE, OTHER]
    assert [event.event_id.rpartition(":")[2] for event in bare.events] == [MACHINE, OTHER]
    assert bare.delivery_id not in {event.event_id for event in bare.events}


def test_maintenance_belongs_to_the_account_and_region_affected(read_case: Read) -> None:
    (event,) = read_case("aws/health-retirement").events
    assert (event.kind, event.cause, event.may_open) == (
        Kind.INTERRUPTION_NOTICE,
        Cause.MAINTENANCE,
        False,
    )
    assert (event.machine.account, event.machine.region) == ("730915528846", "eu-west-3")
    assert event.deadline_at == datetime(2026, 4, 1, 9, tzinfo=UTC)


def test_the_backup_copy_of_a_health_event_is_the_same_delivery(read_case: Read) -> None:
    first, backup = read_case("aws/health-retirement"), read_case("aws/health-retirement-backup")
    assert first.delivery_id == backup.delivery_id
    assert first.events == backup.events


def test_a_health_event_names_each_machine_once(read_case: Read) -> None:
    events = read_case("aws/health-two-machines").events
    assert [event.machine.instance_id for event in events] == [MACHINE, OTHER]
    assert len({event.event_id for event in events}) == 2


def test_an_old_health_event_falls_back_to_its_envelope(read_case: Read) -> None:
    (event,) = read_case("aws/health-legacy").events
    assert (event.machine.instance_id, event.machine.account) == (MACHINE, "204816327500")
    assert event.machine.region == "eu-central-1"


def test_the_groups_own_words_are_kept_and_set_no_cause(read_case: Read) -> None:
    (event,) = read_case("aws/asg-terminated").events
    assert event.cause is None
    assert event.message is not None
    assert "rebalance recommendation" in event.message
