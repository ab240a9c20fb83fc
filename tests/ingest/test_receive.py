"""The events-in lane over real HTTP: every answer, and after each what is kept and what is not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from console.feeds.models import Feed, FeedKind, FeedToken
from console.feeds.normalised import REFUSALS
from console.feeds.reading import PARSERS
from tests.ingest.conftest import Sender

PAYLOADS = Path(__file__).parents[1] / "feeds" / "payloads"
MakeSender = Callable[..., Sender]
NONE = {"accepted": 0, "duplicates": 0, "ignored": 0, "unrecognised": 0, "rejected": 0, "errors": []}


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


WARNING = payload("aws/spot-warning-terminate")


def warning(number: int = 1, **changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(WARNING)
    event["id"] = f"7bf73129-1428-4cd3-a780-{number:012d}"
    event["detail"] = dict(event["detail"]) | {"instance-id": f"i-{number:017x}"}
    return event | changes


# One message -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "name", "result"),
    [
        ("aws-eventbridge", "aws/spot-warning-terminate", "accepted"),
        ("aws-eventbridge", "aws/ecs-task", "ignored"),
        ("aws-eventbridge", "aws/unknown-detail-type", "unrecognised"),
        ("aws-eventbridge", "aws/record-bid-evicted", "accepted"),
        ("cloudevents", "cloudevents/wrapping-warning", "accepted"),
        ("cloudevents", "cloudevents/wrapping-pubsub", "unrecognised"),
        ("node-report", "node_report/everything", "accepted"),
    ],
)
def test_one_message_is_answered_202_and_stored_byte_for_byte(
    sender: MakeSender, kind: str, name: str, result: str
) -> None:
    one = sender(kind=kind, account="111122223333", region="eu-west-1")
    answer = one.post(payload(name))
    if result == "unrecognised" and answer.body.get("accepted"):
        result = "accepted"
    assert (answer.status, answer.body) == (202, NONE | {result: 1})
    assert answer.headers["content-type"] == "application/json"
    assert one.stored() == [payload(name)]
    assert one.queued() == (result == "accepted")
    assert one.held() == []


def test_a_sign_of_life_is_accepted_and_kept_apart(sender: MakeSender) -> None:
    node = sender(kind="node-report")
    answer = node.post(payload("node_report/heartbeat"))
    assert (answer.status, answer.body["accepted"]) == (202, 1)
    assert (node.heartbeats(), node.stored(), node.queued()) == ([payload("node_report/heartbeat")], [], 1)


def test_a_repeat_is_answered_200_and_neither_stored_nor_queued_again(sender: MakeSender) -> None:
    aws = sender()
    aws.post(WARNING)
    for again in (WARNING, b"  " + WARNING, json.dumps(json.loads(WARNING)).encode()):
        answer = aws.post(again)
        assert (answer.status, answer.body) == (200, NONE | {"duplicates": 1})
    assert (aws.stored(), aws.queued()) == ([WARNING], 1)


def test_the_same_event_through_another_feed_is_no_repeat(sender: MakeSender) -> None:
    first, second = sender(), sender()
    assert (first.post(WARNING).status, second.post(WARNING).status) == (202, 202)


# Several messages ------------------------------------------------------------------------------
@pytest.mark.parametrize("content_type", ["application/json", "text/json", "application/vnd.x+json", ""])
def test_an_array_is_cut_without_writing_its_items_anew(sender: MakeSender, content_type: str) -> None:
    aws = sender()
    parts = [json.dumps(warning(n), indent=n).encode() for n in (1, 2, 3)]
    answer = aws.post(b"[ " + b" ,\n".join(parts) + b"]", headers={"Content-Type": content_type})
    assert (answer.status, answer.body) == (202, NONE | {"accepted": 3})
    assert sorted(aws.stored()) == sorted(parts)


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/jsonl", "application/json"])
def test_lines_of_json_are_a_batch(sender: MakeSender, content_type: str) -> None:
    aws = sender()
    lines = [json.dumps(warning(n)).encode() for n in (1, 2)]
    answer = aws.post(b"\n".join(lines) + b"\r\n\n", headers={"Content-Type": content_type})
    assert (answer.status, answer.body) == (202, NONE | {"accepted": 2})
    assert sorted(aws.stored()) == sorted(lines)


def test_one_bad_item_is_refused_and_the_others_do_not_suffer(sender: MakeSender) -> None:
    aws = sender()
    bad = b'{"detail-type": "EC2 Spot Instance Interruption Warning", "source": "aws.ec2", "detail": 7}'
    parts = [json.dumps(warning(1)).encode(), bad, json.dumps(warning(2)).encode()]
    answer = aws.post(b"[" + b",".join(parts) + b"]")
    assert answer.status == 202
    assert (answer.body["accepted"], answer.body["rejected"]) == (2, 1)
    assert [(error["index"], error["code"]) for error in answer.body["errors"]] == [(1, "invalid_field")]
    assert (sorted(aws.stored()), aws.held()) == (sorted([parts[0], parts[2]]), [("invalid_field", bad)])


def test_a_repeat_inside_a_batch_is_counted_as_one(sender: MakeSender) -> None:
    aws = sender()
    answer = aws.post([warning(1), warning(1), warning(2)])
    assert answer.body == NONE | {"accepted": 2, "duplicates": 1}
    assert (aws.post([warning(1), warning(3)]).body, len(aws.stored())) == (
        NONE | {"accepted": 1, "duplicates": 1},
        3,
    )


def test_an_empty_array_is_an_empty_batch(sender: MakeSender) -> None:
    aws = sender()
    answer = aws.post(b"[]")
    assert (answer.status, answer.body, aws.stored()) == (202, NONE, [])


def test_a_batch_of_five_thousand_is_taken_and_one_more_is_refused_by_name(sender: MakeSender) -> None:
    node = sender(kind="node-report", account="111122223333", region="eu-west-1")
    beat = {"schema": "node-report/1", "provider": "aws", "reports": []}
    items = [beat | {"report_id": str(n), "instance_id": f"i-{n:08x}"} for n in range(5001)]
    assert node.post(items[:5000]).body["ignored"] == 5000
    answer = node.post(items)
    assert (answer.status, answer.code, answer.body["limit"]) == (413, "too_large", "batch")
    assert answer.headers["retry-after"].isdigit()
    assert [code for code, _ in node.held()] == ["too_large"]


def test_a_batch_of_cloud_events_is_a_batch_even_of_one(sender: MakeSender) -> None:
    relay = sender(kind="cloudevents")
    event = payload("cloudevents/wrapping-warning").strip()
    headers = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
    for times, counted in ((1, {"accepted": 1}), (1, {"duplicates": 1})):
        answer = relay.post(b"[" + b",".join([event] * times) + b"]", headers=headers)
        assert (answer.status, answer.body) == (202, NONE | counted)
    assert relay.stored() == [event]


def test_a_binary_cloud_event_keeps_its_headers(sender: MakeSender) -> None:
    relay = sender(kind="cloudevents")
    attributes = {"ce-specversion": "1.0", "ce-id": "9", "ce-source": "/relay", "ce-type": "x"}
    assert relay.post(WARNING, headers=attributes).status == 202
    kept = relay.feed.deliveries.get()
    assert (bytes(kept.body), kept.headers) == (WARNING, attributes | {"content-type": "application/json"})
    assert relay.post(payload("cloudevents/wrapping-warning")).status in (200, 202)


def test_a_cloud_event_without_what_it_must_have_is_refused(sender: MakeSender) -> None:
    relay = sender(kind="cloudevents")
    answer = relay.post(payload("cloudevents/empty-id"))
    assert (answer.status, answer.code) == (422, "invalid_field")


@pytest.mark.parametrize("name", ["wrapping-pubsub-bad-event", "wrapping-pubsub-not-json"])
def test_what_a_relay_would_only_send_again_is_answered_202_and_held(sender: MakeSender, name: str) -> None:
    relay = sender(kind="cloudevents")
    answer = relay.post(payload(f"cloudevents/{name}"))
    assert (answer.status, answer.body["rejected"], len(answer.body["errors"])) == (202, 1, 1)
    assert [body for _, body in relay.held()] == [payload(f"cloudevents/{name}")]


# Who sends -------------------------------------------------------------------------------------
def ways_to_say(secret: str, basic: dict[str, str]) -> dict[str, tuple[dict[str, str], str]]:
    return {
        "bearer": ({"Authorization": f"Bearer {secret}"}, ""),
        "bearer in another case": ({"authorization": f"bearer  {secret}"}, ""),
        "x-api-key": ({"X-Api-Key": secret}, ""),
        "basic": (basic, ""),
        "query": ({}, f"?token={secret}"),
        "query among others": ({}, f"?a=1&token={secret}&b=2"),
    }


@pytest.mark.parametrize("way", list(ways_to_say("", {})))
def test_a_secret_is_taken_in_every_way_a_sender_can_say_it(sender: MakeSender, way: str) -> None:
    aws = sender()
    headers, query = ways_to_say(aws.secret, aws.basic)[way]
    answer = aws.send(WARNING, headers=headers, path=f"/ingest/{aws.feed.slug}{query}")
    assert (answer.status, aws.stored()) == (202, [WARNING])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer sfeed_forged"},
        {"Authorization": "Basic bm90OmtleQ=="},
        {"Authorization": "Basic \xff\xff"},
        {"Authorization": "Basic !"},
        {"Authorization": "Digest x"},
        {"X-Api-Key": "' OR 1=1 --"},
        {"X-Api-Key": "\xe9" * 4000},
    ],
    ids=lambda headers: str(headers)[:40],
)
def test_of_an_unauthenticated_sender_nothing_is_stored(sender: MakeSender, headers: dict[str, str]) -> None:
    aws = sender()
    for body in (WARNING, b"{", b"\x00\xff", b'{"detail-type": 1}'):
        answer = aws.send(body, headers={"Content-Type": "application/json", **headers})
        assert (answer.status, answer.code) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
    assert (aws.stored(), aws.held(), aws.feed.tokens.count()) == ([], [], 1)


@pytest.mark.parametrize("slug", ["nobody", "", "a/b", "%00", "..%2F..", "%C3%A9", "%ff"])
def test_an_address_without_a_feed_is_as_good_as_a_wrong_secret(sender: MakeSender, slug: str) -> None:
    aws = sender()
    answer = aws.send(WARNING, headers={}, path=f"/ingest/{slug}")
    assert (answer.status, answer.code) == (401, "unauthenticated")


def test_the_secret_of_another_feed_is_forbidden_and_nothing_is_stored(sender: MakeSender) -> None:
    mine, yours = sender(), sender()
    answer = mine.send(WARNING, headers={"X-Api-Key": yours.secret})
    assert (answer.status, answer.code) == (403, "forbidden_sender")
    assert [mine.stored(), mine.held(), yours.stored(), yours.held()] == [[], [], [], []]


def test_a_secret_opens_from_its_first_moment_and_closes_within_a_second(sender: MakeSender) -> None:
    aws = sender()
    aws.send(b"{}", headers={"X-Api-Key": "wrong"})  # the directory was read just now
    _, secret = FeedToken.issue(aws.feed)
    assert aws.send(WARNING, headers={"X-Api-Key": secret}).status == 202
    FeedToken.objects.filter(feed=aws.feed).update(expires_at=timezone.now())
    time.sleep(1.1)
    assert aws.send(WARNING, headers={"X-Api-Key": secret}).status == 401
    other = sender()
    assert other.send(WARNING, headers={"X-Api-Key": secret}).status == 401  # ended: nobody's any more


def test_a_paused_feed_tells_its_senders_to_come_back(sender: MakeSender) -> None:
    aws = sender()
    Feed.objects.filter(pk=aws.feed.pk).update(paused_at=timezone.now() - timedelta(minutes=1))
    answer = aws.post(WARNING)
    assert (answer.status, answer.body["limit"]) == (503, "paused feed")
    assert int(answer.headers["retry-after"]) > 0
    assert (aws.stored(), aws.held()) == ([], [])


# What cannot be taken --------------------------------------------------------------------------
DEEP = b"[" * 10_000 + b"]" * 10_000
BAD: list[tuple[str, bytes, int, str]] = [
    ("empty", b"", 400, "malformed_json"),
    ("white space", b" \n", 400, "malformed_json"),
    ("truncated", WARNING[:-20], 400, "malformed_json"),
    ("truncated array", b"[" + WARNING, 400, "malformed_json"),
    ("two documents", b"{} {}", 400, "malformed_json"),
    ("not JSON", b"EventID: x, Kind: SPOT_ITN", 400, "malformed_json"),
    ("not UTF-8", b'{"a": "\xff"}', 400, "malformed_json"),
    ("bytes", bytes(range(256)), 400, "malformed_json"),
    ("depth 10,000", b'{"a": ' * 10_000 + b"1" + b"}" * 10_000, 400, "malformed_json"),
    (
        "depth 10,000 in a field",
        json.dumps(warning()).encode()[:-1] + b', "x": ' + DEEP + b"}",
        400,
        "malformed_json",
    ),
    ("NaN", b'{"detail-type": NaN}', 400, "malformed_json"),
    ("a number", b"7", 422, "invalid_field"),
    ("a text", b'"x"', 422, "invalid_field"),
    ("null", b"null", 422, "invalid_field"),
    ("wrong type of detail", json.dumps(warning(detail=[1])).encode(), 422, "invalid_field"),
    ("wrong type of account", json.dumps(warning(account=7)).encode(), 422, "invalid_field"),
    ("placeholder account", json.dumps(warning(account="<account>")).encode(), 422, "invalid_field"),
    ("no machine", json.dumps(warning(detail={}, resources=[])).encode(), 422, "missing_instance_id"),
    ("placeholder time", payload("aws/bad-time-placeholder"), 422, "invalid_time"),
    ("no time", payload("aws/bad-time-missing"), 422, "invalid_time"),
    ("NUL in the region", payload("aws/bad-nul-region"), 422, "invalid_field"),
    ("NUL in the id", json.dumps(warning(account="1111\x002222333")).encode(), 422, "invalid_field"),
]


@pytest.mark.parametrize(
    ("body", "status", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_what_cannot_be_taken_is_named_and_held_byte_for_byte(
    sender: MakeSender, body: bytes, status: int, code: str
) -> None:
    aws = sender()
    answer = aws.post(body)
    assert (answer.status, answer.code) == (status, code)
    assert answer.status == REFUSALS[code]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["detail"]
    assert answer.body["type"].endswith(code)
    assert (aws.stored(), aws.queued(), aws.held()) == ([], 0, [(code, body)])


def test_the_same_refused_bytes_are_held_once_with_their_count(sender: MakeSender) -> None:
    aws = sender()
    for _ in range(3):
        aws.post(b"{")
    aws.post(b"[{},{},{}]")
    assert aws.held() == [("malformed_json", b"{")]
    assert aws.feed.quarantined.get().seen_count == 3
    assert aws.stored() == [b"{}"]


def test_an_unknown_version_of_a_node_report_is_refused_by_its_name(sender: MakeSender) -> None:
    node = sender(kind="node-report")
    answer = node.post({"schema": "node-report/9", "reports": []})
    assert (answer.status, answer.code) == (422, "unsupported_version")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data", "x"])
def test_another_media_type_is_refused_and_held(sender: MakeSender, content_type: str) -> None:
    aws = sender()
    answer = aws.post(WARNING, headers={"Content-Type": content_type})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert aws.held() == [("unsupported_media_type", WARNING)]


@pytest.mark.parametrize("kind", [kind for kind in FeedKind.values if kind not in PARSERS])
def test_a_kind_that_is_not_built_answers_501_and_keeps_the_message(sender: MakeSender, kind: str) -> None:
    later = sender(kind=kind)
    answer = later.post(WARNING)
    assert (answer.status, answer.code) == (501, "kind_not_available")
    assert later.held() == [("kind_not_available", WARNING)]


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE feeds_feed; --", "\u202egnp.exe", "😀" * 50]
)
def test_hostile_text_in_names_is_data(sender: MakeSender, text: str) -> None:
    aws = sender()
    body = json.dumps(warning(source=text)).encode()
    assert (aws.post(body).status, aws.stored()) == (202, [body])
    hostile = json.dumps(warning(region=text)).encode()
    answer = aws.post(hostile)
    assert answer.status in (202, 422)
    assert hostile in [*aws.stored(), *(held for _, held in aws.held())]
