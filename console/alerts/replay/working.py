"""The worker's turn: claim a replay, keep its lease while computing, write the result once.

| step | why twice, or a kill, is harmless |
| --- | --- |
| claim | compare-and-set; `attempts` is the claim's number |
| beat | moves the bar and the lease; finds out that it was cancelled, or that another worker has it |
| finish | rows and state in one transaction, only while this claim still holds |

A worker that is killed leaves a lease behind that ends: the next one begins the replay again, and nothing of the
first is there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from console.alerts.models import Replay, ReplayEpisode, ReplayQuerySet, ReplayState
from console.alerts.replay.computing import Outcome, compute
from console.lib.bells import Bell
from console.lib.live import announce
from console.lib.passing import is_passing

logger = logging.getLogger(__name__)

BELL = Bell("console.alerts.tasks.replay", queue="reports")
LEASE = timedelta(seconds=60)
BEAT_EVERY = 0.5
"""Seconds."""
MOST_ATTEMPTS = 3
GAVE_UP = "It was begun {} times and the worker died each time. Try fewer days, and look at the workers' log."

Clock = Callable[[], datetime]


class Stopped(Exception):
    """It was cancelled, or another worker took it over."""


def work(*, clock: Clock) -> int:
    """Replay whatever waits, one after another. Returns how many were taken up."""
    count = 0
    while (replay := claim(now=clock())) is not None:
        count += 1
        _run(replay, clock=clock)
    return count


@transaction.atomic
def claim(*, now: datetime) -> Replay | None:
    """The oldest that waits, or whose worker is not heard of any more; this worker's from now on."""
    rows = Replay.objects.claimable(now=now).order_by("pk")
    replay = rows.select_for_update(of=("self",), skip_locked=True).first()
    if replay is None:
        return None
    if replay.attempts >= MOST_ATTEMPTS:
        replay.state, replay.error = ReplayState.FAILED, GAVE_UP.format(replay.attempts)
        replay.finished_at, replay.lease_until = now, None
        replay.save(update_fields=["state", "error", "finished_at", "lease_until"])
        announce("replays")
        return claim(now=now)
    replay.state, replay.attempts = ReplayState.RUNNING, replay.attempts + 1
    replay.started_at, replay.lease_until = now, now + LEASE
    replay.progress, replay.doing = 0, "Beginning"
    replay.save(update_fields=["state", "attempts", "started_at", "lease_until", "progress", "doing"])
    return replay


def _run(replay: Replay, *, clock: Clock) -> None:
    began = time.perf_counter()
    try:
        outcome = compute(replay, now=clock(), beat=Heart(replay, clock))
    except Stopped:
        logger.info("replay.stopped", extra={"replay": replay.pk})
        return
    except Exception as error:
        if is_passing(error):
            raise
        logger.exception("replay.failed", extra={"replay": replay.pk})
        _mine(replay).update(
            state=ReplayState.FAILED,
            error=f"{type(error).__name__}: {error}"[:500],
            finished_at=clock(),
            lease_until=None,
        )
        announce("replays")
        return
    outcome.result["took_s"] = round(time.perf_counter() - began, 1)
    finish(replay, outcome, now=clock())


class Heart:
    """Beats a few times a second at most, however often it is asked to."""

    def __init__(self, replay: Replay, clock: Clock) -> None:
        self.replay, self.clock, self.last = replay, clock, -BEAT_EVERY

    def __call__(self, share: float, doing: str) -> None:
        if time.monotonic() - self.last < BEAT_EVERY:
            return
        self.last = time.monotonic()
        wanted = {"progress": min(99, int(100 * share)), "doing": doing, "lease_until": self.clock() + LEASE}
        if not _mine(self.replay).update(**wanted):
            raise Stopped
        announce("replays")


@transaction.atomic
def finish(replay: Replay, outcome: Outcome, *, now: datetime) -> bool:
    """Write the result, unless this claim does not hold any more. Whether it was written."""
    done = {"state": ReplayState.DONE, "progress": 100, "doing": "", "finished_at": now, "lease_until": None}
    if not _mine(replay).update(**done, result=outcome.result):
        return False
    for row in outcome.episodes:
        row.replay = replay
    ReplayEpisode.objects.bulk_create(outcome.episodes, batch_size=1_000)
    logger.info("replay.done", extra={"replay": replay.pk, "took_s": outcome.result.get("took_s")})
    announce("replays")
    return True


def _mine(replay: Replay) -> ReplayQuerySet:
    """It, while this claim holds."""
    return Replay.objects.filter(pk=replay.pk, attempts=replay.attempts, state=ReplayState.RUNNING)
