"""How both pipelines work off their queue, and what they do when it fails (`design.md` section 2, Failures).

| what fails | what happens |
| --- | --- |
| connection, lock, disk: it may pass | the whole batch is given back and rests, each time longer; no attempt counts |
| an error that would come again | halving finds the culprits; they are put aside, the rest is done |
| many of a batch at once | nothing is put aside; the pipeline stops, raises an alert, tries again after a minute |
| the worker dies | its attempt is left; the batch rests, and is tried again in parts |

Nearly everything in a batch that died is innocent. So the second time only a few run together, from the third
attempt on one runs alone, and what died so after the fifth, three times alone, is put aside.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from django.db import transaction

from console.alerts import stopping
from console.feeds.attempts import Attempt
from console.lib import passing
from console.lib.halving import Culprit, TooManyFailed, isolate
from console.lib.rows import run

logger = logging.getLogger(__name__)

FEW_FROM = 2
FEW = 64
"""About the square root of the largest batch: neither the attempts of a few nor those of one become many."""
ALONE_FROM = 3
ASIDE_AFTER = 5
_IMPATIENT = "SET LOCAL lock_timeout TO '2s'"
"""One that runs alone does not wait for others: killed while it waits it would seem to kill."""
DIED = "Its workers died; it was not tried again."


class Queued(Protocol):
    """A row of a queue, locked by this worker until it commits."""

    @property
    def id(self) -> int: ...


Item = TypeVar("Item", bound=Queued)


@dataclass(frozen=True, slots=True)
class Pipeline(Generic[Item]):
    """A queue and the work on it. All functions run in one transaction, in this order."""

    name: str
    queue: str
    """The table, with the columns `due_at` and `put_off_count`."""
    claim: Callable[[datetime], list[Item]]
    """Lock what is due and nobody holds."""
    work: Callable[[Sequence[Item], datetime], None]
    """All of these or nothing."""
    put_aside: Callable[[Sequence[Culprit[Item]], datetime], None]
    finish: Callable[[Sequence[Item], datetime], None]
    """Take these from the queue, and tell the boards."""
    is_passing: Callable[[BaseException], bool] = passing.is_passing


def work_off(pipeline: Pipeline[Item], *, now: datetime) -> int:
    """One batch. Returns how many rows were taken up; 0: nothing to do, or the pipeline is stopped."""
    if stopping.is_stopped(pipeline.name, now=now):
        return 0
    attempt = Attempt(pipeline.name, queue=pipeline.queue)
    try:
        with transaction.atomic():
            return _work_off_claimed(pipeline, attempt, now=now)
    except TooManyFailed as error:
        attempt.forget()
        stopping.stop(pipeline.name, str(error), now=now)
        return 0
    except Exception as error:
        if pipeline.is_passing(error):
            attempt.forget()
            attempt.put_off(now=now)
        raise


def _work_off_claimed(pipeline: Pipeline[Item], attempt: Attempt, *, now: datetime) -> int:
    claimed = pipeline.claim(now)
    if not claimed:
        return 0
    attempt.look([item.id for item in claimed])
    batch = _fit_to_run(claimed, attempt, now=now)
    if not batch:
        return len(claimed)
    attempt.begin([item.id for item in batch], now=now)
    culprits = _work_or_isolate(pipeline, batch, attempt, now=now)
    if culprits:
        pipeline.put_aside(culprits, now)
    pipeline.finish(batch, now)
    attempt.end([item.id for item in batch], now=now)
    stopping.go_on(pipeline.name, now=now)
    extra = {"pipeline": pipeline.name, "rows": len(batch), "culprits": len(culprits)}
    logger.info("pipeline.batch", extra=extra)
    return len(batch)


def _fit_to_run(claimed: list[Item], attempt: Attempt, *, now: datetime) -> list[Item]:
    """Without those that rest after their workers died; what died before runs among few, and then alone."""
    resting = attempt.resting(now=now)
    if resting:
        attempt.put_off_until(resting)
    batch = [item for item in claimed if item.id not in resting]
    for tries, most in ((ALONE_FROM, 1), (FEW_FROM, FEW)):
        if suspects := [item for item in batch if attempt.counts[item.id] >= tries]:
            return suspects[:most]
    return batch


def _work_or_isolate(
    pipeline: Pipeline[Item], batch: Sequence[Item], attempt: Attempt, *, now: datetime
) -> list[Culprit[Item]]:
    tries = attempt.counts[batch[0].id]
    if tries > ASIDE_AFTER:
        return [Culprit(item, DIED) for item in batch]
    if tries >= ALONE_FROM:
        run(_IMPATIENT)

    def work(some: Sequence[Item]) -> None:
        with transaction.atomic():
            pipeline.work(some, now)

    return isolate(batch, work=work, is_passing=pipeline.is_passing)
