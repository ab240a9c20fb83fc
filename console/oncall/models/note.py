"""Hand-off notes: what one shift tells the next."""

from __future__ import annotations

from django.db import models

from console.accounts.models import User
from console.oncall.models.rotation import Rotation


class HandOffNote(models.Model):
    """Written once and never changed; a correction is another note."""

    rotation = models.ForeignKey(Rotation, models.CASCADE, db_index=False, related_name="notes")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="hand_off_notes")
    by_label = models.CharField(max_length=200, blank=True)
    text = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["rotation", "-at"], name="oncall_handoffnote_newest")]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def who(self) -> str:
        return str(self.by) if self.by else self.by_label or "the console"
