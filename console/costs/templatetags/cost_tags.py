"""Amounts for people; every digit is in the CSV and behind the figure."""

from __future__ import annotations

from decimal import Decimal

from django import template

register = template.Library()


@register.filter
def money(value: Decimal | None) -> str:
    """Two decimals; small amounts with as many as they need to be seen, six at most."""
    if value is None:
        return "–"
    if value == 0:
        return "0.00"
    if abs(value) >= 1:
        return f"{value:,.2f}"
    return f"{value:.6f}".rstrip("0") if abs(value) >= Decimal("0.000001") else f"{value:.2E}"


@register.filter
def share(value: Decimal | None) -> str:
    """A part of one as per cent."""
    return "–" if value is None else f"{value * 100:.1f} %"
