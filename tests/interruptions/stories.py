"""Believable lives of one machine: reclaimed a few times over days, told by several channels with gaps.

The machine is AWS with a persistent request, so it stops and comes back under the same instance id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import strategies as st

from console.feeds.normalised import Action, Kind
from console.interruptions.seen import Seen
from tests.interruptions.make_seen import (
    DAY,
    HOUR,
    MINUTE,
    bare_notice,
    cordoned,
    make_seen,
    proof,
    rebalance,
    running,
    stopped,
    warning,
)


@dataclass
class Story:
    told: list[Seen] = field(default_factory=list)
    """Everything said that arrived."""
    reclaims: list[set[int]] = field(default_factory=list)
    """The observations of each reclaim."""
    ends: list[datetime | None] = field(default_factory=list)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    story = Story()
    clock = 0
    for life in range(draw(st.integers(1, 4))):
        clock += draw(st.integers(2 * HOUR, 3 * DAY))
        if draw(st.integers(0, 3)):
            story.told.append(running(clock, boot_id=f"boot-{life}"))
        clock += draw(st.integers(3 * HOUR, 4 * DAY))
        draw(_reclaims(story, clock, boot=f"boot-{life}"))
    story.told = draw(st.permutations(story.told))
    return story


@st.composite
def _reclaims(draw: st.DrawFn, story: Story, notice: int, *, boot: str) -> None:
    """A reclaim by stopping: at least one channel may open, each other one may be missing."""
    gone = notice + draw(st.integers(60, 150))
    openers = [
        warning(notice, action=Action.STOP, feed_id=1),
        warning(  # polled on the node: seen some seconds on, and exact about the end
            notice + draw(st.integers(0, 8)),
            action=Action.STOP,
            feed_id=2,
            deadline=notice + 121,
            is_precise_deadline=True,
            boot_id=boot,
        ),
        bare_notice(notice + draw(st.integers(0, 90)), feed_id=3),
        proof(gone + draw(st.integers(0, 20)), feed_id=4),
    ]
    said = draw(st.lists(st.sampled_from(openers), min_size=1, unique_by=lambda seen: seen.id))
    others = [
        cordoned(notice - draw(st.integers(-60, 5 * MINUTE)), feed_id=3),
        make_seen(Kind.POD_EVICTED, notice + 20, feed_id=3),
        make_seen(Kind.SHUTDOWN_STARTED, notice + 60, feed_id=5, boot_id=boot),
        stopped(gone, feed_id=1),
    ]
    if draw(st.booleans()):
        others.append(rebalance(notice - draw(st.sampled_from([MINUTE, HOUR, DAY // 12])), feed_id=1))
    said += draw(st.lists(st.sampled_from(others), unique_by=lambda seen: seen.id))
    story.told += said
    story.reclaims.append({seen.id for seen in said})
    story.ends.append(_end(said))


def _end(said: list[Seen]) -> datetime | None:
    gone = [s.occurred_at for s in said if s.kind is Kind.TERMINATED or s.state == "stopped"]
    return min(gone, default=None)
