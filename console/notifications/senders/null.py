"""Nowhere: to try rules and escalations without telling anybody."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from console.notifications.models import AttemptOutcome
from console.notifications.outgoing_message import OutgoingMessage
from console.notifications.senders.sender import Sender, Taken


def _read(values: Mapping[str, str], allowed_hosts: Collection[str]) -> None:
    return None


def _send(message: OutgoingMessage, settings: None, allowed_hosts: Collection[str]) -> Taken:
    return Taken("Nobody is told by this channel", AttemptOutcome.DELIVERED)


SENDER = Sender(fields=(), read=_read, hint=lambda _: "nobody", send=_send)
