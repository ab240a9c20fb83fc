"""What people fill in about a rule: the limits of its detector with their units, its scope, its times, its table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from console.alerts.detecting import CLASSES, Detector, Kind, Subject, Threshold
from console.alerts.models import Decision, RuleVersion, Severity
from console.alerts.registry import known
from console.alerts.rule_editing import Wording
from console.alerts.rule_queries import CLASS_LABELS
from console.fleet.models import Service, Team
from console.runbooks.models import Runbook

CHOICES = [(one.value, one.label) for one in (Decision.PAGE, Decision.TICKET, Decision.LOG)]
SCOPES = ("service", "team", "pool", "label")
MINUTE = timedelta(minutes=1)


class RuleForm(forms.Form):
    """One wording of a rule of a detector."""

    is_enabled = forms.BooleanField(required=False, label="In force")
    severity = forms.ChoiceField(choices=Severity.choices)
    cooldown = forms.FloatField(
        min_value=0,
        label="Cooldown, minutes",
        help_text="What fires again so soon opens the same group, and nobody is told twice unless it is worse.",
    )

    def __init__(self, *args: Any, detector: Detector, origin: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.detector = detector
        for limit in detector.thresholds:
            self.fields[f"limit-{limit.name}"] = _limit_field(limit)
        for condition in detector.conditions:
            for of in CLASSES:
                field = forms.ChoiceField(choices=CHOICES, label=f"{condition.label}: {CLASS_LABELS[of]}")
                self.fields[f"table-{condition.name}-{of}"] = field
        if detector.kind is Kind.SAMPLED:
            self._add_times()
        if detector.subject in (Subject.SERVICE, Subject.PLACE):
            self._add_scope(origin)

    def _add_times(self) -> None:
        self.fields["evaluations"] = forms.IntegerField(
            min_value=1, max_value=60, label="Looks in a row", help_text="One a minute, before it fires."
        )
        self.fields["resolve_after"] = forms.FloatField(
            min_value=1, label="Over after, minutes", help_text="So long it must not hold."
        )
        groupings = [(one, one.capitalize()) for one in self.detector.groupings]
        if len(groupings) > 1:
            self.fields["group_by"] = forms.ChoiceField(choices=groupings, label="One group for each")

    def _add_scope(self, origin: str) -> None:
        """Empty everywhere: all that no narrower rule of this detector looks at."""
        services = Service.objects.filter(origin=origin, archived_at=None).order_by("name", "pk")
        teams = Team.objects.filter(origin=origin).order_by("name", "pk")
        self.fields["scope-service"] = _choice(
            "Service", "Every service", services.values_list("slug", "name")
        )
        self.fields["scope-team"] = _choice("Team", "Every team", teams.values_list("slug", "name"))
        self.fields["scope-pool"] = forms.CharField(
            required=False,
            max_length=200,
            label="Pool",
            help_text="provider/region/zone/type: what runs there.",
        )
        self.fields["scope-label"] = forms.CharField(
            required=False,
            max_length=200,
            label="Label",
            help_text="name=value: services with such machines.",
        )
        for name, value in (("scope-service", "service"), ("scope-team", "team")):
            self._keep(name, str(self.initial.get(name, "") or ""), value)

    def _keep(self, name: str, value: str, kind: str) -> None:
        """What a version names stays choosable although it is another origin's."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        if value and not field.valid_value(value):
            field.choices = [*list(field.choices), (value, f"{value} (no such {kind} here)")]  # type: ignore[arg-type]

    @property
    def limit_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith("limit-")]

    @property
    def scope_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith("scope-")]

    @property
    def time_fields(self) -> list[BoundField]:
        wanted = ("severity", "evaluations", "resolve_after", "cooldown", "group_by")
        return [self[name] for name in wanted if name in self.fields]

    @property
    def table_rows(self) -> list[tuple[str, list[BoundField]]]:
        return [
            (condition.label, [self[f"table-{condition.name}-{of}"] for of in CLASSES])
            for condition in self.detector.conditions
        ]

    def wording(self) -> Wording:
        given = self.cleaned_data
        scope = {part: given[f"scope-{part}"] for part in SCOPES if given.get(f"scope-{part}")}
        return Wording(
            is_enabled=given["is_enabled"],
            scope=scope,
            thresholds={one.name: given[f"limit-{one.name}"] for one in self.detector.thresholds},
            table={
                one.name: {of: given[f"table-{one.name}-{of}"] for of in CLASSES}
                for one in self.detector.conditions
            },
            severity=Severity(given["severity"]),
            evaluations=given.get("evaluations") or self.detector.evaluations,
            resolve_after=timedelta(minutes=given.get("resolve_after") or 15),
            cooldown=timedelta(minutes=given["cooldown"]),
            group_by=given.get("group_by") or self.detector.groupings[0],
        )


def initial_of(version: RuleVersion, detector: Detector) -> dict[str, Any]:
    """A version as the form shows it."""
    limits = detector.defaults | version.thresholds
    shown: dict[str, Any] = {
        "is_enabled": version.is_enabled,
        "severity": version.severity,
        "evaluations": version.evaluations,
        "resolve_after": f"{version.resolve_after / MINUTE:g}",
        "cooldown": f"{version.cooldown / MINUTE:g}",
        "group_by": version.group_by,
    }
    shown |= {f"limit-{name}": f"{limits[name]:g}" for name in detector.defaults}
    shown |= {f"scope-{part}": wanted for part, wanted in version.scope.items()}
    for condition in detector.conditions:
        line: Mapping[str, str] = version.table.get(condition.name, condition.row)
        shown |= {f"table-{condition.name}-{of}": line.get(of, condition.row[of]) for of in CLASSES}
    return shown


def _limit_field(limit: Threshold) -> forms.FloatField:
    """Ranges are checked by `rule_checking.py`, whose words say why; here only that it is a number."""
    most = "" if limit.most == float("inf") else f" to {limit.most:,g}"
    label = f"{limit.label}, {limit.unit}" if limit.unit else limit.label
    help_text = f"Default {limit.default:g}; {limit.least:g}{most}."
    return forms.FloatField(
        label=label,
        help_text=f"{help_text} {limit.help}".strip(),
        widget=forms.NumberInput(attrs={"step": "1" if limit.is_whole else "any", "inputmode": "decimal"}),
    )


def _choice(label: str, nothing: str, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=label, choices=[("", nothing), *choices])


class NewRuleForm(forms.Form):
    """A further rule of a detector, for a part of the services."""

    name = forms.CharField(max_length=120)
    detector = forms.ChoiceField(help_text="What it looks at. Its limits are set next.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["detector"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (one.name, one.title)
            for one in known().values()
            if one.subject in (Subject.SERVICE, Subject.PLACE)
        ]


class AboutForm(forms.Form):
    """What is of the rule and not of a version."""

    name = forms.CharField(max_length=120)
    team = forms.ModelChoiceField(
        Team.objects.none(), required=False, empty_label="The platform team", label="Who answers for it"
    )
    runbook = forms.ModelChoiceField(
        Runbook.objects.none(), required=False, empty_label="None", help_text="What to do when it fires."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.filter(origin="live").order_by("name", "pk")  # type: ignore[attr-defined]
        runbooks = Runbook.objects.in_use().order_by("name", "pk")
        self.fields["runbook"].queryset = runbooks  # type: ignore[attr-defined]
