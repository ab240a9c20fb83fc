"""What was counted: requests a minute, and their sums by hour."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from console.fleet.models import Service
from console.lib.origin import is_known_origin, origin_field

PUSHED = 0
"""`counted_for` of what a program pushed for the service. Else it is the id of the objective that asked Prometheus."""


class RequestMinute(models.Model):
    """Requests of one minute, all of them and the good ones. Partitioned by the day of `minute`; kept for 90 days.

    Fractions are those of `increase()`, to 1/1024, so that sums come out the same in any order.
    """

    id = models.BigAutoField(primary_key=True)
    minute = models.DateTimeField()
    origin = origin_field()
    service = models.ForeignKey(
        Service, models.DO_NOTHING, db_constraint=False, related_name="request_minutes"
    )
    counted_for = models.BigIntegerField(default=PUSHED)
    good = models.FloatField()
    total = models.FloatField()

    class Meta:
        db_table = "slo_requestminute"

    def __str__(self) -> str:
        return f"{self.good:g} of {self.total:g} at {self.minute:%H:%M}"


class RequestHour(models.Model):
    """The sums of an hour's minutes, kept with every write: boards never read the minutes of a month."""

    origin = origin_field()
    service = models.ForeignKey(Service, models.PROTECT, db_index=False, related_name="request_hours")
    counted_for = models.BigIntegerField(default=PUSHED)
    hour = models.DateTimeField()
    good = models.FloatField(default=0, db_default=0)
    total = models.FloatField(default=0, db_default=0)
    minute_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    """Of how many minutes it is the sum; the others were not reported."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "service", "counted_for", "hour"], name="slo_requesthour_once"
            ),
            models.CheckConstraint(
                condition=Q(minute_count__lte=60) & Q(good__gte=0) & Q(good__lte=F("total")),
                name="slo_requesthour_is_possible",
            ),
            is_known_origin("slo", "requesthour"),
        ]
        indexes = [models.Index(fields=["hour"], name="slo_requesthour_by_age")]

    def __str__(self) -> str:
        return f"{self.good:g} of {self.total:g} from {self.hour:%H:%M}"
