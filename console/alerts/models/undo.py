"""What a person did to groups a moment ago, kept so that it can be taken back."""

from __future__ import annotations

from django.db import models

from console.accounts.models import User
from console.alerts.models.group import AlertGroup
from console.lib.origin import is_known_origin, origin_field


class Undo(models.Model):
    """One act of one person, on one group or on many at once. Only that person takes it back."""

    person = models.ForeignKey(User, models.CASCADE, related_name="undos")
    verb = models.CharField(max_length=20)
    at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["until"], name="alerts_undo_until")]

    def __str__(self) -> str:
        return f"{self.verb} at {self.at:%H:%M:%S}"


class UndoPart(models.Model):
    """One group of such an act, with those under it that it reached: how they were, and how it left them."""

    undo = models.ForeignKey(Undo, models.CASCADE, db_index=False, related_name="parts")
    origin = origin_field()
    group = models.ForeignKey(AlertGroup, models.CASCADE, related_name="undo_parts")
    kept = models.JSONField()
    """`[{"group", "before", "after", "escalation": {"id", "before", "after"} | null}]`, by group."""
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            is_known_origin("alerts", "undopart"),
            models.UniqueConstraint(fields=["undo", "group"], name="alerts_undopart_once"),
        ]

    def __str__(self) -> str:
        return f"{self.undo}: {self.group}"
