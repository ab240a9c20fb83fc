"""What the roll-up keeps of how reclaims were announced: notice, channels, and hints that came before."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from console.feeds.models import Feed
from console.interruptions.models.rollup import PlacedSum, once_per_place


def _milliseconds() -> ArrayField[list[int], list[int]]:
    return ArrayField(models.BigIntegerField(), default=list)


def _count() -> models.IntegerField[int, int]:
    return models.IntegerField(default=0)


class NoticeHour(PlacedSum):
    """Of the reclaims that began in one hour and are over: what was promised, and what was got.

    `usable + short + late + untold = over`; reclaims first heard of a day after their end are history, and in none.
    """

    hour = models.DateTimeField()
    over_count = _count()
    usable_count = _count()
    short_count = _count()
    """Told before the end, with less than half of the promised window left."""
    late_count = _count()
    untold_count = _count()
    history_count = _count()
    hintable_count = _count()
    """Reclaims of clouds that recommend, over or not."""
    hinted_count = _count()
    promised = _milliseconds()
    actual = _milliseconds()
    """From the first statement received to the end; below zero where it came after."""
    leads = _milliseconds()
    """From a hint to the notice it foretold."""

    class Meta:
        constraints = once_per_place("noticehour", "hour")

    def __str__(self) -> str:
        return f"{self.usable_count} of {self.over_count} in the hour of {self.hour:%Y-%m-%d %H}"


class WitnessHour(PlacedSum):
    """Of the same reclaims: which a channel told of. A channel is a feed and a format."""

    hour = models.DateTimeField()
    feed = models.ForeignKey(Feed, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    source = models.CharField(max_length=32)
    told_count = _count()
    before_count = _count()
    """Told before the machine had gone."""
    warned_count = _count()
    """Of these, by a notice."""
    first_count = _count()

    class Meta:
        constraints = once_per_place("witnesshour", "hour", also=["feed", "source"])

    def __str__(self) -> str:
        return f"{self.told_count} by {self.source} in the hour of {self.hour:%Y-%m-%d %H}"


class HintHour(PlacedSum):
    """The recommendations of one hour, and how many a reclaim followed within seven days without a stop."""

    hour = models.DateTimeField()
    hint_count = _count()
    followed_count = _count()
    beside_count = _count()
    """Those that came with the notice or after it, and foretold nothing."""

    class Meta:
        constraints = once_per_place("hinthour", "hour")

    def __str__(self) -> str:
        return f"{self.followed_count} of {self.hint_count} in the hour of {self.hour:%Y-%m-%d %H}"
