"""The console's own report: every entry of its schema, and how a wrong one is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.feeds.normalised import (
    Action,
    Cause,
    HookFact,
    Kind,
    LogFact,
    MoveFact,
    Outcome,
    Reading,
    ReplicaFact,
    Result,
    SampleFact,
    VolumeFact,
    WorkFact,
)

PAYLOADS = Path(__file__).parent / "payloads"
REPORT: dict[str, Any] = json.loads((PAYLOADS / "node_report/heartbeat.json").read_bytes())
REPORTED_AT = datetime(2026, 3, 11, 14, 31, 40, tzinfo=UTC)
RECEIVED_AT = datetime(2026, 3, 11, 14, 31, 42, tzinfo=UTC)
Read = Callable[..., Reading]


def clock(minute: int, second: int, microsecond: int = 0) -> datetime:
    return datetime(2026, 3, 11, 14, minute, second, microsecond, tzinfo=UTC)


@pytest.fixture
def read_report(read_bytes: Any) -> Callable[..., Any]:
    """The outcome of the sample report with these entries and fields."""

    def read(*entries: Any, context: dict[str, str] | None = None, **fields: Any) -> Any:
        report = {key: value for key, value in {**REPORT, **fields}.items() if value is not ...}
        body = json.dumps({**report, "reports": entries}).encode()
        return read_bytes(body, kind="node-report", **(context or {})).items[0].outcome

    return read


def test_a_heartbeat_shows_the_machine_alive_and_states_nothing(read_case: Read) -> None:
    reading = read_case("node_report/heartbeat")
    assert (reading.events, reading.facts, reading.is_heartbeat) == ((), (), True)
    assert reading.heartbeat_at == REPORTED_AT
    assert reading.machine is not None
    assert reading.machine.instance_id == "i-0d41c7a9be2f60538"
    assert reading.machine.boot_id == "b7f0c2d9-45e1-4a3c-9f68-1d0e7a52c384"


def test_a_full_report_states_its_stages_in_order(read_case: Read) -> None:
    reading = read_case("node_report/everything")
    assert [(event.kind, event.occurred_at, event.outcome) for event in reading.events] == [
        (Kind.INTERRUPTION_NOTICE, REPORTED_AT, Outcome.OK),
        (Kind.SHUTDOWN_STARTED, clock(31, 45), Outcome.OK),
        (Kind.SHUTDOWN_COMPLETED, clock(32, 10), Outcome.OK),
        (Kind.POD_EVICTED, clock(31, 50), Outcome.OK),
        (Kind.POD_RUNNING, clock(32, 20, 500_000), Outcome.OK),
    ]
    assert [event.event_id for event in reading.events] == [
        "rep-5501:1",
        "rep-5501:2:shutdown_started",
        "rep-5501:2:shutdown_completed",
        "rep-5501:3:pod_evicted",
        "rep-5501:3:pod_running",
    ]
    assert {event.machine for event in reading.events} == {reading.machine}
    assert reading.heartbeat_at == REPORTED_AT
    assert not reading.is_heartbeat


def test_a_full_report_keeps_every_fact(read_case: Read) -> None:
    assert read_case("node_report/everything").facts == (
        HookFact(
            told_as="rep-5501:2",
            started_at=clock(31, 45),
            finished_at=clock(32, 10),
            outcome="partial",
            message="two shards left",
        ),
        MoveFact(
            workload="shop/indexer",
            workload_class="stateful",
            evicted_at=clock(31, 50),
            running_at=clock(32, 20, 500_000),
            to_node="ip-10-2-9-3",
        ),
        WorkFact(
            job="reindex-17",
            attempt=2,
            useful_seconds=7200,
            lost_seconds=310,
            restart_seconds=45,
            last_checkpoint_at=clock(26, 30),
        ),
        VolumeFact(volume="vol-index-3", detached_at=clock(32, 1), attached_at=clock(32, 12)),
        ReplicaFact(name="indexer-2", last_write_at=clock(31, 59), ready_at=clock(32, 30)),
        SampleFact(signal="telemetry", at=clock(31, 39)),
        LogFact(at=clock(31, 46), level="info", message="flushing <b>buffers</b>"),
    )


def test_a_notice_opens_with_the_deadline_the_machine_was_told(read_case: Read) -> None:
    event = read_case("node_report/everything").events[0]
    assert (event.may_open, event.cause, event.action) == (True, Cause.SPOT, Action.TERMINATE)
    assert event.deadline_at == clock(33, 40)
    assert event.is_precise_deadline
    assert event.labels == {"service": "search-indexer"}


def test_a_move_names_its_workload(read_case: Read) -> None:
    labels = read_case("node_report/everything").events[3].labels
    assert labels == {"service": "search-indexer", "namespace": "shop", "workload": "indexer"}


def test_a_failed_hook_ends_in_error(read_report: Any) -> None:
    hook = {
        "type": "hook",
        "finished_at": "2026-03-11T14:32:10Z",
        "outcome": "failed",
        "message": "no\0 disk",
    }
    (event,) = read_report(hook).events
    assert (event.kind, event.outcome) == (Kind.SHUTDOWN_COMPLETED, Outcome.ERROR)
    assert event.message == "no\ufffd disk"


def test_a_hook_that_never_ended_has_only_started(read_report: Any) -> None:
    hook = {"type": "hook", "started_at": "2026-03-11T14:31:45Z", "outcome": "failed"}
    reading = read_report(hook)
    assert [(event.kind, event.outcome) for event in reading.events] == [(Kind.SHUTDOWN_STARTED, Outcome.OK)]
    assert reading.facts[0].outcome == "failed"


def test_a_notice_without_a_time_is_taken_as_of_its_receipt(read_report: Any) -> None:
    (event,) = read_report({"type": "notice"}, reported_at=...).events
    assert (event.occurred_at, event.is_observed, event.deadline_at) == (RECEIVED_AT, True, None)


def test_a_heartbeat_from_a_fast_clock_counts_from_its_receipt(read_report: Any) -> None:
    ahead = (RECEIVED_AT + timedelta(days=1)).isoformat()
    assert read_report({"type": "heartbeat"}, reported_at=ahead).heartbeat_at == RECEIVED_AT


def test_without_a_report_id_the_content_tells_reports_apart(read_report: Any) -> None:
    first = read_report({"type": "notice"}, report_id=...)
    again = read_report({"type": "notice"}, report_id=...)
    other = read_report({"type": "notice", "action": "stop"}, report_id=...)
    assert first == again
    assert first.delivery_id != other.delivery_id


def test_a_report_without_entries_is_ignored(read_report: Any) -> None:
    assert read_report().result is Result.IGNORED


def test_the_feed_names_the_machine_where_the_report_does_not(read_report: Any) -> None:
    context = {"instance_id": "i-0aa17e52c4d93b806", "account": "999900001111"}
    machine = read_report({"type": "notice"}, instance_id=..., account="", context=context).machine
    assert (machine.instance_id, machine.account) == ("i-0aa17e52c4d93b806", "999900001111")


def test_a_node_name_alone_names_a_machine(read_report: Any) -> None:
    machine = read_report({"type": "notice"}, instance_id=...).machine
    assert machine.identifier == "ip-10-2-7-41.eu-central-1.compute.internal"


def test_the_region_of_a_gcp_machine_is_its_zone_without_the_last_part(read_report: Any) -> None:
    gcp = {"provider": "gcp", "account": "shop-prod-1", "instance_id": "2093000891450668968"}
    machine = read_report({"type": "notice"}, **gcp, zone="us-central1-c", region=...).machine
    assert machine.region == "us-central1"


def test_an_unknown_provider_is_kept_as_unrecognised(read_report: Any) -> None:
    reading = read_report({"type": "notice"}, provider="moonbase")
    assert (reading.result, reading.events) == (Result.UNRECOGNISED, ())


@pytest.mark.parametrize(
    ("entries", "fields", "code", "detail"),
    [
        ([{"type": "heartbeat"}] * 2 + [{"type": "hook", "outcome": "fine"}], {}, "invalid_field",
         "reports[2].outcome: must be complete, partial or failed"),
        ([{"type": "dance"}], {}, "invalid_field", "reports[0].type: must be heartbeat, notice, hook"),
        ([{"type": "notice", "action": "explode"}], {}, "invalid_field",
         "reports[0].action: must be terminate, stop or hibernate"),
        ([{"type": "move", "workload": "a/b", "class": "heavy"}], {}, "invalid_field",
         "reports[0].class: must be stateless, batch or stateful"),
        ([{"type": "log", "message": "m", "level": "loud"}], {}, "invalid_field",
         "reports[0].level: must be"),
        ([{"type": "hook"}], {}, "invalid_field", "reports[0]: object missing required field `outcome`"),
        (["heartbeat"], {}, "invalid_field", "reports[0]: expected `object`, got `str`"),
        ([{"type": "work", "job": "j", "useful_seconds": -1, "lost_seconds": 0}], {}, "invalid_field",
         "reports[0].useful_seconds: expected `float` >= 0"),
        ([{"type": "work", "job": "", "useful_seconds": 1, "lost_seconds": 0}], {}, "invalid_field",
         "reports[0].job: expected `str` of length >= 1"),
        ([{"type": "sample", "signal": "a\0b", "at": "2026-03-11T14:31:40Z"}], {}, "invalid_field",
         "reports[0].signal"),
        ([{"type": "hook", "outcome": "complete"}], {}, "invalid_time", "reports[0]: a hook needs"),
        ([{"type": "hook", "outcome": "complete", "started_at": "2026-03-11T14:31:40Z",
           "finished_at": "2026-03-11T14:31:39Z"}], {}, "invalid_field", "must not be before started_at"),
        ([{"type": "notice", "deadline_at": "soon"}], {}, "invalid_time", "reports[0].deadline_at"),
        ([{"type": "move", "workload": "a/b", "class": "batch"}], {}, "invalid_time",
         "reports[0].evicted_at"),
        ([{"type": "log", "message": "m"}], {}, "invalid_time", "reports[0].at"),
        ([], {"reported_at": "yyyy-mm-dd"}, "invalid_time", "reported_at"),
        ([], {"schema": "node-report/2"}, "unsupported_version", "node-report/1"),
        ([], {"schema": ...}, "invalid_field", "schema: must be node-report/1"),
        ([], {"instance_id": "i-0d41c7..."}, "missing_instance_id", "instance_id"),
        ([], {"instance_id": ..., "node_name": " "}, "missing_instance_id", "instance_id"),
        ([], {"instance_id": "vm-1"}, "invalid_field", "instance_id: must be i- and 8 or 17 hex digits"),
        ([], {"account": "shop"}, "invalid_field", "account: must be 12 digits"),
        ([], {"provider": "gcp", "account": ...}, "invalid_field", "must be the numeric instance id"),
        ([], {"provider": "azure", "account": ..., "instance_id": "{vm-name}"}, "invalid_field", "ARM id"),
        ([], {"service": 7}, "invalid_field", "service: expected `str | null`, got `int`"),
        ([], {"node_name": "a\0b"}, "invalid_field", "control characters"),
        ([], {"boot_id": "b" * 129}, "invalid_field", "boot_id: longer than 128 characters"),
        ([{"type": "heartbeat"}] * 5001, {}, "too_large", "5000"),
    ],
)  # fmt: skip
def test_a_wrong_report_is_refused_and_the_entry_named(
    entries: list[Any], fields: dict[str, Any], code: str, detail: str, read_report: Any
) -> None:
    refusal = read_report(*entries, **fields)
    assert refusal.code == code
    assert detail in refusal.detail


def test_fields_the_schema_does_not_know_are_left_alone(read_report: Any) -> None:
    reading = read_report({"type": "heartbeat", "load": 3}, kernel="6.9")
    assert reading.is_heartbeat
