"""What people fill in: a channel or method of a kind, a code, rules, quiet hours, a host."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from console.fleet.models import Team
from console.lib.origin import Origin
from console.notifications.destinations import Place, settings_of
from console.notifications.models import ContactMethod, Importance
from console.notifications.senders.directory import SENDERS
from console.notifications.senders.sender import BadSetting, Field

DAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")))
KEPT = "Leave it empty to keep what is stored."


class PlaceForm(forms.Form):
    """The fields that a kind's sender asks for. Secrets are never shown again: left empty, they stay."""

    def __init__(self, *args: Any, kind: str, place: Place | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sender = SENDERS[kind]
        self.stored = settings_of(place) if place is not None and place.pk else {}
        for field in self.sender.fields:
            self.fields[field.name] = self._field(field)

    def _field(self, field: Field) -> forms.Field:
        stored = self.stored.get(field.name, "")
        shared: dict[str, Any] = {"label": field.label, "help_text": field.help}
        if field.choices:
            return forms.ChoiceField(choices=field.choices, initial=stored, **shared)
        if field.is_secret:
            shared["help_text"] = KEPT if stored else field.help
            widget = forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
            return forms.CharField(
                max_length=2000, required=field.is_required and not stored, widget=widget, **shared
            )
        if field.is_long:
            shared["widget"] = forms.Textarea({"rows": 2})
        return forms.CharField(max_length=2000, required=field.is_required, initial=stored, **shared)

    @property
    def values(self) -> dict[str, str]:
        """What the sender is to read: what was filled in, and secrets that were left as they are."""
        values = {field.name: str(self.cleaned_data.get(field.name) or "") for field in self.sender.fields}
        for field in self.sender.fields:
            if field.is_secret and not values[field.name]:
                values[field.name] = self.stored.get(field.name, "")
        return values

    def refuse(self, error: BadSetting) -> None:
        """Show at its field what the sender says of it."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


class ChannelForm(PlaceForm):
    """A channel of one kind."""

    name = forms.CharField(max_length=120, label="Name", help_text="As rules and escalations call it.")
    team = forms.ModelChoiceField(
        queryset=Team.objects.none(),
        required=False,
        label="Team",
        empty_label="All teams",
        to_field_name="slug",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["team"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Team.objects.filter(origin=Origin.LIVE).order_by("name", "pk")


class MethodForm(PlaceForm):
    """A contact method of one kind."""

    label = forms.CharField(max_length=80, label="What you call it", help_text="Such as “My phone”.")


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=12,
        label="Code",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class BundlingForm(forms.Form):
    after = forms.IntegerField(min_value=1, max_value=50)
    minutes = forms.IntegerField(min_value=1, max_value=120)


class RuleForm(forms.Form):
    """When to be told by which method."""

    importance = forms.ChoiceField(choices=Importance.choices, label="For")
    method = forms.ModelChoiceField(
        queryset=ContactMethod.objects.none(), label="Tell me by", empty_label=None
    )
    delay_minutes = forms.IntegerField(
        min_value=0, max_value=1440, initial=0, label="Minutes later", help_text="0 is at once."
    )

    def __init__(self, *args: Any, person: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["method"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = ContactMethod.objects.usable().filter(person=person).order_by("pk")


class QuietForm(forms.Form):
    """From when to when, and on which days they begin."""

    starts = forms.TimeField(label="From", widget=forms.TimeInput({"type": "time"}))
    ends = forms.TimeField(
        label="Until", widget=forms.TimeInput({"type": "time"}), help_text="Not later: on the next day."
    )
    days = forms.TypedMultipleChoiceField(
        choices=DAYS,
        coerce=int,
        label="Beginning on",
        widget=forms.CheckboxSelectMultiple,
        initial=[day for day, _ in DAYS],
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("starts") is not None and cleaned.get("starts") == cleaned.get("ends"):
            raise ValidationError("They have to end at another time than they begin.")
        return cleaned


class BoardNoticeForm(forms.Form):
    is_shown = forms.BooleanField(required=False, label="Desktop notification")
    is_heard = forms.BooleanField(required=False, label="Sound")


class HostForm(forms.Form):
    """A private host that may be called."""

    host = forms.CharField(max_length=253, label="Host", help_text="Such as hooks.internal or 10.0.0.7.")
    reason = forms.CharField(max_length=200, label="Why")
