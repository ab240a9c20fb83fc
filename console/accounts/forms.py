"""What people fill in: themselves, invitations, roles and tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from console.accounts.invitations import Acceptance
from console.accounts.models import Role, Scope, Theme, User, validate_time_zone
from console.accounts.tokens import TokenOrder
from console.lib.origin import Origin


def time_zones() -> list[str]:
    """Zones by place and UTC, without the historic aliases that only confuse."""
    places = (
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    )
    return ["UTC", *sorted(places)]


class PersonalForm(forms.Form):
    """What a person chooses for themselves."""

    name = forms.CharField(max_length=120, label="Name", widget=forms.TextInput({"autocomplete": "name"}))
    time_zone = forms.CharField(
        label="Time zone",
        validators=[validate_time_zone],
        help_text="Type a city. Times are shown here and in UTC.",
        widget=forms.TextInput({"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}),
    )
    theme = forms.ChoiceField(choices=Theme.choices, label="Theme", widget=forms.RadioSelect)
    shown_origin = forms.ChoiceField(
        choices=Origin.choices,
        label="Data shown",
        help_text="Pages start with this origin. A link may name another.",
    )
    has_single_keys = forms.BooleanField(
        required=False, label="Single keys", help_text="Such as j and k to move. Off for speech control."
    )

    @classmethod
    def values_of(cls, user: User) -> dict[str, Any]:
        return {name: getattr(user, name) for name in cls.base_fields}


class InvitationForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput({"autocomplete": "off"}))
    role = forms.ChoiceField(choices=Role.choices, label="Role", initial=Role.RESPONDER)


class AcceptanceForm(forms.Form):
    """What an invited person says of themselves."""

    name = forms.CharField(
        max_length=120, label="Your name", widget=forms.TextInput({"autocomplete": "name"})
    )
    password = forms.CharField(
        label="Password",
        help_text="At least 12 characters.",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    repeated = forms.CharField(
        label="Password again", strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password = cleaned.get("password", "")
        if password and password != cleaned.get("repeated"):
            self.add_error("repeated", "The two passwords differ.")
        elif password:
            try:
                validate_password(password, User(email=self.email, name=cleaned.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def acceptance(self) -> Acceptance:
        return Acceptance(self.cleaned_data["name"], self.cleaned_data["password"])


class RoleForm(forms.Form):
    """A person's new role."""

    role = forms.ChoiceField(choices=Role.choices)


class TokenForm(forms.Form):
    """What a token is to be."""

    name = forms.CharField(max_length=120, label="Name", help_text="Which program uses it.")
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, label="It may", widget=forms.CheckboxSelectMultiple, initial=[Scope.READ]
    )
    origin = forms.ChoiceField(
        choices=Origin.choices, label="Data origin", help_text="All that it pushes carries this origin."
    )
    expires = forms.ChoiceField(
        choices=[("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), ("never", "Never")],
        initial="90",
        label="Expires",
    )

    def order(self, *, now: datetime) -> TokenOrder:
        days = self.cleaned_data["expires"]
        return TokenOrder(
            name=self.cleaned_data["name"],
            scopes=[Scope(scope) for scope in self.cleaned_data["scopes"]],
            origin=Origin(self.cleaned_data["origin"]),
            expires_at=now.astimezone(UTC) + timedelta(days=int(days)) if days.isdigit() else None,
        )
