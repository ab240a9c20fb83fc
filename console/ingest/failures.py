"""Which errors may pass by themselves, and when too many at once stop a pipeline."""

from __future__ import annotations

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

PASSING_STATES = ("08", "25006", "40", "53", "55P03", "57", "58")
"""SQLSTATE classes and codes of connection, read-only, serialisation and deadlock, resources, lock not
available, operator intervention and system errors: the message is not to blame."""


class PipelineStopped(Exception):
    """Too many messages of one batch failed: the fault is more likely the console's than theirs."""


def is_passing(error: BaseException) -> bool:
    """Whether the same work may succeed later without anything being changed."""
    if isinstance(error, PipelineStopped | PoolTimeout | InterfaceError | OSError):
        return True
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    if isinstance(cause, psycopg.Error):
        return (cause.sqlstate or "08").startswith(PASSING_STATES)
    return isinstance(error, OperationalError)
