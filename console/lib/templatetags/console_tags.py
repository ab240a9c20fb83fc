"""The design system's tags and filters. None reads the clock: a region rendered twice is the same text.

What moves with time (countdowns, "4 min ago") is written as an absolute time and brought to life
by `countdown.js` and `times.js`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from console.lib.durations import in_words
from console.lib.fragments import render_rows
from console.lib.navigation import PAGES, Page
from console.lib.tones import look_of

register = template.Library()


@register.simple_tag
@lru_cache(
    maxsize=512
)  # a board of a hundred rows asks for the same few, and an address costs more than its row
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers: the word stands beside it."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        extra,
        static("vendor/lucide-sprite.svg"),
        name,
    )


@register.simple_tag
def badge(state: object, label: str = "", tone: str = "", kind: str = "badge") -> SafeString:
    """A state as icon and word in its tone; `kind="status"` is the same without a box, for dense rows."""
    look = look_of(state)
    word = label or getattr(state, "label", "") or str(state).replace("_", " ").capitalize()
    return _badge(kind, tone or look.tone, look.icon, str(word))


@lru_cache(maxsize=512)
def _badge(kind: str, tone: str, icon_name: str, word: str) -> SafeString:
    return format_html(
        '<span class="{}" data-tone="{}">{}<span>{}</span></span>', kind, tone, icon(icon_name), word
    )


@register.simple_tag
def rows(items: Iterable[Hashable], template_name: str, name: str = "row", **flags: Hashable) -> SafeString:
    """Frozen rows, each in a template of its own: `{% rows feed.rows "components/_interruption_row.html" %}`.

    The template sees the row under `name`, the flags and `version`, and nothing else of the page.
    """
    return render_rows(items, template_name, name, tuple(sorted(flags.items())))


@register.filter
def tone(state: object) -> str:
    """The tone of a state word, for `data-tone`."""
    return look_of(state).tone


@register.filter
def is_finite(value: float | None) -> bool:
    """Whether a percentile is a number: an unfinished item counts as infinitely long."""
    return value is not None and math.isfinite(value)


@register.filter
def duration(value: timedelta | float | None) -> str:
    return "" if value is None else in_words(value)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def zone_name(at: datetime) -> str:
    """The zone's own abbreviation; UTC, never GMT."""
    name = at.tzname() or ""
    if name[:1] in "+-":
        return f"UTC{name}"
    return name.replace("GMT", "UTC")


def both_clocks(at: datetime, *, style: str) -> str:
    """`14:02 CEST · 12:02Z`; with the seconds for `seconds`, with the day for `day`."""
    form = {"clock": "%H:%M", "seconds": "%H:%M:%S", "day": "%-d %b %H:%M"}[style]
    there, here = at.astimezone(UTC), timezone.localtime(at)
    if here.utcoffset() == timedelta(0):
        return f"{there.strftime(form)} UTC"
    far = form if there.date() != here.date() else form.removeprefix("%-d %b ")
    return f"{here.strftime(form)} {zone_name(here)} · {there.strftime(far)}Z"


@register.simple_tag(name="time")
def time_tag(at: datetime | None, style: str = "day", missing: str = "not reported") -> SafeString:
    """A moment in local time and UTC. Styles: `clock`, `seconds`, `day`, `relative` (absolute on hover)."""
    if at is None:
        return format_html('<span class="missing">{}</span>', missing)
    text = both_clocks(at, style="day" if style == "relative" else style)
    return format_html('<time datetime="{}" data-time="{}" title="{}">{}</time>', iso(at), style, text, text)


@register.simple_tag
def countdown(
    deadline_at: datetime | None,
    notice_at: datetime | None = None,
    ended_at: datetime | None = None,
    is_bare: bool = False,
) -> SafeString:
    """A draining bar to a deadline, then the margin: "31 s to spare" or "overran by 14 s"."""
    if deadline_at is None:
        return format_html('<span class="countdown missing">{}</span>', "no deadline told")
    settled = "" if ended_at is None else margin(deadline_at - ended_at)
    clock = deadline_at.astimezone(UTC).strftime("%H:%M:%S")
    return format_html(
        '<span class="countdown" data-countdown data-deadline="{}" data-start="{}" data-ended="{}" title="{}">'
        '{}<span class="countdown-text">{}</span></span>',
        iso(deadline_at),
        iso(notice_at or deadline_at - timedelta(seconds=120)),
        iso(ended_at) if ended_at else "",
        f"Deadline {clock}Z",
        "" if is_bare else BAR,
        settled or f"until {clock}Z",
    )


BAR = mark_safe('<progress class="drain" max="1000" value="0" aria-hidden="true"></progress>')


def margin(left: timedelta) -> str:
    return f"{in_words(left)} to spare" if left >= timedelta(0) else f"overran by {in_words(-left)}"


STAGES = ("Noticed", "Cordoned", "Draining", "Hook", "Gone", "Rescheduled")


@register.simple_tag
@lru_cache(maxsize=512)
def stepper(index: int | None, label: str = "", tone: str = "neutral") -> SafeString:
    """The six stages of a reclaim as dots; `index` is the stage reached, 0 to 5, or none."""
    reached = -1 if index is None else index
    word = label or (STAGES[reached] if 0 <= reached < len(STAGES) else "Not started")
    return format_html(
        '<span class="stepper" data-stage="{}" data-tone="{}" title="{}"><i></i><i></i><i></i><i></i><i></i><i></i>'
        '<span class="stepper-label">{}</span></span>',
        reached,
        tone,
        " → ".join(STAGES),
        word,
    )


@register.simple_tag(takes_context=True)
def current(context: Mapping[str, Any], *prefixes: str) -> str:
    """`aria-current="page"` (as text for the attribute) when the request's path lies under one of the prefixes."""
    path = getattr(context.get("request"), "path", "")
    return "page" if any(path.startswith(prefix) for prefix in prefixes) else "false"


@register.filter
def times(value: int, factor: int) -> int:
    """A product, for places in a drawing."""
    return value * factor


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.simple_tag
def stylesheet(name: str) -> str:
    return static(f"css/{name}.css")


@register.simple_tag
def behaviour(name: str) -> str:
    return static(f"js/{name}.js")


@register.simple_tag
def navigation() -> tuple[Page, ...]:
    """The pages of the rail: `{% navigation as rail_pages %}`."""
    return PAGES


@register.filter
def count_of(counts: Mapping[str, int] | None, name: str) -> int:
    return counts.get(name, 0) if counts and name else 0
