"""Requests around episodes: summed once, so that no page reads the minutes of a month of reclaims."""

from __future__ import annotations

from django.db import models

from console.fleet.models import Service
from console.interruptions.models import Episode
from console.lib.origin import is_known_origin, origin_field
from console.slo.models.counts import PUSHED


class CountState(models.Model):
    """One source of counts: a service's own pushes, or the queries of one objective."""

    origin = origin_field()
    service = models.ForeignKey(Service, models.PROTECT, db_index=False, related_name="count_states")
    counted_for = models.BigIntegerField(default=PUSHED)
    dirty_since = models.DateTimeField(null=True)
    """The earliest minute that was written since episodes were summed. Null: none."""
    dirty_until = models.DateTimeField(null=True)
    """The latest of them."""
    last_minute = models.DateTimeField(null=True)
    """The latest minute that was ever counted."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "service", "counted_for"], name="slo_countstate_once"),
            is_known_origin("slo", "countstate"),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} counted for {self.counted_for}"


class EpisodeRequests(models.Model):
    """Requests around one episode, by one source: `good` and `total` of four stretches (`error_spike.py`)."""

    origin = origin_field()
    service = models.ForeignKey(Service, models.PROTECT, db_index=False, related_name="episode_requests")
    counted_for = models.BigIntegerField(default=PUSHED)
    episode = models.ForeignKey(
        Episode, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="requests"
    )
    """Without a constraint: episodes are drawn anew below, and what was summed of them is swept after."""
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    """Of the episode, as it was summed."""
    during_good = models.FloatField()
    during_total = models.FloatField()
    before_good = models.FloatField()
    before_total = models.FloatField()
    hour_good = models.FloatField()
    hour_total = models.FloatField()
    """Of the hour from its start: M9."""
    spent_good = models.FloatField()
    spent_total = models.FloatField()
    """Of what it is charged with: from its start for an hour or as long as it lasts, until the next one starts."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["episode", "counted_for"], name="slo_episoderequests_once"),
            is_known_origin("slo", "episoderequests"),
        ]
        indexes = [
            models.Index(
                fields=["origin", "service", "counted_for", "-started_at"], name="slo_episoderequests_latest"
            ),
            models.Index(fields=["started_at"], name="slo_episoderequests_by_age"),
        ]

    def __str__(self) -> str:
        return f"around {self.started_at:%H:%M}"
