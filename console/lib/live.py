"""Telling the open pages that something changed: one PostgreSQL NOTIFY, topics and ids only.

The page fetches what it shows; nothing about a row travels here. A lost announcement costs a page
one reconnection's refresh.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.db import connection

CHANNEL = "console"
MOST_IDS = 200


def announcement(topics: Iterable[str], ids: Iterable[int] = ()) -> str:
    """The payload of a NOTIFY. With too many ids to list, none are: the page refreshes its region."""
    listed = list(ids)
    return json.dumps({"topics": sorted(set(topics)), "ids": listed if len(listed) <= MOST_IDS else []})


def announce(*topics: str, ids: Iterable[int] = ()) -> None:
    """Tell the boards, when this transaction commits. Call it last: NOTIFY takes a global lock at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, announcement(topics, ids)])
