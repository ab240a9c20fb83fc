"""Sums of a day, from which the pages are drawn."""

from __future__ import annotations

from django.db import models

from console.costs.models.charge import Cloud
from console.costs.models.money import ExactDecimalField
from console.lib.origin import is_known_origin, origin_field


class DailyCost(models.Model):
    """What was charged for one UTC day: exactly the sum of its charges in force, rebuilt with each import."""

    origin = origin_field()
    day = models.DateField()
    billing_month = models.DateField()
    currency = models.CharField(max_length=3)
    cloud = models.CharField(max_length=8, choices=Cloud)
    provider = models.CharField(max_length=64)
    account = models.CharField(max_length=128, blank=True)
    region = models.CharField(max_length=64, blank=True)
    service = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    billed = ExactDecimalField()
    spot_rows = models.PositiveIntegerField()
    spot_cost = ExactDecimalField()
    """Of spot rows with a baseline."""
    baseline = ExactDecimalField()
    unpriced_rows = models.PositiveIntegerField()
    unpriced_cost = ExactDecimalField()
    """Of spot rows without a baseline: shown, in no saving."""
    repaired_rows = models.PositiveIntegerField()

    class Meta:
        constraints = [
            is_known_origin("costs", "dailycost"),
            models.CheckConstraint(
                condition=models.Q(cloud__in=Cloud.values), name="costs_dailycost_cloud_is_known"
            ),
            models.UniqueConstraint(
                fields=[
                    *("origin", "day", "billing_month", "currency", "cloud", "provider", "account"),
                    *("region", "service"),
                ],
                name="costs_dailycost_one_per_cell",
            ),
        ]
        indexes = [
            models.Index(fields=["origin", "billing_month"], name="costs_dailycost_month"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service}"
