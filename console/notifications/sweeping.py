"""One hand that does nothing but send, whatever the bells do: full workers and an absent broker stop no page."""

from __future__ import annotations

import logging
import time

from django.db import close_old_connections

from console.notifications.tasks import send

logger = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds."""


def sweep_forever() -> None:
    """Never returns. Beside others it costs one look a second; claims keep them apart."""
    while True:
        sweep()
        time.sleep(EVERY)


def sweep() -> None:
    """One look, that survives whatever goes wrong in it."""
    close_old_connections()
    try:
        send()
    except Exception:
        logger.exception("outbox.sweep_failed")
    finally:
        close_old_connections()
