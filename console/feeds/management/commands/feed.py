"""`manage.py feed create NAME --kind KIND`: feeds from the console's own machine, for set-up scripts."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from django.utils import timezone

from console.accounts.audit import Actor
from console.feeds.addresses import ingest_address
from console.feeds.connecting import CannotConnect, FeedOrder, connect
from console.feeds.health import feed_states
from console.feeds.kinds import is_available
from console.feeds.models import Feed, FeedKind
from console.feeds.tending import pause, resume, rotate
from console.lib.durations import in_words
from console.lib.lengths import parse_length
from console.lib.origin import Origin

ACTOR = Actor.console("manage.py feed")


def _length(text: str) -> timedelta:
    try:
        return parse_length(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE")
    return name.strip(), value.strip()


def _joined(assignments: list[tuple[str, str]]) -> dict[str, str]:
    """A name given twice is a list of both."""
    joined: dict[str, str] = {}
    for name, value in assignments:
        joined[name] = f"{joined[name]}\n{value}" if name in joined else value
    return joined


class Command(BaseCommand):
    """Addresses and secrets go to standard output, one a line; the words about them to standard error."""

    help = "Connect feeds, list them, pause and resume them, and renew their secrets."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="connect a feed; prints its address and its secret, once")
        create.add_argument("name")
        create.add_argument("--kind", choices=FeedKind.values, required=True)
        create.add_argument("--token", default="", help="the secret to use; made when left out")
        create.add_argument(
            "--slug", default="", help="the last part of its address; from the name when left out"
        )
        create.add_argument("--origin", choices=Origin.values, default=Origin.LIVE)
        create.add_argument("--account", default="", help="what a message without an account is about")
        create.add_argument("--region", default="")
        create.add_argument("--cluster", default="")
        create.add_argument(
            "--set",
            action="append",
            default=[],
            type=_assignment,
            metavar="NAME=VALUE",
            help="a setting of its sender, such as topic_arns=arn:aws:sns:…; may be given several times",
        )
        create.add_argument(
            "--expects-within", type=_length, help="silent after so long without a message: 15m"
        )
        verbs.add_parser("list", help="every feed with its state")
        for verb, does in (("pause", "tell senders to come back later"), ("resume", "take messages again")):
            verbs.add_parser(verb, help=does).add_argument("slug")
        turn = verbs.add_parser("rotate", help="a new secret; the old one goes on for a while")
        turn.add_argument("slug")
        turn.add_argument("--overlap", type=_length, default=timedelta(hours=24), help="how long: 24h, 10m")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._do(options["verb"], options, now=timezone.now())
        except OperationalError as error:
            raise CommandError(f"The database does not answer: {error}") from error

    def _do(self, verb: str, options: dict[str, Any], *, now: datetime) -> None:
        if verb == "create":
            self._create(options, now=now)
        elif verb == "list":
            self._list(now=now)
        else:
            self._tend(verb, options, now=now)

    def _create(self, options: dict[str, Any], *, now: datetime) -> None:
        order = FeedOrder(
            name=options["name"],
            kind=FeedKind(options["kind"]),
            slug=options["slug"],
            origin=Origin(options["origin"]),
            account=options["account"],
            region=options["region"],
            cluster=options["cluster"],
            expects_within=options["expects_within"],
            secret=options["token"],
            sender=_joined(options["set"]),
        )
        try:
            made = connect(order, by=ACTOR, now=now)
        except CannotConnect as error:
            raise CommandError(str(error)) from error
        word = "Connected" if made.is_new else "Already there:"
        self.stderr.write(
            f"{word} {made.feed.name} ({made.feed.kind}, {made.feed.origin}). Address and secret:"
        )
        if not is_available(made.feed.kind):
            self.stderr.write(
                f"Feeds of kind {made.feed.kind} are not available yet: until they are, senders are answered 501."
            )
        self.stdout.write(ingest_address(made.feed.slug))
        self.stdout.write(made.secret)

    def _list(self, *, now: datetime) -> None:
        feeds = list(Feed.objects.order_by("origin", "slug"))
        states = feed_states(feeds, now=now)
        for feed in feeds:
            seen = f"{in_words(now - feed.last_seen_at)} ago" if feed.last_seen_at else "never"
            self.stdout.write(f"{feed.slug}\t{feed.kind}\t{feed.origin}\t{states[feed.pk].value}\t{seen}")
        if not feeds:
            self.stderr.write("No feed is connected. Connect one: manage.py feed create NAME --kind KIND")

    def _tend(self, verb: str, options: dict[str, Any], *, now: datetime) -> None:
        feed = Feed.objects.filter(slug=options["slug"]).first()
        if feed is None:
            raise CommandError(f"There is no feed {options['slug']}. `manage.py feed list` shows them.")
        if verb == "rotate":
            _, secret = rotate(feed, by=ACTOR, now=now, overlap=options["overlap"])
            self.stderr.write(
                f"New secret of {feed.slug}; the old one ends in {in_words(options['overlap'])}:"
            )
            self.stdout.write(secret)
            return
        is_changed = (pause if verb == "pause" else resume)(feed, by=ACTOR, now=now)
        state = "paused" if verb == "pause" else "running"
        self.stderr.write(f"{feed.slug} is {state}." if is_changed else f"{feed.slug} was {state} already.")
