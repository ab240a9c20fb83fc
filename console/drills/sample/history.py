"""Ninety days before the anchor: quiet weeks, a cascade, a missed notice, a bad deploy, a hungry GPU pool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from console.drills.sample import aws_messages as aws
from console.drills.sample.agents import last_words
from console.drills.sample.lanes import AWS, INVENTORY, Post
from console.drills.sample.machines import (
    DEAF_SEAT,
    Fleet,
    Sitting,
    inventory_row,
    machine_in,
    random_of,
    seats,
)
from console.drills.sample.oddities import ODDITIES
from console.drills.sample.story import Script, script_of, tell

DAYS = 90
ENDS_BEFORE = timedelta(minutes=40)
"""Nothing of history is so fresh that somebody would be told of it."""
WEEKS = (1.0, 0.8, 0.15, 0.1, 1.3, 1.0, 1.1, 0.1, 1.0, 1.2, 0.9, 1.1, 0.35)
"""How hungry the providers were, week by week; the quiet ones are quiet. The last leaves room for what the
opening of live play adds to it."""
CASCADE_BEFORE = timedelta(days=23, hours=4, minutes=11)
CASCADE_SIZE = 41
CASCADE_LASTS = 130.0
CASCADE_POOL = ("us-east-1b", "m6i.xlarge")
BAD_DEPLOY_BEFORE = timedelta(days=9, hours=9)
BAD_DEPLOY_SERVICE = "video-transcoding"
MISSED_BEFORE = timedelta(days=16, hours=5, minutes=2)
MISSED_SERVICE = "finance-ledger-etl"
SILENT_BEFORE = timedelta(minutes=47)
"""How long before its reclaim the agent of the missed notice was heard last."""
DEAF_BEFORE = timedelta(hours=3, minutes=20)
STORIES_A_BATCH = 25


@dataclass(slots=True)
class History:
    """The past: what ran, what runs now, and what was said, in batches with the newest days first."""

    fleet: Fleet
    past: list[dict[str, Any]] = field(default_factory=list)
    batches: list[list[Post]] = field(default_factory=list)

    @property
    def running(self) -> list[dict[str, Any]]:
        return [inventory_row(sitting) for sitting in self.fleet.sittings]


@dataclass(frozen=True, slots=True)
class _Planned:
    at: datetime
    seat: int
    script: Script | None = None


def write_history(*, seed: int, anchor: datetime) -> History:
    """All of it. The same seed and anchor give the same history, to the letter."""
    return _Writer(seed, anchor).write()


class _Writer:
    def __init__(self, seed: int, anchor: datetime) -> None:
        self.seed, self.anchor = seed, anchor
        self.chance = random_of(seed, "history")
        self.start = anchor - timedelta(days=DAYS)
        self.history = History(Fleet(seed))
        self.told: list[tuple[datetime, list[Post]]] = []

    def write(self) -> History:
        self._settle_in()
        cascade_at = self.anchor - CASCADE_BEFORE
        plan = sorted(self._plan(), key=lambda planned: (planned.at, planned.seat))
        for planned in [each for each in plan if each.at < cascade_at]:
            self._reclaim(planned)
        for planned in self._cascade(cascade_at):
            self._reclaim(planned)
        for planned in [each for each in plan if each.at >= cascade_at]:
            self._reclaim(planned)
        self._hints()
        self._deaf_one()
        self._batches()
        return self.history

    def _settle_in(self) -> None:
        for seat in seats():
            age = timedelta(days=self.chance.uniform(0.5, 20))
            machine = machine_in(seat, generation=0, seed=self.seed)
            self.history.fleet.sittings.append(Sitting(machine, self.start - age))

    def _plan(self) -> Iterator[_Planned]:
        for seat in seats():
            if seat.lifecycle == "spot" and not seat.is_deaf:
                for at in self._moments(seat.service.weekly_rate):
                    yield _Planned(at, seat.index)
        yield from self._bad_deploy()
        yield self._missed_notice()

    def _moments(self, weekly_rate: float) -> Iterator[datetime]:
        """When a seat loses its machine: by chance, at the pace of each week."""
        for week, hunger in enumerate(WEEKS):
            left = 1.0
            while (wait := self.chance.expovariate(weekly_rate * hunger)) < left:
                left -= wait
                at = self.start + timedelta(weeks=week + 1 - left)
                if at < self.anchor - ENDS_BEFORE:
                    yield at

    def _bad_deploy(self) -> Iterator[_Planned]:
        """Hooks that wait for an upload that never ends: a day of lost renders."""
        spot = [s.index for s in seats() if s.service.slug == BAD_DEPLOY_SERVICE and s.lifecycle == "spot"]
        begins = self.anchor - BAD_DEPLOY_BEFORE
        for seat in self.chance.sample(spot, 14):
            at = begins + timedelta(hours=self.chance.uniform(0, 8))
            yield _Planned(at, seat, Script(hook=self.chance.choice(("failed", "overrun", "overrun"))))

    def _missed_notice(self) -> _Planned:
        """The node's agent had stopped: its disk was full. Nobody was warned, and the run was lost."""
        seat = next(s.index for s in seats() if s.service.slug == MISSED_SERVICE and s.lifecycle == "spot")
        script = Script(is_warned=False, is_agent_silent=True, hook="failed", is_proven=True)
        return _Planned(self.anchor - MISSED_BEFORE, seat, script)

    def _cascade(self, at: datetime) -> list[_Planned]:
        """One pool is wanted elsewhere: most of its spot machines go within minutes."""
        chance = random_of(self.seed, "cascade")
        hit = [s.machine for s in self.history.fleet.sittings if s.machine.seat.lifecycle == "spot"]
        pool = [m for m in hit if (m.pool.zone, m.pool.instance_type) == CASCADE_POOL]
        taken = chance.sample(pool, min(CASCADE_SIZE, len(pool)))
        offsets = sorted(chance.uniform(0, CASCADE_LASTS) for _ in taken)
        return [
            _Planned(at + timedelta(seconds=offset), machine.seat.index, script_of(chance))
            for offset, machine in zip(offsets, taken, strict=True)
        ]

    def _reclaim(self, planned: _Planned) -> None:
        fleet = self.history.fleet
        sitting = fleet.sittings[planned.seat]
        if planned.at - sitting.started_at < timedelta(minutes=30) and planned.script is None:
            return
        chance = random_of(self.seed, "story", planned.seat, sitting.machine.generation)
        script = planned.script or script_of(chance)
        successor = fleet.successor(sitting.machine)
        story = tell(sitting, successor, at=planned.at, script=script, chance=chance, is_past=True)
        if script.is_agent_silent:
            said = last_words(sitting.machine, at=planned.at - SILENT_BEFORE, chance=self.chance)
            story.posts.append(said)
        self.history.past.append(inventory_row(sitting, ended_at=story.ended_at))
        fleet.sit(Sitting(successor, story.replaced_at, replaces=sitting.machine.instance_id))
        self.told.append((planned.at, [post for post in story.posts if post.lane != INVENTORY]))

    def _deaf_one(self) -> None:
        """A machine that runs now, and whose agent nobody has heard for hours."""
        machine = self.history.fleet.sittings[DEAF_SEAT].machine
        at = self.anchor - DEAF_BEFORE
        self.told.append((at, [last_words(machine, at=at, chance=self.chance)]))

    def _hints(self) -> None:
        """Recommendations that came to nothing."""
        spot = [s for s in self.history.fleet.sittings if s.machine.seat.lifecycle == "spot"]
        for sitting in [s for s in spot if s.machine.provider == "aws"][::5]:
            lived = (self.anchor - sitting.started_at) / timedelta(days=1)
            at = sitting.started_at + timedelta(days=lived * self.chance.uniform(0.2, 0.8))
            if lived > 3 and self.anchor - at > timedelta(days=1, hours=2):
                body = aws.rebalance(sitting.machine, at=at, chance=self.chance)
                self.told.append((at, [Post(at, AWS, body)]))

    def _batches(self) -> None:
        self.told.sort(key=lambda told: told[0], reverse=True)
        pieces = [self.told[n : n + STORIES_A_BATCH] for n in range(0, len(self.told), STORIES_A_BATCH)]
        batches = [[post for _, posts in piece for post in posts] for piece in pieces]
        batches[0] += self._odd_ones()
        for number, batch in enumerate(batches):
            late = batches[min(number + 2, len(batches) - 1)]
            repeats = [post for post in batch if post.lane == AWS and _is_repeated(self.chance)]
            late += repeats
        self.history.batches = batches

    def _odd_ones(self) -> list[Post]:
        machines = [s.machine for s in self.history.fleet.sittings if s.machine.provider == "aws"]
        posts = []
        for number in range(10):
            at = self.anchor - timedelta(hours=self.chance.uniform(1, 60))
            make = ODDITIES[number % len(ODDITIES)]
            posts.append(make(self.chance.choice(machines), at=at, chance=self.chance))
        return posts


def _is_repeated(chance: Random) -> bool:
    """Providers deliver at least once, which now and then is twice."""
    return chance.random() < 0.03
