"""Prometheus Alertmanager's webhook, version 4: one delivery, one statement an alert.

Alerts are witnesses: they neither open an interruption nor end one. An alert that tells of a missing heartbeat, or
one that always fires, is a sign of life of the feed.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from console.feeds import wire
from console.feeds.identifiers import (
    PROVIDERS,
    check_account,
    check_instance_id,
    is_placeholder,
    usable,
)
from console.feeds.normalised import (
    Kind,
    MachineRef,
    NormalisedEvent,
    ParseContext,
    Reading,
    Rejected,
    Result,
)
from console.feeds.times import is_future, optional_time, required_time

SOURCE = "alertmanager"
VERSION = "4"
MAX_ALERTS = 5000
_ATTACHING = ("node", "instance_id", "cluster", "namespace")
_ALWAYS_FIRING = frozenset({"watchdog", "deadmansswitch"})


class Alert(msgspec.Struct, kw_only=True):
    status: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: object = msgspec.field(name="startsAt", default=None)
    ends_at: object = msgspec.field(name="endsAt", default=None)
    fingerprint: str | None = None


class _Version(msgspec.Struct, kw_only=True):
    version: object = None
    group_key: object = msgspec.field(name="groupKey", default=None)


class Message(msgspec.Struct, kw_only=True):
    alerts: list[Alert]
    truncated: int = msgspec.field(name="truncatedAlerts", default=0)


_VERSION = msgspec.json.Decoder(_Version)
_MESSAGE = msgspec.json.Decoder(Message)


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One notification, checked JSON already."""
    head = wire.decode(raw, _VERSION)
    if head.version != VERSION or isinstance(head.group_key, int):
        raise Rejected("unsupported_version", 'version: only "4" of Alertmanager\'s webhook is taken')
    message = wire.decode(raw, _MESSAGE)
    if len(message.alerts) > MAX_ALERTS:
        raise Rejected("too_large", f"alerts: at most {MAX_ALERTS} a message", limit="alerts")
    beats = [alert for alert in message.alerts if _is_heartbeat(alert)]
    telling = [alert for alert in message.alerts if not _is_heartbeat(alert) and _names_anything(alert)]
    events = tuple(
        _statement(alert, place=f"alerts[{index}]", context=context, received_at=received_at)
        for index, alert in enumerate(telling)
    )
    note = f"{message.truncated} more alerts were cut off by their sender" if message.truncated > 0 else ""
    if not events:
        result = Result.ACCEPTED if beats else Result.IGNORED
        digest = wire.canonical_hash(raw)
        return Reading(delivery_id=digest, result=result, is_heartbeat=bool(beats), note=note)
    return Reading(delivery_id=wire.delivery_id(raw, events), events=events, note=note)


def _names_anything(alert: Alert) -> bool:
    return any(usable(alert.labels.get(name)) for name in _ATTACHING)


def _is_heartbeat(alert: Alert) -> bool:
    name = alert.labels.get("alertname", "").lower().replace("_", "").replace("-", "")
    return "heartbeat" in name or name in _ALWAYS_FIRING


def _statement(alert: Alert, *, place: str, context: ParseContext, received_at: datetime) -> NormalisedEvent:
    is_resolved = alert.status == "resolved"
    started_at = required_time(alert.starts_at, field=f"{place}.startsAt")
    ended_at = optional_time(alert.ends_at, field=f"{place}.endsAt") if is_resolved else None
    occurred_at = ended_at or started_at
    name = alert.labels.get("alertname", "")
    summary = alert.annotations.get("summary") or alert.annotations.get("description") or ""
    status = "resolved" if is_resolved else "firing"
    said = ": ".join(filter(None, (name, summary)))
    return NormalisedEvent(
        source=SOURCE,
        kind=Kind.STATE_CHANGE,
        event_id=wire.bounded_id(f"{_fingerprint(alert)}:{started_at.isoformat()}:{status}"),
        occurred_at=occurred_at,
        machine=_machine(alert, place=place, context=context),
        state=f"alert-{status}",
        is_future=is_future(occurred_at, received_at=received_at),
        labels={
            label: value
            for label in ("cluster", "namespace")
            if (value := usable(alert.labels.get(label))) is not None
        },
        message=wire.plain_text(f"{said} ({status})"),
    )


def _fingerprint(alert: Alert) -> str:
    """Older servers send none: the labels stand for it."""
    given = usable(alert.fingerprint)
    if given is not None and not is_placeholder(given):
        return given
    labels = "\n".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))
    return hashlib.blake2b(labels.encode(), digest_size=20).hexdigest()


def _machine(alert: Alert, *, place: str, context: ParseContext) -> MachineRef:
    """The machine by its id or its node's name; with neither the alert is about no machine in particular."""
    labels = alert.labels
    instance_id, node = usable(labels.get("instance_id")), usable(labels.get("node"))
    cluster = usable(labels.get("cluster")) or context.cluster
    if instance_id is None and node is None:
        return MachineRef(cluster=cluster)
    provider, account = usable(labels.get("provider")) or context.provider, context.account
    if provider is not None and provider not in PROVIDERS:
        provider = None
    if provider is not None and instance_id is not None:
        check_instance_id(instance_id, provider=provider, field=f"{place}.labels.instance_id")
    if provider is not None and account is not None:
        check_account(account, provider=provider, field="account")
    return MachineRef(
        provider=provider,
        account=account,
        region=context.region,
        instance_id=instance_id,
        node_name=node,
        cluster=cluster,
    )
