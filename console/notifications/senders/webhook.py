"""A webhook of one's own: JSON, signed with a shared secret (`docs/notifications.md` shows how to check it)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from console.notifications.outgoing_message import OutgoingMessage
from console.notifications.senders.posting import host_of, new_secret, post_body, read_url
from console.notifications.senders.sender import BadSetting, Field, Sender, Taken

SHORTEST_SECRET = 16
SIGNATURE, TIMESTAMP = "X-Spot-Signature", "X-Spot-Timestamp"


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str
    secret: str


def _read(values: Mapping[str, str], allowed_hosts: Collection[str]) -> Webhook:
    url = read_url(values, allowed_hosts)
    secret = values.get("secret", "").strip() or new_secret()
    if len(secret) < SHORTEST_SECRET:
        raise BadSetting("secret", f"A secret has at least {SHORTEST_SECRET} characters.")
    return Webhook(url, secret)


def _send(message: OutgoingMessage, settings: Webhook, allowed_hosts: Collection[str]) -> Taken:
    raw = json.dumps(body_of(message), ensure_ascii=False).encode()
    headers = {
        "X-Spot-Delivery": message.key,
        **signed(raw, secret=settings.secret, at=int(message.sent_at.timestamp())),
    }
    return post_body(settings.url, raw, headers=headers, allowed_hosts=allowed_hosts, delivered=True)


def signed(raw: bytes, *, secret: str, at: int) -> dict[str, str]:
    """The two headers that prove who sent `raw`, and when (Unix seconds): `v1=` HMAC-SHA256 of `<at>.<body>`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + raw, hashlib.sha256).hexdigest()
    return {TIMESTAMP: str(at), SIGNATURE: f"v1={digest}"}


def body_of(message: OutgoingMessage) -> dict[str, Any]:
    return {
        "schema": "spot-console/notification/1",
        "id": message.key,
        "kind": message.kind,
        "change": message.change,
        "subject": message.subject_key,
        "title": message.title,
        "text": message.body,
        "reason": message.reason,
        "severity": message.severity,
        "service": message.service,
        "count": message.count,
        "is_possibly_duplicated": message.is_possibly_duplicated,
        "due_at": message.due_at.isoformat(),
        "url": message.url,
        "acknowledge_url": message.acknowledge_url,
        "data": message.facts,
    }


SENDER = Sender(
    fields=(
        Field(
            "url",
            "Address",
            "Called with POST and JSON. It answers 2xx when it has the message.",
            is_secret=True,
        ),
        Field(
            "secret", "Signing secret", "Leave it empty to have one made.", is_secret=True, is_required=False
        ),
    ),
    read=_read,
    hint=lambda settings: host_of(settings.url),
    send=_send,
)
