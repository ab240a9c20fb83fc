"""Bells wake workers; they carry nothing. A surplus bell is harmless, a lost one costs a sweep of beat.

Each process rings a bell at most ten times a second (some more seldom), from a thread of its own, so that neither
a request nor a transaction ever waits for the broker.
"""

from __future__ import annotations

import logging
import threading
import time

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

SHORTEST_GAP = 0.1
EXPIRES = 10
"""Seconds. A bell that nobody heard for so long has been rung again by beat."""


class Bell:
    """Rings one task on one queue. `ring` returns at once."""

    def __init__(self, task: str, *, queue: str, gap: float = SHORTEST_GAP) -> None:
        self._task = task
        self._queue = queue
        self._gap = max(gap, SHORTEST_GAP)
        self._wanted = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            with self._start:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._ring_forever, name=self._task, daemon=True)
                    self._thread.start()

    def _ring_forever(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                current_app.send_task(
                    self._task, queue=self._queue, expires=EXPIRES, ignore_result=True, retry=False
                )
            except (OperationalError, OSError) as error:
                logger.warning("bell.not_rung", extra={"task_name": self._task, "error": str(error)})
            time.sleep(self._gap)
