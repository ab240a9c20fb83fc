"""The console's own figures in Prometheus' words. Read from the database, so every web process says the same.

Labels are feeds, origins and states: never an instance or an interruption.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Sum
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from console.alerts.models import AlertGroup, SetAside
from console.feeds.models import Feed, FeedHour, PipelineStop, QuarantinedItem
from console.interruptions.lag import lags
from console.interruptions.models import Interruption
from console.notifications.queries import outbox_figures

RESULTS = ("accepted", "duplicates", "ignored", "unrecognised", "rejected", "heartbeats", "turned_away")


class _Console(Collector):
    def __init__(self, *, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterable[Metric]:
        yield from self._queues()
        yield from self._feeds()
        yield from self._work()
        yield from self._outbox()

    def _queues(self) -> Iterable[Metric]:
        waiting = GaugeMetricFamily("spot_console_queue_waiting", "Rows waiting in a queue", labels=["queue"])
        lag = GaugeMetricFamily(
            "spot_console_queue_lag_seconds", "Age of the oldest row of a queue", labels=["queue"]
        )
        resting = GaugeMetricFamily(
            "spot_console_queue_resting", "Rows of a queue that rest after a failure", labels=["queue"]
        )
        for queue in lags(now=self._now):
            waiting.add_metric([queue.name], queue.waiting)
            lag.add_metric([queue.name], queue.seconds)
            resting.add_metric([queue.name], queue.resting)
        stopped = GaugeMetricFamily("spot_console_pipelines_stopped", "Pipelines that stopped")
        stopped.add_metric([], PipelineStop.objects.count())
        yield from (waiting, lag, resting, stopped)

    def _feeds(self) -> Iterable[Metric]:
        messages = CounterMetricFamily(
            "spot_console_feed_messages",
            "Items received, by result; turned_away: told to come back, not taken",
            labels=["feed", "origin", "result"],
        )
        totals = FeedHour.objects.values("feed__slug", "feed__origin").annotate(
            **{f"sum_{name}": Sum(name) for name in RESULTS}
        )
        sums = [f"sum_{name}" for name in RESULTS]
        for slug, origin, *counts in totals.order_by("feed__slug").values_list(
            "feed__slug", "feed__origin", *sums
        ):
            for name, count in zip(RESULTS, counts, strict=True):
                messages.add_metric([slug, origin, name], count or 0)
        silence = GaugeMetricFamily(
            "spot_console_feed_silence_seconds", "Since the feed was last heard", labels=["feed", "origin"]
        )
        for feed in Feed.objects.exclude(last_seen_at=None).order_by("slug"):
            if feed.last_seen_at is not None:
                silence.add_metric([feed.slug, feed.origin], (self._now - feed.last_seen_at).total_seconds())
        yield from (messages, silence)

    def _work(self) -> Iterable[Metric]:
        running_out = GaugeMetricFamily(
            "spot_console_interruptions_running_out", "Reclaims whose machine still runs", labels=["origin"]
        )
        for row in (
            Interruption.objects.running_out().values("origin").annotate(n=Count("pk")).order_by("origin")
        ):
            running_out.add_metric([row["origin"]], row["n"])
        groups = GaugeMetricFamily(
            "spot_console_alert_groups_open", "Open alert groups", labels=["origin", "status"]
        )
        for row in (
            AlertGroup.objects.open().values("origin", "status").annotate(n=Count("pk")).order_by("origin")
        ):
            groups.add_metric([row["origin"], row["status"]], row["n"])
        held = GaugeMetricFamily(
            "spot_console_quarantine_held", "Items held in quarantine", labels=["origin"]
        )
        for row in QuarantinedItem.objects.held().values("origin").annotate(n=Count("pk")).order_by("origin"):
            held.add_metric([row["origin"]], row["n"])
        aside = GaugeMetricFamily(
            "spot_console_set_aside", "Interruptions and groups that alerting failed on", labels=["origin"]
        )
        for row in SetAside.objects.values("origin").annotate(n=Count("pk")).order_by("origin"):
            aside.add_metric([row["origin"]], row["n"])
        yield from (running_out, groups, held, aside)

    def _outbox(self) -> Iterable[Metric]:
        figures = outbox_figures(now=self._now)
        waiting = GaugeMetricFamily("spot_console_outbox_due", "Messages that are due and were not sent yet")
        waiting.add_metric([], figures.waiting)
        oldest = GaugeMetricFamily(
            "spot_console_outbox_oldest_due_seconds", "Since the oldest of them was due; 0 where none is"
        )
        due_at = figures.oldest_due_at
        oldest.add_metric([], (self._now - due_at).total_seconds() if due_at else 0.0)
        ended = GaugeMetricFamily(
            "spot_console_outbox_ended_badly",
            "Messages of the last hour, by how they ended",
            labels=["state"],
        )
        ended.add_metric(["failed"], figures.failed)
        ended.add_metric(["unknown"], figures.unknown)
        yield from (waiting, oldest, ended)


def registry(*, now: datetime) -> CollectorRegistry:
    """A registry of this moment."""
    fresh = CollectorRegistry(auto_describe=False)
    fresh.register(_Console(now=now))
    return fresh
