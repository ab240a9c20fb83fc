"""What AWS sends other than by EventBridge itself: SNS, SQS, lifecycle hooks, instance metadata."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from console.feeds.normalised import Action, Cause, Kind, NormalisedEvent, Outcome, Reading, Rejected, Result
from tests.feeds.conftest import PAYLOADS, RECEIVED_AT, ReadBytes, ReadCase, RefuseCase

FEED = {"account": "444455556666", "region": "us-east-1"}
SEEN_AT = datetime(2026, 3, 11, 14, 31, 40, tzinfo=UTC)


def only(reading: Reading) -> NormalisedEvent:
    (event,) = reading.events
    return event


# SNS -------------------------------------------------------------------------------------------
def test_an_event_in_sns_equals_the_event_itself(read_case: ReadCase) -> None:
    direct = read_case("aws/spot-warning-terminate")
    assert read_case("aws_sns/wrapping-warning") == direct
    assert read_case("aws_sns/raw-warning") == direct
    assert read_case("aws_sqs/record") == direct
    assert read_case("aws_sqs/warning") == direct


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("empty", "an SNS message without content"),
        ("no-event", "unknown inner event"),
        ("unsubscribed", "an SNS UnsubscribeConfirmation"),
    ],
)
def test_what_is_no_event_is_kept_under_the_message_id(read_case: ReadCase, name: str, note: str) -> None:
    reading = read_case(f"aws_sns/{name}")
    assert (reading.result, reading.note) == (Result.UNRECOGNISED, note)
    assert reading.delivery_id == "d8f2c1a4-6b1e-5c0b-9f0e-2a7c51d3e604"


@pytest.mark.parametrize(
    ("name", "code", "field"),
    [("not-json", "malformed_json", "Message: "), ("message-is-object", "invalid_field", "Message: ")],
)
def test_a_message_that_is_no_text_of_json_is_refused(
    refuse_case: RefuseCase, name: str, code: str, field: str
) -> None:
    refusal = refuse_case(f"aws_sns/{name}")
    assert refusal.code == code
    assert refusal.detail.startswith(field)
    assert not refusal.is_relayed


def test_sns_is_taken_as_text(read_bytes: ReadBytes) -> None:
    body = (PAYLOADS / "aws_sns/wrapping-warning.json").read_bytes()
    text = "text/plain; charset=UTF-8"
    assert isinstance(read_bytes(body, kind="aws-sns", content_type=text).items[0].outcome, Reading)
    refusal = read_bytes(body, kind="aws-sqs", content_type=text).items[0].outcome
    assert isinstance(refusal, Rejected)
    assert refusal.code == "unsupported_media_type"


# SQS -------------------------------------------------------------------------------------------
def test_the_records_of_a_function_are_a_batch_even_when_there_is_one(read_bytes: ReadBytes) -> None:
    record = json.loads((PAYLOADS / "aws_sqs/record.json").read_text())
    bad = record | {"body": "Message Body"}
    body = read_bytes(json.dumps({"Records": [record, bad]}).encode(), kind="aws-sqs")
    assert body.is_answered_with_counts
    assert [type(item.outcome) for item in body.items] == [Reading, Rejected]
    assert json.loads(body.items[0].raw) == record
    assert read_bytes(json.dumps({"Records": [bad]}).encode(), kind="aws-sqs").is_answered_with_counts


def test_a_record_waits_in_quarantine_and_is_read_again_alone(read_bytes: ReadBytes) -> None:
    record = (PAYLOADS / "aws_sqs/record.json").read_bytes()
    assert isinstance(read_bytes(record, kind="aws-sqs").items[0].outcome, Reading)


# Lifecycle hooks -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("hook-terminating", Kind.SHUTDOWN_STARTED),
        ("hook-launching", Kind.REPLACEMENT_LAUNCHED),
        ("hook-launching-into-warm-pool", Kind.STATE_CHANGE),
        ("hook-in-sns", Kind.SHUTDOWN_STARTED),
    ],
)
def test_a_hook_is_about_a_machine_of_the_feeds_account(read_case: ReadCase, name: str, kind: Kind) -> None:
    event = only(read_case(f"aws_sqs/{name}", **FEED))
    assert (event.source, event.kind, event.may_open) == ("aws.autoscaling", kind, False)
    assert (event.machine.account, event.machine.region) == ("444455556666", "us-east-1")
    assert (event.machine.instance_id, event.group) == ("i-0d41c7a2b95e3f680", "shop-spot")
    assert event.event_id == "61c7f0d2-8e6f-4f5c-a3c7-2b9d1e604a11"
    assert event.occurred_at == datetime(2026, 3, 11, 14, 31, 41, 120000, tzinfo=UTC)


def test_a_hook_on_a_feed_without_account_says_what_to_set(refuse_case: RefuseCase) -> None:
    refusal = refuse_case("aws_sqs/hook-terminating")
    assert refusal.code == "invalid_field"
    assert "set the account in the feed's settings" in refusal.detail


def test_a_test_notification_is_a_sign_of_life_of_the_feed_alone(read_case: ReadCase) -> None:
    reading = read_case("aws_sqs/hook-test")
    event = only(reading)
    assert reading.is_heartbeat
    assert (reading.machine, event.kind, event.machine.instance_id) == (None, Kind.HEARTBEAT, None)


def test_an_unknown_transition_is_kept(read_case: ReadCase) -> None:
    assert read_case("aws_sqs/hook-unknown", **FEED).result is Result.UNRECOGNISED


# Instance metadata -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "action", "deadline_at"),
    [
        ("terminate", Action.TERMINATE, datetime(2026, 3, 11, 14, 33, 36, tzinfo=UTC)),
        ("hibernate", Action.HIBERNATE, SEEN_AT),
    ],
)
def test_an_instance_action_opens_with_the_machines_own_deadline(
    read_case: ReadCase, name: str, action: Action, deadline_at: datetime
) -> None:
    event = only(read_case(f"aws_imds/{name}"))
    assert (event.source, event.kind) == ("aws.imds", Kind.INTERRUPTION_NOTICE)
    assert (event.action, event.cause, event.may_open) == (action, Cause.SPOT, True)
    assert (event.occurred_at, event.is_observed) == (SEEN_AT, True)
    assert (event.deadline_at, event.is_precise_deadline) == (deadline_at, True)
    assert (event.machine.instance_type, event.machine.zone) == ("m5.large", "eu-west-1a")


def test_a_rebalance_is_told_at_its_own_time(read_case: ReadCase) -> None:
    event = only(read_case("aws_imds/rebalance"))
    assert (event.kind, event.is_observed) == (Kind.REBALANCE_RECOMMENDATION, False)
    assert event.occurred_at == datetime(2026, 3, 11, 14, 20, 1, tzinfo=UTC)


def test_maintenance_opens_nothing_and_tells_its_end(read_case: ReadCase) -> None:
    planned = only(read_case("aws_imds/scheduled"))
    assert (planned.kind, planned.cause) == (Kind.INTERRUPTION_NOTICE, Cause.MAINTENANCE)
    assert planned.deadline_at == datetime(2026, 3, 12, 9, 0, 43, tzinfo=UTC)
    cancelled, completed = read_case("aws_imds/scheduled-two").events
    assert (cancelled.kind, cancelled.outcome) == (Kind.INTERRUPTION_NOTICE, Outcome.CANCELLED)
    assert (completed.kind, completed.outcome) == (Kind.STATE_CHANGE, Outcome.OK)
    assert not any(event.may_open for event in (planned, cancelled, completed))
    assert len({planned.event_id, cancelled.event_id, completed.event_id}) == 3


def test_a_scheduled_event_keeps_its_id_whatever_stands_beside_it(
    read_bytes: ReadBytes, read_case: ReadCase
) -> None:
    wrapper = json.loads((PAYLOADS / "aws_imds/scheduled.json").read_text())
    wrapper["body"].append(wrapper["body"][0] | {"EventId": "instance-event-2"})
    (item,) = read_bytes(json.dumps(wrapper, separators=(", ", ":")).encode(), kind="aws-imds").items
    assert isinstance(item.outcome, Reading)
    assert only(read_case("aws_imds/scheduled")).event_id == item.outcome.events[0].event_id


@pytest.mark.parametrize("name", ["nothing-announced", "scheduled-none", "target-in-service"])
def test_a_poll_that_announces_nothing_shows_the_machine_alive(read_case: ReadCase, name: str) -> None:
    reading = read_case(f"aws_imds/{name}")
    assert (reading.is_heartbeat, reading.events, reading.heartbeat_at) == (True, (), SEEN_AT)
    assert reading.machine is not None
    assert reading.machine.instance_id == "i-0d41c7a2b95e3f680"


def test_the_scaling_group_wants_the_machine_gone(read_case: ReadCase) -> None:
    event = only(read_case("aws_imds/target-terminated"))
    assert (event.kind, event.may_open, event.is_observed) == (Kind.SHUTDOWN_STARTED, False, True)


@pytest.mark.parametrize("name", ["target-unknown", "other-path"])
def test_what_the_table_does_not_name_is_kept(read_case: ReadCase, name: str) -> None:
    assert read_case(f"aws_imds/{name}").result is Result.UNRECOGNISED


@pytest.mark.parametrize(
    ("name", "code"),
    [("bad-action", "invalid_field"), ("bad-time", "invalid_time"), ("elided-id", "missing_instance_id")],
)
def test_a_document_that_cannot_be_is_refused(refuse_case: RefuseCase, name: str, code: str) -> None:
    assert refuse_case(f"aws_imds/{name}").code == code


@pytest.mark.parametrize(
    "body",
    [
        {"action": "stop", "time": "2026-03-11T14:33:36Z"},
        {"noticeTime": "2026-03-11T14:33:36Z"},
        {"Code": "system-reboot", "NotBefore": "12 Mar 2026 09:00:43 GMT", "State": "active"},
        "Terminated",
    ],
)
def test_a_bare_document_needs_the_feeds_settings(read_bytes: ReadBytes, body: Any) -> None:
    raw = json.dumps(body).encode()
    refusal = read_bytes(raw, kind="aws-imds", **FEED).items[0].outcome
    assert isinstance(refusal, Rejected)
    assert refusal.code == "missing_instance_id"
    reading = read_bytes(raw, kind="aws-imds", instance_id="i-0d41c7a2b95e3f680", **FEED).items[0].outcome
    assert isinstance(reading, Reading)
    assert only(reading).machine.instance_id == "i-0d41c7a2b95e3f680"


def test_the_watcher_reports_its_hooks_to_the_same_feed(read_case: ReadCase) -> None:
    reading = read_case("aws_imds/hook-report")
    assert len(reading.facts) == 1
    assert reading.machine is not None


def test_a_relayed_wrapper_equals_the_direct_one(read_bytes: ReadBytes, read_case: ReadCase) -> None:
    wrapper = json.loads((PAYLOADS / "aws_imds/terminate.json").read_text())
    event = {"specversion": "1.0", "id": "1", "source": "relay", "type": "x", "data": wrapper}
    (item,) = read_bytes(json.dumps(event).encode(), kind="cloudevents").items
    assert isinstance(item.outcome, Reading)
    assert only(item.outcome) == only(read_case("aws_imds/terminate"))
    assert RECEIVED_AT > SEEN_AT
