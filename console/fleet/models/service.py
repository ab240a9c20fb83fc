"""Teams, their services, and the rules that say whose a machine is."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from console.accounts.models import User
from console.fleet.models.words import UNATTRIBUTED, Criticality, Statefulness, WorkloadKind, is_one_of
from console.lib.origin import Origin, is_known_origin, origin_field


class Team(models.Model):
    """People who own services."""

    origin = origin_field()
    slug = models.SlugField(max_length=64)
    name = models.CharField(max_length=120)
    is_platform = models.BooleanField(default=False, db_default=False)
    """It owns the fleet, the feeds and the agents: what concerns no single service is its own."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "slug"], name="fleet_team_one_per_slug"),
            models.UniqueConstraint(
                fields=["origin"], condition=models.Q(is_platform=True), name="fleet_team_one_platform"
            ),
            is_known_origin("fleet", "team"),
        ]

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """Something that runs on machines and hurts when they go."""

    origin = origin_field()
    slug = models.SlugField(max_length=64)
    name = models.CharField(max_length=120)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="services")
    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="services_owned")
    kind = models.CharField(max_length=16, choices=WorkloadKind, default=WorkloadKind.QUEUE_WORKERS)
    criticality = models.CharField(max_length=16, choices=Criticality, default=Criticality.BEST_EFFORT)
    statefulness = models.CharField(max_length=16, choices=Statefulness, default=Statefulness.STATELESS)
    replicas_wanted = models.PositiveIntegerField(null=True, blank=True)
    description = models.TextField(blank=True)
    log_url = models.CharField(max_length=500, blank=True)
    trace_url = models.CharField(max_length=500, blank=True)
    metric_url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "slug"], name="fleet_service_one_per_slug"),
            is_known_origin("fleet", "service"),
            is_one_of(WorkloadKind, "service", "kind"),
            is_one_of(Criticality, "service", "criticality"),
            is_one_of(Statefulness, "service", "statefulness"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_unattributed(self) -> bool:
        return self.slug == UNATTRIBUTED

    @property
    def lead_measure(self) -> str:
        """The latency class that M3 judges this service by."""
        return "batch" if self.statefulness == Statefulness.BATCH else "stateless"

    @classmethod
    def unattributed(cls, *, origin: Origin | str) -> Service:
        """The visible row for everything that matches no rule."""
        return cls.objects.get_or_create(origin=origin, slug=UNATTRIBUTED, defaults={"name": "Unattributed"})[
            0
        ]


class AttributionRule(models.Model):
    """Machines that fit every condition given here belong to the service. First match wins."""

    origin = origin_field()
    position = models.PositiveIntegerField()
    service = models.ForeignKey(Service, models.PROTECT, related_name="attribution_rules")
    provider = models.CharField(max_length=16, blank=True)
    account = models.CharField(max_length=128, blank=True)
    region = models.CharField(max_length=64, blank=True)
    namespace = models.CharField(max_length=128, blank=True)
    node_pool = models.CharField(max_length=128, blank=True)
    tags = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "position"],
                name="fleet_attributionrule_one_per_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            is_known_origin("fleet", "attributionrule"),
            models.CheckConstraint(
                condition=~models.Q(provider="", account="", region="", namespace="", node_pool="", tags={}),
                name="fleet_attributionrule_has_a_condition",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.service}"
