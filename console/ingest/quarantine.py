"""What the quarantine holds, as its page, its API and its replays filter it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Length

from console.accounts.audit import Actor, record
from console.feeds.models import Feed, QuarantinedItem, QuarantineReplay, QuarantineState
from console.lib.live import announce

ORDER = ["-pk"]
FILTERS = ("state", "feed", "code", "q")
LOOKED_INTO = 4096
"""So many bytes of each body are searched: what a person looks for stands near the beginning."""
_SAYS = "position(convert_to(%s, 'UTF8') in substring(body from 1 for %s)) > 0"


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Filters as they stand in the URL; all that are given must hold."""

    origin: str
    state: str = QuarantineState.HELD
    feed: str = ""
    code: str = ""
    q: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], *, origin: str) -> QuarantineFilter:
        state, feed, code, q = (query.get(name, "").replace("\x00", "").strip() for name in FILTERS)
        return cls(
            origin=origin,
            state=state if state in QuarantineState.values else QuarantineState.HELD.value,
            feed=feed[:64],
            code=code[:32],
            q=q[:200],
        )

    @property
    def is_narrow(self) -> bool:
        return bool(self.feed or self.code or self.q or self.state != QuarantineState.HELD)

    def items(self) -> QuerySet[QuarantinedItem]:
        items = QuarantinedItem.objects.filter(origin=self.origin, state=self.state)
        if self.feed:
            items = items.filter(feed__slug=self.feed)
        if self.code:
            items = items.filter(code=self.code)
        if self.since:
            items = items.filter(received_at__gte=self.since)
        if self.until:
            items = items.filter(received_at__lt=self.until)
        if self.q:
            says = RawSQL(_SAYS, [self.q, LOOKED_INTO])  # noqa: S611  a constant with parameters
            items = items.annotate(is_said=says).filter(Q(detail__icontains=self.q) | Q(is_said=True))
        return items

    def rows(self) -> QuerySet[QuarantinedItem]:
        """For lists: bodies are measured, not fetched."""
        return self.items().select_related("feed").defer("body", "headers").annotate(size=Length(F("body")))


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be filtered by, with how many of the held there are of each."""

    codes: list[tuple[str, int]]
    feeds: list[tuple[str, str, int]]


def choices(*, origin: str, state: str) -> Choices:
    items = QuarantinedItem.objects.filter(origin=origin, state=state)
    codes = items.values_list("code").annotate(n=Count("pk")).order_by("-n", "code")
    feeds = items.values_list("feed_id").annotate(n=Count("pk")).order_by("-n")
    counts = dict(feeds.values_list("feed_id", "n"))
    named = Feed.objects.filter(pk__in=counts).order_by("name", "pk")
    return Choices(list(codes), [(feed.slug, feed.name, counts[feed.pk]) for feed in named])


@transaction.atomic
def discard(wanted: QuarantineFilter, *, only: list[int] | None, by: Actor, now: datetime) -> int:
    """Let go of held items: those named, or all of a filter. They stay to be looked at."""
    items = wanted.items().filter(state=QuarantineState.HELD)
    if only is not None:
        items = items.filter(pk__in=only)
    count = (
        QuarantinedItem.objects.held()
        .filter(pk__in=list(items.values_list("pk", flat=True)))
        .update(state=QuarantineState.DISCARDED, decided_at=now)
    )
    if count:
        after = {"items": count, "feed": wanted.feed, "code": wanted.code, "q": wanted.q}
        record(by, action="quarantine.discard", subject_kind="quarantine", after=after, now=now)
        announce("quarantine", "feeds")
    return count


@transaction.atomic
def ask_for_replay(wanted: QuarantineFilter, *, by: Actor, now: datetime) -> QuarantineReplay | None:
    """Note that all of a filter shall be read again; a worker does it. None where nothing is held."""
    held = wanted.items().filter(state=QuarantineState.HELD)
    count = held.count()
    if not count:
        return None
    newest = held.order_by("-pk").values_list("pk", flat=True)[0]
    asked = QuarantineReplay.objects.create(
        origin=wanted.origin,
        feed=Feed.objects.filter(slug=wanted.feed).first() if wanted.feed else None,
        code=wanted.code,
        q=wanted.q,
        up_to_pk=newest,
        wanted_count=count,
        asked_by=by.label,
        asked_at=now,
    )
    after = {"items": count, "feed": wanted.feed, "code": wanted.code, "q": wanted.q}
    record(by, action="quarantine.replay_all", subject_kind="quarantine", after=after, now=now)
    announce("quarantine")
    return asked


def filter_of(asked: QuarantineReplay) -> QuarantineFilter:
    return QuarantineFilter(
        origin=asked.origin, feed=asked.feed.slug if asked.feed else "", code=asked.code, q=asked.q
    )
