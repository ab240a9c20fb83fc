"""Whatever arrives is read or refused with a known code, and can be stored either way."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.feeds.identifiers import EVENT_LIMITS, MACHINE_LIMITS
from console.feeds.normalised import REFUSALS, Reading, Rejected
from console.feeds.wire import is_too_deep
from tests.feeds.conftest import KINDS

PAYLOADS = Path(__file__).parent / "payloads"
CASES = sorted(PAYLOADS.rglob("*.json"))
TAKEN = {"too_large", "malformed_json", "missing_instance_id", "invalid_time", "invalid_field",
         "unsupported_version"}  # fmt: skip

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "\0", "i-0d41c7...", "<b>", "{id}", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
         "x" * 3000, "é" * 400, "1.0", "node-report/1", "BidEvictedEvent"]
    ),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
unhurried = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document where a value can be replaced."""
    found = [path] if path else []
    keys = (
        document if isinstance(document, dict) else range(len(document) if isinstance(document, list) else 0)
    )
    for key in keys:
        found += places(document[key], (*path, key))
    return found


def is_sound(body: Any) -> bool:
    """Something was read, and all of it is stored or refused as promised; fails at the first that is not."""
    for item in body.items:
        if isinstance(item.outcome, Rejected):
            assert item.outcome.code in TAKEN
            assert item.outcome.code in REFUSALS
            assert 0 < len(item.outcome.detail) <= 500
            assert "\0" not in item.outcome.detail
        else:
            check_storable(item.outcome)
    return len(body.items) > 0


def check_storable(reading: Reading) -> None:
    written = msgspec.json.encode(reading)
    assert msgspec.json.decode(written, type=Reading) == reading
    assert b"\\u0000" not in written
    assert len(reading.delivery_id) <= 255
    for event in reading.events:
        assert event.event_id
        for row, limits in ((event, EVENT_LIMITS), (event.machine, MACHINE_LIMITS)):
            assert all(len(getattr(row, name) or "") <= limit for name, limit in limits.items())
        assert "" not in msgspec.structs.astuple(event.machine)


@unhurried
@given(data=st.data())
def test_a_value_of_any_other_kind_is_taken_or_refused(data: st.DataObject, read_bytes: Any) -> None:
    path = data.draw(st.sampled_from(CASES))
    document = json.loads(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(document)))
        parent = document
        for key in way:
            parent = parent[key]
        if data.draw(st.booleans()) or not isinstance(parent, dict):
            parent[last] = data.draw(values)
        elif len(document) > 1:
            del parent[last]
    assert is_sound(read_bytes(json.dumps(document).encode(), kind=KINDS[path.parent.name]))


@unhurried
@given(data=st.data())
def test_truncated_and_damaged_bytes_are_taken_or_refused(data: st.DataObject, read_bytes: Any) -> None:
    path = data.draw(st.sampled_from(CASES))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    if data.draw(st.booleans()):
        raw = raw[: data.draw(st.integers(0, len(raw)))]
    wrapped = data.draw(st.sampled_from([b"%s", b"[%s]", b"[{},%s]", b"{}\n%s"])) % bytes(raw)
    body = read_bytes(wrapped, kind=KINDS[path.parent.name])
    assert is_sound(body) or not bytes(raw).strip(), "only an empty array holds nothing"


@unhurried
@given(document=values)
def test_any_json_at_all_is_taken_or_refused(document: Any, read_bytes: Any) -> None:
    raw = json.dumps(document).encode()
    encoded = base64.b64encode(raw).decode()
    wrapper = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data_base64": encoded}
    for kind in KINDS.values():
        body = read_bytes(raw, kind=kind)
        assert is_sound(body) or document == [], "only an empty array holds nothing"
    assert is_sound(read_bytes(json.dumps(wrapper).encode(), kind="cloudevents"))


@given(values)
def test_depth_is_what_a_walk_finds(document: Any) -> None:
    def depth(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    for extra in (20, 30, 31, 32):
        raw = b"[" * extra + json.dumps([document, ["[{"] * 33, [{}] * 33]).encode() + b"]" * extra
        assert is_too_deep(raw) == (extra + depth([document, [], [{}]]) > 32)
