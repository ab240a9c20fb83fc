"""F1, agent coverage: so few agents are heard that silence no longer means health (`metrics.md` section 1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.alerts.detecting import SLACK, Detector, Given, Judged, Threshold, one_condition
from console.alerts.readings.running import AgentsRow, read_agents


def judge_agents(rows: Iterable[AgentsRow], given: Given) -> Iterator[Judged]:
    """A service none of whose machines was ever heard runs no agent: nothing became silent there."""
    least, share = given.limits["least"], given.limits["share"]
    for row in rows:
        service = given.services.get(row.service_id)
        if service is None or not row.ever_heard:
            continue
        value = row.heard / row.running
        is_low = row.running >= least and value < share
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"Agents of {service.name} are missing",
            text=f"{service.name}: {row.heard} of {row.running} running spot machines were heard from in the "
            f"last 90 s ({value:.0%}); {share:.0%} are expected.",
            is_true=is_low,
            is_clear=not is_low and (value >= share + SLACK * (1 - share) or row.running < least),
            value=value,
            limit=share,
            inputs={"running": row.running, "heard": row.heard, "ever_heard": row.ever_heard},
        )


DETECTOR = Detector(
    name="agent_coverage",
    title="Agents missing",
    about="The share of a service's running spot machines that were heard from in the last 90 s is too low, so that "
    "silence there may be a reclaim that nobody tells of (F1).",
    thresholds=(
        Threshold("share", "Expected share", 0.95, "share", least=0.01, most=1),
        Threshold("least", "At least", 3, "running machines", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("Agent coverage is too low"),
    read=read_agents,
    judge=judge_agents,
    is_replayable=False,
)
