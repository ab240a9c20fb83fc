"""One row of a bill."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.costs.models.billing_import import BillingImport
from console.costs.models.money import ExactDecimalField
from console.fleet.models import UNATTRIBUTED
from console.lib.origin import is_known_origin, origin_field


class Cloud(models.TextChoices):
    """Whose machines; the words that the rest of the console uses."""

    AWS = "aws", "AWS"
    AZURE = "azure", "Azure"
    GCP = "gcp", "Google Cloud"
    OTHER = "other", "Other"


class ChargeQuerySet(models.QuerySet["Charge"]):
    def counted(self, *, origin: str) -> ChargeQuerySet:
        """Those in force: a later file replaced none of them."""
        return self.filter(origin=origin, replaced_by=None)


class Charge(models.Model):
    """One billing row, its amounts exact and in the currency of the bill (`metrics.md` 5)."""

    origin = origin_field()
    billing_import = models.ForeignKey(BillingImport, models.PROTECT, db_index=False, related_name="charges")
    file_sha256 = models.BinaryField(max_length=32)
    line = models.PositiveIntegerField()
    natural_key = models.CharField(max_length=200, blank=True)
    """Of a row that several files may repeat (spot data feed): account, instance, time. Else empty."""
    replaced_by = models.ForeignKey(
        BillingImport, models.PROTECT, null=True, db_index=False, related_name="replaced_charges"
    )
    """The later snapshot of the same account and month; such a row is kept and counts no more."""

    provider = models.CharField(max_length=64)
    cloud = models.CharField(max_length=8, choices=Cloud)
    billing_account = models.CharField(max_length=128, blank=True)
    account = models.CharField(max_length=128, blank=True)
    region = models.CharField(max_length=64, blank=True)
    zone = models.CharField(max_length=64, blank=True)
    service_name = models.CharField(max_length=200, blank=True)
    service_category = models.CharField(max_length=64, blank=True)
    charge_category = models.CharField(max_length=16)
    charge_class = models.CharField(max_length=16, blank=True)
    pricing_category = models.CharField(max_length=32, blank=True)
    description = models.TextField(blank=True)
    resource = models.CharField(max_length=500, blank=True)
    instance_type = models.CharField(max_length=64, blank=True)
    invoice = models.CharField(max_length=128, blank=True)
    service = models.CharField(max_length=64, default=UNATTRIBUTED, db_default=UNATTRIBUTED)
    """The slug that its tags or its account say."""
    tags = models.JSONField(default=dict)
    extra = models.JSONField(default=dict)
    """Columns of the provider's own (`x_…`), as text."""

    charge_started_at = models.DateTimeField()
    charge_ended_at = models.DateTimeField(null=True)
    billing_month = models.DateField()
    """The first day of the billing period's month, or of the charge's where the file names no period."""

    currency = models.CharField(max_length=3)
    billed = ExactDecimalField()
    effective = ExactDecimalField(null=True)
    list = ExactDecimalField(null=True)
    quantity = ExactDecimalField(null=True)
    unit = models.CharField(max_length=64, blank=True)

    is_spot = models.BooleanField()
    """Spot compute by `metrics.md` 5.2."""
    spot_cost = ExactDecimalField(null=True)
    """What the spot machine cost (5.3): effective, or billed where the two differ."""
    is_repaired = models.BooleanField(default=False)
    baseline = ExactDecimalField(null=True)
    """What the same work costs on demand; null where nobody knows."""

    objects = ChargeQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("costs", "charge"),
            models.CheckConstraint(condition=Q(cloud__in=Cloud.values), name="costs_charge_cloud_is_known"),
            models.CheckConstraint(
                condition=Q(is_spot=True, spot_cost__isnull=False)
                | Q(is_spot=False, spot_cost=None, baseline=None),
                name="costs_charge_spot_cost_iff_spot",
            ),
            models.UniqueConstraint(fields=["billing_import", "line"], name="costs_charge_once_per_line"),
            models.UniqueConstraint(
                fields=["origin", "file_sha256", "line"],
                condition=Q(replaced_by=None),
                name="costs_charge_counts_once_per_file_and_line",
            ),
            models.UniqueConstraint(
                fields=["origin", "natural_key"],
                condition=Q(replaced_by=None) & ~Q(natural_key=""),
                name="costs_charge_counts_once_per_key",
            ),
        ]
        indexes = [
            models.Index(
                fields=["origin", "provider", "billing_account", "billing_month"],
                condition=Q(replaced_by=None),
                name="costs_charge_snapshot",
            ),
            models.Index(
                fields=["origin", "charge_started_at", "id"],
                condition=Q(replaced_by=None),
                name="costs_charge_when",
            ),
            models.Index(
                fields=["replaced_by"],
                condition=Q(replaced_by__isnull=False),
                name="costs_charge_replaced",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.billing_import}, line {self.line}"
