"""What an administrator fills in about a subscriber."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from console.fleet.models import Service
from console.lib.origin import Origin
from console.notifications.models import Subscriber
from console.notifications.subscribers.changes import Wanted
from console.notifications.subscribers.posting import check_url

PARTS = (
    ("spot.interruption.", "Reclaims: noticed, cordoned, draining … ended or cancelled"),
    ("spot.group.", "Alert groups: triggered, acknowledged, resolved …"),
    ("spot.ticket.", "Tickets: opened, changed"),
)
ORIGINS = ((Origin.LIVE.value, "Live"), (Origin.DRILL.value, "Drills only"))


class SubscriberForm(forms.Form):
    """Where events go, and which."""

    name = forms.CharField(max_length=120)
    url = forms.CharField(
        max_length=500,
        label="Address",
        help_text="Deliveries are POSTed to it, signed; it answers 2xx within ten seconds.",
    )
    event_types = forms.MultipleChoiceField(
        choices=PARTS,
        required=False,
        label="Hears of",
        widget=forms.CheckboxSelectMultiple,
        help_text="Nothing ticked: everything.",
    )
    services = forms.CharField(
        required=False, max_length=2_000, help_text="Slugs with commas between. Empty: of every service."
    )
    origin = forms.ChoiceField(choices=ORIGINS, label="Data", help_text="Sample and test data never leave.")
    may_be_private = forms.BooleanField(
        required=False, label="Allow this host to be private, or to speak plain http"
    )

    @classmethod
    def of(cls, row: Subscriber, data: Any = None) -> SubscriberForm:
        """The form of one that is there; its origin stays."""
        form = cls(
            data,
            initial={
                "name": row.name,
                "url": row.url,
                "event_types": row.event_types,
                "services": ", ".join(row.services),
                "origin": row.origin,
                "may_be_private": row.may_be_private,
            },
        )
        form.fields["origin"].disabled = True
        return form

    def clean_services(self) -> tuple[str, ...]:
        slugs = tuple(
            dict.fromkeys(slug.strip() for slug in self.cleaned_data["services"].split(",") if slug.strip())
        )
        known = set(Service.objects.filter(slug__in=slugs).values_list("slug", flat=True))
        if unknown := [slug for slug in slugs if slug not in known]:
            raise ValidationError(f"There is no service {unknown[0]}.")
        return slugs

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "url" in cleaned and (
            problem := check_url(cleaned["url"], may_be_private=bool(cleaned.get("may_be_private")))
        ):
            self.add_error("url", problem)
        return cleaned

    @property
    def wanted(self) -> Wanted:
        given = self.cleaned_data
        return Wanted(
            name=given["name"],
            url=given["url"],
            origin=given["origin"],
            event_types=tuple(given["event_types"]),
            services=given["services"],
            may_be_private=given["may_be_private"],
        )
