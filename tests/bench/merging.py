"""Many reclaims, each told by several channels, recorded by workers that are killed at random."""

from __future__ import annotations

import time
from dataclasses import dataclass

from console.feeds.models import QuarantinedItem
from console.ingest.keeping import TABLES
from console.lib.partitions import ensure_partitions
from tests.crew import Crew
from tests.ingest.hearing import HOUR, at, store
from tests.reclaims.judging import Verdict, judge
from tests.reclaims.telling import messages, stream
from tests.reclaims.told import Told

RECLAIMS = 2_000
SEED = 20_260_311
TOGETHER = 250
WORKERS = (1, 2, 3, 4)
"""A quarter of the messages meets each number of workers."""
KILLED_EVERY = (5.0, 15.0)
"""Seconds, while there is work."""
LONGEST = 1_800.0


@dataclass(frozen=True)
class Correctness:
    """Within its limit only where nothing at all is wrong."""

    verdict: Verdict
    more: dict[str, object]

    @property
    def is_ok(self) -> bool:
        return self.verdict.is_exact

    def line(self, name: str) -> dict[str, object]:
        said = self.verdict
        return {
            "name": name,
            "value": said.found,
            "unit": "interruptions",
            "limit": said.told,
            "ok": self.is_ok,
            "wrong_merges": len(said.wrong_merges),
            "splits": len(said.splits),
            "lost_observations": len(said.lost),
            "miscounted_witnesses": len(said.miscounted),
            "observations": said.statements,
            **self.more,
        }


def merged() -> Correctness:
    """Everything told, by growing numbers of workers; then what the record holds against what happened."""
    ensure_partitions(TABLES, now=at(0))
    told = stream(RECLAIMS, seed=SEED)
    started = time.perf_counter()
    with Crew(begin=at(24 * HOUR), size=WORKERS[0], killed_every=KILLED_EVERY, seed=SEED) as crew:
        for place, workers in enumerate(WORKERS):
            crew.size = workers
            _store(told[place :: len(WORKERS)])
            crew.wait_until_done(within=started + LONGEST - time.perf_counter())
    seconds = time.perf_counter() - started
    more = {"deliveries": len(told), "workers": "1-4", "killed": crew.killed, "seconds": round(seconds, 1),
            "set_aside": QuarantinedItem.objects.count()}  # fmt: skip
    verdict = judge(told)
    return Correctness(verdict, more)


def _store(told: list[Told]) -> None:
    heard = messages(told)
    for start in range(0, len(heard), TOGETHER):
        store(heard[start : start + TOGETHER])
