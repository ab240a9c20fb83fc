"""The words of the fleet, and the check that holds a column to them."""

from __future__ import annotations

from django.db import models

UNATTRIBUTED = "unattributed"
"""The slug of the visible service that everything lands on which matches no rule."""


class WorkloadKind(models.TextChoices):
    """What a service does; it selects the measures that lead on its page (`practice.md` kinds)."""

    BATCH_ETL = "batch_etl", "Batch ETL"
    ML_TRAINING = "ml_training", "ML training"
    CI_RUNNERS = "ci_runners", "CI runners"
    QUEUE_WORKERS = "queue_workers", "Queue workers"
    ANALYTICS = "analytics", "Analytics clusters"
    TRANSCODING = "transcoding", "Transcoding"
    CANARY = "canary", "Canary"
    NOTEBOOKS = "notebooks", "Notebooks"
    SIMULATION = "simulation", "Simulation (HPC)"
    EDGE = "edge", "Edge fleets"


class Criticality(models.TextChoices):
    """The class of a service: what may be asked of it, and who is woken for it."""

    CRITICAL = "critical", "Critical"
    USER_FACING = "user_facing", "Spot-backed, user-facing"
    BATCH = "batch", "Batch"
    BEST_EFFORT = "best_effort", "Best effort"


class Statefulness(models.TextChoices):
    STATELESS = "stateless", "Stateless"
    BATCH = "batch", "Batch"
    STATEFUL = "stateful", "Stateful"


class Lifecycle(models.TextChoices):
    """How a machine is paid for."""

    SPOT = "spot", "Spot"
    ON_DEMAND = "on-demand", "On-demand"
    WARM = "warm", "Warm"
    UNKNOWN = "unknown", "Not reported"


class AttributedBy(models.TextChoices):
    """What gave a machine another service after it was first seen."""

    TAGS = "tags", "tags learnt"
    PLACE = "place", "its place learnt"
    NODE = "node", "the node's own word"
    RULE = "rule", "a rule changed"


def is_one_of(choices: type[models.TextChoices], model: str, field: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": choices.values}), name=f"fleet_{model}_{field}_is_known"
    )
