"""What people fill in: a rotation, a layer, an override, a swap, a note, a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from console.accounts.models import User, validate_time_zone
from console.fleet.models import Team
from console.oncall.editing import RotationOrder
from console.oncall.ical_reading import BIGGEST_FILE
from console.oncall.models import Rotation
from console.oncall.overriding import OverrideOrder
from console.oncall.people import can_be_on_call
from console.oncall.plan import Shift
from console.oncall.queries import SwapChoices
from console.oncall.swapping import Stretch, SwapOrder
from console.oncall.telling import span_in_words

TAKE_OVERS = {
    "": "until the next hand-over",
    "60": "1 hour",
    "240": "4 hours",
    "480": "8 hours",
    "720": "12 hours",
}
"""Minutes, as the menu offers them."""


class RotationForm(forms.Form):
    """What a rotation is."""

    name = forms.CharField(max_length=120, label="Name", help_text="Such as “Checkout, first line”.")
    team = forms.ModelChoiceField(
        queryset=Team.objects.none(), required=False, label="Team", empty_label="The whole platform"
    )
    time_zone = forms.CharField(
        label="Time zone",
        validators=[validate_time_zone],
        help_text="Hand-overs happen at clock times of this zone, in summer and in winter.",
        widget=forms.TextInput({"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}),
    )
    is_round_the_clock = forms.BooleanField(
        required=False,
        label="Somebody is on call at every hour",
        help_text="Then every hour without anybody is reported as a gap. Off for office hours only.",
    )

    def __init__(self, *args: Any, origin: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.filter(origin=origin).order_by("name", "pk")
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]

    @classmethod
    def values_of(cls, rotation: Rotation) -> dict[str, Any]:
        return {name: getattr(rotation, name) for name in cls.base_fields}

    def order(self) -> RotationOrder:
        return RotationOrder(**self.cleaned_data)


def _moment_field(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, widget=widget)


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Somebody who can be on call."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj)


class OverrideForm(forms.Form):
    """Who is on call instead. Times are the reader's own."""

    person = PersonField(queryset=User.objects.none(), label="On call", empty_label="Choose somebody")
    replaced = PersonField(
        queryset=User.objects.none(),
        required=False,
        label="Instead of",
        empty_label="Whoever it would be",
        help_text="With a name: only in their turns.",
    )
    started_at = _moment_field("From")
    ended_at = _moment_field("Until")
    reason = forms.CharField(max_length=200, required=False, label="Reason")

    def __init__(self, *args: Any, rotation: Rotation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = can_be_on_call(rotation.origin).order_by("name", "email", "pk")
        self.fields["person"].queryset = people  # type: ignore[attr-defined]
        self.fields["replaced"].queryset = people  # type: ignore[attr-defined]

    @staticmethod
    def usual(now: datetime) -> dict[str, datetime]:
        """From the next full hour, for eight."""
        start = timezone.localtime(now).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return {"started_at": start, "ended_at": start + timedelta(hours=8)}

    def order(self) -> OverrideOrder:
        return OverrideOrder(**self.cleaned_data)


class SwapForm(forms.Form):
    """Which shift to give, and to whom or for which one."""

    gives = forms.ChoiceField(label="My shift")
    takes = forms.ChoiceField(label="For")
    message = forms.CharField(max_length=300, required=False, label="Message")

    def __init__(self, *args: Any, choices: SwapChoices, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person, self._people = person, {str(one.pk): one for one in choices.people}
        self.fields["gives"].choices = _options(choices.mine, person, lambda line: "")  # type: ignore[attr-defined]
        nothing = [(str(one.pk), f"Nothing, from {one}") for one in choices.people]
        shifts = _options(choices.others, person, lambda line: f"{line.person}: ")
        groups = [("A shift of theirs", shifts), ("Nothing in return", nothing)]
        self.fields["takes"].choices = [group for group in groups if group[1]]  # type: ignore[attr-defined]

    def order(self) -> SwapOrder:
        gives, takes = self.cleaned_data["gives"], self.cleaned_data["takes"]
        asked, _, _ = takes.partition("@")
        return SwapOrder(
            asker=self.person,
            asked=self._people[asked],
            gives=_stretch(gives),
            takes=_stretch(takes) if "@" in takes else None,
            message=self.cleaned_data["message"],
        )


def _options(lines: Sequence[Any], reader: User, start: Callable[[Any], str]) -> list[tuple[str, str]]:
    return [(_value(one.shift), start(one) + _span(one.shift, reader)) for one in lines]


def _value(shift: Shift) -> str:
    return f"{shift.person_id}@{shift.started_at.isoformat()}/{shift.ended_at.isoformat()}"


def _span(shift: Shift, reader: User) -> str:
    return span_in_words(shift.started_at, shift.ended_at, person=reader)


def _stretch(value: str) -> Stretch:
    start, _, end = value.partition("@")[2].partition("/")
    started_at, ended_at = parse_datetime(start), parse_datetime(end)
    if started_at is None or ended_at is None:
        raise ValidationError("Choose one of the shifts in the list.")
    return Stretch(started_at, ended_at)


class NoteForm(forms.Form):
    """What the next shift should know."""

    text = forms.CharField(
        max_length=4_000,
        label="What should the next shift know?",
        widget=forms.Textarea({"rows": 3}),
    )


class CalendarForm(forms.Form):
    """An .ics file with overrides."""

    file = forms.FileField(
        label="Calendar file",
        help_text="An .ics file of at most 1 MiB.",
        widget=forms.ClearableFileInput({"accept": ".ics,text/calendar"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > BIGGEST_FILE:
            raise ValidationError("The file is larger than 1 MiB. Export a shorter time.")
        return file
