"""PagerDuty, by its Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview.

Trigger, acknowledge and resolve carry the same `dedup_key`, the message's subject, so that what happens to
a group here happens to its one alert there, and a repeat is none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from console.notifications.outgoing_message import Change, OutgoingMessage
from console.notifications.senders.posting import post_json, read_url, read_word
from console.notifications.senders.sender import BadSetting, Field, Sender, Taken

REGIONS = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
SEVERITIES = frozenset({"critical", "error", "warning", "info"})
ACTIONS = {Change.BEGAN: "trigger", Change.TAKEN: "acknowledge", Change.OVER: "resolve"}
KEY_LENGTH, MOST_SUMMARY = 32, 1024


@dataclass(frozen=True, slots=True)
class PagerDuty:
    base: str
    routing_key: str


def _read(values: Mapping[str, str], allowed_hosts: Collection[str]) -> PagerDuty:
    key = read_word(values, "routing_key", "Paste the integration key.")
    if len(key) != KEY_LENGTH or not key.isalnum():
        raise BadSetting("routing_key", f"An integration key of Events API v2 has {KEY_LENGTH} characters.")
    if values.get("base", "").strip():
        return PagerDuty(read_url(values, allowed_hosts, name="base").rstrip("/"), key)
    return PagerDuty(REGIONS[values.get("region") or "us"], key)


def _send(message: OutgoingMessage, settings: PagerDuty, allowed_hosts: Collection[str]) -> Taken:
    body = body_of(message, routing_key=settings.routing_key)
    return post_json(f"{settings.base}/v2/enqueue", body, allowed_hosts=allowed_hosts)


def body_of(message: OutgoingMessage, *, routing_key: str) -> dict[str, Any]:
    key = {"routing_key": routing_key, "dedup_key": message.subject_key}
    if message.change != Change.BEGAN:
        return key | {"event_action": ACTIONS[message.change]}
    details = {"text": message.body, "why": message.reason, **message.facts}
    payload = {
        "summary": message.title[:MOST_SUMMARY],
        "source": message.service or "spot-console",
        "severity": message.severity if message.severity in SEVERITIES else "error",
        "timestamp": message.due_at.isoformat(),
        "class": message.kind,
        "custom_details": {name: value for name, value in details.items() if value},
    }
    links = [{"href": message.url, "text": "Open in Spot console"}] if message.url else []
    client = {"client": "Spot console", "client_url": message.url or message.home}
    return key | {"event_action": "trigger", "payload": payload, "links": links} | client


SENDER = Sender(
    fields=(
        Field(
            "routing_key",
            "Integration key",
            "In PagerDuty: the service, Integrations, Events API v2.",
            is_secret=True,
        ),
        Field("region", "Region", choices=(("us", "United States"), ("eu", "Europe")), is_required=False),
        Field("base", "Another address", "Only for a service that speaks Events API v2.", is_required=False),
    ),
    read=_read,
    hint=lambda settings: f"{settings.base.partition('://')[2]}, key …{settings.routing_key[-4:]}",
    send=_send,
)
