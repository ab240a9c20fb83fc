"""A feed's history as one story: what people and programs did to it, and what the console found out.

The audit trail holds the first already; it is read into this and not written twice. Addresses stay there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.accounts.models import AuditEntry
from console.feeds.models import Feed, FeedEventKind
from console.lib.durations import in_words

MOST = 30
ACTIONS = {
    "feed.create": ("plus", "Connected"),
    "feed.update": ("settings", "Settings changed"),
    "feed.pause": ("pause", "Paused"),
    "feed.resume": ("play", "Resumed"),
    "feed.rotate": ("repeat", "Secret issued"),
    "feed.revoke": ("trash-2", "Secret revoked"),
    "feed.test": ("flask-conical", "Test message sent"),
}
ICONS = {
    FeedEventKind.SILENT: ("wifi-off", "danger"),
    FeedEventKind.DELAYED: ("clock", "warn"),
    FeedEventKind.HEARD: ("radio", "ok"),
    FeedEventKind.IN_TIME: ("radio", "ok"),
    FeedEventKind.EXCUSED: ("moon", "muted"),
}
FIELDS = {
    "expects_within": "expects a message within",
    "team": "owner",
    "most_per_second": "messages a second",
}


@dataclass(frozen=True, slots=True)
class Line:
    """What happened, when, and who did it."""

    at: datetime
    icon: str
    tone: str
    what: str
    text: str
    who: str


def history_of(feed: Feed) -> list[Line]:
    """The newest lines of a feed's history."""
    entries = AuditEntry.objects.filter(
        subject_kind="feed", subject_id=str(feed.pk), action__in=ACTIONS
    ).order_by("-pk")[:MOST]
    events = feed.events.order_by("-at", "-pk")[:MOST]
    lines = [_done(entry) for entry in entries]
    for event in events:
        kind = FeedEventKind(event.kind)
        lines.append(Line(event.at, *ICONS[kind], kind.label, event.text, "the console"))
    return sorted(lines, key=lambda line: line.at, reverse=True)[:MOST]


def _done(entry: AuditEntry) -> Line:
    icon, what = ACTIONS[entry.action]
    return Line(entry.at, icon, "neutral", what, _details(entry), entry.actor_label)


def _details(entry: AuditEntry) -> str:
    before, after = entry.before or {}, entry.after or {}
    match entry.action:
        case "feed.update":
            return "; ".join(
                f"{FIELDS.get(name, name)}: {_said(before, name)} → {_said(after, name)}" for name in after
            )
        case "feed.rotate":
            ending = ", ".join(f"{prefix}…" for prefix in after.get("ending", []))
            return f"{after.get('new', '')}…" + (f" in place of {ending}" if ending else "")
        case "feed.revoke":
            return f"{before.get('prefix', '')}…"
    return ""


def _said(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if name == "expects_within" and value:
        return in_words(value)
    return str(value) if value else "nothing"
