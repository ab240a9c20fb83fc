"""The bell of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from console.oncall.hand_overs import announce_hand_overs


@shared_task(queue="notify", ignore_result=True)
def look_for_hand_overs() -> None:
    """Somebody's turn may have begun."""
    announce_hand_overs(now=timezone.now())
