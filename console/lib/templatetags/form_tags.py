"""Form fields and messages as the design system draws them."""

from __future__ import annotations

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()

MESSAGE_TONES = {"success": "neutral", "info": "info", "warning": "warn", "error": "danger", "debug": "muted"}


@register.filter
def is_choice(field: BoundField) -> bool:
    """A single checkbox, whose label stands behind it."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def described(field: BoundField) -> SafeString:
    """The widget, told which texts describe it and whether it is wrong."""
    described_by = [f"{field.auto_id}_help"] if field.help_text else []
    described_by += [f"{field.auto_id}_errors"] if field.errors else []
    attributes: dict[str, str | bool] = {}
    if described_by:
        attributes["aria-describedby"] = " ".join(described_by)
    if field.errors:
        attributes["aria-invalid"] = "true"
    if str(field.field.widget.attrs.get("placeholder")) in {str(field.label), "Email address"}:
        attributes["placeholder"] = ""  # the label stands above: nothing need be said twice
    return field.as_widget(attrs=attributes)


@register.filter
def with_class(field: BoundField, name: str) -> SafeString:
    return field.as_widget(attrs={"class": f"{field.field.widget.attrs.get('class', '')} {name}".strip()})


@register.filter
def message_tone(level_tag: str) -> str:
    return MESSAGE_TONES.get(level_tag, "neutral")


@register.filter
def undo_url(extra_tags: str) -> str:
    """The address in a message's `extra_tags="undo:/alerts/7/undo/"`, if it has one."""
    return next((tag.removeprefix("undo:") for tag in extra_tags.split() if tag.startswith("undo:")), "")
