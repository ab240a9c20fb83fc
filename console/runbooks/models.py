"""Runbooks, their frozen versions, and the executions that responders tick through."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import User
from console.fleet.models import Service
from console.lib.origin import is_known_origin, origin_field


class Runbook(models.Model):
    """A checklist for a live interruption. What is worked is always one of its versions."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="runbooks_runbook_one_default",
            )
        ]

    def __str__(self) -> str:
        return self.name


class RunbookVersionQuerySet(models.QuerySet["RunbookVersion"]):
    def published(self) -> RunbookVersionQuerySet:
        return self.exclude(published_at=None)

    def drafts(self) -> RunbookVersionQuerySet:
        return self.filter(published_at=None)


class RunbookVersion(models.Model):
    """One wording of a runbook. A draft may change; publishing freezes it for ever (database trigger).

    `steps` is a list of `{"title", "body" (Markdown), "is_required"}`.
    """

    runbook = models.ForeignKey(Runbook, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    steps = models.JSONField(default=list)
    change_note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="runbook_versions_written")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="runbook_versions_published"
    )

    objects = RunbookVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["runbook", "number"], name="runbooks_runbookversion_one_per_number"
            ),
            models.UniqueConstraint(
                fields=["runbook"],
                condition=Q(published_at=None),
                name="runbooks_runbookversion_one_draft",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.runbook} v{self.number}"


class RunbookAttachment(models.Model):
    """Which runbook a service's groups start with."""

    runbook = models.ForeignKey(Runbook, models.CASCADE, related_name="attachments")
    service = models.OneToOneField(Service, models.CASCADE, related_name="runbook_attachment")

    def __str__(self) -> str:
        return f"{self.runbook} for {self.service}"


class Execution(models.Model):
    """A checklist being worked, frozen to the version it started with."""

    origin = origin_field()
    version = models.ForeignKey(RunbookVersion, models.PROTECT, related_name="executions")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [is_known_origin("runbooks", "execution")]

    def __str__(self) -> str:
        return f"{self.version} from {self.started_at:%Y-%m-%d %H:%M}"


class StepState(models.TextChoices):
    OPEN = "open", "Open"
    DONE = "done", "Done"
    SKIPPED = "skipped", "Skipped"


class StepMark(models.Model):
    """What somebody did with a step. Append-only: the newest mark of a step is its state."""

    execution = models.ForeignKey(Execution, models.CASCADE, related_name="marks")
    step = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=StepState)
    note = models.CharField(max_length=1000, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="step_marks")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=StepState.values), name="runbooks_stepmark_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="skipped") | ~Q(note=""),
                name="runbooks_stepmark_skip_has_reason",
            ),
        ]
        indexes = [models.Index(fields=["execution", "step", "-id"], name="runbooks_stepmark_newest")]

    def __str__(self) -> str:
        return f"step {self.step} {self.state}"
