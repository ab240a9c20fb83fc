"""SMS, voice calls and a hundred others by Apprise, which is loaded when the first message needs it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from console.notifications.outgoing_message import OutgoingMessage
from console.notifications.senders.posting import read_word
from console.notifications.senders.sender import AnswerLost, BadSetting, Field, Sender, SendFailed, Taken

WIKI = "https://appriseit.com/services/"
VENDOR_MODES = frozenset({"cloud", "hook", "bot"})


@dataclass(frozen=True, slots=True)
class Gateway:
    url: str
    hint: str


def _read(values: Mapping[str, str], allowed_hosts: Collection[str]) -> Gateway:
    url = read_word(values, "url", "Write the gateway's address.")
    plugin = _apprise().Apprise.instantiate(url, suppress_exceptions=True)
    if plugin is None:
        raise BadSetting("url", f"No gateway is addressed like this. {WIKI} lists all of them.")
    if plugin.secure_protocol is None:
        raise BadSetting("url", "This one works on one machine only and tells nobody outside.")
    if _is_on_a_host_of_ones_own(plugin) and str(plugin.host) not in allowed_hosts:
        raise BadSetting("url", f"{plugin.host} is no vendor's host: an administrator has to allow it.")
    return Gateway(url, f"{plugin.service_name} {_masked(plugin)}"[:120])


def _is_on_a_host_of_ones_own(plugin: Any) -> bool:
    return "host" in plugin.template_tokens and bool(plugin.host) and _mode(plugin) not in VENDOR_MODES


def _mode(plugin: Any) -> str:
    return str(getattr(plugin, "mode", "") or "")


def _masked(plugin: Any) -> str:
    """The address without its keys, and without the options that only repeat the defaults."""
    return str(plugin.url(privacy=True)).partition("?")[0]


def _send(message: OutgoingMessage, settings: Gateway, allowed_hosts: Collection[str]) -> Taken:
    apprise = _apprise()
    line = apprise.Apprise()
    if not line.add(settings.url):
        raise SendFailed("The gateway's address is not understood any more", permanent=True)
    with apprise.LogCapture(level=logging.WARNING) as heard:
        is_taken = line.notify(title=message.title, body=message.short_text)
        words = _words(heard.getvalue())
    if is_taken:
        return Taken(f"Taken by {settings.hint}")
    if "timed out" in words.lower():
        raise AnswerLost(words)
    raise SendFailed(words or f"{settings.hint} refused it without a word")


def _words(log: str) -> str:
    """What was logged, without the time and level that begin each line."""
    return " ".join(line.split(" - ", 2)[-1] for line in log.splitlines() if line.strip())


def _apprise() -> Any:
    """The one seam: loading it takes some 40 MB, which a console without a gateway need not have."""
    import apprise  # noqa: PLC0415

    return apprise


SENDER = Sender(
    fields=(
        Field(
            "url",
            "Gateway address",
            f"As Apprise writes it, such as twilio://SID:TOKEN@FROM/TO. {WIKI} lists SMS, voice and push gateways.",
            is_secret=True,
        ),
    ),
    read=_read,
    hint=lambda settings: settings.hint,
    send=_send,
)
