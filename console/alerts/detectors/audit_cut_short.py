"""F7: audit streams of interrupted nodes end before the nodes do, so security logs have holes (`metrics.md` F7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.alerts.detecting import Detector, Given, Judged, Threshold, counted, one_condition, over
from console.alerts.readings.signals import AUDIT_WINDOW, AuditRow, read_audits
from console.alerts.readings.sorting import by_service
from console.lib.durations import in_words


def judge_audits(rows: Iterable[AuditRow], given: Given) -> Iterator[Judged]:
    seconds, share, least = (given.limits[name] for name in ("seconds", "share", "least"))
    for service, nodes in by_service(rows, given):
        cut = sum(node.seconds > seconds for node in nodes)
        value = cut / len(nodes)
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"Audit streams of {service.name} are cut short",
            text=f"{service.name}: the audit stream of {cut} of {counted(len(nodes), 'interrupted node')} in 7 "
            f"days ended more than {in_words(seconds)} before the node ({value:.0%}).",
            is_true=len(nodes) >= least and cut > 0 and value >= share,
            value=value,
            limit=share,
            inputs={
                "nodes": len(nodes),
                "cut_short": cut,
                "longest_s": round(max(n.seconds for n in nodes)),
            },
            windows=over(AUDIT_WINDOW, given, value=round(value, 4)),
        )


DETECTOR = Detector(
    name="audit_cut_short",
    title="Audit cut short",
    about="The audit streams of a share of the interrupted nodes ended well before the nodes did (F7, 7 days). "
    "A node is found by samples of the signal `audit` whose replica is its instance id or node name.",
    thresholds=(
        Threshold("seconds", "Ends earlier than", 60, "s before the node", least=1, most=86_399),
        Threshold("share", "Share of nodes", 0.1, "share", least=0.001, most=1),
        Threshold("least", "At least", 5, "nodes", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("Audit streams end early"),
    read=read_audits,
    judge=judge_audits,
)
