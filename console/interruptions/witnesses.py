"""The witness ledger of one reclaim: which channel said what, when, how late, and who was first.

A channel is a feed and a format: one feed may carry the same reclaim as a cloud's event and as a lifecycle
hook. Whatever a channel says a second time of the same kind is a repeat: counted, not listed again. All is
summed by the database, so hundreds of statements cost no more than a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.feeds.models import Feed
from console.feeds.normalised import Kind
from console.interruptions.models import Interruption
from console.lib.rows import fetch

HEARD_BEFORE = timedelta(days=1)
"""Observations are kept by receive time: a merge may have brought some from before the reclaim's own first."""
MOST_CHANNELS = 50

_TOLD = """
SELECT feed_id, source, kind, count(*), min(received_at),
       (array_agg(id ORDER BY received_at, id))[1],
       (array_agg(occurred_at ORDER BY received_at, id))[1],
       bool_or(is_observed)
FROM interruptions_observation
WHERE interruption_id = %(interruption)s AND received_at >= %(since)s
GROUP BY feed_id, source, kind ORDER BY min(received_at), 6
"""


@dataclass(frozen=True, slots=True)
class Told:
    """One kind of statement by one channel: its first, and how often it was repeated."""

    observation_id: int
    kind: str
    kind_label: str
    occurred_at: datetime
    received_at: datetime
    is_observed: bool
    """The message had no time of its own: what happened is as old as the message."""
    count: int

    @property
    def delay(self) -> timedelta:
        """From when it happened to when it was received."""
        return self.received_at - self.occurred_at

    @property
    def repeats(self) -> int:
        return self.count - 1


@dataclass(frozen=True, slots=True)
class Channel:
    """One witness. `told` is in the order heard, never empty."""

    feed: Feed | None
    feed_id: int
    source: str
    told: Sequence[Told]
    behind: timedelta
    """After the first witness; zero for the first itself."""

    @property
    def first(self) -> Told:
        return self.told[0]

    @property
    def name(self) -> str:
        return self.feed.name if self.feed else "a feed since removed"

    @property
    def transport(self) -> str:
        return self.feed.get_kind_display() if self.feed else ""

    @property
    def statements(self) -> int:
        return sum(one.count for one in self.told)

    @property
    def repeats(self) -> int:
        return sum(one.repeats for one in self.told)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All witnesses of one reclaim, the first one first."""

    channels: Sequence[Channel]
    total: int
    """How many there are, where more than `MOST_CHANNELS` told."""

    @property
    def lead(self) -> timedelta | None:
        """By how much the first witness beat the second; None where there was but one."""
        return self.channels[1].behind if len(self.channels) > 1 else None

    @property
    def left_out(self) -> int:
        return self.total - len(self.channels)


def ledger_of(interruption: Interruption) -> Ledger:
    """Two queries, however many messages told of it."""
    found: dict[tuple[int, str], list[Told]] = {}
    since = interruption.first_received_at - HEARD_BEFORE
    for row in fetch(_TOLD, {"interruption": interruption.pk, "since": since}):
        feed_id, source, kind, count, received_at, pk, occurred_at, is_observed = row
        label = str(Kind(kind).value).replace("_", " ").capitalize()
        told = Told(pk, kind, label, occurred_at, received_at, is_observed, count)
        found.setdefault((feed_id, source), []).append(told)
    shown = list(found.items())[:MOST_CHANNELS]
    feeds = Feed.objects.in_bulk({feed_id for (feed_id, _), _ in shown})
    first_at = shown[0][1][0].received_at if shown else interruption.first_received_at
    channels = [
        Channel(feeds.get(feed_id), feed_id, source, told, told[0].received_at - first_at)
        for (feed_id, source), told in shown
    ]
    return Ledger(channels, total=len(found))
