"""What people fill in about objectives and the servers that count for them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import slugify

from console.fleet.models import Criticality, Service
from console.slo.models import Objective, PrometheusServer, Source
from console.slo.objectives import USUAL_TARGETS, Wanted
from console.slo.servers import WantedServer

SLUG = r"^[a-z0-9][a-z0-9-]*$"


class ObjectiveForm(forms.Form):
    """One objective. `objective` where one is changed: its service stays what it is."""

    service = forms.ModelChoiceField(queryset=Service.objects.none(), empty_label="Choose a service")
    name = forms.CharField(max_length=80, help_text="What is promised: “Checkout answers”.")
    objective_class = forms.ChoiceField(
        label="Class",
        required=False,
        choices=[("", "As the service"), *Criticality.choices],
        help_text="Who is woken: critical and user-facing page, batch and best effort open tickets.",
    )
    target_percent = forms.DecimalField(
        label="Target, in %",
        required=False,
        max_digits=7,
        decimal_places=4,
        help_text="Usual: "
        + ", ".join(f"{Criticality(name).label.lower()} {USUAL_TARGETS[name]}" for name in USUAL_TARGETS)
        + ". Empty takes that of the class.",
    )
    planned_burn = forms.FloatField(
        label="Planned burn",
        initial=1.0,
        min_value=0.1,
        max_value=1000,
        help_text="How fast the budget is meant to go, 1 being the even pace. Three times that rings after evictions.",
    )
    source = forms.ChoiceField(
        choices=Source.choices, label="Counts come", widget=forms.RadioSelect, initial="pushed"
    )
    server = forms.ModelChoiceField(
        queryset=PrometheusServer.objects.none(), required=False, empty_label="None", label="Prometheus"
    )
    good_query = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        label="Query of the good ones",
        help_text='One series, counted by the minute: sum(increase(http_requests_total{code!~"5.."}[1m]))',
    )
    total_query = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        label="Query of all",
        help_text="sum(increase(http_requests_total[1m]))",
    )

    def __init__(self, *args: Any, origin: str, objective: Objective | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = Service.objects.filter(origin=origin, archived_at=None)
        self.fields["service"].queryset = services.order_by("name", "pk")  # type: ignore[attr-defined]
        self.fields["server"].queryset = PrometheusServer.objects.order_by("name", "pk")  # type: ignore[attr-defined]
        self.objective = objective
        if objective is not None:
            del self.fields["service"]
            self.initial = {name: getattr(objective, name) for name in self.fields}

    @property
    def wanted(self) -> Wanted:
        given = self.cleaned_data
        service = self.objective.service if self.objective else given["service"]
        of = given["objective_class"] or service.criticality
        return Wanted(
            slug=self.objective.slug if self.objective else slugify(given["name"])[:48] or "objective",
            name=given["name"],
            objective_class=of,
            target_percent=USUAL_TARGETS[of] if given["target_percent"] is None else given["target_percent"],
            planned_burn=given["planned_burn"],
            source=given["source"],
            server=given["server"],
            good_query=given["good_query"].strip(),
            total_query=given["total_query"].strip(),
        )


class ServerForm(forms.Form):
    """A Prometheus. An empty key keeps the one there is."""

    name = forms.CharField(max_length=80, help_text="What people call it: “main”.")
    base_url = forms.CharField(
        max_length=500,
        label="Address",
        help_text="Up to where /api/v1/ begins: https://prometheus.example.com",
    )
    token = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        label="Bearer token",
        help_text="Kept sealed and never shown again. Leave it empty to keep what is there.",
    )
    has_no_token = forms.BooleanField(required=False, label="Send no token")

    @property
    def wanted(self) -> WantedServer:
        given = self.cleaned_data
        token = "" if given["has_no_token"] else given["token"].strip() or None
        return WantedServer(given["name"], given["base_url"].strip().rstrip("/"), token)
