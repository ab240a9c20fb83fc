"""Machines that interruptions have to follow."""

from __future__ import annotations

from django.db import models

from console.fleet.models import Machine, Service
from console.lib.origin import is_known_origin, origin_field


class StrayMachine(models.Model):
    """A machine with interruptions was given another service or pool, or turned out to be another machine.

    Written by a trigger on the machines' table, whoever changes them; deleted when its interruptions followed.
    """

    origin = origin_field()
    machine = models.ForeignKey(Machine, models.CASCADE, db_constraint=False, related_name="strays")
    from_service = models.ForeignKey(Service, models.CASCADE, db_constraint=False, related_name="+")
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [is_known_origin("interruptions", "straymachine")]

    def __str__(self) -> str:
        return f"{self.machine_id} from {self.from_service_id}"
