"""One body: cut into items byte for byte, each judged on its own, within the limits."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from console.feeds import reading
from console.feeds.models import FeedKind
from console.feeds.normalised import REFUSALS, Reading, Rejected, Result
from console.feeds.reading import MAX_BODY, MAX_ITEMS, PARSERS, parser_for

PAYLOADS = Path(__file__).parent / "payloads"
WARNING = (PAYLOADS / "aws/spot-warning-terminate.json").read_bytes()
LINE = json.dumps(json.loads(WARNING)).encode()
DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000


def results(body: Any) -> list[str]:
    outcomes = (item.outcome for item in body.items)
    return [str(said.result) if isinstance(said, Reading) else said.code for said in outcomes]


def test_one_message_is_kept_byte_for_byte(read_bytes: Any) -> None:
    raw = b"\xef\xbb\xbf \n" + WARNING + b"\r\n"
    body = read_bytes(raw)
    assert (body.items[0].raw, results(body), body.is_batch) == (raw, ["accepted"], False)


def test_the_items_of_an_array_are_cut_out_as_they_were_sent(read_bytes: Any) -> None:
    odd = LINE.replace(b'"version": "0"', b'"version" :\t"\\u0030"')
    body = read_bytes(b" [\n" + odd + b" ,\n" + WARNING.strip() + b"\n]\n")
    assert [item.raw for item in body.items] == [odd, WARNING.strip()]
    assert [item.index for item in body.items] == [0, 1]
    assert body.is_batch


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/json", "application/jsonl"])
def test_lines_are_items(content_type: str, read_bytes: Any) -> None:
    body = read_bytes(LINE + b"\r\n\n" + b'{"cut off' + b"\n" + LINE + b"\n", content_type=content_type)
    assert results(body) == ["accepted", "malformed_json", "accepted"]
    assert body.items[0].raw == body.items[2].raw == LINE
    assert body.is_batch


def test_a_message_over_several_lines_is_one_message(read_bytes: Any) -> None:
    assert len(read_bytes(WARNING).items) == 1
    assert results(read_bytes(WARNING[:-20])) == ["malformed_json"]


def test_an_array_of_one_is_answered_as_the_single_item_it_holds(read_bytes: Any) -> None:
    body = read_bytes(b"[" + LINE.replace(b"2026-03-11T", b"soon") + b"]")
    assert (results(body), body.is_batch, body.is_answered_with_counts) == (["invalid_time"], False, False)


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "9999-12-31T23:50:00Z"])
def test_a_time_at_the_end_of_the_calendar_is_refused_and_its_neighbours_are_taken(
    time: str, read_bytes: Any
) -> None:
    late = json.dumps(json.loads(WARNING) | {"time": time}).encode()
    assert results(read_bytes(b"[" + LINE + b"," + late + b"]")) == ["accepted", "invalid_time"]


def test_a_fault_of_a_parser_is_kept_for_its_mending_and_its_neighbours_are_taken(
    monkeypatch: pytest.MonkeyPatch, read_bytes: Any
) -> None:
    def stumbling(raw: bytes, **known: Any) -> Reading:
        if b"stumble" in raw:
            raise IndexError("off the end")
        return PARSERS["aws-eventbridge"](raw, **known)

    monkeypatch.setattr(reading, "PARSERS", {"aws-eventbridge": stumbling})
    body = read_bytes(LINE + b'\n{"stumble": 1}\n' + LINE)
    assert results(body) == ["accepted", "processing_error", "accepted"]
    alone = read_bytes(b'{"stumble": 1}')
    assert (results(alone), alone.is_answered_with_counts) == (["processing_error"], True)


def test_an_empty_array_is_a_batch_of_nothing(read_bytes: Any) -> None:
    body = read_bytes(b" [ ] ")
    assert (body.items, body.is_answered_with_counts) == ((), True)


@pytest.mark.parametrize(
    "bad",
    [
        DEEP,
        b"5",
        b'"text"',
        b"null",
        b"[1]",
        b'{"detail-type": "\\ud800"}',
        b'{"detail-type": "x", "n": 1e999}',
        b'{"detail-type": "x", "n": ' + b"1" * 5000 + b"}",
        b'{"detail-type": "\xff"}',
    ],
    ids=["deep", "number", "text", "null", "array", "surrogate", "huge", "endless", "latin-1"],
)
def test_one_bad_item_spoils_no_other(bad: bytes, read_bytes: Any) -> None:
    body = read_bytes(b"[" + LINE + b", " + bad + b" ," + LINE + b"]")
    first, wrong, last = results(body)
    assert (first, last) == ("accepted", "accepted")
    assert wrong in {"malformed_json", "invalid_field", "unrecognised"}
    assert body.items[1].raw == bad


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"hello", "invalid"),
        (LINE[:-1], "truncated"),
        (b"[" + LINE, "truncated"),
        (b"[" + LINE + b",]", "trailing comma"),
        (b"[" + DEEP, "does not end"),
        (b"[" + DEEP + b"]]", "does not end"),
        (LINE + b"}", "trailing"),
        (b'{"time": NaN}', "invalid"),
        (b'{"time": "\xff"}', "UTF-8"),
        (DEEP, "limit of 32"),
        (b"[" * 100_000, "does not end"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "limit of 32"),
        (LINE.replace(b"terminate", b"\x00"), "invalid"),
    ],
)
def test_a_body_that_is_no_json_is_refused_whole(body: bytes, detail: str, read_bytes: Any) -> None:
    said = read_bytes(body)
    (item,) = said.items
    assert (item.outcome.code, item.raw, said.is_answered_with_counts) == ("malformed_json", body, False)
    assert detail in item.outcome.detail


def test_depth_counts_no_brackets_inside_text(read_bytes: Any) -> None:
    event = {**json.loads(LINE), "resources": ["[{" * 500, '\\"[[' * 50]}
    assert results(read_bytes(json.dumps(event).encode())) == ["accepted"]


def test_a_wide_body_is_not_a_deep_one(read_bytes: Any) -> None:
    event = {**json.loads(LINE), "resources": [[{}]] * 5000}
    assert results(read_bytes(json.dumps(event).encode())) == ["accepted"]


def test_thirty_two_levels_are_allowed(read_bytes: Any) -> None:
    assert results(read_bytes(b'{"a":' * 32 + b"1" + b"}" * 32)) == ["unrecognised"]


def test_a_batch_may_hold_five_thousand_items_and_no_more(read_bytes: Any) -> None:
    full = read_bytes(b"[" + b",".join([b"{}"] * MAX_ITEMS) + b"]")
    assert results(full) == ["unrecognised"] * MAX_ITEMS
    over = read_bytes(b"[" + b",".join([b"{}"] * (MAX_ITEMS + 1)) + b"]")
    assert (results(over), over.is_answered_with_counts) == (["too_large"], False)
    assert "5000" in over.items[0].outcome.detail


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"a":' + b"[" * 40 + b'"' + b'\\"' * 500_000,
        b"[" * 2000 + b'"' + b'\\"' * 500_000,
        b'["' + b"\\" * 1_000_000 + b'"]',
        b"[" * 50_000 + b"]" * 50_000,
    ],
    ids=["open string", "open string below", "backslashes", "brackets"],
)
def test_a_hostile_body_takes_no_more_time_than_its_length(hostile: bytes, read_bytes: Any) -> None:
    started = time.process_time()
    read_bytes(hostile)
    assert time.process_time() - started < 1


def test_a_body_over_a_mebibyte_is_too_large(read_bytes: Any) -> None:
    assert results(read_bytes(b" " * (MAX_BODY + 1))) == ["too_large"]


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "APPLICATION/JSON; charset=utf-8", "application/x-amz-json-1.1",
     "application/vnd.shop.events+json", "text/json"],
)  # fmt: skip
def test_json_by_any_name_is_read(content_type: str, read_bytes: Any) -> None:
    assert results(read_bytes(LINE, content_type=content_type)) == ["accepted"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
def test_another_media_type_is_refused_and_told_the_right_header(content_type: str, read_bytes: Any) -> None:
    refusal = read_bytes(LINE, content_type=content_type).items[0].outcome
    assert refusal.code == "unsupported_media_type"
    assert "Content-Type: application/json" in refusal.detail


@pytest.mark.parametrize("kind", [*sorted(set(FeedKind.values) - set(PARSERS)), "nonsense"])
def test_a_kind_that_is_not_built_says_so(kind: str, read_bytes: Any) -> None:
    refusal = read_bytes(LINE, kind=kind).items[0].outcome
    assert (refusal.code, REFUSALS[refusal.code]) == ("kind_not_available", 501)
    with pytest.raises(Rejected, match=kind):
        parser_for(kind)


def test_every_parser_is_of_a_kind_that_can_be_chosen() -> None:
    assert set(PARSERS) <= set(FeedKind.values)


def test_names_with_html_are_text_like_any_other(read_bytes: Any) -> None:
    name = "<script>alert(1)</script>"
    event = json.loads((PAYLOADS / "aws/asg-launched.json").read_bytes())
    event["detail"]["AutoScalingGroupName"] = name
    (said,) = read_bytes(json.dumps(event).encode()).items[0].outcome.events
    assert said.group == name


def test_nul_in_free_text_is_replaced_and_in_a_name_refused(read_bytes: Any) -> None:
    event = json.loads((PAYLOADS / "aws/asg-launch-failed.json").read_bytes())
    event["detail"]["StatusMessage"] = "no\0capacity"
    (said,) = read_bytes(json.dumps(event).encode()).items[0].outcome.events
    assert said.message == "no\ufffdcapacity"
    event["detail"]["AutoScalingGroupName"] = "web\0spot"
    assert results(read_bytes(json.dumps(event).encode())) == ["invalid_field"]


def test_an_unknown_object_is_kept_whatever_it_is(read_bytes: Any) -> None:
    outcome = read_bytes(b'{"hello": "world"}').items[0].outcome
    assert (outcome.result, outcome.note) == (Result.UNRECOGNISED, "no detail-type")
