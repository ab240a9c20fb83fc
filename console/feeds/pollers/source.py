"""What every vendor's poller does: fetch, keep for longer, let go, and delete what was stored.

All calls block, and several threads may be in them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from console.feeds.feed_settings import SenderSettings
from console.feeds.models import FeedKind

HELD_FOR = 60
"""Seconds for which nobody else is given a message that was fetched. It is asked for anew while work goes on."""

ADDRESSES: Mapping[str, Callable[[SenderSettings], tuple[str, ...]]] = MappingProxyType(
    {
        FeedKind.AWS_SQS: lambda settings: settings.queue_urls,
        FeedKind.GCP_PUBSUB_PULL: lambda settings: settings.subscriptions,
    }
)
"""The kinds that are polled, and where their settings say from."""


class CannotPoll(Exception):
    """The vendor refuses or cannot be reached; the message is shown on the feed's page."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as fetched: `handle` is what it is kept and deleted by."""

    body: bytes
    handle: str = field(repr=False)
    times_received: int = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """A queue or subscription that is to be polled, and the way in. Two that are equal need no new client."""

    kind: str
    address: str
    region: str
    settings: SenderSettings
    secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def secret(self, name: str) -> str:
        return dict(self.secrets).get(name, "")


class Source(Protocol):
    """Every call may raise CannotPoll, and only that."""

    most: int
    """Messages of one fetch; one that brings as many leaves more behind."""

    def fetch(self) -> list[Message]:
        """Wait a while for messages. None came: an empty list."""

    def keep(self, messages: Sequence[Message]) -> None:
        """Nobody else shall be given these for another `HELD_FOR` seconds."""

    def release(self, messages: Sequence[Message]) -> None:
        """Anybody may be given these at once."""

    def delete(self, messages: Sequence[Message]) -> None:
        """These are stored. One that cannot be deleted comes again and is a duplicate then."""
