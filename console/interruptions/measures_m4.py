"""M4, the lost work fraction: seconds done after the last durable checkpoint, of all seconds worked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

from console.interruptions.kept import kept_rows
from console.interruptions.measure_reading import JOINS, Rows, conditions
from console.interruptions.measures import Dimension, Measure, Scope, Window, measure_url
from console.interruptions.measures_m1 import GROUP_COLUMNS
from console.lib.statistics import Z_95, Interval, judge, proportion

TARGET, RED = 0.10, 0.20
LEAST = 3
UNIT = "share of work"
TASK_UNIT = "share of task attempts that were retries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Sums over jobs: l is what a job lost, t all it worked, in whole milliseconds."""

    count: int = 0
    lost: int = 0
    worked: int = 0
    lost_squared: int = 0
    lost_by_worked: int = 0
    worked_squared: int = 0
    restart: int = 0
    assumed: int = 0
    assumed_lost: int = 0
    tasks: int = 0
    retried: int = 0
    unreported: int = 0

    @classmethod
    def of(cls, jobs: Iterable[tuple[int, int]]) -> Jobs:
        """Of pairs (useful, lost)."""
        pairs = [(lost, useful + lost) for useful, lost in jobs]
        return cls(
            count=len(pairs),
            lost=sum(lost for lost, _ in pairs),
            worked=sum(worked for _, worked in pairs),
            lost_squared=sum(lost**2 for lost, _ in pairs),
            lost_by_worked=sum(lost * worked for lost, worked in pairs),
            worked_squared=sum(worked**2 for _, worked in pairs),
        )

    @property
    def interval(self) -> Interval | None:
        """Of a ratio over jobs, clipped to shares; from three jobs on."""
        if self.count < LEAST or not self.worked:
            return None
        r = Fraction(self.lost, self.worked)
        spread = self.lost_squared - 2 * r * self.lost_by_worked + r**2 * self.worked_squared
        half = Z_95 * sqrt(float(spread * self.count / (self.count - 1))) / self.worked
        return Interval(max(0.0, float(r) - half), min(1.0, float(r) + half))


def lost_work(
    scope: Scope, *, window: Window, by: Dimension | None = None, rows: Rows | None = None
) -> list[Measure]:
    """M4 of everything in scope, or of each group, the most lost first. `rows`: what `query` answers."""
    found = _found(kept_rows(*query(scope, window, by), as_of=window.as_of) if rows is None else rows)
    if by is None:
        jobs = found[0][2] if found else Jobs()
        return [summary(jobs, window=window, scope=scope)]
    measures = [
        summary(jobs, window=window, scope=scope.narrowed(by, key), key=key, label=label or "not reported")
        for key, label, jobs in found
    ]
    return sorted(measures, key=lambda one: (-(one.figures["lost_seconds"] or 0), -one.n, one.label))


COLUMNS = 14


def query(scope: Scope, window: Window, by: Dimension | None = None) -> tuple[str, list[Any]]:
    """A job is its name within its service, however many attempts and machines it took."""
    key, label = GROUP_COLUMNS[by] if by else ("''", "''")
    where, wanted = conditions(scope)
    return (
        f"""SELECT key, max(label), count(*) FILTER (WHERE t > 0), sum(l), sum(t), sum(l * l), sum(l * t), sum(t * t),
                   sum(restart), sum(assumed), sum(assumed_lost), sum(tasks), sum(retried), sum(unreported)
        FROM (SELECT {key} AS key, max({label}) AS label, f.service_id, f.job,
                     sum(f.lost)::numeric AS l, sum(f.lost + f.useful)::numeric AS t, sum(f.restart) AS restart,
                     sum(f.assumed_count) AS assumed, sum(f.assumed_lost) AS assumed_lost, sum(f.task_count) AS tasks,
                     sum(f.retried_count) AS retried, sum(f.unreported_count) AS unreported
              FROM interruptions_jobhour f {JOINS}
              WHERE f.origin = %s AND f.hour >= %s AND f.hour < %s AND {where}
              GROUP BY 1, f.service_id, f.job) AS jobs
        GROUP BY key""",  # noqa: S608
        [scope.origin, window.since, window.until, *wanted],
    )


def _found(rows: Rows) -> Sequence[tuple[str, str, Jobs]]:
    names = list(Jobs.__dataclass_fields__)
    return [
        (row[0], row[1], Jobs(**dict(zip(names, map(int, row[2:]), strict=True))))
        for row in rows
        if row[2] is not None
    ]


def summary(
    jobs: Jobs,
    *,
    window: Window | None = None,
    scope: Scope | None = None,
    key: str = "",
    label: str = "",
) -> Measure:
    """The measure of these jobs; by counts of tasks where no seconds are known."""
    is_by_tasks = not jobs.worked and jobs.tasks > 0
    n = jobs.tasks if is_by_tasks else jobs.count
    value, interval = _share(jobs, is_by_tasks)
    verdict = judge(value, target=TARGET, red=RED, interval=interval, is_enough=n >= LEAST)
    return Measure(
        name="m4",
        unit=TASK_UNIT if is_by_tasks else UNIT,
        value=value,
        interval=interval,
        n=n,
        status=verdict.status,
        reason=_reason(jobs, n),
        target=TARGET,
        red=RED,
        is_low_confidence=verdict.is_low_confidence,
        notes=tuple(_notes(jobs, is_by_tasks)),
        figures=_figures(jobs),
        key=key,
        label=label,
        window=window,
        rows_url=measure_url("m4", scope, window) if scope else "",
    )


def _share(jobs: Jobs, is_by_tasks: bool) -> tuple[float | None, Interval | None]:
    if is_by_tasks:
        return jobs.retried / jobs.tasks, proportion(jobs.retried, of=jobs.tasks)
    return jobs.lost / jobs.worked if jobs.worked else None, jobs.interval


def _figures(jobs: Jobs) -> dict[str, float | None]:
    return {
        "lost_seconds": jobs.lost / 1000,
        "useful_seconds": (jobs.worked - jobs.lost) / 1000,
        "restart_seconds": jobs.restart / 1000,
        "assumed_lost_seconds": jobs.assumed_lost / 1000,
        "assumed": jobs.assumed,
        "tasks": jobs.tasks,
        "retried": jobs.retried,
        "unreported": jobs.unreported,
    }


def _reason(jobs: Jobs, n: int) -> str:
    if not n and jobs.unreported:
        return f"Not reported: {jobs.unreported} reclaims of batch work, and no job told what it lost."
    if not n:
        return "No job reported its work in this window."
    return "" if n >= LEAST else f"{n} {'job' if n == 1 else 'jobs'}; a verdict needs {LEAST}."


def _notes(jobs: Jobs, is_by_tasks: bool) -> Iterator[str]:
    if is_by_tasks:
        yield f"By task counts: {jobs.retried} of {jobs.tasks} attempts were retries; no seconds are reported."
    elif jobs.tasks:
        yield f"{jobs.tasks} attempts reported no seconds and are left out."
    if jobs.assumed:
        share = jobs.assumed_lost / jobs.lost if jobs.lost else 0
        yield (
            f"{jobs.assumed} assumed: no job report, so all since the last checkpoint known counts as lost "
            f"({share:.0%} of the loss)."
        )
    if jobs.unreported and (jobs.count or jobs.tasks):
        yield f"{jobs.unreported} reclaims of batch work left out: neither a job report nor a checkpoint is known."
