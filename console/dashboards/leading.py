"""Which measures lead on a service's page: those its kind of workload is judged by come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.fleet.models import Service, Statefulness, WorkloadKind
from console.interruptions.measure_words import Answer

USUAL = ("m1", "m2", "m3", "m7", "m9", "m4", "m8", "m6")
JUDGED_BY: Mapping[WorkloadKind, Sequence[str]] = {
    WorkloadKind.BATCH_ETL: ("m4", "m2"),
    WorkloadKind.ML_TRAINING: ("m4", "m2", "m3"),
    WorkloadKind.CI_RUNNERS: ("m4", "m3"),
    WorkloadKind.QUEUE_WORKERS: ("m3", "m4"),
    WorkloadKind.ANALYTICS: ("m4", "m8"),
    WorkloadKind.TRANSCODING: ("m4", "m3"),
    WorkloadKind.CANARY: ("m3", "m6"),
    WorkloadKind.NOTEBOOKS: ("m1", "m2", "m8"),
    WorkloadKind.SIMULATION: ("m4", "m2"),
    WorkloadKind.EDGE: ("m1", "m8", "m3"),
}


def in_order(answers: Mapping[str, Sequence[Answer]], *, service: Service) -> list[Answer]:
    """The answers by measure, the leading ones first; what a service of its kind never reports is left out."""
    leading = JUDGED_BY[WorkloadKind(service.kind)]
    names = [*leading, *(name for name in USUAL if name not in leading)]
    is_batch = service.statefulness == Statefulness.BATCH
    is_stateful = service.statefulness == Statefulness.STATEFUL
    expected = {
        "m1",
        "m2",
        "m3",
        "m6",
        "m7",
        *leading,
        *(["m4"] if is_batch else []),
        *(["m8"] if is_stateful else []),
    }
    return [answer for name in names for answer in answers[name] if name in expected or answer.value]
