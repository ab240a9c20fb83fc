"""The posted editor of a layer: its fields, its people in their order, and which button was pressed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from console.accounts.models import User
from console.oncall.layering import MOST_PEOPLE, LayerOrder, as_layer, people_of
from console.oncall.loading import layer_plan
from console.oncall.models import Layer, Rotation, TurnKind, Weekday
from console.oncall.plan import Shift
from console.oncall.turns import pieces

PREVIEWED = 8
PREVIEW_REACH = timedelta(days=400)


class LayerForm(forms.Form):
    """How long turns are, and when the layer holds."""

    name = forms.CharField(
        max_length=60, required=False, label="Name", help_text="Such as “First line” or “Nights”."
    )
    length = forms.IntegerField(min_value=1, max_value=365, initial=1, label="A turn lasts")
    kind = forms.ChoiceField(choices=TurnKind.choices, initial=TurnKind.WEEKLY, label="Unit")
    starts_on = forms.DateField(
        label="The first person’s turn begins on",
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text="Later than today: until then the layer stays as it is.",
    )
    handover_at = forms.TimeField(
        label="Hand-over at",
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )
    weekdays = forms.TypedMultipleChoiceField(
        choices=Weekday.choices,
        coerce=int,
        required=False,
        label="Only on these days",
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: on every day.",
    )
    hours_from = forms.TimeField(
        required=False,
        label="Only from",
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )
    hours_until = forms.TimeField(
        required=False,
        label="until",
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text="Both empty: at all hours. An end before the beginning is on the next day.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        begins, ends = cleaned.get("hours_from"), cleaned.get("hours_until")
        if (begins is None) != (ends is None):
            self.add_error("hours_until", "Give both hours, or neither.")
        elif begins is not None and begins == ends:
            self.add_error(
                "hours_until", "The hours begin and end at the same time. Leave both empty for all hours."
            )
        return cleaned

    @classmethod
    def values_of(cls, layer: Layer) -> dict[str, Any]:
        return {name: getattr(layer, name) for name in cls.base_fields}

    @staticmethod
    def usual(rotation: Rotation, *, now: datetime) -> dict[str, Any]:
        """Weekly from Monday of this week at nine."""
        today = timezone.localtime(now, rotation.zone).date()
        monday = today - timedelta(days=today.weekday())
        return {"length": 1, "kind": TurnKind.WEEKLY, "starts_on": monday, "handover_at": "09:00"}


@dataclass(frozen=True, slots=True)
class LayerEditor:
    """What stands in the editor. People are ids in their order; 0 is a place that nobody was chosen for yet."""

    form: LayerForm
    people: tuple[int, ...]
    seen: int = 0
    """The version that the writer started from."""
    focus: int | None = None

    @classmethod
    def of(cls, post: QueryDict) -> LayerEditor:
        people = tuple(_number(text) for text in post.getlist("person")[: MOST_PEOPLE + 1])
        return cls(LayerForm(post), people, seen=_number(post.get("seen", "")))

    @classmethod
    def of_layer(cls, layer: Layer) -> LayerEditor:
        values = LayerForm.values_of(layer)
        return cls(LayerForm(initial=values), tuple(people_of(layer)), seen=layer.pk)

    @classmethod
    def empty(cls, rotation: Rotation, *, now: datetime) -> LayerEditor:
        return cls(LayerForm(initial=LayerForm.usual(rotation, now=now)), (0, 0))

    def rearranged(self, press: str) -> LayerEditor:
        """After `add`, `remove-2`, `up-2` or `down-2`; anything else changes nothing."""
        people = list(self.people)
        if press == "add":
            return replace(self, people=(*people, 0), focus=len(people))
        found = re.fullmatch(r"(remove|up|down)-(\d{1,3})", press)
        if found is None or not (at := int(found[2])) < len(people):
            return self
        if found[1] == "remove":
            return replace(self, people=tuple(people[:at] + people[at + 1 :]), focus=max(0, at - 1))
        there = at - 1 if found[1] == "up" else at + 1
        if not 0 <= there < len(people):
            return self
        people[at], people[there] = people[there], people[at]
        return replace(self, people=tuple(people), focus=there)

    def order(self, known: Sequence[User]) -> LayerOrder | None:
        """What is asked for; null where the form is not right. Empty places are left out."""
        if not self.form.is_valid():
            return None
        ids = {person.pk for person in known}
        people = tuple(pk for pk in self.people if pk in ids)
        fields = dict(self.form.cleaned_data)
        return LayerOrder(people=people, **(fields | {"weekdays": tuple(fields["weekdays"])}))


def preview(rotation: Rotation, order: LayerOrder, *, position: int, now: datetime) -> list[Shift]:
    """The next turns of this layer alone."""
    if not order.people:
        return []
    layer = as_layer(rotation, order, position=position, now=now)
    found = pieces(layer_plan(layer, order.people), layer.valid_from, layer.valid_from + PREVIEW_REACH)
    return [shift for shift, _ in zip(found, range(PREVIEWED), strict=False)]


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,12}", text) else 0
