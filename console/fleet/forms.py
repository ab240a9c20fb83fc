"""What people fill in about the fleet."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug

from console.accounts.models import User
from console.fleet.attribution import CONDITIONS
from console.fleet.links import VARIABLES, BadTemplate, check
from console.fleet.models import Criticality, Service, Statefulness, Team, WorkloadKind
from console.fleet.rule_changes import Draft
from console.fleet.service_changes import RESERVED

VARIABLES_HELP = "May name " + ", ".join(f"{{{{ {name} }}}}" for name in VARIABLES) + "."


class ServiceForm(forms.Form):
    """A service, with its links out."""

    name = forms.CharField(max_length=120)
    slug = forms.SlugField(
        max_length=64, help_text="Its name in addresses, rules and the API. It cannot be changed later."
    )
    team = forms.ChoiceField(required=False)
    owner = forms.ChoiceField(required=False, help_text="The person to ask about it.")
    kind = forms.ChoiceField(choices=WorkloadKind, help_text="Selects the measures that lead on its page.")
    criticality = forms.ChoiceField(choices=Criticality)
    statefulness = forms.ChoiceField(choices=Statefulness, label="State")
    replicas_wanted = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1_000_000,
        help_text="Used where no cluster reports how many are wanted.",
    )
    description = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}))
    log_url = forms.CharField(required=False, max_length=500, label="Link to logs", help_text=VARIABLES_HELP)
    trace_url = forms.CharField(required=False, max_length=500, label="Link to traces")
    metric_url = forms.CharField(required=False, max_length=500, label="Link to metrics")

    def __init__(self, *args: Any, origin: str, service: Service | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.origin = origin
        teams = Team.objects.filter(origin=origin).order_by("name", "pk").values_list("slug", "name")
        people = User.objects.filter(is_active=True).order_by("email").values_list("email", "email")
        self._choose("team", "No team", list(teams))
        self._choose("owner", "Nobody", list(people))
        if service is not None:
            del self.fields["slug"]

    def _choose(self, name: str, nothing: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", nothing), *choices]

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if slug in RESERVED:
            raise ValidationError(f"{slug} is a page of its own; choose another slug.")
        if Service.objects.filter(origin=self.origin, slug=slug).exists():
            raise ValidationError(f"There is a service {slug} already.")
        return slug

    def _clean_template(self, name: str) -> str:
        template = str(self.cleaned_data[name])
        if template:
            try:
                check(template)
            except BadTemplate as error:
                raise ValidationError(str(error)) from error
        return template

    def clean_log_url(self) -> str:
        return self._clean_template("log_url")

    def clean_trace_url(self) -> str:
        return self._clean_template("trace_url")

    def clean_metric_url(self) -> str:
        return self._clean_template("metric_url")


class ServiceFilterForm(forms.Form):
    """The filters of the list of services; they live in the URL."""

    team = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(required=False, choices=[("", "Every kind"), *WorkloadKind.choices])
    criticality = forms.ChoiceField(required=False, choices=[("", "Every criticality"), *Criticality.choices])
    archived = forms.ChoiceField(required=False, choices=[("", "In use"), ("yes", "Archived")])

    def __init__(self, *args: Any, origin: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.filter(origin=origin).order_by("name", "pk").values_list("slug", "name")
        field = self.fields["team"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Every team"), *teams, ("none", "No team")]


class InstanceFilterForm(forms.Form):
    """The filters of the list of instances; they live in the URL."""

    running = forms.ChoiceField(
        required=False, choices=[("", "Running or not"), ("yes", "Running"), ("no", "Not running")]
    )
    lifecycle = forms.ChoiceField(
        required=False,
        choices=[("", "Every lifecycle"), ("spot", "Spot"), ("on-demand", "On-demand"), ("warm", "Warm")],
    )
    service = forms.ChoiceField(required=False)
    provider = forms.ChoiceField(required=False)
    region = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, known: dict[str, list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, nothing in (
            ("service", "Every service"),
            ("provider", "Every provider"),
            ("region", "Every region"),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            chosen = str(self.data.get(name, ""))
            values = sorted({*known[name], *([chosen] if chosen else [])})
            field.choices = [("", nothing), *((value, value) for value in values)]


class TeamForm(forms.Form):
    """A team."""

    name = forms.CharField(max_length=120)
    slug = forms.CharField(max_length=64, validators=[validate_slug])


class TagsField(forms.CharField):
    """`name=value`, one a line or with commas between."""

    widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})

    def to_python(self, value: Any) -> dict[str, str]:  # type: ignore[override]
        if isinstance(value, dict):
            return value
        text = str(value or "").strip()
        if text.startswith("{"):
            return self._from_json(text)
        tags: dict[str, str] = {}
        for part in text.replace("\r", "\n").replace(",", "\n").split("\n"):
            if not part.strip():
                continue
            name, sign, given = part.partition("=")
            if not sign or not name.strip():
                raise ValidationError(f"“{part.strip()}” is not name=value.")
            tags[name.strip()] = given.strip()
        return tags

    def _from_json(self, text: str) -> dict[str, str]:
        try:
            tags = json.loads(text)
        except ValueError as error:
            raise ValidationError("The tags begin with { and are not JSON.") from error
        if not isinstance(tags, dict):
            raise ValidationError("Tags are names with values.")
        return {str(name): str(value) for name, value in tags.items()}

    def prepare_value(self, value: Any) -> str:
        if isinstance(value, dict):
            return "\n".join(f"{name}={given}" for name, given in value.items())
        return str(value or "")

    def validate(self, value: Any) -> None:
        """An empty mapping is no missing value."""

    def run_validators(self, value: Any) -> None:
        """Validators of texts do not fit a mapping."""


class ConditionsForm(forms.Form):
    """What a rule asks of a machine, or what a machine shows."""

    provider = forms.CharField(required=False, max_length=16)
    account = forms.CharField(required=False, max_length=128)
    region = forms.CharField(required=False, max_length=64)
    namespace = forms.CharField(required=False, max_length=128)
    node_pool = forms.CharField(required=False, max_length=128, label="Node pool")
    tags = TagsField(required=False, help_text="name=value, one a line.")


class RuleForm(ConditionsForm):
    """One attribution rule."""

    service = forms.ChoiceField()
    field_order = ["service", *CONDITIONS, "tags"]

    def __init__(self, *args: Any, origin: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = Service.objects.filter(origin=origin, archived_at=None).order_by("slug", "pk")
        field = self.fields["service"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Choose a service"), *services.values_list("slug", "name")]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not any(cleaned.get(name) for name in (*CONDITIONS, "tags")):
            raise ValidationError("Name at least one condition: a rule without any would take every machine.")
        return cleaned

    def draft(self) -> Draft:
        return Draft(**self.cleaned_data)


class TesterForm(ConditionsForm):
    """A machine to try the rules on: one that is stored, or facts typed in."""

    instance = forms.CharField(
        required=False,
        max_length=256,
        label="Instance",
        help_text="An instance id or node name fills the rest.",
    )
    declared_service = forms.CharField(
        required=False, max_length=64, label="Service", help_text="The service the node itself names."
    )
    field_order = ["instance", *CONDITIONS, "tags", "declared_service"]


class UploadForm(forms.Form):
    """A CSV file."""

    MAX_MIB = 5

    file = forms.FileField(label="CSV file", widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > self.MAX_MIB * 2**20:
            raise ValidationError(f"The file is larger than {self.MAX_MIB} MiB. Split it.")
        return file
