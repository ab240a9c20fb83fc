"""Opsgenie and what speaks like it, by its alert API: https://docs.opsgenie.com/docs/alert-api.

Create, acknowledge and close name the alert by the same alias, the message's subject.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from console.notifications.outgoing_message import Change, OutgoingMessage
from console.notifications.senders.posting import post_json, read_url, read_word
from console.notifications.senders.sender import Field, Sender, Taken

BASES = {
    "us": "https://api.opsgenie.com",
    "eu": "https://api.eu.opsgenie.com",
    "jsm": "https://api.atlassian.com/jsm/ops/integration",
}
PRIORITIES = {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}
VERBS = {Change.TAKEN: "acknowledge", Change.OVER: "close"}
MOST_MESSAGE, MOST_DESCRIPTION, MOST_DETAIL = 130, 15_000, 8_000


@dataclass(frozen=True, slots=True)
class Opsgenie:
    base: str
    api_key: str


def _read(values: Mapping[str, str], allowed_hosts: Collection[str]) -> Opsgenie:
    key = read_word(values, "api_key", "Paste the API key of an integration.")
    if values.get("base", "").strip():
        return Opsgenie(read_url(values, allowed_hosts, name="base").rstrip("/"), key)
    return Opsgenie(BASES[values.get("region") or "us"], key)


def _send(message: OutgoingMessage, settings: Opsgenie, allowed_hosts: Collection[str]) -> Taken:
    headers = {"Authorization": f"GenieKey {settings.api_key}"}
    url = settings.base + path_of(message)
    return post_json(url, body_of(message), headers=headers, allowed_hosts=allowed_hosts)


def path_of(message: OutgoingMessage) -> str:
    if message.change == Change.BEGAN:
        return "/v2/alerts"
    return f"/v2/alerts/{quote(message.subject_key, safe='')}/{VERBS[message.change]}?identifierType=alias"


def body_of(message: OutgoingMessage) -> dict[str, Any]:
    if message.change != Change.BEGAN:
        return {"source": "Spot console", "note": message.whole_text[:MOST_DESCRIPTION]}
    facts = {name: str(value)[:MOST_DETAIL] for name, value in message.facts.items() if value}
    return {
        "message": message.title[:MOST_MESSAGE],
        "alias": message.subject_key,
        "description": message.whole_text[:MOST_DESCRIPTION],
        "priority": PRIORITIES.get(message.severity, "P3"),
        "source": "Spot console",
        "entity": message.service,
        "details": facts | {"link": message.url},
    }


SENDER = Sender(
    fields=(
        Field("api_key", "API key", "Of an API integration of the team that is to be told.", is_secret=True),
        Field(
            "region",
            "Region",
            choices=(
                ("us", "Opsgenie, United States"),
                ("eu", "Opsgenie, Europe"),
                ("jsm", "Jira Service Management"),
            ),
            is_required=False,
        ),
        Field("base", "Another address", "Only for a service that speaks the same API.", is_required=False),
    ),
    read=_read,
    hint=lambda settings: f"{settings.base.partition('://')[2]}, key …{settings.api_key[-4:]}",
    send=_send,
)
