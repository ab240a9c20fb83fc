"""The Celery workers and beat of one machine, and a poller where one is needed: forked from one loaded process.

Forked, they share what they have loaded: five processes take the memory of about two. The pipelines run
in processes of their own; telling and reporting mostly wait for others, so threads do. One more thread sends
what is due and takes no tasks: no page waits behind a report, or for a broker that is away.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

# What the children would otherwise each load for themselves.
import celery.apps.beat
import celery.apps.worker
import celery.concurrency.prefork
import celery.concurrency.thread
import celery.worker.consumer  # noqa: F401
import django
from celery.exceptions import SecurityWarning

from console.config.celery import app
from console.config.ledger import Ledger
from console.config.processes import Child, Process, die_with_parent
from console.config.supervisor import STOP_SIGNALS, StopRequested, Supervisor

django.setup()  # what follows reads the tables

from console.config.polling_child import CHILD, PollingChild  # noqa: E402
from console.ingest import poller  # noqa: E402
from console.notifications.sweeping import sweep_forever  # noqa: E402

logger = logging.getLogger(__name__)
QUIET = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}


class Forked(Process):
    """A child that runs one of our own functions instead of a program."""

    def __init__(self, child: Child, run: Callable[[], object]) -> None:
        self.child = child
        self.started_at = time.monotonic()
        self.output = None
        self._code: int | None = None
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _become(child, run, parent=parent)

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
        return True


def _become(child: Child, run: Callable[[], object], *, parent: int) -> None:
    """Never returns: what lies above on the stack belongs to the supervisor."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (*STOP_SIGNALS, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        die_with_parent(parent, child.stop_signal)
        run()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0
    except BaseException:
        logger.exception("hands.failed", extra={"child": child.name})
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _work(name: str, queues: str, *, pool: str, concurrency: int) -> Callable[[], object]:
    def run() -> object:
        worker = app.Worker(
            hostname=f"{name}@{os.uname().nodename}", queues=queues, pool=pool, concurrency=concurrency,
            loglevel="WARNING", quiet=True, **QUIET,
        )  # fmt: skip
        worker.start()
        return sys.exit(worker.exitcode or 0)

    return run


def _beside(other: Callable[[], object], work: Callable[[], object]) -> Callable[[], object]:
    """`work`, with `other` in a thread of its own as long as it lasts."""

    def run() -> object:
        threading.Thread(target=other, daemon=True).start()
        return work()

    return run


def _beat(schedule: Path) -> Callable[[], object]:
    schedule.parent.mkdir(parents=True, exist_ok=True)
    return lambda: app.Beat(schedule=str(schedule), loglevel="WARNING", quiet=True).run()


def main(var: Path, workers: int) -> None:
    jobs = {
        "worker": _work("worker", "ingest,alerts", pool="prefork", concurrency=workers),
        "notify": _beside(sweep_forever, _work("notify", "notify,reports", pool="threads", concurrency=4)),
        "beat": _beat(var / "beat" / "schedule"),
        CHILD.name: poller.main,
    }
    app.loader.init_worker()
    app.finalize()
    gc.collect()
    gc.freeze()  # the collector would otherwise touch, and so copy, every page it shares
    warnings.filterwarnings(
        "ignore", category=SecurityWarning
    )  # of root: only JSON is accepted, never pickle
    ledger = Ledger(var / "hands")
    ledger.end_orphans()
    supervisor = Supervisor(ledger=ledger, show=_say, spawn=lambda child: Forked(child, jobs[child.name]))
    with supervisor.listening():
        try:
            for name in ("worker", "notify", "beat"):
                supervisor.start(Child(name, (), stop_within=0.5 if name == "beat" else 1.5))
            supervisor.run(tend=PollingChild(supervisor).tend)
        except StopRequested:
            logger.info("hands.stopped_at_start")
        finally:
            supervisor.stop()


def _say(_: str, line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
