"""What people fill in about targets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from console.interruptions.models import RateTarget
from console.interruptions.rate_targets import Wanted

PROVIDERS = (("", "Every provider"), ("aws", "AWS"), ("azure", "Azure"), ("gcp", "GCP"))
MOST = 100_000


class TargetForm(forms.Form):
    """The target of one class of machines."""

    label = forms.CharField(max_length=80, label="Name", help_text="What people call the class: GPU.")
    provider = forms.ChoiceField(choices=PROVIDERS, required=False)
    type_prefix = forms.RegexField(
        r"^[A-Za-z0-9._-]+$",
        max_length=64,
        label="Instance types begin with",
        help_text="p4d. for one family, p for all that begin so. The longest beginning wins.",
        error_messages={"invalid": "An instance type has letters, digits, dots, hyphens and underscores."},
    )
    target = forms.FloatField(
        min_value=0, max_value=MOST, label="Target", help_text="Reclaims per 100 instance-weeks; usually 5."
    )
    red = forms.FloatField(
        min_value=0, max_value=MOST, label="Off target above", help_text="The red limit; usually 10."
    )

    @classmethod
    def of(cls, row: RateTarget, data: Any = None) -> TargetForm:
        names = ("label", "provider", "type_prefix", "target", "red")
        return cls(data, initial={name: getattr(row, name) for name in names})

    def clean_target(self) -> float:
        target = float(self.cleaned_data["target"])
        if target <= 0:
            raise ValidationError("A target is above 0: no fleet on spot machines meets 0.")
        return target

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        target, red = cleaned.get("target"), cleaned.get("red")
        if target is not None and red is not None and red < target:
            self.add_error("red", f"The limit lies at or above the target: write {target:g} or more.")
        return cleaned

    @property
    def wanted(self) -> Wanted:
        return Wanted(**self.cleaned_data)
