"""Pulling from Pub/Sub, against a small double of its REST interface."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from console.feeds.feed_settings import SenderSettings
from console.feeds.models import FeedHour, PolledSource
from console.feeds.pollers import pubsub
from console.feeds.pollers.source import CannotPoll, Wanted
from console.ingest import polling as polling_room
from tests.ingest.conftest import Sender
from tests.ingest.polling_double import polling, until

NAME = "projects/shop-prod-1/subscriptions/spot-console-pull"
ENTRY = Path(__file__).parents[1] / "feeds" / "payloads" / "gcp"
MakeSender = Callable[..., Sender]


class PubSub(ThreadingHTTPServer):
    """One subscription: what was pulled and not acknowledged comes again after its deadline."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.waiting: dict[str, dict[str, Any]] = {}
        self.hidden: dict[str, float] = {}
        self.calls: list[tuple[str, dict[str, Any], str]] = []
        self.refusal: tuple[int, dict[str, Any]] | None = None
        self.lock = threading.Lock()

    def publish(self, data: bytes, message_id: str) -> None:
        message = {
            "data": base64.b64encode(data).decode(), "attributes": {}, "messageId": message_id,
            "publishTime": "2026-03-11T12:00:00Z",
        }  # fmt: skip
        self.waiting[f"ack-{message_id}"] = message

    def pull(self, most: int) -> dict[str, Any]:
        now = time.monotonic()
        ready = [ack for ack in self.waiting if self.hidden.get(ack, 0) <= now][:most]
        self.hidden |= dict.fromkeys(ready, now + 60)
        if not ready:
            time.sleep(0.05)
            return {}
        return {"receivedMessages": [{"ackId": ack, "message": self.waiting[ack]} for ack in ready]}


class _Handler(BaseHTTPRequestHandler):
    server: PubSub

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            status, said = self._answer(raw)
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, raw: bytes) -> tuple[int, dict[str, Any]]:
        if self.path == "/token":
            self.server.calls.append(("token", {k: v[0] for k, v in parse_qs(raw.decode()).items()}, ""))
            return 200, {"access_token": "ya29.token", "expires_in": 3600}
        asked, verb = json.loads(raw), self.path.rpartition(":")[2]
        self.server.calls.append((self.path, asked, self.headers.get("Authorization", "")))
        if self.server.refusal is not None:
            return self.server.refusal
        if verb == "pull":
            return 200, self.server.pull(asked["maxMessages"])
        for ack in asked["ackIds"]:
            if verb == "acknowledge":
                self.server.waiting.pop(ack, None)
            else:
                self.server.hidden[ack] = time.monotonic() + asked["ackDeadlineSeconds"]
        return 200, {}

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSub]:
    server = PubSub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{server.server_port}")
    monkeypatch.setattr(polling_room, "LOOK_EVERY", 0.1)
    yield server
    server.shutdown()
    server.server_close()


def entry() -> bytes:
    return (ENTRY / "audit-preempted.json").read_bytes()


def wanted(**secrets: str) -> Wanted:
    settings = SenderSettings(subscriptions=(NAME,))
    return Wanted("gcp-pubsub-pull", NAME, "", settings, tuple(secrets.items()))


def test_messages_are_stored_in_the_shape_of_a_push_and_then_acknowledged(
    sender: MakeSender, double: PubSub
) -> None:
    feed = sender(kind="gcp-pubsub-pull", settings={"subscriptions": [NAME]})
    double.publish(entry(), "1")
    double.publish(b"no JSON", "2")
    with polling(pollers=2):
        until(lambda: not double.waiting)
    [stored] = [json.loads(body) for body in feed.stored()]
    assert base64.b64decode(stored["message"]["data"]) == entry()
    assert stored["subscription"] == NAME
    assert (feed.queued(), [code for code, _ in feed.held()]) == (1, ["malformed_json"])
    counted = FeedHour.objects.get(feed=feed.feed)
    assert (counted.accepted, counted.rejected, counted.duplicates) == (1, 1, 0)


def test_what_is_kept_is_not_given_to_another_and_what_is_released_is(double: PubSub) -> None:
    double.publish(entry(), "1")
    source = pubsub.Subscription(wanted())
    messages = source.fetch()
    assert source.fetch() == []
    source.keep(messages)
    assert double.calls[-1][1] == {"ackIds": ["ack-1"], "ackDeadlineSeconds": 60}
    source.release(messages)
    assert source.fetch() == messages


def test_a_refusal_says_why_on_the_feed_s_page(sender: MakeSender, double: PubSub) -> None:
    feed = sender(kind="gcp-pubsub-pull", settings={"subscriptions": [NAME]})
    double.refusal = 403, {"error": {"code": 403, "message": "User not authorized to perform this action."}}
    with polling():
        until(lambda: PolledSource.objects.filter(feed=feed.feed, failing_since__isnull=False).exists())
    reason = PolledSource.objects.get(feed=feed.feed).reason
    assert "answered 403: User not authorized to perform this action." in reason


def test_a_token_is_asked_for_once_with_an_assertion_that_the_key_signed(
    double: PubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST")
    asked: list[str] = []

    def plainly(host: str, **_: object) -> HTTPConnection:
        asked.append(host)
        return HTTPConnection("127.0.0.1", double.server_port, timeout=5)

    monkeypatch.setattr("http.client.HTTPSConnection", plainly)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file = {"client_email": "spot@shop-prod-1.iam.gserviceaccount.com", "private_key": pem,
            "token_uri": "https://evil.example/token"}  # fmt: skip
    source = pubsub.Subscription(wanted(service_account_key=json.dumps(file)))
    double.publish(entry(), "1")
    source.delete(source.fetch())
    assert asked == ["oauth2.googleapis.com", "pubsub.googleapis.com", "pubsub.googleapis.com"]
    form = double.calls[0][1]
    claims = jwt.decode(
        form["assertion"],
        key.public_key(),
        algorithms=["RS256"],
        audience="https://oauth2.googleapis.com/token",
    )
    assert (claims["iss"], claims["scope"]) == (file["client_email"], pubsub.SCOPE)
    assert [call[2] for call in double.calls[1:]] == ["Bearer ya29.token"] * 2
    assert double.waiting == {}


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "missing"),
        ("{}", "no key file"),
        ('{"client_email": "a@b", "private_key": "x"}', "cannot be read"),
    ],
)
def test_a_key_that_is_none_says_so(monkeypatch: pytest.MonkeyPatch, key: str, says: str) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    with pytest.raises(CannotPoll, match=says):
        pubsub.Subscription(wanted(service_account_key=key)).fetch()
