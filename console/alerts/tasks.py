"""The bell of the alert pipeline."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from console.alerts import pipeline


@shared_task(queue="alerts", ignore_result=True)
def alert() -> None:
    """Work until nothing is claimable."""
    pipeline.alert(now=timezone.now())
