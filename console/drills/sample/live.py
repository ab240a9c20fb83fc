"""Live play: which reclaim begins when, and everything else a fleet says while it runs.

`Live.due` gives what is to be sent by now. It keeps no clock of its own and sends nothing.
"""

from __future__ import annotations

import heapq
from collections import Counter as Tally
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from console.drills.sample import agents
from console.drills.sample import aws_messages as aws
from console.drills.sample import azure_messages as azure
from console.drills.sample import gcp_messages as gcp
from console.drills.sample.cluster_messages import watchdog
from console.drills.sample.company import SERVICES, ServicePlan
from console.drills.sample.lanes import ALERTS, AWS, INVENTORY, METADATA, SCHEDULED, Post
from console.drills.sample.machines import Fleet, Machine, Sitting, inventory_row, iso
from console.drills.sample.oddities import ODDITIES
from console.drills.sample.story import Step, script_of, tell
from console.drills.sample.traffic import MINUTE, REQUESTS, Counter, minutes_between

WORKLOADS = "workloads"
STATES_EVERY = timedelta(seconds=45)
WATCHDOG_EVERY = timedelta(minutes=1)
LISTS_EVERY = timedelta(minutes=10)
HINTS_EVERY = (6.0, 24.0)
ODD_EVERY = (20.0, 90.0)
"""Minutes."""
FIRST_MINUTE = timedelta(minutes=1)
OPENING = timedelta(minutes=30)
"""How long the first play is lively; afterwards machines go at the pace of a calm week."""
OPENING_EVERY = (5.0, 12.0)
OVERTURE = ((1, "checkout-workers", 3), (7, "video-transcoding", 1), (16, "recommender-training", 2),
            (24, "trino-analytics", 1), (31, "edge-cache", 1), (37, "search-serving", 1),
            (43, "ci-runners", 1))  # fmt: skip
"""The first minute: seconds, service, machines."""
REPRISE = ((1, "checkout-workers", 1), (12, "recommender-training", 1))
"""The first minute of every later run, so that starting often does not look like a bad week."""
WEEKLY = 0.7 * sum(plan.weekly_reclaims for plan in SERVICES)
"""A calm week, because the opening comes on top of it."""
BURSTS = (1, 1, 1, 1, 1, 1, 1, 2, 2, 3)
"""How many machines go at once."""
RESAID = timedelta(seconds=30)
"""What was said this lately is kept as unsaid: nobody can know whether it was heard."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """A machine under notice, when it goes, and who takes its seat when."""

    sitting: Sitting
    successor: Sitting
    gone_at: datetime


class Live:
    """The fleet at play. `unsent` is what an earlier run still had to say."""

    def __init__(
        self,
        fleet: Fleet,
        *,
        now: datetime,
        chance: Random,
        unsent: Iterable[Post] = (),
        is_first: bool = True,
    ) -> None:
        self.fleet, self.chance, self.began_at = fleet, chance, now
        self.traffic = Counter(fleet.seed, anchor=now)
        self.counted_until = now
        self.opens_until = now + (OPENING if is_first else FIRST_MINUTE)
        self.turned = 0
        """How many reclaims have begun: a reason to keep the progress at once."""
        self.leaving: dict[str, Leaving] = {}
        """By instance id, until both machines have come and gone."""
        self._down: dict[str, Tally[str]] = defaultdict(Tally)
        self._touched: set[str] = set()
        self._in_passing: list[Post] = []
        """Said once, now: a beat or a list that was missed is not made up for."""
        self._said: deque[tuple[datetime, Post]] = deque()
        self._order = count()
        self._heap: list[tuple[datetime, int, Post | Callable[[datetime], None]]] = []
        for post in unsent:
            self._later(post.at, post)
        for seconds, slug, machines in OVERTURE if is_first else REPRISE:
            self._later(now + timedelta(seconds=seconds), self._taking(slug, machines))
        for at, turn in agents.first_turns(now):
            self._later(at, self._beating(turn))
        self._later(now, self._tell_states)
        self._later(now + LISTS_EVERY, self._list)
        self._later(now + timedelta(seconds=5), self._watch)
        self._later(now + timedelta(minutes=2), self._be_odd)
        self._later(now + timedelta(minutes=3), self._hint)
        self._later(now + FIRST_MINUTE, self._wait)
        self._later(_after_minute(now), self._count)

    def due(self, now: datetime) -> list[Post]:
        """Everything whose time has come, in order."""
        posts: list[Post] = []
        while self._heap and self._heap[0][0] <= now:
            at, _, what = heapq.heappop(self._heap)
            if isinstance(what, Post):
                posts.append(what)
                self._said.append((now, what))
            else:
                what(at)
        while self._said and self._said[0][0] < now - RESAID:
            self._said.popleft()
        posts += self._in_passing
        self._in_passing = []
        posts += [Post(now, WORKLOADS, self._state(slug, now)) for slug in sorted(self._touched)]
        self._touched.clear()
        return posts

    def next_at(self) -> datetime:
        return self._heap[0][0]

    def unsent(self) -> list[Post]:
        """What the reclaims that are under way have still to say, and what they said just now.

        Whoever hears a message again knows it by its id.
        """
        ahead = [
            what for _, _, what in sorted(self._heap, key=lambda entry: entry[:2]) if isinstance(what, Post)
        ]
        return [post for _, post in self._said] + ahead

    def seated(self) -> list[Sitting]:
        """Who sits where once the reclaims under way are over."""
        heirs = {leaving.sitting.machine.seat.index: leaving.successor for leaving in self.leaving.values()}
        return [heirs.get(sitting.machine.seat.index, sitting) for sitting in self.fleet.sittings]

    # What happens ------------------------------------------------------------------------------

    def _later(self, at: datetime, what: Post | Callable[[datetime], None]) -> None:
        heapq.heappush(self._heap, (at, next(self._order), what))

    def _wait(self, at: datetime) -> None:
        """Lively at first; then machines go as seldom as in a calm week of the past."""
        if at < self.opens_until:
            pause = timedelta(minutes=self.chance.uniform(*OPENING_EVERY))
        else:
            together = sum(BURSTS) / len(BURSTS)
            pause = timedelta(weeks=self.chance.expovariate(WEEKLY / together))
        self._later(at + pause, self._go_on)

    def _go_on(self, at: datetime) -> None:
        """By how often each service's machines are taken, sometimes several of one service at once."""
        weights = [plan.weekly_reclaims for plan in SERVICES]
        self._take(self.chance.choices(SERVICES, weights)[0].slug, self.chance.choice(BURSTS), at=at)
        self._wait(at)

    def _taking(self, slug: str, machines: int) -> Callable[[datetime], None]:
        return lambda at: self._take(slug, machines, at=at)

    def _takeable(self, slug: str = "") -> list[Sitting]:
        return [
            sitting
            for sitting in self.fleet.sittings
            if sitting.machine.seat.lifecycle == "spot"
            and (not slug or sitting.machine.service.slug == slug)
            and sitting.machine.instance_id not in self.leaving
            and not sitting.machine.seat.is_deaf
        ]

    def _take(self, slug: str, machines: int, *, at: datetime) -> None:
        there = [s for s in self._takeable(slug) if at - s.started_at > timedelta(minutes=10)]
        for number, sitting in enumerate(self.chance.sample(there, min(machines, len(there)))):
            self._reclaim(sitting, at=at + timedelta(seconds=number * self.chance.uniform(0.5, 4)))

    def _reclaim(self, sitting: Sitting, *, at: datetime) -> None:
        machine = sitting.machine
        script = script_of(self.chance)
        if at - self.began_at < FIRST_MINUTE:
            script = replace(script, rebalance_lead=None)
        elif script.rebalance_lead is not None:
            at += timedelta(seconds=script.rebalance_lead)  # the hint comes now, the notice follows
        successor = self.fleet.successor(machine)
        story = tell(sitting, successor, at=at, script=script, chance=self.chance)
        heir = Sitting(successor, story.replaced_at, replaces=machine.instance_id)
        self.leaving[machine.instance_id] = Leaving(sitting, heir, story.ended_at)
        self.turned += 1
        self.traffic.lose(machine.service.slug, story.ended_at)
        for post in story.posts:
            self._later(post.at, post)
        for step in story.steps:
            self._later(step.at, self._stepping(machine.service, step))
        self._later(story.replaced_at, self._seating(heir))
        gone_at = max(story.ended_at, story.replaced_at) + timedelta(seconds=1)
        self._later(gone_at, self._gone(machine))

    def _stepping(self, service: ServicePlan, step: Step) -> Callable[[datetime], None]:
        def go(at: datetime) -> None:
            self._down[service.slug][step.zone] -= step.delta
            self._touched.add(service.slug)

        return go

    def _seating(self, heir: Sitting) -> Callable[[datetime], None]:
        def sit(at: datetime) -> None:
            self.fleet.sit(heir)
            self._in_passing.append(agents.beat(heir.machine, at=at, chance=self.chance))

        return sit

    def _gone(self, machine: Machine) -> Callable[[datetime], None]:
        def forget(at: datetime) -> None:
            self.leaving.pop(machine.instance_id, None)

        return forget

    def _hint(self, at: datetime) -> None:
        """A recommendation that comes to nothing."""
        there = [s.machine for s in self._takeable() if s.machine.provider == "aws"]
        machine = self.chance.choice(there)
        self._later(at, Post(at, AWS, aws.rebalance(machine, at=at, chance=self.chance)))
        self._later(at + timedelta(minutes=self.chance.uniform(*HINTS_EVERY)), self._hint)

    def _be_odd(self, at: datetime) -> None:
        machines = [s.machine for s in self.fleet.sittings if s.machine.provider == "aws"]
        make = self.chance.choice(ODDITIES)
        self._later(at, make(self.chance.choice(machines), at=at, chance=self.chance))
        self._later(at + timedelta(minutes=self.chance.uniform(*ODD_EVERY)), self._be_odd)

    # What is said all the time -----------------------------------------------------------------

    def _beating(self, turn: int) -> Callable[[datetime], None]:
        def beat(at: datetime) -> None:
            alive = [s.machine for s in self.fleet.sittings if self._is_alive(s, at)]
            self._in_passing += agents.beats(alive, turn, at=at, chance=self.chance)
            self._later(agents.next_turn(turn, at=at, began_at=self.began_at), beat)

        return beat

    def _tell_states(self, at: datetime) -> None:
        self._touched |= {plan.slug for plan in SERVICES}
        self._later(at + STATES_EVERY, self._tell_states)

    def _watch(self, at: datetime) -> None:
        """The alert that always fires, and what two watchers poll while nothing is announced."""
        self._in_passing.append(Post(at, ALERTS, watchdog(since=self.began_at)))
        there = [s.machine for s in self.fleet.sittings if self._is_there(s, at)]
        google = next((m for m in there if m.provider == "gcp"), None)
        if google is not None:
            self._in_passing.append(Post(at, METADATA, gcp.not_preempted(google, at=at)))
        polled = next((m for m in there if m.provider == "azure"), None)
        if polled is not None:
            self._in_passing.append(Post(at, SCHEDULED, azure.nothing_scheduled(polled, at=at)))
        self._later(at + WATCHDOG_EVERY, self._watch)

    def _count(self, at: datetime) -> None:
        """The requests of each minute that is over."""
        for minute in minutes_between(self.counted_until, at):
            self._in_passing += [Post(at, REQUESTS, row) for row in self.traffic.rows(minute)]
            self.counted_until = minute + MINUTE
        self._later(_after_minute(at), self._count)

    def _list(self, at: datetime) -> None:
        """The whole inventory once more, without machines that are about to go."""
        for sitting in self.fleet.sittings:
            if self._is_there(sitting, at):
                self._in_passing.append(Post(at, INVENTORY, inventory_row(sitting)))
        self._later(at + LISTS_EVERY, self._list)

    def _is_alive(self, sitting: Sitting, at: datetime) -> bool:
        """A watcher is heard until its machine goes."""
        leaving = self.leaving.get(sitting.machine.instance_id)
        return sitting.started_at <= at and (leaving is None or at < leaving.gone_at)

    def _is_there(self, sitting: Sitting, at: datetime) -> bool:
        return sitting.machine.instance_id not in self.leaving and sitting.started_at <= at

    def _state(self, slug: str, at: datetime) -> dict[str, Any]:
        """Replicas of a service as its cluster sees them."""
        plan = next(plan for plan in SERVICES if plan.slug == slug)
        zones: Tally[str] = Tally({pool.zone: 0 for pool in plan.pools})
        for sitting in self.fleet.sittings:
            machine = sitting.machine
            if machine.service.slug == slug and machine.seat.lifecycle != "warm":
                zones[machine.pool.zone] += plan.replicas
        down = min(max(sum(self._down[slug].values()), 0), plan.wanted)
        by_zone = {zone: max(0, ready - max(self._down[slug][zone], 0)) for zone, ready in zones.items()}
        return {
            "cluster": f"meridian-{plan.pools[0].region}",
            "namespace": plan.team,
            "workload": plan.slug,
            "service": plan.slug,
            "at": iso(at),
            "wanted": plan.wanted,
            "ready": plan.wanted - down,
            "pending": down,
            "by_zone": by_zone,
            "needed": plan.needed,
        }


def _after_minute(at: datetime) -> datetime:
    """A few seconds into the next one: what was counted is told once its minute is over."""
    return at.replace(second=4, microsecond=0) + MINUTE
