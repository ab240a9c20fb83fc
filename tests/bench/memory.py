"""What the whole embedded console takes when nothing happens: web, workers, beat, database and broker."""

from __future__ import annotations

import time

import psutil

from tests.bench.figure import AtMost
from tests.bench.whole_console import whole_console

LIMIT_MB = 600
SETTLES_WITHIN = 20.0


def at_rest() -> AtMost:
    """Sum of PSS, so that what processes share counts once."""
    with whole_console() as console:
        time.sleep(SETTLES_WITHIN)
        parts: dict[str, float] = {}
        for process in console.processes():
            try:
                pss, name = process.memory_full_info().pss / 1e6, _called(process)
            except psutil.NoSuchProcess:
                continue
            parts[name] = round(parts.get(name, 0) + pss, 1)
    return AtMost(sum(parts.values()), "MB", LIMIT_MB, {"parts": parts})


def _called(process: psutil.Process) -> str:
    """Which part of the console a process is."""
    line = " ".join(process.cmdline())
    for word, name in (("uvicorn", "web"), ("hands", "workers"), ("celery", "workers"), ("postgres", "database"),
                       ("valkey", "broker"), ("console.config.up", "supervisor")):  # fmt: skip
        if word in line:
            return name
    return process.name()
