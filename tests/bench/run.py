"""Which benches there are, and how a figure is printed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from console.ingest.keeping import TABLES  # noqa: E402
from console.lib.partitions import ensure_partitions  # noqa: E402
from tests.bench import (  # noqa: E402
    acknowledging,
    boards,
    databases,
    escalations,
    evaluating,
    ingest,
    memory,
    merging,
    mixed,
    parsing,
    pipeline,
    polling,
    replaying,
    screen,
    storm,
)
from tests.bench.figure import Measured  # noqa: E402

BENCHES: dict[str, Callable[[], Measured | Iterable[Measured]]] = {
    "ingest_single_vs_floor": ingest.single,
    "ingest_batch_vs_floor": ingest.batch,
    "pipeline_vs_floor": pipeline.recorded,
    "pipeline_mixed_vs_aws": mixed.mixed_vs_aws,
    "parse_us": parsing.parsed,
    "sqs_drain": polling.drained,
    "board_ms": boards.boards,
    "evaluate_ms": evaluating.a_minute,
    "memory_mb": memory.at_rest,
    "merge_correctness": merging.merged,
    "escalation_lateness_ms": escalations.lateness,
    "replay_90d": replaying.ninety_days,
    "notice_to_screen_ms": screen.from_post_to_row,
    "storm": storm.one_zone,
    "ack_ms": acknowledging.acknowledged,
}


def measure(names: Sequence[str]) -> int:
    """Run these benches, or all. Returns how many are over their limit."""
    call_command("migrate", verbosity=0)
    ensure_partitions(TABLES, now=timezone.now())
    databases.keep_pristine()
    failures = 0
    for name in names or BENCHES:
        databases.begin_anew()
        _settle_down()
        measured = BENCHES[name]()
        for figure in measured if isinstance(measured, Iterable) else [measured]:
            failures += not figure.is_ok
            print(json.dumps({**figure.line(name), "load": round(os.getloadavg()[0], 1)}), flush=True)
    return failures


def _settle_down() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT") if _may_checkpoint() else None


def _may_checkpoint() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')")
        return bool(cursor.fetchone()[0])
