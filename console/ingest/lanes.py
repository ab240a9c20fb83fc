"""Lanes of the queue: the messages about one machine share one.

A worker with a backlog before it takes up one lane. So it holds what there is to say of a machine at once and
decides about it once, and two workers seldom wait for the same machine. A lane is no promise: whoever holds a
machine's row lock decides, and a machine that goes by two names may be in two lanes.
"""

from __future__ import annotations

from zlib import crc32

from console.feeds.normalised import Reading

LANES = 8


def lane_of(reading: Reading) -> int:
    """The lane of the first machine that is spoken of."""
    machine = reading.events[0].machine if reading.events else reading.machine
    return crc32(machine.identifier.encode()) % LANES if machine is not None else 0
