"""The stretch of time that the load of being on call is read for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from console.fleet.models import Team
from console.oncall.local_time import day_begins

USUAL = timedelta(weeks=4)
LONGEST = timedelta(days=366)
DATE = forms.DateInput({"type": "date"}, format="%Y-%m-%d")


class WindowForm(forms.Form):
    """Whole days of the reader's zone, the last one included."""

    since = forms.DateField(required=False, label="From", widget=DATE)
    until = forms.DateField(required=False, label="Until", widget=DATE)
    team = forms.ChoiceField(required=False, label="Team")

    def __init__(self, data: QueryDict, *, origin: str) -> None:
        super().__init__(data)
        teams = Team.objects.filter(origin=origin).order_by("name", "pk").values_list("slug", "name")
        self.fields["team"].choices = [("", "Every team"), *teams]  # type: ignore[attr-defined]
        self.is_valid()

    def window(self, *, now: datetime) -> tuple[datetime, datetime]:
        """[since, until), never beyond `now`: what is to come is nobody's load yet."""
        zone: Any = timezone.get_current_timezone()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        end = min(now, day_begins(until + timedelta(days=1), zone)) if until else now
        start = day_begins(since, zone) if since else end - USUAL
        return max(min(start, end), end - LONGEST), end

    def team_chosen(self) -> str:
        return str(self.cleaned_data.get("team") or "")
