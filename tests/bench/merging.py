"""Many reclaims, each told by several channels, recorded by workers that are killed at random."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from django.utils import timezone

from console.feeds.models import QueuedDelivery
from console.ingest.keeping import TABLES
from console.interruptions.models import InterruptionChange
from console.lib.partitions import ensure_partitions
from tests.bench import emptying
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
_NURSERY = """
import gc
import os
import signal
import sys
import time
from datetime import timedelta
import django
django.setup()
from django.utils import timezone
from console.alerts import pipeline as alerting
from console.ingest import pipeline
back = timedelta(seconds=float(sys.argv[1]))
def work():
    while True:
        try:
            now = timezone.now() - back
            done = pipeline.record_batch(now=now) + alerting.alert_batch(now=now)
        except Exception as error:
            if not pipeline.is_passing(error):
                raise
            done = 0
        if not done:
            time.sleep(0.05)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
gc.collect()
gc.freeze()
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        work()
    print(child, flush=True)
"""
"""A process that has loaded everything and has workers split off it: one that is killed is replaced at once."""


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
    emptying.empty()
    ensure_partitions(TABLES, now=at(0))
    told = stream(RECLAIMS, seed=SEED)
    crew = _Crew()
    started = time.perf_counter()
    try:
        for place, workers in enumerate(WORKERS):
            crew.size = workers
            _store(told[place :: len(WORKERS)])
            _wait_until_done(crew, until=started + LONGEST)
    finally:
        crew.end()
    seconds = time.perf_counter() - started
    more = {"deliveries": len(told), "workers": "1-4", "killed": crew.killed, "seconds": round(seconds, 1)}
    verdict = judge(told)
    emptying.empty()
    return Correctness(verdict, more)


def _store(told: list[Told]) -> None:
    heard = messages(told)
    for start in range(0, len(heard), TOGETHER):
        store(heard[start : start + TOGETHER])


def _wait_until_done(crew: _Crew, *, until: float) -> None:
    while QueuedDelivery.objects.exists() or InterruptionChange.objects.exists():
        assert time.perf_counter() < until, f"{QueuedDelivery.objects.count()} deliveries are never recorded"
        crew.check()
        time.sleep(0.2)


class _Crew:
    """Some workers; every few seconds one of them is killed, and another takes its place."""

    def __init__(self) -> None:
        self.size = 0
        self.killed = 0
        self._chance = random.Random(SEED)
        back = (timezone.now() - at(24 * HOUR)).total_seconds()
        self._nursery = subprocess.Popen(
            [sys.executable, "-c", _NURSERY, str(back)],
            env=os.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._said() == "ready"
        self._workers: list[int] = []
        self._lost = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._stir, daemon=True)
        self._thread.start()

    def check(self) -> None:
        assert not self._lost, f"{self._lost} workers ended by themselves"

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        for worker in self._workers:
            os.kill(worker, signal.SIGKILL)
        self._nursery.communicate(timeout=30)

    def _said(self) -> str:
        assert self._nursery.stdout is not None
        return self._nursery.stdout.readline().strip()

    def _stir(self) -> None:
        next_at = time.monotonic() + KILLED_EVERY[1]
        while not self._ended.wait(0.05):
            gone = [worker for worker in self._workers if not _lives(worker)]
            self._lost += len(gone)
            self._workers = [worker for worker in self._workers if worker not in gone]
            if self._workers and time.monotonic() >= next_at:
                os.kill(self._workers.pop(self._chance.randrange(len(self._workers))), signal.SIGKILL)
                self.killed += 1
                next_at = time.monotonic() + self._chance.uniform(*KILLED_EVERY)
            while len(self._workers) < self.size:
                self._workers.append(self._start())

    def _start(self) -> int:
        assert self._nursery.stdin is not None
        self._nursery.stdin.write("one more\n")
        self._nursery.stdin.flush()
        return int(self._said())


def _lives(worker: int) -> bool:
    try:
        os.kill(worker, 0)
    except ProcessLookupError:
        return False
    return True
