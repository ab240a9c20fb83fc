"""Working a checklist: start it, tick, untick, skip with a reason, note; and what its state is.

An execution is frozen to the version it started with. Marks are only ever added; the newest mark of a step is
its state. Doing the same thing twice leaves one mark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from console.fleet.models import Service
from console.runbooks.models import Execution, RunbookVersion, StepMark, StepState


def start_many(subjects: Sequence[tuple[Service, str]], *, now: datetime) -> list[Execution | None]:
    """Start a checklist for each (service, data origin), in three statements however many there are.

    The version is the newest published one of the service's runbook, else of the default one; None where
    there is neither.
    """
    if not subjects:
        return []
    default, by_service = _newest_versions([service.pk for service, _ in subjects])
    versions = [by_service.get(service.pk, default) for service, _ in subjects]
    executions = Execution.objects.bulk_create(
        Execution(origin=origin, version=version, started_at=now)
        for (_, origin), version in zip(subjects, versions, strict=True)
        if version is not None
    )
    made = iter(executions)
    return [next(made) if version is not None else None for version in versions]


def _newest_versions(service_ids: Sequence[int]) -> tuple[RunbookVersion | None, dict[int, RunbookVersion]]:
    published = RunbookVersion.objects.published().filter(runbook__archived_at=None)
    default = published.filter(runbook__is_default=True).order_by("-number").first()
    attached = (
        published.filter(runbook__attachments__service__in=service_ids)
        .values_list("runbook__attachments__service", "pk")
        .order_by("number")
    )
    newest = dict(attached)
    versions = RunbookVersion.objects.in_bulk(newest.values())
    return default, {service: versions[pk] for service, pk in newest.items()}


def progress(execution_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """By execution: steps done or skipped, and steps in all. Two queries however many there are."""
    executions = Execution.objects.filter(pk__in=execution_ids).select_related("version")
    newest = (
        StepMark.objects.filter(execution__in=execution_ids)
        .order_by("execution_id", "step", "-pk")
        .distinct("execution_id", "step")
        .values_list("execution_id", "state")
    )
    done = Counter(pk for pk, state in newest if state != StepState.OPEN)
    return {run.pk: (done[run.pk], len(run.version.steps)) for run in executions}
