"""What each provider gets, letter by letter, as its documentation asks for it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest

from console.notifications.models import Channel, ChannelKind, NotificationKind
from tests.make_notifications import queue
from tests.notifications.outbox_hands import send_due, states
from tests.notifications.sinks import Request, Sink

pytestmark = pytest.mark.django_db
ChannelTo = Callable[..., Channel]
SUBJECT = "127.0.0.1:8000/group:1"
URL = "http://127.0.0.1:8000/alerts/1/"
BEGAN: dict[str, Any] = {"data": {"severity": "critical", "service": "checkout", "group_id": 1}}
TAKEN: dict[str, Any] = {"kind": NotificationKind.UPDATE, "data": {"status": "acknowledged"}}
OVER: dict[str, Any] = {"kind": NotificationKind.HEALED}


@pytest.fixture
def tell(channel_to: ChannelTo, sink: Sink) -> Callable[..., Request]:
    """Send one message by a channel of this kind; what arrived."""

    def send(kind: ChannelKind, fields: dict[str, Any]) -> Request:
        queue(channel_id=channel_to(kind).pk, **fields)
        send_due()
        return sink.heard[-1]

    return send


def test_pagerduty_opens_an_alert_with_our_key(tell: Callable[..., Request]) -> None:
    request = tell(ChannelKind.PAGERDUTY, BEGAN)

    body = request.json
    timestamp = body["payload"].pop("timestamp")
    assert request.path == "/v2/enqueue"
    assert timestamp.endswith("+00:00")
    assert body == {
        "routing_key": "R" * 32,
        "dedup_key": SUBJECT,
        "event_action": "trigger",
        "payload": {
            "summary": "checkout: 3 of 12 replicas",
            "source": "checkout",
            "severity": "critical",
            "class": "page",
            "custom_details": {
                "text": "Zone c is empty, it needs 9.",
                "why": "On call for checkout",
                "severity": "critical",
                "service": "checkout",
                "group_id": 1,
            },
        },
        "links": [{"href": URL, "text": "Open in Spot console"}],
        "client": "Spot console",
        "client_url": URL,
    }


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        (TAKEN, "acknowledge"),
        (OVER, "resolve"),
        ({"kind": NotificationKind.UPDATE, "data": {"status": "resolved"}}, "resolve"),
    ],
)
def test_pagerduty_follows_the_group_by_the_same_key(
    fields: dict[str, Any], action: str, tell: Callable[..., Request]
) -> None:
    body = tell(ChannelKind.PAGERDUTY, fields).json

    assert body == {"routing_key": "R" * 32, "dedup_key": SUBJECT, "event_action": action}


def test_opsgenie_opens_an_alert_with_our_alias(tell: Callable[..., Request]) -> None:
    request = tell(ChannelKind.OPSGENIE, BEGAN)

    assert (request.path, request.headers["Authorization"]) == ("/v2/alerts", "GenieKey key")
    assert request.json == {
        "message": "checkout: 3 of 12 replicas",
        "alias": SUBJECT,
        "description": f"Zone c is empty, it needs 9.\n\nOpen: {URL}\nWhy you: On call for checkout",
        "priority": "P1",
        "source": "Spot console",
        "entity": "checkout",
        "details": {"severity": "critical", "service": "checkout", "group_id": "1", "link": URL},
    }


@pytest.mark.parametrize(("fields", "verb"), [(TAKEN, "acknowledge"), (OVER, "close")])
def test_opsgenie_follows_the_group_by_the_same_alias(
    fields: dict[str, Any], verb: str, tell: Callable[..., Request]
) -> None:
    request = tell(ChannelKind.OPSGENIE, fields)

    assert request.path == f"/v2/alerts/127.0.0.1%3A8000%2Fgroup%3A1/{verb}?identifierType=alias"
    assert set(request.json) == {"source", "note"}


def test_slack_gets_blocks_in_which_nothing_can_pose_as_markup(tell: Callable[..., Request]) -> None:
    body = tell(ChannelKind.SLACK, {"title": "a <!here> & b", "text": "<script>", **BEGAN}).json

    assert body["text"] == "🔴 a &lt;!here&gt; &amp; b"
    header, section, actions, context = body["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "🔴 a <!here> & b"}
    assert section["text"] == {"type": "mrkdwn", "text": "&lt;script&gt;"}
    assert actions["elements"][0]["url"] == URL
    assert context["elements"][0]["text"] == "On call for checkout"


def test_slack_sees_that_it_healed(tell: Callable[..., Request]) -> None:
    assert tell(ChannelKind.SLACK, OVER).json["text"].startswith("🟢 ")


def test_teams_gets_one_adaptive_card(tell: Callable[..., Request]) -> None:
    body = tell(ChannelKind.TEAMS, BEGAN).json

    (attachment,) = body["attachments"]
    card = attachment["content"]
    assert body["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert [block["text"] for block in card["body"]] == [
        "checkout: 3 of 12 replicas",
        "Zone c is empty, it needs 9.",
        "On call for checkout",
    ]
    assert card["body"][0]["color"] == "Attention"
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open", "url": URL}]


def test_a_webhook_can_check_who_sent_it_and_acknowledge(tell: Callable[..., Request]) -> None:
    request = tell(ChannelKind.WEBHOOK, BEGAN)

    at, secret = request.headers["X-Spot-Timestamp"], b"a-secret-of-sixteen"
    digest = hmac.new(secret, at.encode() + b"." + request.raw, hashlib.sha256).hexdigest()
    assert request.headers["X-Spot-Signature"] == f"v1={digest}"
    assert request.headers["X-Spot-Delivery"] == request.json["id"]
    assert request.json["acknowledge_url"].startswith("http://127.0.0.1:8000/a/")
    assert {
        name: request.json[name] for name in ("schema", "kind", "change", "subject", "severity", "count")
    } == {
        "schema": "spot-console/notification/1",
        "kind": "page",
        "change": "began",
        "subject": SUBJECT,
        "severity": "critical",
        "count": 1,
    }


def test_a_gateway_is_told_by_apprise_and_its_refusal_is_heard(channel_to: ChannelTo) -> None:
    queue(channel_id=channel_to(ChannelKind.GATEWAY).pk)

    send_due()

    assert states() == ["queued"]
