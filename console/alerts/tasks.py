"""The bells of the alert pipeline and of the watch over feeds."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from console.alerts import feed_findings, pipeline, unnoticed_findings, unreached_findings


@shared_task(queue="alerts", ignore_result=True)
def alert() -> None:
    """Work until nothing is claimable."""
    pipeline.alert(now=timezone.now())


@shared_task(queue="alerts", ignore_result=True)
def watch_feeds() -> None:
    """Notice feeds that became silent or late, or are heard again."""
    feed_findings.watch_feeds(now=timezone.now())


@shared_task(queue="alerts", ignore_result=True)
def watch_notices() -> None:
    """Notice reclaims that no feed told of ahead of time."""
    unnoticed_findings.watch_notices(now=timezone.now())


@shared_task(queue="alerts", ignore_result=True)
def watch_outbox() -> None:
    """Notice channels and people that messages do not reach, or reach again."""
    unreached_findings.watch_outbox(now=timezone.now())
