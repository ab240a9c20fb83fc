"""The bell of clearing. The wish itself stands in the database, so a lost bell costs one sweep."""

from __future__ import annotations

from celery import shared_task

from console.drills.clearing import clear_if_asked
from console.lib.bells import Bell

CLEAR = Bell("console.drills.tasks.clear_sample", queue="reports")


@shared_task(queue="reports", ignore_result=True)
def clear_sample() -> None:
    """Delete the sample fleet if somebody asked for it."""
    clear_if_asked()
