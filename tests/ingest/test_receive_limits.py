"""What the events-in lane bounds, what the database cannot hold, and what is counted; over real HTTP."""

from __future__ import annotations

import dataclasses
import json
import socket
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from console.feeds import reading
from console.feeds.models import FeedHour
from console.feeds.normalised import Reading, Rejected
from console.feeds.reading import MAX_BODY
from console.ingest import store, taking
from tests.ingest.test_receive import WARNING, MakeSender, payload, warning


# Limits ----------------------------------------------------------------------------------------
def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_not(sender: MakeSender) -> None:
    aws = sender()
    body = WARNING.strip() + b" " * (MAX_BODY - len(WARNING.strip()))
    assert (aws.post(body).status, aws.stored()) == (202, [body])
    answer = aws.post(body + b" ")
    assert (answer.status, answer.code, answer.body["limit"]) == (413, "too_large", "body")
    assert int(answer.headers["retry-after"]) > 0


def test_ten_megabytes_are_refused_before_anybody_asks_who_sends_them(sender: MakeSender) -> None:
    aws = sender()
    request = f"POST /ingest/{aws.feed.slug} HTTP/1.1\r\nHost: x\r\nContent-Length: {10 * MAX_BODY}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", aws.port), timeout=20) as raw:
        raw.sendall(request + b" " * 10 * MAX_BODY)
        assert b" 413 " in raw.recv(4096).split(b"\r\n")[0]
    assert (aws.stored(), aws.held()) == ([], [])


def test_ten_megabytes_in_pieces_of_unknown_length_are_cut_off(sender: MakeSender) -> None:
    aws = sender()
    head = (
        f"POST /ingest/{aws.feed.slug} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {aws.secret}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    ).encode()
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", aws.port), timeout=10) as raw:
        raw.sendall(head)
        for _ in range(160):
            raw.sendall(piece)
        raw.sendall(b"0\r\n\r\n")
        said = raw.recv(4096)
    assert b" 413 " in said.split(b"\r\n")[0]
    assert (aws.stored(), aws.held()) == ([], [])


def test_a_sender_that_writes_to_the_end_before_it_reads_is_told_too(sender: MakeSender) -> None:
    aws = sender()
    request = urllib.request.Request(
        f"http://127.0.0.1:{aws.port}/ingest/{aws.feed.slug}",
        data=b" " * (10 * MAX_BODY),
        headers={"X-Api-Key": aws.secret, "Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=20)
    with refusal.value as answer:
        assert (answer.code, json.load(answer)["code"]) == (413, "too_large")


@pytest.mark.parametrize("asks", ["Expect: 100-continue", "expect: 100-Continue", "EXPECT:  100-CONTINUE "])
def test_a_sender_that_asks_before_it_sends_is_answered_at_once(sender: MakeSender, asks: str) -> None:
    aws = sender()
    head = (
        f"POST /ingest/{aws.feed.slug} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {aws.secret}\r\n"
        f"Content-Length: {10 * MAX_BODY}\r\nConnection: close\r\n{asks}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", aws.port), timeout=5) as raw:
        raw.sendall(head)
        assert raw.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing(sender: MakeSender) -> None:
    aws = sender()
    head = f"POST /ingest/{aws.feed.slug} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {aws.secret}\r\nContent-Length: 500\r\n\r\n"
    with socket.create_connection(("127.0.0.1", aws.port), timeout=10) as raw:
        raw.sendall(head.encode() + WARNING[:100])
    time.sleep(0.3)
    assert (aws.stored(), aws.held()) == ([], [])
    assert aws.post(WARNING).status == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_told_to_post(sender: MakeSender, method: str) -> None:
    aws = sender()
    answer = aws.send(b"", headers={"X-Api-Key": aws.secret}, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


# What the database cannot hold -------------------------------------------------------------------
def test_a_row_the_database_refuses_is_refused_alone(
    sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parsers see to it that there is none; should they ever miss one, nobody else suffers."""
    monkeypatch.setattr(reading, "check_storable", lambda what: what)
    aws = sender()
    culprit = warning(7, id="half\x00id")
    answer = aws.post([warning(number) for number in range(1, 6)] + [culprit, {"detail-type": 1}, warning(6)])
    assert answer.status == 202
    assert (answer.body["accepted"], answer.body["rejected"]) == (6, 2)
    assert {(error["index"], error["code"]) for error in answer.body["errors"]} == {
        (5, "invalid_field"),
        (6, "invalid_field"),
    }
    assert len(aws.stored()) == 6
    assert sorted(code for code, _ in aws.held()) == ["invalid_field", "invalid_field"]
    alone = aws.post(warning(8, id="other\x00id"))
    assert (alone.status, alone.code) == (422, "invalid_field")


def test_requests_that_share_a_commit_do_not_suffer_from_one_anothers_rows(
    sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "check_storable", lambda what: what)
    aws = sender()
    bodies = [
        warning(number, **({"id": f"{number}\x00"} if number % 10 == 0 else {})) for number in range(1, 61)
    ]
    with ThreadPoolExecutor(12) as pool:
        answers = [answer.status for answer in pool.map(aws.post, bodies)]
    assert answers == [422 if number % 10 == 0 else 202 for number in range(1, 61)]
    assert (len(aws.stored()), len(aws.held())) == (54, 6)


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [("i.result", "i.verdict", "UndefinedColumn"), ("i.result", "NULL", "NotNullViolation")],
)
def test_a_fault_of_the_consoles_is_never_told_as_the_senders(
    sender: MakeSender, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str, fault: str
) -> None:
    """A schema by half, a constraint: the message is sound, so its sender comes again and then it is taken."""
    aws = sender()
    with monkeypatch.context() as half:
        half.setattr(store, "_STORE", store._STORE.replace(right, wrong))
        answers = [aws.post(warning(1)), aws.post([warning(1), warning(2)]), aws.post([warning(3), {"a": 1}])]
    assert [(a.status, a.body["limit"], a.headers["retry-after"]) for a in answers] == [
        (503, "database", "5")
    ] * 3, fault
    assert (aws.stored(), aws.held(), aws.queued()) == ([], [], 0)
    again = aws.post([warning(1), warning(2), warning(3)])
    assert (again.status, again.body["accepted"]) == (202, 3)


def test_a_fault_of_one_feed_does_not_turn_the_others_away(
    sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a feed is removed while it is posted to: its rows alone break their promise."""
    good, gone = sender(), sender()
    broken = store._STORE.replace(
        "i.result", f"nullif(i.result, repeat('accepted', (i.feed_id = {gone.feed.pk})::int))"
    )
    monkeypatch.setattr(store, "_STORE", broken)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: (gone if n % 4 == 0 else good).post(warning(n)).status, range(40)))
    assert answers == [503 if n % 4 == 0 else 202 for n in range(40)]
    assert (len(good.stored()), gone.stored(), gone.held()) == (30, [], [])


def test_a_refusal_that_the_database_cannot_hold_takes_no_other_with_it(
    sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are kept without what was said of them."""
    told = taking.Request.refuse

    def spoiled(request: taking.Request, body: bytes, rejected: Rejected) -> store.Refused:
        headers = {"ce-id": "\0"} if b"spoil" in body else {"ce-id": "1"}
        return dataclasses.replace(told(request, body, rejected), headers=headers)

    monkeypatch.setattr(taking.Request, "refuse", spoiled)
    aws = sender()
    bad = [
        b'{"detail-type":1}',
        b'{"detail-type":2,"spoil":1}',
        b'{"detail-type":3}',
        b'{"detail-type":4,"spoil":2}',
    ]
    bodies = [json.dumps(warning(1)).encode(), *bad, json.dumps(warning(2)).encode()]
    answer = aws.post(b"[" + b",".join(bodies) + b"]")
    assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (202, 2, 4)
    assert aws.stored() == [bodies[0], bodies[-1]]
    held = {bytes(one.body): (one.code, one.headers) for one in aws.feed.quarantined.all()}
    assert held == {body: ("invalid_field", {} if b"spoil" in body else {"ce-id": "1"}) for body in bad}


def test_what_a_parser_says_as_it_breaks_is_kept_as_far_as_text_can_be(
    sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(raw: bytes, **_: object) -> Reading:
        raise ValueError("half a character \ud83d and a NUL \0 in it")

    monkeypatch.setattr(reading, "parser_for", lambda kind: breaks)
    monkeypatch.setattr(
        reading.logger, "exception", lambda *_, **__: None
    )  # a report cannot carry half a character
    aws = sender()
    assert aws.post(warning(1)).status == 202
    one = aws.feed.quarantined.get()
    assert (one.code, one.detail) == (
        "processing_error",
        "ValueError: half a character ? and a NUL \ufffd in it",
    )


# What is counted -------------------------------------------------------------------------------
def test_the_hour_counts_what_became_of_everything_and_the_feed_was_heard(sender: MakeSender) -> None:
    aws = sender()
    aws.post([warning(1), warning(2), {"detail-type": 1}])
    aws.post(warning(1))
    aws.post(payload("aws/unknown-detail-type"))
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        hours = list(FeedHour.objects.filter(feed=aws.feed))
        if hours and sum(h.accepted + h.duplicates + h.rejected + h.unrecognised for h in hours) == 5:
            break
        time.sleep(0.1)
    counted = [(h.accepted, h.duplicates, h.rejected, h.unrecognised) for h in hours]
    assert tuple(map(sum, zip(*counted, strict=True))) == (2, 1, 1, 1)
    aws.feed.refresh_from_db()
    assert aws.feed.last_seen_at is not None
    assert aws.feed.last_accepted_at is not None
