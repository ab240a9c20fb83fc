"""What people did to the shape of groups: merged, moved, split off, put under a wave, taken out from under it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.accounts.models import User
from console.alerts.models.group import AlertGroup
from console.lib.origin import is_known_origin, origin_field


class RegroupingAct(models.TextChoices):
    MERGE = "merge", "Merged"
    MOVE = "move", "Moved"
    SPLIT = "split", "Split off"
    ATTACH = "attach", "Put under a wave"
    DETACH = "detach", "Taken out from under a wave"


class Regrouping(models.Model):
    """One such act, with all that is needed to take it back. Never changed but for that."""

    origin = origin_field()
    act = models.CharField(max_length=8, choices=RegroupingAct)
    source = models.ForeignKey(AlertGroup, models.CASCADE, related_name="regrouped_from")
    """Where the machines were; of `attach` and `detach` the group itself."""
    target = models.ForeignKey(AlertGroup, models.CASCADE, related_name="regrouped_into")
    """Where they are now; of `attach` and `detach` the wave."""
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="regroupings")
    by_label = models.CharField(max_length=200, blank=True)
    """The program that did it, where no person did."""
    reason = models.CharField(max_length=300, blank=True)
    members = models.JSONField(default=list)
    """`[[interruption id, reason before, regrouping that had put it there or null], …]`"""
    led = models.JSONField(default=list)
    """Of `merge`: groups that were merged into the source before, and lead to the target now."""
    parent_before = models.BigIntegerField(null=True)
    kept_apart_before = models.BigIntegerField(null=True)
    taken_back_at = models.DateTimeField(null=True)
    taken_back_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            is_known_origin("alerts", "regrouping"),
            models.CheckConstraint(
                condition=Q(act__in=RegroupingAct.values), name="alerts_regrouping_act_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} #{self.source_id} → #{self.target_id}"

    @property
    def who(self) -> str:
        return str(self.by) if self.by else self.by_label or "a program"
