"""Where a feed is fetched from, and how that goes."""

from __future__ import annotations

from django.db import models

from console.feeds.models.feed import Feed


class PolledSource(models.Model):
    """A queue or subscription that a feed's messages are fetched from, and how the fetching goes."""

    feed = models.ForeignKey(Feed, models.CASCADE, related_name="sources")
    address = models.CharField(max_length=400)
    asked_at = models.DateTimeField(null=True)
    """When it last answered."""
    failing_since = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["feed", "address"], name="feeds_polledsource_once_a_feed"),
            models.CheckConstraint(
                condition=models.Q(failing_since=None, reason="")
                | (models.Q(failing_since__isnull=False) & ~models.Q(reason="")),
                name="feeds_polledsource_fails_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.address
