"""Signs of life of an import, from a thread with a connection of its own: the import itself is one transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import DatabaseError, connection
from django.utils import timezone

from console.costs.loading import Loaded
from console.costs.models import BillingImport, ImportState

EVERY = 2.0
"""Seconds between signs."""


@contextmanager
def beating(batch: Sequence[BillingImport], loaded: Mapping[int, Loaded]) -> Iterator[None]:
    """While this lasts, the rows say when their worker was last alive and how many rows it has read."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(stop, batch, loaded), name="costs.beating", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()


def _beat(stop: threading.Event, batch: Sequence[BillingImport], loaded: Mapping[int, Loaded]) -> None:
    try:
        while not stop.wait(EVERY):
            for row in batch:
                found = loaded.get(row.pk)
                BillingImport.objects.filter(
                    pk=row.pk, attempt=row.attempt, state=ImportState.RUNNING
                ).update(heartbeat_at=timezone.now(), progress_count=found.row_count if found else 0)
    except DatabaseError:
        return  # the import notices by itself; without a sign another worker takes over
    finally:
        connection.close()
