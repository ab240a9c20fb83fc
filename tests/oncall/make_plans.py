"""Plans without a database: what a test does not name is an ordinary week in Berlin."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from console.oncall.plan import LayerPlan, OverridePlan, Plan

BERLIN = ZoneInfo("Europe/Berlin")
ALICE, BOB, CHARLIE = 1, 2, 3
_ids = count(1)


def utc(text: str) -> datetime:
    """`2026-03-29 01:00` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def layer(*people: int, **fields: Any) -> LayerPlan:
    """Weekly from Monday 5 January 2026, 09:00."""
    known: dict[str, Any] = {
        "position": 1,
        "title": "Layer 1",
        "kind": "weekly",
        "length": 1,
        "zone": BERLIN,
        "starts_on": date(2026, 1, 5),
        "handover_at": time(9),
        "people": people or (ALICE, BOB, CHARLIE),
        "valid_from": utc("2026-01-01"),
    }
    return LayerPlan(**(known | fields))


def override(person: int, started_at: str, ended_at: str, **fields: Any) -> OverridePlan:
    known = {"id": next(_ids), "person_id": person, "replaced_id": None, "why": "Override"}
    times = {"started_at": utc(started_at), "ended_at": utc(ended_at)}
    return OverridePlan(**(known | times | fields))


def plan(*parts: LayerPlan | OverridePlan) -> Plan:
    layers = tuple(part for part in parts if isinstance(part, LayerPlan))
    return Plan(1, layers, tuple(part for part in parts if isinstance(part, OverridePlan)))
