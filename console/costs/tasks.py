"""The bell of imports. The files wait in the database, so a lost bell costs one sweep."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from console.costs.claiming import work_waiting
from console.lib.bells import Bell

WORK = Bell("console.costs.tasks.work_imports", queue="reports")


@shared_task(queue="reports", ignore_result=True)
def work_imports() -> None:
    """Bring in what waits, and what a worker left behind."""
    work_waiting(settings.CONSOLE_VAR, now=timezone.now())
