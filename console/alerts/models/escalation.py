"""An escalation: who is told of a group, in which order, and when the next one is."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.db.models import Q

from console.accounts.models import User
from console.alerts.models.group import AlertGroup
from console.alerts.models.words import EscalationState
from console.lib.origin import is_known_origin, origin_field
from console.notifications.models import Channel
from console.oncall.policies import Frozen

CLOSED = (EscalationState.HEALED, EscalationState.ENDED)


class EscalationQuerySet(models.QuerySet["Escalation"]):
    def open(self) -> EscalationQuerySet:
        return self.exclude(state__in=CLOSED)

    def newest_of(self, group_ids: Collection[int]) -> EscalationQuerySet:
        """The last one of each of these groups, open or not."""
        return self.filter(group__in=group_ids).order_by("group_id", "-id").distinct("group_id")


class Escalation(models.Model):
    """One run of a policy for one group. Only who holds the group's row lock changes it.

    `policy` is the wording that it began with; whom a level reaches is read when it is told.
    """

    origin = origin_field()
    group = models.ForeignKey(AlertGroup, models.CASCADE, related_name="escalations")
    state = models.CharField(max_length=16, choices=EscalationState, default=EscalationState.RUNNING)
    policy = models.JSONField()
    chosen_because = models.CharField(max_length=300)
    begun_by = models.CharField(max_length=200)
    """The decision that began it, or who did by hand."""
    is_paging = models.BooleanField(default=True)
    """False: nobody was paged; it only sees to it that an acknowledgement is not forgotten."""
    started_at = models.DateTimeField()
    pass_number = models.PositiveSmallIntegerField(default=1)
    """Grows with every round and every resumption, so that no message has the key of an earlier one."""
    level = models.PositiveSmallIntegerField(default=0)
    """The level that was told last; 0: none yet."""
    rounds_left = models.PositiveSmallIntegerField(default=0)
    told_count = models.PositiveIntegerField(default=0)
    """Messages of this round. None at its end: the policy reaches nobody."""
    next_at = models.DateTimeField(null=True)
    """When the next level, the reminder or the end of an acknowledgement is due, as the plan has it."""
    due_at = models.DateTimeField(null=True)
    """When a worker looks: `next_at`, or later where looking failed."""
    put_off_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    reminded_at = models.DateTimeField(null=True)
    """The holder was reminded and has not answered."""
    ended_at = models.DateTimeField(null=True)

    objects = EscalationQuerySet.as_manager()

    class Meta:
        constraints = [
            is_known_origin("alerts", "escalation"),
            models.CheckConstraint(
                condition=Q(state__in=EscalationState.values), name="alerts_escalation_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["group"],
                condition=~Q(state__in=["healed", "ended"]),
                name="alerts_escalation_one_open_per_group",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["healed", "ended"], ended_at__isnull=False, due_at=None)
                | (~Q(state__in=["healed", "ended"]) & Q(ended_at=None)),
                name="alerts_escalation_closed_iff_time",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="alerts_escalation_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["group", "-id"], name="alerts_escalation_newest"),
            models.Index(
                fields=["group"], name="alerts_escalation_exhausted", condition=Q(state="exhausted")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.frozen.name} for {self.group}"

    @property
    def frozen(self) -> Frozen:
        return Frozen.of_json(self.policy)

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED


class StepKind(models.TextChoices):
    TOLD = "told", "Told"
    BY_HAND = "by_hand", "Paged by hand"
    SKIPPED = "skipped", "Nobody reachable"
    FELL_BACK = "fell_back", "Another policy"
    REPEATED = "repeated", "Told again"
    HELD = "held", "Held"
    RESUMED = "resumed", "Goes on"
    CALLED_OFF = "called_off", "Called off"
    REMINDED = "reminded", "Reminded"
    EXPIRED = "expired", "Acknowledgement ended"
    UNANSWERED = "unanswered", "Nobody answered"
    OVER = "over", "Told that it is over"


class EscalationStep(models.Model):
    """What was done about telling people: one row for each message, and for each turn of the escalation."""

    group = models.ForeignKey(AlertGroup, models.CASCADE, db_index=False, related_name="escalation_steps")
    escalation = models.ForeignKey(Escalation, models.CASCADE, null=True, related_name="steps")
    at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    """When it should have been; null: nothing was due."""
    kind = models.CharField(max_length=16, choices=StepKind)
    pass_number = models.PositiveSmallIntegerField(default=0)
    level = models.PositiveSmallIntegerField(default=0)
    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="escalation_steps")
    channel = models.ForeignKey(Channel, models.PROTECT, null=True, related_name="escalation_steps")
    why = models.CharField(max_length=300)
    notification_key = models.CharField(max_length=200, blank=True)
    """The message in the outbox, where one was written."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=StepKind.values), name="alerts_escalationstep_kind_is_known"
            )
        ]
        indexes = [
            models.Index(fields=["group", "-id"], name="alerts_escalationstep_newest"),
            models.Index(
                fields=["person", "at"],
                name="alerts_escalationstep_person",
                condition=Q(person__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.why}"
