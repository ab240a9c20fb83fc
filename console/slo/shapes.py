"""An objective as programs and files see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Field, Schema

from console.slo.burn import HOUR
from console.slo.queries import ObjectiveLine


class ObjectiveOut(Schema):
    """One objective and what is left of it. Null is "not known", never 0."""

    id: int
    service: str
    slug: str
    name: str
    objective_class: str
    target_percent: float
    planned_burn: float
    source: str
    is_active: bool
    status: str
    reason: str
    is_low_confidence: bool
    sli: float | None = Field(description="Σ good / Σ total of 30 days.")
    good: float
    total: float
    coverage: float = Field(description="Share of the 30 days' minutes that were reported.")
    budget_requests: float
    budget_minutes: float = Field(description="Minutes in which everything may fail.")
    remaining_minutes: float | None = Field(description="Signed: below 0 the budget is overspent.")
    used: float | None = Field(description="Share of the budget that is gone.")
    used_by_interruptions: float | None
    burn_5m: float | None
    burn_30m: float | None
    burn_1h: float | None
    burn_6h: float | None
    burn_3d: float | None
    firing: str = Field(description="The most urgent burn rule that holds; empty if none does.")
    last_minute: datetime | None
    poll_error: str
    as_of: datetime
    warnings: list[str]

    @classmethod
    def of(cls, line: ObjectiveLine) -> ObjectiveOut:
        one, budget, worst = line.objective, line.budget, line.worst
        return cls(
            id=one.pk,
            service=one.service.slug,
            target_percent=float(one.target_percent),
            is_active=one.archived_at is None,
            status=line.status.value,
            reason=line.standing.reason,
            is_low_confidence=line.standing.is_low_confidence,
            sli=budget.counted.sli,
            good=budget.counted.good,
            total=budget.counted.total,
            coverage=budget.coverage,
            budget_requests=budget.requests,
            budget_minutes=budget.whole_minutes,
            remaining_minutes=budget.remaining_minutes,
            used=budget.used,
            used_by_interruptions=budget.interruptions,
            firing=worst.rule.name if worst else "",
            last_minute=line.last_minute,
            as_of=line.as_of,
            warnings=list(line.warnings),
            **{name: getattr(one, name) for name in _SAME},
            **_burns(line),
        )


_SAME = ("slug", "name", "objective_class", "planned_burn", "source", "poll_error")


def _burns(line: ObjectiveLine) -> dict[str, Any]:
    return {f"burn_{_short(one.length)}": one.burn for one in line.windows}


def _short(length: Any) -> str:
    hours = length / HOUR
    if hours < 1:
        return f"{length.total_seconds() / 60:.0f}m"
    return f"{hours:.0f}h" if hours < 24 else f"{hours / 24:.0f}d"
