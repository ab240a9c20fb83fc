"""Which errors may pass by themselves: the same work may succeed later without anything being changed."""

from __future__ import annotations

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

PASSING_STATES = ("08", "25006", "40", "53", "55P03", "57", "58")
"""SQLSTATE classes and codes of connection, read-only, serialisation and deadlock, resources, lock not
available, operator intervention and system errors: what was asked is not to blame."""


def is_passing(error: BaseException) -> bool:
    """Whether the database, a lock or the machine is to blame, and not what was asked of them."""
    cause = (
        error.__cause__ if isinstance(error, DatabaseError | InterfaceError) and error.__cause__ else error
    )
    if isinstance(cause, PoolTimeout | OSError | InterfaceError | OperationalError):
        return True
    if not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is not None:
        return cause.sqlstate.startswith(PASSING_STATES)
    # Without a state the client itself complains: of a lost connection, or of values it cannot send.
    return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
