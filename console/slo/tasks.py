"""The bells of this room. They translate, they never decide."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from console.slo import episodes, polling


@shared_task(queue="reports", ignore_result=True)
def sum_episodes() -> None:
    """Sum the requests around episodes anew where something changed."""
    episodes.sum_episodes(now=timezone.now())


@shared_task(queue="reports", ignore_result=True)
def poll() -> None:
    """Ask Prometheus for the counts that are due."""
    polling.poll(now=timezone.now())
