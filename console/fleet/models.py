"""Teams and services, the rules that attribute machines to them, and what is running."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from console.accounts.models import User
from console.lib.origin import Origin, is_known_origin, origin_field

UNATTRIBUTED = "unattributed"


class WorkloadKind(models.TextChoices):
    """What a service does; it selects the measures that lead on its page (`practice.md` kinds)."""

    BATCH_ETL = "batch_etl", "Batch ETL"
    ML_TRAINING = "ml_training", "ML training"
    CI_RUNNERS = "ci_runners", "CI runners"
    QUEUE_WORKERS = "queue_workers", "Queue workers"
    ANALYTICS = "analytics", "Analytics clusters"
    TRANSCODING = "transcoding", "Transcoding"
    CANARY = "canary", "Canary"
    NOTEBOOKS = "notebooks", "Notebooks"
    SIMULATION = "simulation", "Simulation (HPC)"
    EDGE = "edge", "Edge fleets"


class Criticality(models.TextChoices):
    """The class of a service: what may be asked of it, and who is woken for it."""

    CRITICAL = "critical", "Critical"
    USER_FACING = "user_facing", "Spot-backed, user-facing"
    BATCH = "batch", "Batch"
    BEST_EFFORT = "best_effort", "Best effort"


class Statefulness(models.TextChoices):
    STATELESS = "stateless", "Stateless"
    BATCH = "batch", "Batch"
    STATEFUL = "stateful", "Stateful"


class Lifecycle(models.TextChoices):
    """How a machine is paid for."""

    SPOT = "spot", "Spot"
    ON_DEMAND = "on-demand", "On-demand"
    WARM = "warm", "Warm"
    UNKNOWN = "unknown", "Not reported"


def _is_one_of(choices: type[models.TextChoices], model: str, field: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": choices.values}), name=f"fleet_{model}_{field}_is_known"
    )


class Team(models.Model):
    """People who own services."""

    origin = origin_field()
    slug = models.SlugField(max_length=64)
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "slug"], name="fleet_team_one_per_slug"),
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
    owner = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="services_owned"
    )
    kind = models.CharField(max_length=16, choices=WorkloadKind, default=WorkloadKind.QUEUE_WORKERS)
    criticality = models.CharField(max_length=16, choices=Criticality, default=Criticality.BEST_EFFORT)
    statefulness = models.CharField(
        max_length=16, choices=Statefulness, default=Statefulness.STATELESS
    )
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
            _is_one_of(WorkloadKind, "service", "kind"),
            _is_one_of(Criticality, "service", "criticality"),
            _is_one_of(Statefulness, "service", "statefulness"),
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
        return cls.objects.get_or_create(
            origin=origin, slug=UNATTRIBUTED, defaults={"name": "Unattributed"}
        )[0]


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
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.service}"


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
    """One machine of one origin, whatever names it goes by (`interruptions.MachineAlias`)."""

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
    service = models.ForeignKey(Service, models.PROTECT, related_name="machines")
    pool = models.ForeignKey(Pool, models.PROTECT, null=True, related_name="machines")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="merged_machines"
    )

    class Meta:
        constraints = [is_known_origin("fleet", "machine")]
        indexes = [
            models.Index(fields=["origin", "-last_seen_at", "-id"], name="fleet_machine_newest"),
            models.Index(fields=["service", "-id"], name="fleet_machine_service"),
            models.Index(fields=["origin", "instance_id"], name="fleet_machine_instance"),
            models.Index(fields=["pool"], name="fleet_machine_pool"),
            models.Index(
                fields=["origin", "heartbeat_at"],
                name="fleet_machine_heartbeat",
                condition=models.Q(heartbeat_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.instance_id or self.node_name or f"machine {self.pk}"


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
            _is_one_of(Lifecycle, "runninginterval", "lifecycle"),
        ]
        indexes = [
            models.Index(fields=["origin", "started_at"], name="fleet_runninginterval_start"),
            models.Index(fields=["origin", "ended_at"], name="fleet_runninginterval_end"),
            models.Index(fields=["service", "started_at"], name="fleet_runninginterval_service"),
            models.Index(
                fields=["origin", "replaces"],
                name="fleet_runninginterval_replaces",
                condition=~models.Q(replaces=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.machine} from {self.started_at:%Y-%m-%d %H:%M}"


class WorkloadStatus(models.Model):
    """The newest state of a workload as its cluster reports it: what impact is computed from."""

    origin = origin_field()
    cluster = models.CharField(max_length=128)
    namespace = models.CharField(max_length=128)
    workload = models.CharField(max_length=256)
    service = models.ForeignKey(Service, models.PROTECT, related_name="workloads")
    at = models.DateTimeField()
    wanted = models.PositiveIntegerField()
    ready = models.PositiveIntegerField()
    pending = models.PositiveIntegerField(default=0)
    by_zone = models.JSONField(default=dict)
    disruptions_allowed = models.PositiveIntegerField(null=True)
    needed = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "cluster", "namespace", "workload"],
                name="fleet_workloadstatus_one_per_workload",
            ),
            is_known_origin("fleet", "workloadstatus"),
        ]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.workload}"


