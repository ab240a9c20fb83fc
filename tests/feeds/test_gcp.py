"""What Compute Engine says: audit entries by any way, operations, and the metadata server's one word."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.feeds.normalised import Cause, Kind, NormalisedEvent, Outcome, Reading, Rejected, Result
from tests.feeds.conftest import PAYLOADS, RECEIVED_AT

Read = Callable[..., Reading]
Refuse = Callable[..., Rejected]

OPERATION = "systemevent-1773239500000-64c0a1b2c3d4e-5f60718a-92b3c4d5"
NODE = "gke-shop-spot-7f3a-x2vq"
NUMERIC = "4021885517233905166"


def only(reading: Reading) -> NormalisedEvent:
    (event,) = reading.events
    return event


def load(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_bytes())


def test_a_preemption_opens_an_interruption_that_is_over(read_case: Read) -> None:
    event = only(read_case("gcp/audit-preempted"))
    assert (event.kind, event.cause, event.may_open) == (Kind.TERMINATED, Cause.SPOT, True)
    assert event.occurred_at == datetime(2026, 3, 11, 14, 31, 40, 204118, tzinfo=UTC)
    assert (event.source, event.native_id) == ("gcp.audit", OPERATION)
    machine = event.machine
    assert (machine.provider, machine.account, machine.instance_id) == ("gcp", "shop-prod-1", NUMERIC)
    assert (machine.region, machine.zone, machine.node_name) == ("europe-west1", "europe-west1-c", NODE)


def test_a_push_and_the_bare_entry_are_one_delivery(read_case: Read) -> None:
    assert read_case("gcp/push-preempted") == read_case("gcp/audit-preempted")


def test_an_entry_relayed_by_eventarc_equals_the_direct_one(read_bytes: Any, read_case: Read) -> None:
    relayed = {
        "specversion": "1.0",
        "id": "r-1",
        "source": "//cloudaudit.googleapis.com/projects/shop-prod-1/logs/system_event",
        "type": "google.cloud.audit.log.v1.written",
        "data": load("gcp/audit-preempted"),
    }
    (item,) = read_bytes(json.dumps(relayed).encode(), kind="cloudevents").items
    assert item.outcome.events == read_case("gcp/audit-preempted").events


def test_pulled_messages_are_items_of_their_own(read_bytes: Any) -> None:
    push = load("gcp/push-preempted")
    pulled = {"receivedMessages": [{"ackId": str(n), "message": push["message"]} for n in range(2)]}
    body = read_bytes(json.dumps(pulled).encode(), kind="gcp-pubsub-pull")
    assert [item.outcome.result for item in body.items] == [Result.ACCEPTED] * 2
    assert len({item.outcome.delivery_id for item in body.items}) == 1


@pytest.mark.parametrize(
    ("case", "kind", "cause", "state"),
    [
        ("audit-stop-first", Kind.STATE_CHANGE, Cause.CUSTOMER, "stopping"),
        ("audit-stop-last", Kind.STATE_CHANGE, Cause.CUSTOMER, "stopped"),
        ("audit-guest-terminate", Kind.STATE_CHANGE, Cause.CUSTOMER, "stopped"),
        ("audit-deferred-stop", Kind.STATE_CHANGE, Cause.CUSTOMER, "stopped"),
        ("audit-host-error", Kind.STATE_CHANGE, Cause.UNKNOWN, None),
        ("audit-insert", Kind.REPLACEMENT_LAUNCHED, None, None),
    ],
)
def test_other_deeds_attach_and_open_nothing(
    case: str, kind: Kind, cause: Cause | None, state: str | None, read_case: Read
) -> None:
    event = only(read_case(f"gcp/{case}"))
    assert (event.kind, event.cause, event.state, event.may_open) == (kind, cause, state, False)


def test_both_entries_of_a_stop_share_the_operation_and_not_the_event_id(read_case: Read) -> None:
    first, last = only(read_case("gcp/audit-stop-first")), only(read_case("gcp/audit-stop-last"))
    assert first.native_id == last.native_id
    assert first.event_id != last.event_id


def test_the_projects_number_is_never_its_account(read_case: Read) -> None:
    assert only(read_case("gcp/audit-stop-first")).machine.account == "shop-prod-1"


def test_a_launch_tells_type_cluster_and_node_pool(read_case: Read) -> None:
    event = only(read_case("gcp/audit-insert"))
    assert event.machine.instance_type == "n2-standard-8"
    assert event.labels == {"cluster": "shop-eu", "node_pool": "spot"}


def test_a_launch_without_capacity_is_an_error(read_case: Read) -> None:
    event = only(read_case("gcp/audit-insert-exhausted"))
    assert (event.outcome, event.message) == (Outcome.ERROR, "ZONE_RESOURCE_POOL_EXHAUSTED")


def test_a_name_alone_attaches_with_low_confidence_and_never_opens(read_case: Read) -> None:
    for case in ("gcp/audit-by-name", "gcp_operations/by-name"):
        event = only(read_case(case))
        assert (event.machine.instance_id, event.machine.node_name) == (None, NODE)
        assert (event.may_open, event.is_low_confidence) == (False, True)
        assert (event.machine.account, event.machine.zone) == ("shop-prod-1", "europe-west1-c")


@pytest.mark.parametrize(
    ("case", "code", "is_relayed"),
    [
        ("gcp/audit-elided", "missing_instance_id", False),
        ("gcp/push-elided", "missing_instance_id", True),
        ("gcp/push-not-base64", "malformed_json", True),
        ("gcp/audit-aws-id", "invalid_field", False),
        ("gcp/audit-placeholder-time", "invalid_time", False),
        ("gcp_operations/no-target", "missing_instance_id", False),
        ("gcp_operations/no-time", "invalid_time", False),
        ("gcp_metadata/another-word", "invalid_field", False),
    ],
)
def test_what_cannot_be_taken_says_why(case: str, code: str, is_relayed: bool, refuse_case: Refuse) -> None:
    refusal = refuse_case(case)
    assert (refusal.code, refusal.is_relayed) == (code, is_relayed)


@pytest.mark.parametrize(
    ("case", "result"),
    [
        ("gcp/audit-migrate", Result.UNRECOGNISED),
        ("gcp/audit-set-labels", Result.IGNORED),
        ("gcp_operations/recreate", Result.UNRECOGNISED),
        ("gcp_operations/set-labels", Result.IGNORED),
        ("gcp_operations/insert-disk", Result.IGNORED),
        ("gcp_operations/empty-list", Result.IGNORED),
        ("gcp_metadata/maintenance", Result.UNRECOGNISED),
    ],
)
def test_what_means_nothing_here_is_set_aside(case: str, result: Result, read_case: Read) -> None:
    assert read_case(case).result is result


def test_an_operation_says_what_the_audit_entry_says(read_case: Read) -> None:
    event = only(read_case("gcp_operations/preempted"))
    entry = only(read_case("gcp/audit-preempted"))
    assert (event.native_id, event.kind, event.cause) == (entry.native_id, entry.kind, entry.cause)
    assert (event.machine, event.may_open) == (entry.machine, True)
    assert abs(event.occurred_at - entry.occurred_at) < timedelta(seconds=1)


def test_an_operation_is_told_when_it_runs_and_when_it_is_done(read_case: Read) -> None:
    running, done = (only(read_case(f"gcp_operations/stop-{word}")) for word in ("running", "done"))
    assert (running.state, done.state) == ("stopping", "stopped")
    assert running.event_id != done.event_id
    assert done.occurred_at - running.occurred_at == timedelta(seconds=44, milliseconds=100)


def test_a_failed_operation_is_an_error(read_case: Read) -> None:
    assert only(read_case("gcp_operations/insert-failed")).outcome is Outcome.ERROR


@pytest.mark.parametrize("is_aggregated", [False, True])
def test_each_operation_of_a_list_is_an_item_cut_out_as_it_came(is_aggregated: bool, read_bytes: Any) -> None:
    raws = [(PAYLOADS / f"gcp_operations/{case}.json").read_text() for case in ("preempted", "no-target")]
    items = f"[{raws[0]},{raws[1]}]"
    kind = "compute#operationList"
    if is_aggregated:
        items, kind = (
            f'{{"zones/x": {{"operations": {items}}}, "zones/y": {{"warning": {{}}}}}}',
            ("compute#operationAggregatedList"),
        )
    body = read_bytes(f'{{"kind": "{kind}", "items": {items}}}'.encode(), kind="gcp-operations")
    assert [item.raw.decode().strip() for item in body.items] == [raw.strip() for raw in raws]
    assert body.is_batch
    assert isinstance(body.items[0].outcome, Reading)
    assert body.items[1].outcome.code == "missing_instance_id"


def test_true_is_a_notice_of_half_a_minute_from_when_it_was_first_seen(read_case: Read) -> None:
    event = only(read_case("gcp_metadata/preempted"))
    assert (event.kind, event.cause, event.may_open) == (Kind.INTERRUPTION_NOTICE, Cause.SPOT, True)
    assert event.occurred_at == datetime(2026, 3, 11, 14, 31, 10, 500000, tzinfo=UTC)
    assert event.deadline_at == event.occurred_at + timedelta(seconds=30)
    assert (event.is_observed, event.machine.boot_id) == (True, "0e8d7f4a-7c1f-4b51-9a53-0a4c4b1b0f6e")


def test_false_is_a_sign_of_life_and_nothing_else(read_case: Read) -> None:
    reading = read_case("gcp_metadata/not-preempted")
    assert (reading.events, reading.is_heartbeat, reading.heartbeat_at) == ((), True, RECEIVED_AT)
    assert reading.machine is not None
    assert reading.machine.instance_id == NUMERIC


@pytest.mark.parametrize("body", [b"TRUE", b" TRUE\n", b'"TRUE"', b"true"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_the_plain_word_and_the_quoted_one_are_one_message(
    body: bytes, content_type: str, read_bytes: Any
) -> None:
    (item,) = read_bytes(
        body, kind="gcp-metadata", content_type=content_type, account="shop-prod-1", instance_id=NUMERIC
    ).items
    assert item.raw == body
    assert (
        only(item.outcome).event_id
        == only(
            read_bytes(b'"TRUE"', kind="gcp-metadata", account="shop-prod-1", instance_id=NUMERIC)
            .items[0]
            .outcome
        ).event_id
    )


def test_a_bare_word_without_a_machine_is_refused(read_bytes: Any) -> None:
    (item,) = read_bytes(b"TRUE", kind="gcp-metadata").items
    assert item.outcome.code == "missing_instance_id"
