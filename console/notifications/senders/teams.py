"""Microsoft Teams, by a workflow that begins "When a Teams webhook request is received": it takes Adaptive Cards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from console.notifications.outgoing_message import OutgoingMessage
from console.notifications.senders.posting import host_of, post_json, read_url
from console.notifications.senders.sender import Field, Sender, Taken

COLOURS = {"critical": "Attention", "error": "Attention", "warning": "Warning", "info": "Accent"}
MOST_BODY = 10_000
"""Teams refuses messages over 28 KB."""


@dataclass(frozen=True, slots=True)
class Teams:
    url: str


def _read(values: Mapping[str, str], allowed_hosts: Collection[str]) -> Teams:
    return Teams(read_url(values, allowed_hosts))


def _send(message: OutgoingMessage, settings: Teams, allowed_hosts: Collection[str]) -> Taken:
    return post_json(settings.url, body_of(message), allowed_hosts=allowed_hosts)


def body_of(message: OutgoingMessage) -> dict[str, Any]:
    colour = "Good" if message.is_over else COLOURS.get(message.severity, "Default")
    title = {"type": "TextBlock", "text": message.title, "weight": "Bolder", "size": "Medium"}
    body: list[dict[str, Any]] = [title | {"wrap": True, "color": colour}]
    if message.body:
        body.append({"type": "TextBlock", "text": message.body[:MOST_BODY], "wrap": True})
    if message.reason:
        body.append(
            {"type": "TextBlock", "text": message.reason, "wrap": True, "isSubtle": True, "size": "Small"}
        )
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if message.url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": message.url}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


SENDER = Sender(
    fields=(
        Field(
            "url",
            "Workflow address",
            "In Teams: the channel's … menu, Workflows, Post to a channel when a webhook request is received.",
            is_secret=True,
        ),
    ),
    read=_read,
    hint=lambda settings: host_of(settings.url),
    send=_send,
)
