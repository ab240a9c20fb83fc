"""A suppression as somebody asks for it, checked and not stored yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from console.accounts.models import Role, User
from console.alerts.models import Suppression, SuppressionKind, SuppressionScope
from console.alerts.suppression.recurrence import AHEAD, BadRule, Rule, Window, check_fits, windows
from console.fleet.models import Team

LONGEST = timedelta(days=14)
FARTHEST = timedelta(days=366)
"""How far ahead the first window may start."""
RESPONDERS_LONGEST = timedelta(hours=4)
LATE_BY = timedelta(minutes=5)
"""A window may have begun so long ago: forms take a while to fill in, and clocks differ."""


class Refused(ValueError):
    """It cannot be made so; `field` says where, the text what to do."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Once, from `starts_at` for `duration`; or as `rule` says, its first window at `starts_at`."""

    origin: str
    kind: SuppressionKind
    name: str
    reason: str
    scopes: Sequence[SuppressionScope]
    starts_at: datetime
    duration: timedelta
    rule: Rule | None = None
    time_zone: str = "UTC"
    team: Team | None = None
    share: int = 50
    needs_signature: bool = False

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def windows(self, *, since: datetime, until: datetime) -> list[Window]:
        """Those that start in [since, until)."""
        if self.rule is None:
            window = Window(self.starts_at, self.starts_at + self.duration)
            return [window] if since <= self.starts_at < until else []
        return windows(
            self.rule, first=self.starts_at, duration=self.duration, zone=self.zone, since=since, until=until
        )

    def check(self, *, now: datetime) -> None:
        """Raises `Refused`."""
        if not self.name.strip():
            raise Refused("name", "Give it a name: people read it on every receipt.")
        if not self.reason.strip():
            raise Refused("reason", "Say why: people read it on every receipt.")
        if not 1 <= self.share <= 100:
            raise Refused("share", "The share is a percentage, 1 to 100.")
        if self.time_zone not in available_timezones():
            raise Refused("time_zone", f"{self.time_zone} is no time zone. Use a name such as Europe/Berlin.")
        self._check_length()
        if self.starts_at > now + FARTHEST:
            raise Refused("starts_at", "The first window starts at most a year ahead.")
        if self.rule is None:
            if self.starts_at + self.duration <= now:
                raise Refused("ends_at", "It would be over already.")
            if self.starts_at < now - LATE_BY:
                raise Refused("starts_at", "It starts in the past; nothing that was sent can be hidden.")
            return
        if self.starts_at < now - timedelta(days=1):
            raise Refused("starts_at", "The first window lies in the past. Begin with today.")
        try:
            check_fits(self.rule, first=self.starts_at, duration=self.duration, zone=self.zone)
        except BadRule as error:
            raise Refused("rrule", str(error)) from error
        if not self.windows(since=now - self.duration, until=now + FARTHEST + AHEAD):
            raise Refused("rrule", "It does not come within a year.")

    def _check_length(self) -> None:
        if self.duration <= timedelta(0):
            raise Refused("ends_at", "It has to end after it starts.")
        if self.kind == SuppressionKind.CAPACITY_CHANGE:
            if self.duration > Suppression.LONGEST_CAPACITY_CHANGE:
                raise Refused("ends_at", "A capacity change lasts at most 24 hours.")
        elif self.duration > LONGEST:
            raise Refused("ends_at", f"A window lasts at most {LONGEST.days} days.")


def check_allowed(draft: Draft, user: User | None, *, now: datetime) -> None:
    """Managers may make any; responders what starts now and ends within 4 hours. Raises `Refused`.

    A program (no user) was let in by the scope of its token.
    """
    if user is None or user.may(Role.MANAGER):
        return
    if draft.rule is not None or draft.starts_at > now:
        raise Refused("when", "Responders may suppress from now on; a manager may plan ahead.")
    if draft.duration > RESPONDERS_LONGEST:
        raise Refused("minutes", "Responders may suppress for 4 hours at most; a manager for longer.")
