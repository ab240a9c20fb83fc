"""CloudEvents: what is inside is read by its own rules, however it is wrapped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.feeds.normalised import Kind, Reading, Rejected, Result

PAYLOADS = Path(__file__).parent / "payloads"
WARNING = (PAYLOADS / "aws/spot-warning-terminate.json").read_bytes()
ATTRIBUTES = {
    "ce-specversion": "1.0",
    "ce-id": "r-118",
    "ce-source": "/relay/7",
    "ce-type": "com.example.relay",
}
Read = Callable[..., Reading]
Refuse = Callable[..., Rejected]


@pytest.mark.parametrize(
    "case", ["wrapping-warning", "wrapping-text", "wrapping-base64", "wrapping-pubsub", "four-layers"]
)
def test_a_relayed_copy_equals_the_direct_one(case: str, read_case: Read) -> None:
    direct, relayed = read_case("aws/spot-warning-terminate"), read_case(f"cloudevents/{case}")
    assert relayed == direct


def test_a_relayed_event_without_an_id_equals_the_direct_one(read_bytes: Any) -> None:
    event = json.loads(WARNING)
    del event["id"]
    wrapper = json.loads((PAYLOADS / "cloudevents/wrapping-warning.json").read_bytes())
    direct = read_bytes(json.dumps(event).encode()).items[0].outcome
    relayed = read_bytes(json.dumps({**wrapper, "data": event}).encode(), kind="cloudevents")
    assert relayed.items[0].outcome == direct


def test_a_node_report_may_be_relayed(read_case: Read) -> None:
    (event,) = read_case("cloudevents/wrapping-node-report").events
    assert (event.source, event.kind) == ("node.report", Kind.INTERRUPTION_NOTICE)


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("five-layers", "malformed_json"),
        ("bad-base64", "malformed_json"),
        ("text-not-json", "malformed_json"),
        ("wrapping-pubsub-not-json", "malformed_json"),
        ("wrapping-pubsub-bad-event", "invalid_time"),
        ("both-data", "invalid_field"),
        ("empty-id", "invalid_field"),
        ("empty-source", "invalid_field"),
        ("empty-type", "invalid_field"),
        ("old-version", "unsupported_version"),
        ("no-version", "unsupported_version"),
    ],
)
def test_a_wrong_wrapper_is_refused(case: str, code: str, refuse_case: Refuse) -> None:
    assert refuse_case(f"cloudevents/{case}").code == code


@pytest.mark.parametrize(
    ("case", "is_relayed"),
    [
        ("wrapping-pubsub-not-json", True),
        ("wrapping-pubsub-bad-event", True),
        ("five-layers", True),
        ("text-not-json", False),
        ("old-version", False),
    ],
)
def test_only_a_pubsub_layer_asks_for_a_2xx(case: str, is_relayed: bool, refuse_case: Refuse) -> None:
    assert refuse_case(f"cloudevents/{case}").is_relayed is is_relayed


@pytest.mark.parametrize("case", ["no-data", "unknown-inner", "xml-inner"])
def test_an_unknown_inner_event_is_kept_as_unrecognised(case: str, read_case: Read) -> None:
    reading = read_case(f"cloudevents/{case}")
    assert reading.result is Result.UNRECOGNISED
    assert reading.note


def test_an_audit_entry_that_names_no_machine_is_refused(refuse_case: Refuse) -> None:
    assert refuse_case("cloudevents/audit-preempted").code == "missing_instance_id"


def test_an_audit_entry_of_another_service_is_ignored(read_case: Read) -> None:
    assert read_case("cloudevents/audit-other").result is Result.IGNORED


def test_two_unknown_events_with_equal_data_are_two_deliveries(read_bytes: Any) -> None:
    event = json.loads((PAYLOADS / "cloudevents/unknown-inner.json").read_bytes())
    ids = {
        read_bytes(json.dumps({**event, "id": name}).encode(), kind="cloudevents")
        .items[0]
        .outcome.delivery_id
        for name in ("one", "two")
    }
    assert len(ids) == 2


@pytest.mark.parametrize("kind", ["cloudevents", "aws-eventbridge"])
@pytest.mark.parametrize("content_type", ["application/json", "application/vnd.example+json", ""])
def test_a_binary_event_is_read_from_headers_and_body(
    kind: str, content_type: str, read_bytes: Any, read_case: Read
) -> None:
    body = read_bytes(WARNING, kind=kind, content_type=content_type, headers=ATTRIBUTES)
    assert body.items[0].outcome == read_case("aws/spot-warning-terminate")
    assert not body.is_batch


def test_a_binary_event_of_another_media_type_is_refused(read_bytes: Any) -> None:
    body = read_bytes(b"<a/>", kind="cloudevents", content_type="application/xml", headers=ATTRIBUTES)
    assert body.items[0].outcome.code == "unsupported_media_type"


@pytest.mark.parametrize(
    ("name", "code"),
    [("ce-specversion", "unsupported_version"), ("ce-id", "invalid_field"), ("ce-source", "invalid_field")],
)
def test_a_binary_event_needs_its_attributes(name: str, code: str, read_bytes: Any) -> None:
    headers = {key: value for key, value in ATTRIBUTES.items() if key != name}
    body = read_bytes(WARNING, kind="cloudevents", headers=headers)
    assert body.items[0].outcome.code == code


def test_an_array_in_a_binary_body_is_the_data_of_one_event(read_bytes: Any) -> None:
    body = read_bytes(b"[1, 2]", kind="cloudevents", headers=ATTRIBUTES)
    (item,) = body.items
    assert item.outcome.result is Result.UNRECOGNISED


@pytest.mark.parametrize("kind", ["cloudevents", "aws-eventbridge"])
def test_a_batch_judges_its_events_one_by_one(kind: str, read_bytes: Any) -> None:
    cases = ("wrapping-warning", "bad-base64", "unknown-inner")
    raws = [(PAYLOADS / f"cloudevents/{case}.json").read_bytes().strip() for case in cases]
    body = read_bytes(
        b"[" + b" ,\n".join(raws) + b"]", kind=kind, content_type="application/cloudevents-batch+json"
    )
    assert [item.raw for item in body.items] == raws
    warning, base64, unknown = (item.outcome for item in body.items)
    assert (warning.result, base64.code, unknown.result) == ("accepted", "malformed_json", "unrecognised")
    assert body.is_batch


def test_a_batch_of_one_is_still_a_batch(read_bytes: Any) -> None:
    raw = (PAYLOADS / "cloudevents/bad-base64.json").read_bytes()
    body = read_bytes(
        b"[" + raw + b"]", kind="cloudevents", content_type="application/cloudevents-batch+json"
    )
    assert body.is_answered_with_counts
    assert body.items[0].outcome.code == "malformed_json"
