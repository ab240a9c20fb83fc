"""Forms for connecting a feed, changing one, and renewing its secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms

from console.feeds.connecting import FeedOrder
from console.feeds.feed_settings import (
    Setting,
    WrongSetting,
    checked_settings,
    sealed_secrets,
    settings_of,
    typed,
)
from console.feeds.kinds import offered_kinds
from console.feeds.models import MOST_PER_SECOND, Feed, FeedKind
from console.feeds.tending import FeedSettings
from console.fleet.models import Team
from console.lib.lengths import parse_length, write_length
from console.lib.origin import Origin

MOST_LIMIT = 100_000
OVERLAPS = (("86400", "for 24 hours"), ("3600", "for 1 hour"), ("604800", "for 7 days"), ("0", "not at all"))


class LengthField(forms.CharField):
    """A length of time as people type it: `15m`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_length(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def prepare_value(self, value: Any) -> Any:
        return write_length(value) if isinstance(value, timedelta) else value


class SecretArea(forms.Textarea):
    """Several lines that never come back, not even beside what was wrong with them."""

    def format_value(self, value: Any) -> str:
        return ""


def _widget(setting: Setting) -> forms.Widget:
    if setting.secret_of:
        return SecretArea({"rows": 2, "autocomplete": "off", "spellcheck": "false"})
    return forms.Textarea({"rows": 3}) if setting.is_list else forms.TextInput()


class SettingsForm(forms.Form):
    """What may be changed later."""

    name = forms.CharField(max_length=120, label="Name", help_text="What people call it: AWS production.")
    expects_within = LengthField(
        required=False,
        label="Expects a message within",
        help_text="Longer without one and the feed counts as silent: 15m, 2h, 1d. Leave empty where quiet is normal.",
    )
    team = forms.ModelChoiceField(
        queryset=Team.objects.none(),
        required=False,
        to_field_name="slug",
        empty_label="No team",
        label="Owner",
        help_text="The team that is told when the feed is silent or late.",
    )
    account = forms.CharField(
        required=False,
        max_length=128,
        label="Account",
        help_text="Account, project or subscription of messages that name none.",
    )
    region = forms.CharField(
        required=False, max_length=64, label="Region", help_text="Where a message names none."
    )
    cluster = forms.CharField(
        required=False, max_length=128, label="Cluster", help_text="The cluster that node names belong to."
    )
    most_per_second = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_LIMIT,
        label="Messages a second",
        help_text="Who sends more for long is told to come back later; reclaims are always taken."
        f" Left empty it is {MOST_PER_SECOND:,}.",
    )

    def __init__(self, *args: Any, of_kind: str = "", origin: str, **options: Any) -> None:
        super().__init__(*args, **options)
        teams = self.fields["team"]
        assert isinstance(teams, forms.ModelChoiceField)
        teams.queryset = Team.objects.filter(origin=origin).order_by("name", "pk")
        self.of_kind = of_kind
        for setting in settings_of(of_kind):
            self.fields[setting.field] = forms.CharField(
                required=False,
                max_length=20_000 if setting.is_list or setting.secret_of else 600,
                label=setting.label,
                help_text=setting.help,
                widget=_widget(setting),
            )

    @classmethod
    def of(cls, feed: Feed, data: Any = None) -> SettingsForm:
        names = ("name", "expects_within", "team", "account", "region", "cluster", "most_per_second")
        initial = {name: getattr(feed, name) for name in names}
        sender = {f"sender_{name}": text for name, text in typed(feed.kind, feed.settings).items()}
        return cls(data, initial=initial | sender, of_kind=feed.kind, origin=feed.origin)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        try:
            checked_settings(self.of_kind, self._sender(cleaned))
            sealed_secrets(self.of_kind, self._sender(cleaned), kept={})
        except WrongSetting as error:
            self.add_error(f"sender_{error.name}" if error.name else None, str(error))
        return cleaned

    def _sender(self, cleaned: dict[str, Any]) -> dict[str, str]:
        return {setting.name: cleaned.get(setting.field) or "" for setting in settings_of(self.of_kind)}

    @property
    def settings(self) -> FeedSettings:
        chosen = {name: value for name, value in self.cleaned_data.items() if not name.startswith("sender_")}
        return FeedSettings(**chosen, sender=self._sender(self.cleaned_data))


class NewFeedForm(SettingsForm):
    """What a new feed needs: its kind, and a name."""

    kind = forms.ChoiceField(label="Kind")
    field_order = (
        "kind",
        "name",
        "expects_within",
        "team",
        "account",
        "region",
        "cluster",
        "most_per_second",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        kinds = [(kind.value, kind.label) for kind in offered_kinds() if kind.is_available]
        choice = self.fields["kind"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = kinds

    def order(self, *, origin: Origin) -> FeedOrder:
        chosen = dict(self.cleaned_data)
        return FeedOrder(kind=FeedKind(chosen.pop("kind")), origin=origin, **chosen)


class RotateForm(forms.Form):
    overlap = forms.ChoiceField(choices=OVERLAPS, label="The old secret goes on")

    @property
    def length(self) -> timedelta:
        return timedelta(seconds=int(self.cleaned_data["overlap"]))
