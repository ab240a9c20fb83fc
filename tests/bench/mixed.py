"""What a delivery costs both pipelines when all vendors speak at once, against AWS alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

import psutil
from django.db import connection

from console.alerts import pipeline as alerting
from console.ingest import pipeline
from console.ingest.keeping import TABLES
from console.lib.partitions import ensure_partitions
from tests.bench import databases
from tests.bench.figure import Figure
from tests.ingest.hearing import HOUR, Message, at, store
from tests.reclaims.telling import messages, stream

LIMIT = 0.8
DELIVERIES = 4_000
RECLAIMS = 600
ROUNDS = 3
SEED = 20_260_311
OF_AWS = ("aws", "sns", "sqs", "imds")
"""AWS's own channels: its events, however they come, and the metadata of its machines."""
TOGETHER = 500


def mixed_vs_aws() -> Figure:
    """Deliveries a second of CPU, of a worker and its database connection together: others on this machine do not
    count. In turn, several times; the median of each.
    """
    mixed = messages(stream(RECLAIMS, seed=SEED))[:DELIVERIES]
    alone = [one for one in messages(stream(3 * RECLAIMS, seed=SEED, shares=(1, 0, 0))) if one.feed in OF_AWS]
    rates: dict[str, list[float]] = {"mixed": [], "aws": []}
    for _ in range(ROUNDS):
        for name, told in (("mixed", mixed), ("aws", alone[:DELIVERIES])):
            rates[name].append(_rate(told))
    more = {"unit_of_parts": "deliveries/s of CPU", "deliveries": DELIVERIES, "rounds": {
        name: [round(rate) for rate in found] for name, found in rates.items()}}  # fmt: skip
    return Figure(median(rates["mixed"]), median(rates["aws"]), LIMIT, more)


def _rate(told: Sequence[Message]) -> float:
    """Everything waits before the clock starts, and every repeat is known for one."""
    databases.begin_anew()
    ensure_partitions(TABLES, now=at(0))
    fresh = sum(store(told[start : start + TOGETHER]) for start in range(0, len(told), TOGETHER))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    begun = _cpu()
    now = at(24 * HOUR)
    while pipeline.record_batch(now=now) + alerting.alert_batch(now=now):
        pass
    return fresh / (_cpu() - begun)


def _cpu() -> float:
    """Seconds of this process and of its connection's backend."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        times = psutil.Process(cursor.fetchone()[0]).cpu_times()
    return time.process_time() + float(times.user + times.system)
