"""Messages by which a sender makes sure that this address wants what it will send. Pure.

A handshake is answered and never stored. It proves nothing about its sender, so it is looked for only
after the sender was checked like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

from console.feeds.sources.azure.eventgrid import VALIDATION


@dataclass(frozen=True, slots=True)
class Handshake:
    """What to answer, with status 200."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    """The body, as JSON; empty where none is asked for."""
    headers: Mapping[str, str] = field(default_factory=dict)


class _Code(msgspec.Struct, kw_only=True):
    code: str = msgspec.field(name="validationCode")


class _Validation(msgspec.Struct, kw_only=True):
    event_type: str = msgspec.field(name="eventType")
    data: _Code


_VALIDATIONS = msgspec.json.Decoder(list[_Validation])


def handshake_in(kind: str, *, body: bytes, headers: Mapping[str, str]) -> Handshake | None:
    """The handshake that this body is; None where it is a message like any other. Never raises."""
    look = _HANDSHAKES.get(kind)
    return look(body, headers) if look is not None else None


def may_ask(headers: Mapping[str, str], *, rate: int) -> Handshake | None:
    """The answer to `OPTIONS` of a CloudEvents sender: it may send, so many events a minute."""
    origin = headers.get("webhook-request-origin", "").strip()
    if not origin or len(origin) > 255 or not origin.isprintable():
        return None
    return Handshake(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": str(rate)})


def _event_grid(body: bytes, headers: Mapping[str, str]) -> Handshake | None:
    """The first event of a new subscription: the code it holds is sent back."""
    if headers.get("aeg-event-type", "").lower() not in ("", "subscriptionvalidation"):
        return None
    if VALIDATION.encode() not in body:
        return None
    try:
        events = _VALIDATIONS.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    if len(events) != 1 or events[0].event_type != VALIDATION or not events[0].data.code.strip():
        return None
    return Handshake(answer={"validationResponse": events[0].data.code})


_HANDSHAKES: Mapping[str, Callable[[bytes, Mapping[str, str]], Handshake | None]] = MappingProxyType(
    {
        "azure-eventgrid": _event_grid,
    }
)
