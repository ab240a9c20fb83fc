"""What Azure says: Scheduled Events by way of a watcher, Event Grid in both schemas, the Activity Log."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from console.feeds.normalised import Cause, Kind, NormalisedEvent, Reading, Rejected, Result
from tests.feeds.conftest import PAYLOADS, RECEIVED_AT

Read = Callable[..., Reading]
Refuse = Callable[..., Rejected]

SUBSCRIPTION = "7c1e5a90-4b2d-4f6e-9a37-51d0c8e2b6f4"
EVENT_ID = "9b1f7c20-44d1-4e0a-b7c3-0d5a6e8f1234"
FIRST_SEEN_AT = datetime(2026, 3, 11, 14, 31, 30, tzinfo=UTC)
DEADLINE = datetime(2026, 3, 11, 14, 32, 10, tzinfo=UTC)


def only(reading: Reading) -> NormalisedEvent:
    (event,) = reading.events
    return event


def load(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_bytes())


def scheduled(read_case: Read, name: str, **context: Any) -> Reading:
    return read_case(f"azure_scheduled_events/{name}", **context)


def test_a_preempt_is_a_notice_with_its_deadline(read_case: Read) -> None:
    event = only(scheduled(read_case, "preempt-scheduled"))
    assert (event.kind, event.cause, event.may_open) == (Kind.INTERRUPTION_NOTICE, Cause.SPOT, True)
    assert (event.occurred_at, event.deadline_at) == (FIRST_SEEN_AT, DEADLINE)
    assert (event.native_id, event.is_precise_deadline, event.is_observed) == (EVENT_ID, True, True)
    assert event.event_id == f"{EVENT_ID}:Scheduled:checkout-7"
    assert (event.machine.account, event.machine.boot_id) == (SUBSCRIPTION, "5d2c")


def test_a_preempt_that_started_shuts_down_and_states_no_deadline(read_case: Read) -> None:
    event = only(scheduled(read_case, "preempt-started"))
    assert (event.kind, event.cause, event.deadline_at) == (Kind.SHUTDOWN_STARTED, Cause.SPOT, None)


@pytest.mark.parametrize(
    ("case", "scheduled_kind", "started_kind", "cause"),
    [
        ("reboot", Kind.INTERRUPTION_NOTICE, Kind.SHUTDOWN_STARTED, Cause.MAINTENANCE),
        ("redeploy", Kind.INTERRUPTION_NOTICE, Kind.SHUTDOWN_STARTED, Cause.MAINTENANCE),
        ("terminate", Kind.INTERRUPTION_NOTICE, Kind.SHUTDOWN_STARTED, Cause.CUSTOMER),
        ("freeze", Kind.STATE_CHANGE, Kind.STATE_CHANGE, None),
    ],
)
def test_other_types_open_nothing(
    case: str, scheduled_kind: Kind, started_kind: Kind, cause: Cause | None, read_case: Read
) -> None:
    for status, kind in (("scheduled", scheduled_kind), ("started", started_kind)):
        event = only(scheduled(read_case, f"{case}-{status}"))
        assert (event.kind, event.cause, event.may_open) == (kind, cause, False)


def test_each_machine_of_an_event_is_told_once_and_only_the_reporter_by_its_boot(read_case: Read) -> None:
    first, second = scheduled(read_case, "two-machines").events
    assert (first.machine.instance_id, first.machine.boot_id) == ("checkout-7", "5d2c")
    assert (second.machine.instance_id, second.machine.boot_id) == ("checkout-8", None)
    assert first.native_id == second.native_id


def test_what_is_listed_is_told_of_the_reporter_beside_the_events(read_case: Read) -> None:
    reading = scheduled(read_case, "reporter-not-listed")
    assert only(reading).machine.instance_id == "checkout-8"
    assert reading.listing is not None
    assert (reading.listing.machine.instance_id, reading.listing.listed) == ("checkout-7", (EVENT_ID,))
    assert (reading.listing.incarnation, reading.heartbeat_at) == (7, RECEIVED_AT)


def test_an_empty_document_is_a_sign_of_life_that_lists_nothing(read_case: Read) -> None:
    reading = scheduled(read_case, "empty")
    event = only(reading)
    assert (event.kind, event.listed, event.incarnation) == (Kind.HEARTBEAT, (), 9)
    assert reading.machine is not None
    assert reading.machine.instance_id == "checkout-7"


def test_a_document_polled_again_is_one_delivery_and_a_later_one_is_another(read_bytes: Any) -> None:
    def delivery(**changes: Any) -> str:
        document = load("azure_scheduled_events/preempt-scheduled")
        document["body"] |= changes
        (item,) = read_bytes(json.dumps(document).encode(), kind="azure-scheduled-events").items
        return str(item.outcome.delivery_id)

    assert delivery() == delivery()
    assert delivery() != delivery(DocumentIncarnation=8)


def test_the_handlers_node_is_the_resource_of_the_same_index(read_case: Read) -> None:
    event = only(scheduled(read_case, "handler", account=SUBSCRIPTION))
    machine = event.machine
    assert machine.instance_id == "aks-spot-31415926-vmss_862"
    assert (machine.node_name, machine.cluster) == ("aks-spot-31415926-vmss0000ny", "shop-eu")
    assert (machine.region, machine.zone, machine.instance_type) == ("westeurope", None, "Standard_D4as_v5")


@pytest.mark.parametrize("case", ["preempted", "preempted-cloudevent"])
def test_a_preemption_through_event_grid_is_proof_in_both_schemas(case: str, read_case: Read) -> None:
    event = only(read_case(f"azure/{case}"))
    assert (event.kind, event.cause, event.may_open) == (Kind.TERMINATED, Cause.SPOT, True)
    assert event.occurred_at == datetime(2026, 3, 11, 14, 32, 11, 123456, tzinfo=UTC)
    assert (event.machine.account, event.native_id) == (SUBSCRIPTION, None)
    assert event.event_id == f"/subscriptions/{SUBSCRIPTION}|3c6f1b22-0a57-4f4b-8e43-9d1a7b60c5e1"


def test_a_binary_cloudevent_equals_the_structured_one(read_bytes: Any, read_case: Read) -> None:
    event = load("azure/preempted-cloudevent")
    data = json.dumps(event.pop("data")).encode()
    headers = {f"ce-{name}": value for name, value in event.items()}
    (item,) = read_bytes(data, kind="azure-eventgrid", headers=headers).items
    assert item.outcome.events == read_case("azure/preempted-cloudevent").events


@pytest.mark.parametrize(
    ("case", "cause"),
    [
        ("deallocated-by-customer", Cause.CUSTOMER),
        ("migrated-by-platform", Cause.UNKNOWN),
        ("unavailable", None),
        ("activity-health", Cause.UNKNOWN),
        ("activity-flat", Cause.CUSTOMER),
    ],
)
def test_other_health_news_attach_and_open_nothing(case: str, cause: Cause | None, read_case: Read) -> None:
    event = only(read_case(f"azure/{case}"))
    assert (event.kind, event.cause, event.may_open) == (Kind.STATE_CHANGE, cause, False)


@pytest.mark.parametrize(
    ("case", "result"),
    [
        ("azure/unknown-type", Result.UNRECOGNISED),
        ("azure/of-a-database", Result.IGNORED),
        ("azure/activity-administrative", Result.IGNORED),
        ("azure_scheduled_events/unknown-type", Result.UNRECOGNISED),
    ],
)
def test_what_means_nothing_here_is_set_aside(case: str, result: Result, read_case: Read) -> None:
    assert read_case(case).result is result


@pytest.mark.parametrize(
    ("case", "code", "is_relayed"),
    [
        ("azure/template", "invalid_field", True),
        ("azure/no-target", "missing_instance_id", True),
        ("azure/no-time", "invalid_time", True),
        ("azure_scheduled_events/no-resources", "missing_instance_id", False),
        ("azure_scheduled_events/template-resource", "invalid_field", False),
        ("azure_scheduled_events/scheduled-without-time", "invalid_time", False),
        ("azure_scheduled_events/placeholder-time", "invalid_time", False),
    ],
)
def test_what_cannot_be_taken_says_why(case: str, code: str, is_relayed: bool, refuse_case: Refuse) -> None:
    refusal = refuse_case(case)
    assert (refusal.code, refusal.is_relayed) == (code, is_relayed)


def test_several_events_of_a_body_are_judged_one_by_one(read_bytes: Any) -> None:
    events = [load(f"azure/{case}") for case in ("preempted", "template", "unavailable")]
    body = read_bytes(json.dumps(events).encode(), kind="azure-eventgrid")
    assert [isinstance(item.outcome, Reading) for item in body.items] == [True, False, True]
    assert body.is_answered_with_counts


def test_records_of_a_forwarder_are_items_of_their_own(read_bytes: Any) -> None:
    records = {"records": [load("azure/activity-health"), load("azure/activity-flat")]}
    body = read_bytes(json.dumps(records).encode(), kind="azure-eventgrid")
    assert [item.outcome.result for item in body.items] == [Result.ACCEPTED] * 2
