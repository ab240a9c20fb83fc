"""The tasks of the record pipeline and the keeping of the tables. Tasks translate, they never decide."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from console.fleet.reattribution import reattribute_all
from console.ingest import canary, keeping, pipeline, replaying
from console.ingest.bells import ALERT, RECORD
from console.ingest.watching import call_for_a_watch
from console.interruptions import reattributing, recording


@shared_task(queue="ingest", ignore_result=True)
def record() -> None:
    """Work while there is much to do; what trickles in meanwhile is left to the next bell, as one batch."""
    while recorded := pipeline.record_batch(now=timezone.now()):
        ALERT.ring()
        if recorded < pipeline.WORTH_GOING_ON:
            RECORD.ring()
            return


@shared_task(queue="ingest", ignore_result=True)
def settle() -> None:
    """Look at interruptions whose state time alone may have changed."""
    while recording.settle_due(now=timezone.now()):
        ALERT.ring()


@shared_task(queue="ingest", ignore_result=True)
def follow_machines() -> None:
    """Let interruptions follow machines that were given another service, or turned out to be another."""
    while reattributing.follow_machines(now=timezone.now()):
        ALERT.ring()


@shared_task(queue="reports", ignore_result=True)
def reattribute() -> None:
    """Attribute everything stored anew, in case rules and rows ever drift apart."""
    reattribute_all(now=timezone.now())


@shared_task(queue="reports", ignore_result=True)
def keep_partitions() -> None:
    """Make room ahead, drop what has outlived its keep."""
    keeping.keep(now=timezone.now())


@shared_task(queue="reports", ignore_result=True)
def call_for_watches() -> None:
    """Let the supervisor know whether a cluster is to be watched."""
    call_for_a_watch(settings.CONSOLE_VAR)


@shared_task(queue="reports", ignore_result=True)
def replay() -> None:
    """Read again what people asked for, until no wish is open."""
    while replaying.work_off_replays(now=timezone.now()):
        RECORD.ring()


@shared_task(queue="reports", ignore_result=True)
def send_canary() -> None:
    """A message from the console to itself; its age stands in the status strip."""
    canary.send_if_due(now=timezone.now())
