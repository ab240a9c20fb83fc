"""Where data comes from. Every stored row carries it; no measure, export or page mixes two."""

from __future__ import annotations

from django.db import models


class Origin(models.TextChoices):
    """`live` is real. The other three never reach an outside channel."""

    LIVE = "live", "Live"
    SAMPLE = "sample", "Sample"
    DRILL = "drill", "Drill"
    TEST = "test", "Test"


def origin_field() -> models.CharField[str, str]:
    """A column for the data origin; the default is live."""
    return models.CharField(max_length=8, choices=Origin, default=Origin.LIVE)


def is_known_origin(app: str, model: str) -> models.CheckConstraint:
    """The check that holds a row's origin to the four words."""
    return models.CheckConstraint(
        condition=models.Q(origin__in=Origin.values), name=f"{app}_{model}_origin_is_known"
    )
