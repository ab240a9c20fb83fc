"""The node watchers of the fleet: one on every machine, all but one of them heard once a minute.

They take turns, so that the console hears some of them every few seconds and never all at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from console.drills.sample import node_messages as node
from console.drills.sample.lanes import NODES, Post
from console.drills.sample.machines import Machine

TURNS = 8
BEATS_EVERY = timedelta(seconds=60)
"""A machine counts as heard for 90 s."""
FIRST_APART = timedelta(seconds=1)
THEN_APART = BEATS_EVERY / TURNS
TELEMETRY_OF = 40
"""Every so many-th machine sends a sample along."""


def first_turns(began_at: datetime) -> Iterator[tuple[datetime, int]]:
    """When each turn is heard first: all of them soon."""
    for turn in range(TURNS):
        yield began_at + FIRST_APART * turn, turn


def next_turn(turn: int, *, at: datetime, began_at: datetime) -> datetime:
    """When it is heard again: after its first time the turns spread over the minute."""
    if at < began_at + FIRST_APART * TURNS:
        return began_at + BEATS_EVERY / 2 + THEN_APART * turn
    return at + BEATS_EVERY


def beats(machines: Sequence[Machine], turn: int, *, at: datetime, chance: Random) -> Iterator[Post]:
    """What the machines of one turn say."""
    for machine in machines:
        if machine.seat.index % TURNS == turn and not machine.seat.is_deaf:
            yield beat(machine, at=at, chance=chance)


def beat(machine: Machine, *, at: datetime, chance: Random) -> Post:
    entries = [node.heartbeat()]
    if machine.seat.index % TELEMETRY_OF == 0:
        entries.append(node.stream(machine, "telemetry", at, value=round(chance.uniform(0.2, 0.9), 3)))
    return Post(at, NODES, node.report(machine, entries, at=at, chance=chance))


def last_words(machine: Machine, *, at: datetime, chance: Random) -> Post:
    """A full disk, and then nothing."""
    entries = [
        node.heartbeat(),
        node.stream(machine, "telemetry", at),
        node.stream(machine, "audit", at - timedelta(minutes=9)),
        node.log(at - timedelta(minutes=9), "agent: disk 96 % full", level="warning"),
        node.log(at, "agent: no space left on device, telemetry buffer dropped", level="error"),
    ]
    return Post(at, NODES, node.report(machine, entries, at=at, chance=chance))
