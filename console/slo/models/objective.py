"""Objectives: one service, one class, one target, one way of counting."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from console.accounts.models import User
from console.fleet.models import Criticality, Service
from console.lib.origin import is_known_origin, origin_field
from console.slo.models.counts import PUSHED
from console.slo.models.server import PrometheusServer


class Source(models.TextChoices):
    """Where the counts come from."""

    PUSHED = "pushed", "Pushed each minute"
    PROMETHEUS = "prometheus", "Asked of Prometheus"


class ObjectiveQuerySet(models.QuerySet["Objective"]):
    def of_origin(self, origin: str) -> ObjectiveQuerySet:
        return self.filter(origin=origin)

    def active(self) -> ObjectiveQuerySet:
        return self.filter(archived_at=None, service__archived_at=None)

    def due(self, *, now: datetime) -> ObjectiveQuerySet:
        """Whose counts are to be asked for."""
        return self.filter(next_poll_at__lte=now)


class Objective(models.Model):
    """The share of good requests that a service promises over 30 rolling days. Changes are in the audit trail."""

    origin = origin_field()
    service = models.ForeignKey(Service, models.PROTECT, related_name="objectives")
    slug = models.SlugField(max_length=48)
    name = models.CharField(max_length=80)
    objective_class = models.CharField(max_length=16, choices=Criticality)
    target_percent = models.DecimalField(max_digits=7, decimal_places=4)
    planned_burn = models.FloatField(default=1.0)
    """How fast the budget is expected to go, as a multiple of the even pace: b_exp of the eviction rule."""
    source = models.CharField(max_length=16, choices=Source, default=Source.PUSHED)
    server = models.ForeignKey(PrometheusServer, models.PROTECT, null=True, related_name="objectives")
    good_query = models.TextField(blank=True)
    total_query = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="objectives_created")
    archived_at = models.DateTimeField(null=True)

    next_poll_at = models.DateTimeField(null=True)
    """When Prometheus is asked next: whoever moves it on, asks."""
    polled_until = models.DateTimeField(null=True)
    """Minutes before this were asked for. Null: none yet."""
    poll_failed_at = models.DateTimeField(null=True)
    """Since when asking fails. Null: it went well the last time."""
    poll_error = models.CharField(max_length=500, blank=True)
    poll_failures = models.PositiveIntegerField(default=0)

    objects = ObjectiveQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("origin", "service", Lower("slug"), name="slo_objective_one_per_slug"),
            is_known_origin("slo", "objective"),
            models.CheckConstraint(
                condition=Q(objective_class__in=Criticality.values), name="slo_objective_class_is_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="slo_objective_source_is_known"
            ),
            models.CheckConstraint(
                condition=Q(target_percent__gt=0) & Q(target_percent__lt=100),
                name="slo_objective_leaves_a_budget",
            ),
            models.CheckConstraint(
                condition=Q(source="pushed", server=None, next_poll_at=None, good_query="", total_query="")
                | (Q(source="prometheus", server__isnull=False) & ~Q(good_query="") & ~Q(total_query="")),
                name="slo_objective_source_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(archived_at=None) | Q(next_poll_at=None), name="slo_objective_ended_is_not_polled"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_poll_at"], name="slo_objective_due", condition=Q(next_poll_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service}: {self.name}"

    @property
    def allowed(self) -> float:
        """1 − SLO: the share of requests that may fail."""
        return float((100 - self.target_percent) / 100)

    @property
    def target(self) -> float:
        return float(self.target_percent / 100)

    @property
    def target_text(self) -> str:
        """`99.9 %`."""
        return f"{Decimal(self.target_percent).normalize():f} %"

    @property
    def counted_for(self) -> int:
        """Which counts are its own: those pushed for the service, or those asked for it."""
        return PUSHED if self.source == Source.PUSHED else self.pk

    @property
    def is_failing(self) -> bool:
        return self.poll_failed_at is not None

    def lag(self, *, now: datetime) -> timedelta | None:
        """How far behind the counts from Prometheus are."""
        return None if self.polled_until is None else now - self.polled_until
