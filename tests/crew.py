"""Workers of both pipelines as processes of their own, some of which are killed while they work."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from console.feeds.models import QueuedDelivery
from console.interruptions.models import InterruptionChange

_NURSERY = """
import gc, os, signal, sys, time
from datetime import datetime, timedelta
import django
django.setup()
from console.alerts import pipeline as alerting
from console.ingest import pipeline
from console.interruptions.recording import record_heard
begin, pace, killer = datetime.fromisoformat(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
started = time.time()
def deadly(heard, **rest):
    if any(event.machine.instance_id == killer for one in heard for event in one.reading.events):
        os.kill(os.getpid(), signal.SIGKILL)
    record_heard(heard, **rest)
if killer:
    pipeline.record_heard = deadly
def work():
    while True:
        try:
            now = begin + timedelta(seconds=(time.time() - started) * pace)
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


class Crew:
    """Some workers; now and then one of them is killed at random, and another takes its place."""

    def __init__(
        self,
        *,
        begin: datetime,
        size: int,
        killed_every: tuple[float, float],
        pace: float = 1.0,
        most_killed: int | None = None,
        killer: str = "",
        seed: int = 0,
    ) -> None:
        """`begin`: the time it is for them; `pace`: how fast it goes. `killer`: a machine whose messages kill."""
        self.size = size
        self.killed = 0
        self._most_killed = most_killed
        self._killed_every = killed_every
        self._killer = killer
        self._chance = random.Random(seed)
        url = make_conninfo(settings.DATABASE_URL, dbname=str(connection.settings_dict["NAME"]))
        self._nursery = subprocess.Popen(
            [sys.executable, "-c", _NURSERY, begin.isoformat(), str(pace), killer],
            env=os.environ | {"DATABASE_URL": url},
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._said() == "ready"
        self._workers: list[int] = []
        self._lost = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._stir, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for worker in self._workers:
            if _lives(worker):
                os.kill(worker, signal.SIGKILL)
        self._nursery.communicate(timeout=30)

    def wait_until_done(self, *, within: float) -> None:
        """Seconds from now; nothing is queued any more then."""
        until = time.monotonic() + within
        while QueuedDelivery.objects.exists() or InterruptionChange.objects.exists():
            assert time.monotonic() < until, f"{QueuedDelivery.objects.count()} deliveries are never recorded"
            assert not self._lost or self._killer, f"{self._lost} workers ended by themselves"
            time.sleep(0.1)

    def _said(self) -> str:
        assert self._nursery.stdout is not None
        return self._nursery.stdout.readline().strip()

    def _stir(self) -> None:
        next_at = time.monotonic() + self._killed_every[1]
        while not self._ended.wait(0.05):
            gone = [worker for worker in self._workers if not _lives(worker)]
            self._lost += len(gone)
            self._workers = [worker for worker in self._workers if worker not in gone]
            if self._workers and time.monotonic() >= next_at and self.killed != self._most_killed:
                os.kill(self._workers.pop(self._chance.randrange(len(self._workers))), signal.SIGKILL)
                self.killed += 1
                next_at = time.monotonic() + self._chance.uniform(*self._killed_every)
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
