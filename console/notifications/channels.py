"""What administrators do with channels and with the private hosts that may be called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from console.accounts.audit import Actor, changed, record
from console.accounts.models import User
from console.fleet.models import Team
from console.notifications.destinations import give_settings
from console.notifications.models import AllowedHost, Channel, Importance, Notification, NotificationKind
from console.notifications.outbox import Message, put
from console.notifications.senders.sender import BadSetting

HOST = re.compile(r"[a-z0-9]([a-z0-9.:-]*[a-z0-9])?")


def save_channel(
    channel: Channel,
    values: Mapping[str, str],
    *,
    name: str,
    team: Team | None,
    actor: Actor,
    now: datetime,
) -> Channel:
    """Make or change a channel. Raises `BadSetting`. The audit trail never holds what was sealed."""
    before = _known(channel) if channel.pk else {}
    channel.name, channel.team = name, team
    had = channel.sealed_settings
    give_settings(channel, values)
    try:
        with transaction.atomic():
            channel.save()
            old, new = changed(before, _known(channel))
            if channel.sealed_settings != had:
                new["settings"] = "given anew"
            action = "channel.change" if before else "channel.create"
            record(actor, action=action, subject=channel, before=old or None, after=new, now=now)
    except IntegrityError as error:
        raise BadSetting("name", f"There is a channel {name} already.") from error
    return channel


@transaction.atomic
def archive_channel(channel: Channel, *, actor: Actor, now: datetime) -> None:
    """Nothing goes there any more. What still waits fails with that reason."""
    if channel.archived_at is None:
        channel.archive(now=now)
        record(actor, action="channel.archive", subject=channel, now=now)


@transaction.atomic
def try_channel(channel: Channel, *, by: User, actor: Actor, now: datetime) -> Notification:
    """Send a trial message; what becomes of it is seen on its own page."""
    key = f"trial:channel:{channel.pk}:{now.isoformat()}"
    message = Message(
        key=key,
        origin="live",
        kind=NotificationKind.TRIAL,
        importance=Importance.IMPORTANT,
        subject=f"trial:channel-{channel.pk}",
        title="Test message of Spot console",
        text=f"{by} tries the channel {channel.name}. Nobody has to do anything.",
        path="/settings/deliveries/",
        reason=f"{by} pressed Test",
        channel_id=channel.pk,
        data={"severity": "info"},
    )
    put([message], now=now)
    record(actor, action="channel.test", subject=channel, now=now)
    return Notification.objects.get(key=key)


@transaction.atomic
def allow_host(text: str, *, reason: str, by: User, actor: Actor, now: datetime) -> AllowedHost:
    """Let the console call a host although it is private or speaks plain http. Raises `BadSetting`."""
    host = text.strip().lower()
    if not HOST.fullmatch(host) or len(host) > 253:
        raise BadSetting("host", "Write a host name or an address alone, such as hooks.internal or 10.0.0.7.")
    allowed, is_new = AllowedHost.objects.get_or_create(
        host=host, defaults={"reason": reason[:200], "created_by": by, "created_at": now}
    )
    if is_new:
        record(actor, action="allowed_host.add", subject=allowed, after={"reason": reason}, now=now)
    return allowed


@transaction.atomic
def forbid_host(allowed: AllowedHost, *, actor: Actor, now: datetime) -> None:
    record(actor, action="allowed_host.remove", subject=allowed, now=now)
    allowed.delete()


def _known(channel: Channel) -> dict[str, object]:
    team = channel.team.slug if channel.team else None
    return {"name": channel.name, "kind": channel.kind, "team": team, "address": channel.address_hint}
