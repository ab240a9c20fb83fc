"""What the same database does without the console: rows into the table of deliveries, nothing else."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import psycopg
from django.conf import settings

from tests.bench.messages import warning

_ONE = """
INSERT INTO feeds_delivery (received_at, feed_id, origin, delivery_id, result, note, headers, body)
VALUES (%s, 0, 'test', %s, 'accepted', '', '{}', %s)
"""
_INTO = "INSERT INTO feeds_delivery (received_at, feed_id, origin, delivery_id, result, note, headers, body) VALUES "
_ROW = "(%s, 0, 'test', %s, 'accepted', '', '{}', %s)"


def single_commits(*, seconds: float, connections: int = 8) -> float:
    """Single-row commits a second of some raw connections."""
    counts = [0] * connections
    until = time.perf_counter() + seconds

    def write(place: int) -> None:
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as raw:
            while time.perf_counter() < until:
                body = warning(counts[place], "floor")
                raw.execute(_ONE, [datetime.now(UTC), f"floor:{place}:{counts[place]}", body])
                counts[place] += 1

    started = time.perf_counter()
    threads = [threading.Thread(target=write, args=[place]) for place in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def multi_row_inserts(*, seconds: float, rows: int = 1_000) -> float:
    """Rows a second in inserts of `rows`, each committed."""
    statement = _INTO + ", ".join([_ROW] * rows)
    bodies = [warning(n, "floor") for n in range(rows)]
    count = 0
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as raw:
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            now = datetime.now(UTC)
            raw.execute(statement, [v for n in range(rows) for v in (now, f"floor:{count + n}", bodies[n])])
            count += rows
        return count / (time.perf_counter() - started)
