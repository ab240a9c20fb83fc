"""What is done to a feed after it was connected: settings, pause, resume, and its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from console.accounts.audit import Actor, changed, record
from console.feeds.feed_settings import checked_settings, sealed_secrets, told_of
from console.feeds.models import Feed, FeedToken
from console.fleet.models import Team
from console.lib.live import announce

OVERLAP = timedelta(hours=24)
"""How long the old secret goes on opening the feed while senders learn the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """What may be changed about a feed. Its kind, origin and address stay."""

    name: str
    team: Team | None = None
    account: str = ""
    region: str = ""
    cluster: str = ""
    expects_within: timedelta | None = None
    most_per_second: int | None = None
    sender: Mapping[str, str] | None = None
    """Settings of its sender as typed; None leaves them as they are."""


@transaction.atomic
def change_settings(feed: Feed, settings: FeedSettings, *, by: Actor, now: datetime) -> bool:
    """Returns whether anything differed. Raises WrongSetting."""
    locked = Feed.objects.select_for_update().get(pk=feed.pk)
    sender, sealed = locked.settings, locked.sealed
    if settings.sender is not None:
        sender = checked_settings(locked.kind, settings.sender)
        sealed = sealed_secrets(locked.kind, settings.sender, kept=sealed)
    names = ["name", "team", "account", "region", "cluster", "expects_within", "most_per_second"]
    before, after = changed(
        {name: _plain(getattr(locked, name)) for name in names}
        | locked.settings
        | told_of(locked.sealed, before={}),
        {name: _plain(getattr(settings, name)) for name in names}
        | sender
        | told_of(sealed, before=locked.sealed),
    )
    if not after:
        return False
    for name in names:
        setattr(locked, name, getattr(settings, name))
    locked.settings, locked.sealed = sender, sealed
    locked.save(update_fields=[*names, "settings", "sealed"])
    record(by, action="feed.update", subject=locked, before=before, after=after, now=now)
    announce("feeds")
    return True


def _plain(value: object) -> object:
    if isinstance(value, Team):
        return value.slug
    return int(value.total_seconds()) if isinstance(value, timedelta) else value


@transaction.atomic
def pause(feed: Feed, *, by: Actor, now: datetime) -> bool:
    """From now on senders are told to come back later. Returns whether it was running."""
    if not Feed.objects.filter(pk=feed.pk, paused_at=None).update(paused_at=now):
        return False
    record(by, action="feed.pause", subject=feed, now=now)
    announce("feeds")
    return True


@transaction.atomic
def resume(feed: Feed, *, by: Actor, now: datetime) -> bool:
    """Take messages again. Returns whether it was paused."""
    if not Feed.objects.filter(pk=feed.pk).exclude(paused_at=None).update(paused_at=None, resumed_at=now):
        return False
    record(by, action="feed.resume", subject=feed, now=now)
    announce("feeds")
    return True


@transaction.atomic
def rotate(feed: Feed, *, by: Actor, now: datetime, overlap: timedelta = OVERLAP) -> tuple[FeedToken, str]:
    """Make a new secret; those there are end after `overlap`. Returns the new one, readable this once."""
    Feed.objects.select_for_update().get(pk=feed.pk)
    ends_at = now + overlap
    replaced = feed.tokens.usable(now=now).filter(Q(expires_at=None) | Q(expires_at__gt=ends_at))
    prefixes = list(replaced.order_by("pk").values_list("prefix", flat=True))
    replaced.update(expires_at=ends_at)
    token, secret = FeedToken.issue(feed, created_at=now)
    after = {"new": token.prefix, "ending": prefixes, "ends_at": ends_at.isoformat()}
    record(by, action="feed.rotate", subject=feed, after=after, now=now)
    announce("feeds")
    return token, secret


@transaction.atomic
def revoke(token: FeedToken, *, by: Actor, now: datetime) -> bool:
    """End one secret at once. Returns whether it still opened its feed."""
    if not FeedToken.objects.usable(now=now).filter(pk=token.pk).update(expires_at=now):
        return False
    record(by, action="feed.revoke", subject=token.feed, before={"prefix": token.prefix}, now=now)
    announce("feeds")
    return True
