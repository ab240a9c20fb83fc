"""What Meridian promises of the services that count their requests."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from console.accounts.audit import Actor
from console.fleet.models import Service
from console.lib.origin import Origin
from console.slo import objectives
from console.slo.models import Objective
from console.slo.objectives import USUAL_TARGETS, Wanted

PROMISES = (
    ("checkout-workers", "orders-taken", "Orders are taken"),
    ("order-events", "events-delivered", "Events are delivered"),
    ("search-serving", "searches-answered", "Searches are answered"),
    ("video-transcoding", "renders-done", "Renders are done"),
    ("clickstream-etl", "runs-on-time", "Runs are on time"),
)


def make_objectives(*, actor: Actor, now: datetime) -> None:
    """Once: what people changed about them stays."""
    if Objective.objects.of_origin(Origin.SAMPLE).exists():
        return
    services = {one.slug: one for one in Service.objects.filter(origin=Origin.SAMPLE)}
    for service, slug, name in PROMISES:
        of = services[service].criticality
        wanted = Wanted(slug=slug, name=name, objective_class=of, target_percent=Decimal(USUAL_TARGETS[of]))
        objectives.create(wanted, service=services[service], by=actor, now=now)
