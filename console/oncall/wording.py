"""A layer in words."""

from __future__ import annotations

from datetime import time

from console.oncall.models import Layer, TurnKind, Weekday

ONE = {"hourly": "Every hour", "daily": "Daily", "weekly": "Weekly", "monthly": "Monthly"}
MANY = {"hourly": "hours", "daily": "days", "weekly": "weeks", "monthly": "months"}


def turns_in_words(layer: Layer) -> str:
    """`Weekly, hand-over Mon at 09:00`; `Every 2 days, hand-over at 09:00`."""
    often = ONE[layer.kind] if layer.length == 1 else f"Every {layer.length} {MANY[layer.kind]}"
    at = layer.handover_at.strftime("%H:%M")
    if layer.kind == TurnKind.WEEKLY:
        return f"{often}, hand-over {layer.starts_on:%a} at {at}"
    if layer.kind == TurnKind.MONTHLY:
        return f"{often}, hand-over on day {layer.starts_on.day} at {at}"
    if layer.kind == TurnKind.HOURLY:
        return f"{often}, counted from {at}"
    return f"{often}, hand-over at {at}"


def hours_in_words(layer: Layer) -> str:
    """`Mon to Fri, 09:00 to 17:00`; empty where the layer holds at all hours."""
    parts = [_days(sorted(layer.weekdays))] if layer.weekdays else []
    if layer.hours_from is not None and layer.hours_until is not None:
        parts.append(f"{_clock(layer.hours_from)} to {_clock(layer.hours_until)}")
    return ", ".join(parts)


def _days(days: list[int]) -> str:
    names = [Weekday(day).label for day in days]
    is_run = len(days) > 2 and days == list(range(days[0], days[-1] + 1))
    return f"{names[0]} to {names[-1]}" if is_run else ", ".join(names)


def _clock(at: time) -> str:
    return at.strftime("%H:%M")
