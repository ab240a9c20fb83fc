"""What clusters say about their workloads."""

from __future__ import annotations

from django.db import models

from console.fleet.models.service import Service
from console.lib.origin import is_known_origin, origin_field


class WorkloadStatus(models.Model):
    """The newest state of a workload as its cluster reports it: what impact is computed from."""

    origin = origin_field()
    cluster = models.CharField(max_length=128)
    namespace = models.CharField(max_length=128)
    workload = models.CharField(max_length=256)
    service = models.ForeignKey(Service, models.PROTECT, related_name="workloads")
    at = models.DateTimeField()
    wanted = models.PositiveIntegerField()
    ready = models.PositiveIntegerField()
    pending = models.PositiveIntegerField(default=0)
    is_declared = models.BooleanField(default=False)
    """The report named the service itself; rules do not move it."""
    by_zone = models.JSONField(default=dict)
    disruptions_allowed = models.PositiveIntegerField(null=True)
    needed = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "cluster", "namespace", "workload"],
                name="fleet_workloadstatus_one_per_workload",
            ),
            is_known_origin("fleet", "workloadstatus"),
        ]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.workload}"
