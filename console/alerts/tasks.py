"""The bells of the alert pipeline, of the rules, and of the watch over feeds and capacity."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from console.alerts import (
    capacity,
    feed_findings,
    noise,
    pipeline,
    undoing,
    unnoticed_findings,
    unreached_findings,
)
from console.alerts.evaluating import minute
from console.alerts.replay import working
from console.alerts.suppression import expanding, turning
from console.notifications.subscribers import keeping, sending


@shared_task(queue="alerts", ignore_result=True)
def alert() -> None:
    """Work while there is much to do; what trickles in meanwhile is left to the next bell, as one batch."""
    pipeline.alert(now=timezone.now(), going_on_from=pipeline.WORTH_GOING_ON)


@shared_task(queue="alerts", ignore_result=True)
def watch_feeds() -> None:
    """Notice feeds that became silent or late, or are heard again."""
    feed_findings.watch_feeds(now=timezone.now())


@shared_task(queue="alerts", ignore_result=True)
def watch_notices() -> None:
    """Notice reclaims that no feed told of ahead of time."""
    unnoticed_findings.watch_notices(now=timezone.now())


@shared_task(queue="alerts", ignore_result=True)
def watch_capacity() -> None:
    """Notice services that fell below their need, or came back, since their group was looked at."""
    capacity.watch_capacity(now=timezone.now())


@shared_task(queue="alerts", ignore_result=True)
def evaluate() -> None:
    """Let every sampled rule look at this minute, once."""
    minute.evaluate(now=timezone.now())


@shared_task(queue="notify", ignore_result=True)
def deliver_events() -> None:
    """Carry events to subscribers."""
    sending.deliver(now=timezone.now())


@shared_task(queue="reports", ignore_result=True)
def report_noise() -> None:
    """On Mondays last week's noise report, once; and the end of events and acts of long ago."""
    noise.send_weekly(now=timezone.now())
    keeping.forget(now=timezone.now())
    undoing.forget(now=timezone.now())


@shared_task(queue="alerts", ignore_result=True)
def suppress() -> None:
    """Begin and end the windows of suppressions whose time has come, and write the next ones of those that repeat."""
    now = timezone.now()
    expanding.expand_due(now=now)
    turning.turn(now=now)


@shared_task(queue="alerts", ignore_result=True)
def watch_outbox() -> None:
    """Notice channels and people that messages do not reach, or reach again."""
    unreached_findings.watch_outbox(now=timezone.now())


@shared_task(queue="reports", ignore_result=True)
def replay() -> None:
    """Lay the drafts that wait over the past; one that a killed worker left behind is begun again."""
    working.work(clock=timezone.now)
