"""The bell of the roll-up. It translates, it never decides."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from console.interruptions import rollups


@shared_task(queue="reports", ignore_result=True)
def roll_up() -> None:
    """Bring what the boards read up to now."""
    rollups.roll_up(now=timezone.now())
