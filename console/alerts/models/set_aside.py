"""Work that alerting fails on."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.alerts.models.group import AlertGroup
from console.interruptions.models import Interruption
from console.lib.origin import is_known_origin, origin_field


class SetAside(models.Model):
    """Work of the alert pipeline that fails: a changed interruption, or a group whose time has come.

    Kept until it is tried again after a fix, or until newer news of the same goes through.
    """

    origin = origin_field()
    interruption = models.OneToOneField(
        Interruption, models.CASCADE, null=True, related_name="alerting_set_aside"
    )
    group = models.OneToOneField(AlertGroup, models.CASCADE, null=True, related_name="settling_set_aside")
    is_new = models.BooleanField(default=False)
    is_replay = models.BooleanField(default=False)
    detail = models.CharField(max_length=500)
    at = models.DateTimeField()
    last_at = models.DateTimeField()
    failed_count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            is_known_origin("alerts", "setaside"),
            models.CheckConstraint(
                condition=Q(interruption=None) ^ Q(group=None), name="alerts_setaside_is_about_one_thing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interruption or self.group}: {self.detail}"
