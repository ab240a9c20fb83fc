"""Slack, by an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from console.notifications.outgoing_message import OutgoingMessage
from console.notifications.senders.posting import host_of, post_json, read_url
from console.notifications.senders.sender import Field, Sender, Taken

MOST_HEADER, MOST_SECTION = 150, 3000
MARKS = {"critical": "🔴", "error": "🔴", "warning": "🟠", "info": "🔵"}


@dataclass(frozen=True, slots=True)
class Slack:
    url: str


def _read(values: Mapping[str, str], allowed_hosts: Collection[str]) -> Slack:
    return Slack(read_url(values, allowed_hosts))


def _send(message: OutgoingMessage, settings: Slack, allowed_hosts: Collection[str]) -> Taken:
    return post_json(settings.url, body_of(message), allowed_hosts=allowed_hosts, delivered=True)


def body_of(message: OutgoingMessage) -> dict[str, Any]:
    """`text` is what a notification shows; the blocks are what the room shows."""
    mark = "🟢" if message.is_over else MARKS.get(message.severity, "")
    title = f"{mark} {message.title}".strip()
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:MOST_HEADER]}},
    ]
    if message.body:
        text = _escaped(message.body)[:MOST_SECTION]
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    if message.url:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": message.url}
        blocks.append({"type": "actions", "elements": [button]})
    if message.reason:
        small = {"type": "mrkdwn", "text": _escaped(message.reason)}
        blocks.append({"type": "context", "elements": [small]})
    return {"text": _escaped(title), "blocks": blocks}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


SENDER = Sender(
    fields=(
        Field(
            "url",
            "Webhook address",
            "In Slack: Apps, Incoming Webhooks, Add New Webhook. It begins with https://hooks.slack.com/.",
            is_secret=True,
        ),
    ),
    read=_read,
    hint=lambda settings: host_of(settings.url),
    send=_send,
)
