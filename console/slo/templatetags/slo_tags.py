"""Budgets and burns in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template

from console.interruptions.measure_words import ICONS, TONES
from console.lib.durations import in_words
from console.lib.statistics import Interval, Status
from console.slo.budget import PERIOD
from console.slo.burn import burn_rate
from console.slo.episodes import CHARGED
from console.slo.error_spike import minute_of
from console.slo.reading import EpisodeBurn

register = template.Library()


@register.filter
def signed_minutes(minutes: float | None) -> str:
    """`+21.6 min`, `−3.1 min`: a budget that is overspent is below zero."""
    if minutes is None:
        return ""
    sign = "−" if minutes < 0 else "+"
    size = abs(minutes)
    return f"{sign}{size:.1f} min" if size < 600 else f"{sign}{in_words(timedelta(minutes=size))}"


@register.filter
def as_burn(burn: float | None) -> str:
    """`14.4×`; nothing where it is not known."""
    if burn is None:
        return ""
    return f"{burn:.1f}×" if burn < 100 else f"{burn:,.0f}×"


@register.filter
def burn_range(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.low:.1f} to {interval.high:.1f}"


@register.filter
def share(value: float | None) -> str:
    """A share as a percentage with as many digits as it needs: 99.95 %, 0.278 %, 5.0 %."""
    if value is None:
        return ""
    percent = 100 * value
    digits = 3 if abs(percent) < 1 or 99 < percent < 100 else 1
    return f"{percent:.{digits}f} %"


@register.filter
def count(value: float | None) -> str:
    """Requests: whole where they are whole."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:,.1f}"


@register.filter
def status_tone(status: Status) -> str:
    return TONES[status]


@register.filter
def status_icon(status: Status) -> str:
    return ICONS[status]


@register.filter
def as_length(value: timedelta) -> str:
    """`5 min`, `1 h`, `3 d`."""
    seconds = int(value.total_seconds())
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 86_400 else f"{seconds // 86_400} d"


@register.filter
def of(part: float, whole: float) -> float:
    return part / whole


@register.filter
def hour_burn(episode: EpisodeBurn, allowed: float) -> float | None:
    """b over the hour from its start."""
    return burn_rate(episode.hour, allowed)


@register.filter
def as_parameter(at: datetime) -> str:
    """A moment as an address carries it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@register.filter
def before(at: datetime, by: timedelta) -> str:
    return as_parameter(at - by)


@register.filter
def thirty_days_before(at: datetime) -> str:
    return as_parameter(at - PERIOD)


@register.filter
def on_the_minute(at: datetime) -> str:
    return as_parameter(minute_of(at))


@register.filter
def an_hour_on(at: datetime) -> str:
    return as_parameter(minute_of(at) + CHARGED)


@register.filter
def after(at: datetime) -> str:
    """Just behind it, for an end that is left out."""
    return as_parameter(at + timedelta(seconds=1))
