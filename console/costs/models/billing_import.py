"""A billing file that was given to the console, what became of it, and the rows that it could not take."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.accounts.models import User
from console.costs.models.money import ExactDecimalField
from console.lib.origin import is_known_origin, origin_field


class FileFormat(models.TextChoices):
    """Whose words the columns of a file are."""

    FOCUS = "focus", "FOCUS"
    AWS_CUR = "aws_cur", "AWS Cost and Usage Report"
    AWS_SPOT_FEED = "aws_spot_feed", "AWS spot data feed"
    AZURE_ACTUAL = "azure_actual", "Azure actual cost"
    AZURE_AMORTIZED = "azure_amortized", "Azure amortized cost"
    GCP_EXPORT = "gcp_export", "Google Cloud billing export"


class Mode(models.TextChoices):
    """What a file does to what is there already."""

    REPLACE = "replace", "Replace: the file is the whole bill of its accounts and months"
    APPEND = "append", "Append: the file adds to what is there"


class ImportState(models.TextChoices):
    """Where an import stands."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    UNCHANGED = "unchanged", "Known already"
    TO_CONFIRM = "to_confirm", "Needs a confirmation"
    REFUSED = "refused", "Refused"


class BillingImport(models.Model):
    """One file and how far it came. Its rows count only once it is done."""

    origin = origin_field()
    batch = models.UUIDField()
    """Files given together are one snapshot: they replace what was there, never each other."""
    file_name = models.CharField(max_length=255)
    sha256 = models.BinaryField(max_length=32)
    size_bytes = models.BigIntegerField(default=0)
    format = models.CharField(max_length=16, choices=FileFormat, blank=True, db_default="")
    state = models.CharField(max_length=12, choices=ImportState, default=ImportState.WAITING)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.REPLACE)
    default_provider = models.CharField(max_length=64, blank=True)
    default_currency = models.CharField(max_length=3, blank=True)
    row_count = models.PositiveIntegerField(default=0)
    """Data rows that the file holds, rejected ones among them."""
    rejected_count = models.PositiveIntegerField(default=0)
    defect_counts = models.JSONField(default=dict)
    """How many rows have each defect: `{reason: rows}`."""
    replaced_count = models.PositiveIntegerField(default=0)
    """Rows of earlier files that no longer count because of this one."""
    message = models.TextField(blank=True)
    """What a person has to know or do, in a sentence."""
    is_restatement_confirmed = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0, db_default=0)
    """Raised by each claim: whoever holds an older number has lost it."""
    heartbeat_at = models.DateTimeField(null=True)
    """The last sign of life of whoever works it."""
    progress_count = models.PositiveIntegerField(default=0, db_default=0)
    """Rows read so far, while it runs."""
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, db_index=False, related_name="billing_imports"
    )
    """Null: the command line."""

    class Meta:
        constraints = [
            is_known_origin("costs", "billingimport"),
            models.CheckConstraint(
                condition=Q(format="") | Q(format__in=FileFormat.values),
                name="costs_billingimport_format_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ImportState.values), name="costs_billingimport_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(mode__in=Mode.values), name="costs_billingimport_mode_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[ImportState.WAITING, ImportState.RUNNING], finished_at=None)
                | Q(finished_at__isnull=False) & ~Q(state__in=[ImportState.WAITING, ImportState.RUNNING]),
                name="costs_billingimport_finished_iff_it_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["origin", "-id"], name="costs_billingimport_newest"),
            models.Index(fields=["origin", "sha256"], name="costs_billingimport_file"),
            models.Index(
                fields=["state", "id"],
                name="costs_billingimport_to_do",
                condition=Q(state__in=[ImportState.WAITING, ImportState.RUNNING]),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_under_way(self) -> bool:
        return self.state in (ImportState.WAITING, ImportState.RUNNING)

    @property
    def imported_count(self) -> int:
        return self.row_count - self.rejected_count


class RejectedRow(models.Model):
    """A row that was not taken: it is in no sum."""

    billing_import = models.ForeignKey(
        BillingImport, models.CASCADE, db_index=False, related_name="rejected_rows"
    )
    line = models.PositiveIntegerField()
    """Counted in records, the heading being 1: a quoted line break does not count."""
    reason = models.CharField(max_length=300)
    raw = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["billing_import", "line"], name="costs_rejectedrow_once_per_line")
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class Defect(models.Model):
    """Something odd about a row that was taken and counts."""

    billing_import = models.ForeignKey(BillingImport, models.CASCADE, db_index=False, related_name="defects")
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=64)
    raw = models.JSONField()
    """The values that do not fit: `{column: text}`."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["billing_import", "reason", "line"], name="costs_defect_once_per_line"
            )
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class Restatement(models.Model):
    """A closed month of an account that a later file told anew, and a person agreed."""

    billing_import = models.ForeignKey(
        BillingImport, models.CASCADE, db_index=False, related_name="restatements"
    )
    provider = models.CharField(max_length=64)
    billing_account = models.CharField(max_length=128, blank=True)
    billing_month = models.DateField()
    currency = models.CharField(max_length=3)
    billed_before = ExactDecimalField()
    billed_after = ExactDecimalField()
    restated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["billing_import", "provider", "billing_account", "billing_month", "currency"],
                name="costs_restatement_once_per_import",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.billing_month:%Y-%m}"
