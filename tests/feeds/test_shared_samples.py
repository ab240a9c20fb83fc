"""The published samples beside the project, each read as its expected outcome says.

The folder is found next to the project or through CONSOLE_SHARED; where it is absent nothing is checked.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.feeds.normalised import (
    REFUSALS,
    Kind,
    MachineRef,
    NormalisedEvent,
    ParseContext,
    Reading,
    Rejected,
)
from console.feeds.reading import PARSERS, Body, parser_for, read_body

SHARED = Path(os.environ.get("CONSOLE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
PAYLOADS = SHARED / "payloads"
RECEIVED_AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ORDER = ("accepted", "unrecognised", "ignored", "rejected")
"""Of several results, the one that stands for the body. Repeats never do."""

if (PAYLOADS / "expected.json").exists():
    _expected = json.loads((PAYLOADS / "expected.json").read_text())
    CASES = [
        pytest.param(name, outcome, id=f"{part}:{name}")
        for part in ("files", "filled")
        for name, outcome in _expected[part].items()
    ]
else:
    CASES = []

pytestmark = pytest.mark.skipif(not CASES, reason=f"no published samples at {PAYLOADS}")


def body_of(name: str, outcome: dict[str, Any]) -> bytes:
    body = (PAYLOADS / name).read_bytes()
    if "replace" not in outcome:
        return body
    return json.dumps(filled(json.loads(body), outcome["replace"])).encode()


def filled(value: Any, replace: dict[str, str]) -> Any:
    """Placeholders replaced in string values, never in keys."""
    if isinstance(value, dict):
        return {key: filled(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, replace) for item in value]
    if isinstance(value, str):
        for placeholder, text in replace.items():
            value = value.replace(placeholder, text)
    return value


def read(name: str, outcome: dict[str, Any]) -> Body:
    headers = {key.lower(): value for key, value in outcome.get("headers", {}).items()}
    context = {
        key: value
        for key, value in outcome.get("context", {}).items()
        if key in ParseContext.__struct_fields__
    }
    return read_body(
        body_of(name, outcome),
        kind=outcome["feed_kind"],
        content_type=headers.get("content-type", "application/json"),
        headers=headers,
        context=ParseContext(**context),
        received_at=RECEIVED_AT,
    )


def results_of(body: Body) -> list[str]:
    """What becomes of each item in an empty store."""
    seen: set[str] = set()
    results = []
    for item in body.items:
        is_repeat = isinstance(item.outcome, Reading) and item.outcome.delivery_id in seen
        results.append("duplicates" if is_repeat else result_of(item.outcome))
        if isinstance(item.outcome, Reading):
            seen.add(item.outcome.delivery_id)
    return results


def result_of(outcome: Reading | Rejected) -> str:
    return "rejected" if isinstance(outcome, Rejected) else str(outcome.result)


def status_of(body: Body) -> int:
    if body.is_answered_with_counts or not isinstance(body.items[0].outcome, Rejected):
        return 202
    return REFUSALS[body.items[0].outcome.code]


def instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    if text.startswith("observed"):
        return RECEIVED_AT + timedelta(seconds=30 if "30 s" in text else 0)
    return datetime.fromisoformat(text)


def said(reading: Reading) -> list[dict[str, Any]]:
    """Its events; a sign of life that says nothing else is one of kind heartbeat."""
    if reading.events or not (reading.machine or reading.is_heartbeat):
        return [shown(event) for event in reading.events]
    beat = NormalisedEvent(
        source="",
        kind=Kind.HEARTBEAT,
        event_id=reading.delivery_id,
        occurred_at=reading.heartbeat_at or RECEIVED_AT,
        machine=reading.machine or MachineRef(),
    )
    return [shown(beat)]


def shown(event: NormalisedEvent) -> dict[str, Any]:
    return {
        "kind": str(event.kind),
        "outcome": str(event.outcome),
        "cause": event.cause and str(event.cause),
        "machine": event.machine.instance_id or event.machine.node_name,
        "account": event.machine.account,
        "region": event.machine.region,
        "zone": event.machine.zone,
        "occurred_at": event.occurred_at,
        "deadline_at": event.deadline_at,
        "opens": event.may_open,
    }


def wanted(event: dict[str, Any]) -> dict[str, Any]:
    times = {key: instant(event[key]) for key in ("occurred_at", "deadline_at")}
    said = {key: value for key, value in event.items() if key not in ("role", *times)}
    return {**said, **times, "opens": event["role"] == "opens"}


@pytest.mark.parametrize(("name", "outcome"), CASES)
def test_every_published_sample_is_read_as_expected(name: str, outcome: dict[str, Any]) -> None:
    if outcome["feed_kind"] not in PARSERS:
        with pytest.raises(Rejected) as refusal:
            parser_for(outcome["feed_kind"])
        assert (refusal.value.code, REFUSALS[refusal.value.code]) == ("kind_not_available", 501)
        return
    if outcome["result"] == "handshake":
        return  # answered before anything is read: tests/ingest
    body = read(name, outcome)
    results = results_of(body)
    assert min(set(results) - {"duplicates"}, key=ORDER.index) == outcome["result"]
    assert status_of(body) == outcome["status"]
    told = [
        one
        for item, result in zip(body.items, results, strict=True)
        if isinstance(item.outcome, Reading) and result != "duplicates"
        for one in said(item.outcome)
    ]
    assert told == [wanted(event) for event in outcome["events"]]
    check_refusals(body, results, outcome)


def check_refusals(body: Body, results: list[str], outcome: dict[str, Any]) -> None:
    refused = [
        {"index": item.index, "code": item.outcome.code}
        for item in body.items
        if isinstance(item.outcome, Rejected)
    ]
    if outcome["code"] is not None:
        assert refused[0]["code"] == outcome["code"]
    assert refused == outcome.get("errors", refused)
    assert body.is_answered_with_counts == ("counts" in outcome)
    for result in (*ORDER, "duplicates"):
        if "counts" in outcome:
            assert results.count(result) == outcome["counts"][result]


def test_the_raw_body_of_a_single_sample_is_kept_byte_for_byte() -> None:
    name = "aws/eb-spot-interruption-warning.json"
    body = read(name, {"feed_kind": "aws-eventbridge"})
    assert body.items[0].raw == (PAYLOADS / name).read_bytes()
