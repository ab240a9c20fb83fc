"""`manage.py watch_kubernetes [FEED]`: watch the clusters of all feeds of this kind, or of one, until stopped."""

from __future__ import annotations

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.feeds.models import Feed, FeedKind
from console.ingest.watching import watch_all, watched_feeds


class Command(BaseCommand):
    """Ends at once where nothing is to be watched, unless it is asked to wait for feeds to come."""

    help = "Watch Kubernetes clusters: their events, nodes, pods and disruption budgets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("feed", nargs="?", default="", help="the feed's slug; all when left out")
        parser.add_argument("--wait", action="store_true", help="stay, also while nothing is to be watched")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["feed"]
        if slug and not Feed.objects.filter(slug=slug, kind=FeedKind.KUBERNETES_WATCH).exists():
            raise CommandError(f"There is no feed {slug} of kind {FeedKind.KUBERNETES_WATCH}.")
        if slug and not options["wait"] and not watched_feeds(slug):
            raise CommandError(f"{slug} is paused, or does not say whom to ask: set api_server.")
        ending = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ending.set())
        watch_all(slug=slug, ending=ending, is_kept=options["wait"])
