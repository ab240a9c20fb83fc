"""What people fill in to plan quiet: what, why, what it covers, and when."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from console.accounts.models import Role, User, validate_time_zone
from console.alerts.models import SuppressionKind, SuppressionScope
from console.alerts.suppression.draft import RESPONDERS_LONGEST, Draft, Refused, check_allowed
from console.alerts.suppression.recurrence import DAYS, BadRule, Rule, exists, moment
from console.alerts.suppression.scoping import BadScope, parse_scopes
from console.alerts.suppression.wording import NAMES
from console.fleet.models import Team
from console.lib.lengths import parse_length

NOW, ONCE, REPEATS = "now", "once", "repeats"
WHEN = [(NOW, "From now on"), (ONCE, "From – to"), (REPEATS, "Repeats")]
MINUTES = [("30", "30 minutes"), ("60", "1 hour"), ("120", "2 hours"), ("240", "4 hours"), ("480", "8 hours"),
           ("1440", "24 hours")]  # fmt: skip
EVERY = [
    ("weekly", "Every week"),
    ("daily", "Every day"),
    ("workdays", "Every working day"),
    ("second_week", "Every second week"),
    ("month_day", "Every month, on that day of it"),
    ("month_weekday", "Every month, on that weekday of it"),
    ("rule", "As a rule says (RFC 5545)"),
]
FIELDS = {
    NOW: ("minutes",),
    ONCE: ("starts", "ends"),
    REPEATS: ("first_day", "at", "lasting", "every", "rrule"),
}
"""What has to be filled in for each."""
FIELD_OF = {
    "ends_at": {NOW: "minutes", ONCE: "ends", REPEATS: "lasting"},
    "starts_at": {NOW: "when", ONCE: "starts", REPEATS: "first_day"},
    "rrule": {NOW: "when", ONCE: "when", REPEATS: "every"},
}
"""Where a refusal of the draft is shown, by what was chosen for `when`."""


class WallClockField(forms.CharField):
    """What a clock on a wall shows, without a zone: which wall it hangs on is said elsewhere."""

    def to_python(self, value: Any) -> datetime | None:  # type: ignore[override]
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return datetime.fromisoformat(text).replace(tzinfo=None, second=0, microsecond=0)
        except ValueError as error:
            raise ValidationError("Write it as 2026-03-29 02:30.") from error

    def run_validators(self, value: Any) -> None:
        """Validators of texts do not fit a moment."""


def _wall(label: str) -> WallClockField:
    return WallClockField(label=label, widget=forms.TextInput({"type": "datetime-local"}))


class SuppressionForm(forms.Form):
    """`draft` is what it asks for, once it is valid. The browser does not ask for fields: it shows only some."""

    use_required_attribute = False

    kind = forms.ChoiceField(
        choices=SuppressionKind, widget=forms.RadioSelect, initial="maintenance", label="What"
    )
    name = forms.CharField(max_length=120, widget=forms.TextInput({"placeholder": "Upgrade of the cluster"}))
    reason = forms.CharField(max_length=500, label="Why", widget=forms.Textarea({"rows": 2}))
    scopes = forms.CharField(
        label="What it covers",
        max_length=8_000,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false", "data-picker": "scope-choices"}),
    )
    when = forms.ChoiceField(choices=WHEN, widget=forms.RadioSelect, initial=NOW)
    minutes = forms.ChoiceField(choices=MINUTES, initial="60", label="For")
    starts = _wall("From")
    ends = _wall("To")
    first_day = forms.DateField(widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), label="First on")
    at = forms.TimeField(widget=forms.TimeInput({"type": "time"}, format="%H:%M"), label="At")
    lasting = forms.CharField(max_length=20, initial="2h", label="For", help_text="As 90m, 2h or 1d.")
    every = forms.ChoiceField(choices=EVERY, initial="weekly", label="How often")
    days = forms.MultipleChoiceField(
        choices=[(day, NAMES[day][:3]) for day in DAYS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="On",
    )
    rrule = forms.CharField(
        max_length=300,
        label="Rule",
        widget=forms.TextInput({"spellcheck": "false", "placeholder": "FREQ=MONTHLY;BYDAY=2TU"}),
    )
    last_day = forms.DateField(
        required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), label="Last on"
    )
    time_zone = forms.CharField(
        label="Time zone",
        validators=[validate_time_zone],
        widget=forms.TextInput({"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}),
    )
    team = forms.ChoiceField(required=False, label="Team", help_text="Who to ask about it.")
    share = forms.IntegerField(min_value=1, max_value=100, initial=50, label="Share of a service (percent)")
    needs_signature = forms.BooleanField(
        required=False,
        label="Hide critical burn rates and large waves too",
        help_text="Only once another manager has signed it. Until then they come through.",
    )

    def __init__(self, *args: Any, origin: str, user: User, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.origin, self.user, self.now = origin, user, now
        self.draft: Draft | None = None
        teams = Team.objects.filter(origin=origin).order_by("name", "pk").values_list("slug", "name")
        self._choose("team", [("", "No team"), *teams])
        if self.is_bound:
            self._ask_for(self.data.get("when", NOW))
        if not user.may(Role.MANAGER):
            most = RESPONDERS_LONGEST / timedelta(minutes=1)
            self._choose("when", WHEN[:1])
            self._choose("minutes", [each for each in MINUTES if int(each[0]) <= most])

    def _ask_for(self, when: str) -> None:
        """Only for what belongs to the choice that was made."""
        asked = FIELDS.get(when, ())
        for name in (name for names in FIELDS.values() for name in names):
            is_rule = name != "rrule" or self.data.get("every") == "rule"
            self.fields[name].required = name in asked and is_rule

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_scopes(self) -> list[SuppressionScope]:
        try:
            return parse_scopes(re.split(r"[\n\r,]", self.cleaned_data["scopes"]), origin=self.origin)
        except BadScope as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            draft = self._draft(cleaned)
            draft.check(now=self.now)
            check_allowed(draft, self.user, now=self.now)
        except Refused as refusal:
            self.add_error(self.field_of(refusal), str(refusal))
        else:
            self.draft = draft
        return cleaned

    def field_of(self, refusal: Refused) -> str | None:
        name = FIELD_OF.get(refusal.field, {}).get(self.cleaned_data.get("when", NOW), refusal.field)
        if name == "every" and self.cleaned_data.get("every") == "rule":
            return "rrule"
        return name if name in self.fields else None

    def _draft(self, cleaned: dict[str, Any]) -> Draft:
        starts_at, duration, rule = self._when(cleaned, ZoneInfo(cleaned["time_zone"]))
        team = (
            Team.objects.filter(origin=self.origin, slug=cleaned["team"]).first() if cleaned["team"] else None
        )
        return Draft(
            origin=self.origin,
            kind=SuppressionKind(cleaned["kind"]),
            name=cleaned["name"],
            reason=cleaned["reason"],
            scopes=cleaned["scopes"],
            starts_at=starts_at,
            duration=duration,
            rule=rule,
            time_zone=cleaned["time_zone"],
            team=team,
            share=cleaned["share"],
            needs_signature=cleaned["needs_signature"],
        )

    def _when(self, cleaned: dict[str, Any], zone: ZoneInfo) -> tuple[datetime, timedelta, Rule | None]:
        if cleaned["when"] == NOW:
            return self.now, timedelta(minutes=int(cleaned["minutes"] or 60)), None
        if cleaned["when"] == ONCE:
            starts_at = _moment(cleaned["starts"], zone, "starts")
            return starts_at, _moment(cleaned["ends"], zone, "ends") - starts_at, None
        first = datetime.combine(cleaned["first_day"], time(cleaned["at"].hour, cleaned["at"].minute))
        try:
            duration = parse_length(cleaned["lasting"])
            rule = Rule.parse(self._rule(cleaned))
        except BadRule as error:
            raise Refused("rrule", str(error)) from error
        except ValueError as error:
            raise Refused("lasting", str(error)) from error
        return _moment(first, zone, "at"), duration, rule

    def _rule(self, cleaned: dict[str, Any]) -> str:
        first: date = cleaned["first_day"]
        chosen = ",".join(cleaned["days"]) or DAYS[first.weekday()]
        written = {
            "daily": "FREQ=DAILY",
            "workdays": "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
            "weekly": f"FREQ=WEEKLY;BYDAY={chosen}",
            "second_week": f"FREQ=WEEKLY;INTERVAL=2;BYDAY={chosen}",
            "month_day": f"FREQ=MONTHLY;BYMONTHDAY={first.day}",
            "month_weekday": f"FREQ=MONTHLY;BYDAY={_place_in_month(first)}{DAYS[first.weekday()]}",
        }.get(cleaned["every"], cleaned["rrule"])
        last: date | None = cleaned["last_day"]
        return f"{written};UNTIL={last:%Y%m%d}" if last and "UNTIL" not in written.upper() else written


def _place_in_month(day: date) -> int:
    """The second Tuesday is 2; a fifth one is the last, -1."""
    place = (day.day - 1) // 7 + 1
    return -1 if place == 5 else place


def _moment(wall: datetime, zone: ZoneInfo, field: str) -> datetime:
    """Of what a clock on that wall shows. Refused where it never shows it."""
    if not exists(wall, zone):
        raise Refused(
            field, f"{wall:%H:%M} does not exist on {wall:%-d %b %Y} in {zone.key}: the clocks go forward."
        )
    return moment(wall, zone)
