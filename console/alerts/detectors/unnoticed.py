"""Reclaimed without notice (F1): which feed should have told, and what is known of it.

A warning is best effort, so one missing says little of a cloud but much of a feed: the finding is the
feed's. Google tells of a preemption ahead of time only inside the machine, Azure too; there the watcher on
the node should have told, and the cloud's own feed could not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from console.alerts.detecting import Condition, Detector, Kind, Subject, Threshold, row
from console.feeds.models import FeedKind

TELLERS: Mapping[str, tuple[FeedKind, ...]] = MappingProxyType(
    {
        "aws": (
            FeedKind.AWS_EVENTBRIDGE,
            FeedKind.AWS_SQS,
            FeedKind.AWS_SNS,
            FeedKind.AWS_IMDS,
            FeedKind.NTH_WEBHOOK,
            FeedKind.NODE_REPORT,
        ),
        "gcp": (FeedKind.GCP_METADATA, FeedKind.NODE_REPORT),
        "azure": (FeedKind.AZURE_SCHEDULED_EVENTS, FeedKind.NODE_REPORT),
    }
)
"""The kinds that tell of a reclaim before it happens, the likeliest first."""


class Listener(NamedTuple):
    """A feed that is connected and not paused."""

    id: int
    slug: str
    name: str
    kind: str
    account: str
    region: str
    team: str
    team_id: int | None = None


class Unnoticed(NamedTuple):
    """A reclaim that no notice told of."""

    id: int
    machine: str
    provider: str
    account: str
    region: str
    started_at: datetime
    heartbeat_at: datetime | None
    witnesses: frozenset[int]
    """The feeds that told of it, afterwards."""


@dataclass(frozen=True, slots=True)
class Missed:
    """The reclaims of which one feed, or where none is connected nobody, should have told."""

    scope: str
    teller: Listener | None
    reclaims: Sequence[Unnoticed]
    listeners: Sequence[Listener]
    """Every feed that could have told of them, the likeliest first."""

    @property
    def silent(self) -> list[Listener]:
        heard: set[int] = set().union(*(one.witnesses for one in self.reclaims))
        return [one for one in self.listeners if one.id not in heard]


def find_missed(reclaims: Iterable[Unnoticed], feeds: Collection[Listener]) -> list[Missed]:
    """One finding for each feed that should have told, with the reclaims it missed."""
    found: dict[str, tuple[list[Listener], list[Unnoticed]]] = {}
    for one in sorted(reclaims, key=lambda one: (one.started_at, one.id)):
        listeners = listeners_of(one, feeds)
        place = "/".join((one.provider or "-", one.account or "-", one.region or "-"))
        scope = listeners[0].slug if listeners else place
        found.setdefault(scope, (listeners, []))[1].append(one)
    return [
        Missed(scope, listeners[0] if listeners else None, missed, listeners)
        for scope, (listeners, missed) in sorted(found.items())
    ]


def listeners_of(one: Unnoticed, feeds: Iterable[Listener]) -> list[Listener]:
    """The feeds that could have told of it: those of its account and region before those of any."""
    kinds = TELLERS.get(one.provider, ())
    fitting = [
        feed
        for feed in feeds
        if feed.kind in kinds and feed.account in ("", one.account) and feed.region in ("", one.region)
    ]
    return sorted(
        fitting,
        key=lambda feed: (kinds.index(FeedKind(feed.kind)), not feed.account, not feed.region, feed.id),
    )


FEW, MANY = "few", "many"

DETECTOR = Detector(
    name="no_notice",
    title="Reclaimed without notice",
    about="Reclaims of the last hour that no feed told of ahead of time (F1), each held against the feed that "
    "should have. One is on the board; so many that the feed cannot be trusted are a ticket for its owner.",
    kind=Kind.EVENT,
    subject=Subject.FEED,
    thresholds=(
        Threshold("many", "A ticket from", 3, "reclaims in 1 h", least=1, most=10_000, is_whole=True),
    ),
    conditions=(
        Condition(MANY, "So many reclaims without notice", row("ticket", "ticket", "ticket")),
        Condition(FEW, "Fewer than that", row("log", "log", "log")),
    ),
    evaluations=1,
)
