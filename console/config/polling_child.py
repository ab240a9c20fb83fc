"""Whether this machine's console needs a process that polls: only while a feed that runs names what to poll."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import psycopg
from django.conf import settings

from console.config.processes import Child
from console.config.supervisor import Supervisor
from console.ingest.polled_sources import ANY_WANTED

logger = logging.getLogger(__name__)

LOOK_EVERY = 5.0
CONNECT_WITHIN = 2
CHILD = Child("poll", (), stop_within=1.5)


def is_anything_polled() -> bool | None:
    """None where the database does not say. On a connection of its own, closed before anything is forked."""
    try:
        with psycopg.connect(settings.DATABASE_URL, connect_timeout=CONNECT_WITHIN, autocommit=True) as one:
            row = one.execute(*ANY_WANTED).fetchone()
    except psycopg.Error as error:
        logger.warning("polling.unknown", extra={"error": str(error)})
        return None
    return bool(row and row[0])


class PollingChild:
    """Starts the process when the first such feed appears, and ends it with the last."""

    def __init__(
        self, supervisor: Supervisor, *, ask: Callable[[], bool | None] = is_anything_polled
    ) -> None:
        self._supervisor = supervisor
        self._ask = ask
        self._asked_at = -LOOK_EVERY

    def tend(self) -> None:
        if time.monotonic() - self._asked_at < LOOK_EVERY:
            return
        self._asked_at = time.monotonic()
        is_wanted = self._ask()
        is_there = self._supervisor.has(CHILD.name)
        if is_wanted and not is_there:
            self._supervisor.start(CHILD)
        elif is_wanted is False and is_there:
            self._supervisor.end(CHILD.name)
