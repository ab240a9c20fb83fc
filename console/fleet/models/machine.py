"""Machines, the names they go by, the pools they come from, and when they ran."""

from __future__ import annotations

from django.db import models

from console.fleet.models.service import Service
from console.fleet.models.words import AttributedBy, Lifecycle, is_one_of
from console.lib.origin import is_known_origin, origin_field


class Pool(models.Model):
    """Machines that the provider takes back for the same reason: one type in one zone."""

    origin = origin_field()
    provider = models.CharField(max_length=16)
    region = models.CharField(max_length=64, blank=True)
    zone = models.CharField(max_length=64, blank=True)
    instance_type = models.CharField(max_length=64, blank=True)
    os = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "provider", "region", "zone", "instance_type", "os"],
                name="fleet_pool_one_per_identity",
            ),
            is_known_origin("fleet", "pool"),
        ]

    def __str__(self) -> str:
        where = self.zone or self.region or self.provider
        return f"{self.instance_type or 'unknown type'} · {where}"


class Machine(models.Model):
    """One machine of one origin, whatever names it goes by (`MachineAlias`)."""

    origin = origin_field()
    provider = models.CharField(max_length=16, blank=True)
    account = models.CharField(max_length=128, blank=True)
    region = models.CharField(max_length=64, blank=True)
    zone = models.CharField(max_length=64, blank=True)
    instance_id = models.CharField(max_length=256, blank=True)
    instance_type = models.CharField(max_length=64, blank=True)
    os = models.CharField(max_length=32, blank=True)
    node_name = models.CharField(max_length=256, blank=True)
    cluster = models.CharField(max_length=128, blank=True)
    namespace = models.CharField(max_length=128, blank=True)
    node_pool = models.CharField(max_length=128, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    vcpus = models.PositiveIntegerField(null=True, blank=True)
    declared_service = models.CharField(max_length=64, blank=True)
    """The service a node's own report names; it wins over the rules where such a service exists."""
    service = models.ForeignKey(Service, models.PROTECT, db_index=False, related_name="machines")
    attributed_by = models.CharField(max_length=8, choices=AttributedBy, blank=True, db_default="")
    """What moved it to its service; empty where it has been there since it was first seen."""
    attributed_at = models.DateTimeField(null=True)
    pool = models.ForeignKey(Pool, models.PROTECT, null=True, db_index=False, related_name="machines")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True)
    listed_at = models.DateTimeField(null=True)
    """When an inventory last listed it as running: as good a sign of life as a heartbeat."""
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, db_index=False, related_name="merged_machines"
    )

    class Meta:
        constraints = [
            is_known_origin("fleet", "machine"),
            models.CheckConstraint(
                condition=models.Q(attributed_by="", attributed_at=None)
                | models.Q(attributed_by__in=AttributedBy.values, attributed_at__isnull=False),
                name="fleet_machine_attributed_by_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["origin", "-last_seen_at", "-id"], name="fleet_machine_newest"),
            models.Index(fields=["service", "-id"], name="fleet_machine_service"),
            models.Index(
                fields=["origin", "instance_id"],
                name="fleet_machine_instance",
                opclasses=["varchar_ops", "varchar_pattern_ops"],
            ),
            models.Index(
                fields=["origin", "node_name"],
                name="fleet_machine_node",
                opclasses=["varchar_ops", "varchar_pattern_ops"],
                condition=~models.Q(node_name=""),
            ),
            models.Index(fields=["pool"], name="fleet_machine_pool"),
            models.Index(
                fields=["merged_into"],
                name="fleet_machine_merged",
                condition=models.Q(merged_into__isnull=False),
            ),
            models.Index(
                fields=["origin", "heartbeat_at"],
                name="fleet_machine_heartbeat",
                condition=models.Q(heartbeat_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """The name that people know it by: a VM's own where the provider's id is a path or a long number."""
        if self.provider == "gcp" and self.node_name:
            return self.node_name
        named = self.instance_id.rpartition("/")[2] if self.provider == "azure" else self.instance_id
        return named or self.node_name or f"machine {self.pk}"


class IdKind(models.TextChoices):
    """The kinds of name a machine goes by."""

    INSTANCE = "instance", "Instance id"
    NODE = "node", "Node name and uid"
    PROVIDER_ID = "provider_id", "Provider id"
    CLAIM = "claim", "Karpenter NodeClaim"


class MachineAlias(models.Model):
    """One name of a machine. Two names learnt to be one machine's make two machines one.

    `scope` is the account or project, or the cluster of a node name; `node_uid` tells one life of a
    node name from the next. Unknown parts are null or empty, and such a name is a loose one: it leads
    to a machine only where nothing contradicts it (`console/fleet/identity.py`).
    """

    origin = origin_field()
    provider = models.CharField(max_length=16, null=True)  # noqa: DJ001 - a node's provider may be unknown
    scope = models.CharField(max_length=128)
    id_kind = models.CharField(max_length=16, choices=IdKind)
    id_value = models.CharField(max_length=512)
    node_uid = models.CharField(max_length=128, blank=True)
    machine = models.ForeignKey(Machine, models.CASCADE, related_name="aliases")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "id_kind", "id_value", "provider", "scope", "node_uid"],
                nulls_distinct=False,
                name="fleet_machinealias_one_machine_per_name",
            ),
            is_known_origin("fleet", "machinealias"),
            is_one_of(IdKind, "machinealias", "id_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.id_kind} {self.id_value}"


class RunningInterval(models.Model):
    """A stretch of time in which a machine ran: the denominator of every rate. Half-open."""

    origin = origin_field()
    machine = models.ForeignKey(Machine, models.CASCADE, related_name="intervals")
    service = models.ForeignKey(Service, models.PROTECT, related_name="intervals")
    pool = models.ForeignKey(Pool, models.PROTECT, null=True, related_name="intervals")
    lifecycle = models.CharField(max_length=16, choices=Lifecycle, default=Lifecycle.UNKNOWN)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_cause = models.CharField(max_length=32, blank=True)
    replaces = models.CharField(max_length=256, blank=True)
    vcpus = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["machine", "started_at"], name="fleet_runninginterval_one_per_start"
            ),
            models.UniqueConstraint(
                fields=["machine"],
                condition=models.Q(ended_at=None),
                name="fleet_runninginterval_one_open_per_machine",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("started_at")),
                name="fleet_runninginterval_ends_after_start",
            ),
            is_known_origin("fleet", "runninginterval"),
            is_one_of(Lifecycle, "runninginterval", "lifecycle"),
        ]
        indexes = [
            models.Index(fields=["origin", "started_at"], name="fleet_runninginterval_start"),
            models.Index(fields=["origin", "ended_at"], name="fleet_runninginterval_end"),
            models.Index(fields=["service", "started_at"], name="fleet_runninginterval_service"),
            models.Index(
                fields=["service", "pool"],
                name="fleet_runninginterval_running",
                condition=models.Q(ended_at=None),
            ),
            models.Index(
                fields=["origin", "replaces"],
                name="fleet_runninginterval_replaces",
                condition=~models.Q(replaces=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.machine} from {self.started_at:%Y-%m-%d %H:%M}"
