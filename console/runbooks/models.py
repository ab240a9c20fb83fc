"""Runbooks, their frozen versions, and the executions that responders tick through."""

from __future__ import annotations

from typing import TypedDict

from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import User
from console.fleet.models import Service
from console.lib.origin import Origin, is_known_origin, origin_field


class Step(TypedDict):
    """One step of a version, as it is stored."""

    title: str
    body: str
    """Markdown."""
    is_required: bool


class RunbookQuerySet(models.QuerySet["Runbook"]):
    def in_use(self) -> RunbookQuerySet:
        """Not archived."""
        return self.filter(archived_at=None)

    def shown_with(self, origin: str) -> RunbookQuerySet:
        """Those that people wrote, and those that came with this data origin."""
        return self.filter(origin__in={Origin.LIVE, origin})


class Runbook(models.Model):
    """A checklist for a live interruption. What is worked is always one of its versions."""

    origin = origin_field()
    """Live: people work with it whatever they look at. Otherwise it belongs to that origin's services alone."""
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = RunbookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="runbooks_runbook_one_default",
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(archived_at=None),
                name="runbooks_runbook_default_is_in_use",
            ),
            is_known_origin("runbooks", "runbook"),
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

    `revision` counts the times a draft was saved: whoever saves says which one they started from.
    """

    runbook = models.ForeignKey(Runbook, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    steps: models.JSONField[list[Step], list[Step]] = models.JSONField(default=list)
    revision = models.PositiveIntegerField(default=1)
    change_note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="runbook_versions_written")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    saved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="runbook_versions_saved")
    saved_at = models.DateTimeField(default=timezone.now, editable=False)
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
            models.CheckConstraint(
                condition=Q(published_at__isnull=False) | Q(published_by=None),
                name="runbooks_runbookversion_draft_has_no_publisher",
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1), name="runbooks_runbookversion_numbers_begin_at_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.runbook} v{self.number}"

    @property
    def is_published(self) -> bool:
        return self.published_at is not None


class RunbookAttachment(models.Model):
    """Which runbook a service's checklists start with. A service without one starts with the default."""

    runbook = models.ForeignKey(Runbook, models.CASCADE, related_name="attachments")
    service = models.OneToOneField(Service, models.CASCADE, related_name="runbook_attachment")
    attached_at = models.DateTimeField(default=timezone.now, editable=False)
    attached_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="runbooks_attached")

    def __str__(self) -> str:
        return f"{self.runbook} for {self.service}"


class ExecutionQuerySet(models.QuerySet["Execution"]):
    def of_origin(self, origin: str) -> ExecutionQuerySet:
        return self.filter(origin=origin)


class Execution(models.Model):
    """A checklist being worked, frozen to the version it started with."""

    origin = origin_field()
    version = models.ForeignKey(RunbookVersion, models.PROTECT, related_name="executions")
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="executions")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    """When every required step was done or skipped; empty again when one is taken back."""

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        constraints = [is_known_origin("runbooks", "execution")]
        indexes = [
            models.Index(fields=["version", "origin", "-started_at"], name="runbooks_execution_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.version} from {self.started_at:%Y-%m-%d %H:%M}"


class StepState(models.TextChoices):
    OPEN = "open", "Open"
    DONE = "done", "Done"
    SKIPPED = "skipped", "Skipped"


class Act(models.TextChoices):
    """What somebody can do with a step."""

    TICK = "tick", "Done"
    UNTICK = "untick", "Taken back"
    SKIP = "skip", "Skipped"
    NOTE = "note", "Note"


class StepMark(models.Model):
    """What somebody did with a step. Append-only (database trigger): the newest mark holds its state."""

    execution = models.ForeignKey(Execution, models.CASCADE, related_name="marks")
    step = models.PositiveSmallIntegerField()
    """Counted from 1."""
    act = models.CharField(max_length=16, choices=Act)
    state = models.CharField(max_length=16, choices=StepState)
    note = models.CharField(max_length=1000, blank=True)
    """The reason of a skip, or what a note says."""
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="step_marks")
    by_label = models.CharField(max_length=200, blank=True)
    """The program that did it, where no person did."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=StepState.values), name="runbooks_stepmark_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(act="tick", state="done")
                | Q(act="untick", state="open")
                | (Q(act="skip", state="skipped") & ~Q(note=""))
                | (Q(act="note") & ~Q(note="")),
                name="runbooks_stepmark_act_makes_state",
            ),
            models.CheckConstraint(condition=Q(step__gte=1), name="runbooks_stepmark_steps_begin_at_one"),
        ]
        indexes = [models.Index(fields=["execution", "step", "-id"], name="runbooks_stepmark_newest")]

    def __str__(self) -> str:
        return f"step {self.step} {self.state}"

    @property
    def who(self) -> str:
        return str(self.by) if self.by else self.by_label or "the console"
