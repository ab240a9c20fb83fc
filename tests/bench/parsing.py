"""What reading one message costs, by vendor: the front door's own path over the payloads of the tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from console.feeds.normalised import ParseContext, Reading, Result
from console.feeds.reading import read_body
from tests.bench.figure import AtMost
from tests.feeds.conftest import KINDS, PAYLOADS

LIMIT_US = 500
"""A core then reads 2,000 messages a second, which is what a storm of ten thousand reclaims brings in five seconds."""
ROUNDS = 7
ENOUGH = 0.1
"""Seconds of CPU a round."""
NOW = datetime(2026, 3, 11, 14, 31, 42, tzinfo=UTC)
_CONTEXT = ParseContext(account="204816327500", region="eu-central-1")


def parsed() -> Iterator[AtMost]:
    """Microseconds of CPU a message, the median of some rounds; one line a vendor."""
    for folder, kind in sorted(KINDS.items()):
        bodies = _taken(folder, kind=kind)
        assert bodies, f"no payload of {folder} is taken"
        more = {"name": f"parse_us.{folder}", "payloads": len(bodies)}
        yield AtMost(_microseconds(bodies, kind=kind), "us", LIMIT_US, more)


def _taken(folder: str, *, kind: str) -> list[bytes]:
    """Those that become statements."""
    bodies = [path.read_bytes() for path in sorted(Path(PAYLOADS, folder).glob("*.json"))]
    return [body for body in bodies if _is_taken(body, kind=kind)]


def _is_taken(body: bytes, *, kind: str) -> bool:
    outcomes = [item.outcome for item in _read(body, kind=kind)]
    return any(isinstance(one, Reading) and one.result is Result.ACCEPTED for one in outcomes)


def _microseconds(bodies: list[bytes], *, kind: str) -> float:
    costs = []
    for _ in range(ROUNDS):
        count, started = 0, time.process_time()
        while (spent := time.process_time() - started) < ENOUGH:
            for body in bodies:
                count += len(_read(body, kind=kind))
        costs.append(spent / count * 1e6)
    return sorted(costs)[ROUNDS // 2]


def _read(body: bytes, *, kind: str) -> list[object]:
    return list(read_body(body, kind=kind, content_type="application/json", headers={}, context=_CONTEXT,
                          received_at=NOW).items)  # fmt: skip
