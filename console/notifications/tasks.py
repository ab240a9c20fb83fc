"""The hands of the outbox. Bells: they carry nothing."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import InternalError, OperationalError

from console.notifications.links import forget_expired
from console.notifications.sending import database_clock, send_next

logger = logging.getLogger(__name__)


@shared_task(queue="notify", ignore_result=True)
def send() -> None:
    """Send until nothing is due. Where the database is away or only reads, the next bell tries again."""
    try:
        while send_next(now=database_clock()):
            pass
    except (OperationalError, InternalError) as error:
        logger.warning("outbox.not_worked_off", extra={"error": str(error)})


@shared_task(queue="reports", ignore_result=True)
def forget_links() -> None:
    """Links that were over for a month are of no use to anybody."""
    forget_expired(now=database_clock())
