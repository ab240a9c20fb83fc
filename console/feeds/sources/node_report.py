"""The console's own JSON, one machine a message: from a watcher, a shutdown hook or a controller.

A notice, a hook's times and a move's times become statements about the machine; everything but a
heartbeat is also a fact of its own. A heartbeat only shows the machine alive.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from console.feeds import wire
from console.feeds.identifiers import (
    PROVIDERS,
    check_account,
    check_instance_id,
    is_placeholder,
    usable,
)
from console.feeds.normalised import (
    Action,
    Cause,
    Fact,
    HookFact,
    Kind,
    LogFact,
    MachineRef,
    MoveFact,
    NormalisedEvent,
    Outcome,
    ParseContext,
    Reading,
    Rejected,
    ReplicaFact,
    Result,
    SampleFact,
    VolumeFact,
    WorkFact,
)
from console.feeds.sources.node_report_schema import (
    FAMILY,
    SCHEMA,
    Heartbeat,
    Hook,
    Log,
    Move,
    NodeReport,
    Notice,
    Replica,
    Report,
    Sample,
    Volume,
    Work,
    read,
)
from console.feeds.times import is_future, optional_time, required_time

__all__ = ["FAMILY", "SCHEMA", "parse"]

SOURCE = "node.report"
MAX_REPORTS = 5000


def parse(raw: bytes, *, context: ParseContext, received_at: datetime) -> Reading:
    """One report, checked JSON already."""
    report = read(raw)
    provider = usable(report.provider) or context.provider
    if provider is not None and provider not in PROVIDERS:
        return Reading(
            delivery_id=wire.canonical_hash(raw),
            result=Result.UNRECOGNISED,
            note=wire.plain_text(f"unknown provider {provider!r}", limit=100),
        )
    if len(report.reports) > MAX_REPORTS:
        raise Rejected("too_large", f"reports: at most {MAX_REPORTS} entries a message", limit="reports")
    _check_named(report, context=context)
    statements = _Statements(report, raw=raw, received_at=received_at)
    facts = tuple(statements.facts())
    machine = _machine(report, provider=provider, context=context)
    events = tuple(statements.events(machine))
    is_alive = any(isinstance(entry, Heartbeat) for entry in report.reports)
    return Reading(
        delivery_id=wire.delivery_id(raw, events),
        result=Result.ACCEPTED if report.reports else Result.IGNORED,
        events=events,
        facts=facts,
        machine=machine,
        service=statements.service,
        heartbeat_at=min(statements.reported_at, received_at) if is_alive else None,
        is_heartbeat=is_alive and not events and not facts,
    )


def _check_named(report: NodeReport, *, context: ParseContext) -> None:
    """An id that is there but elided does not fall back to the node's name."""
    if report.instance_id is not None and report.instance_id.strip():
        named = usable(report.instance_id)
    else:
        named = context.instance_id or usable(report.node_name) or context.node_name
    if named is None:
        raise Rejected("missing_instance_id", "instance_id: name the machine here, or by node_name")


def _machine(report: NodeReport, *, provider: str | None, context: ParseContext) -> MachineRef:
    account = usable(report.account) or context.account
    instance_id = usable(report.instance_id) or context.instance_id
    zone = usable(report.zone) or context.zone
    region = usable(report.region) or context.region
    if provider is not None and account is not None:
        check_account(account, provider=provider, field="account")
    if provider is not None and instance_id is not None:
        check_instance_id(instance_id, provider=provider, field="instance_id")
    if provider == "gcp" and region is None and zone is not None:
        region = zone.rpartition("-")[0] or None
    return MachineRef(
        provider=provider,
        account=account,
        region=region,
        zone=zone,
        instance_id=instance_id,
        instance_type=usable(report.instance_type),
        node_name=usable(report.node_name) or context.node_name,
        cluster=context.cluster,
        boot_id=usable(report.boot_id) or context.boot_id,
    )


class _Statements:
    """Reads the entries one by one; every refusal names its entry."""

    def __init__(self, report: NodeReport, *, raw: bytes, received_at: datetime) -> None:
        self.entries = report.reports
        self.received_at = received_at
        self.service = usable(report.service)
        stated_at = optional_time(report.reported_at, field="reported_at")
        self.is_observed = stated_at is None
        self.reported_at = stated_at or received_at
        given = usable(report.report_id)
        self.id = (
            wire.canonical_hash(raw) if given is None or is_placeholder(given) else wire.bounded_id(given)
        )

    def events(self, machine: MachineRef) -> Iterator[NormalisedEvent]:
        for position, entry in enumerate(self.entries):
            if isinstance(entry, Notice):
                yield self._notice(entry, machine=machine, position=position)
            elif isinstance(entry, Hook):
                yield from self._hook(entry, machine=machine, position=position)
            elif isinstance(entry, Move):
                yield from self._move(entry, machine=machine, position=position)

    def facts(self) -> Iterator[Fact]:
        for position, entry in enumerate(self.entries):
            fact = _fact(entry, place=f"reports[{position}]", told_as=f"{self.id}:{position}")
            if fact is not None:
                yield fact

    def _notice(self, entry: Notice, *, machine: MachineRef, position: int) -> NormalisedEvent:
        deadline_at = optional_time(entry.deadline_at, field=f"reports[{position}].deadline_at")
        return NormalisedEvent(
            source=SOURCE,
            kind=Kind.INTERRUPTION_NOTICE,
            event_id=f"{self.id}:{position}",
            occurred_at=self.reported_at,
            machine=machine,
            deadline_at=deadline_at,
            cause=Cause.SPOT,
            action=Action(entry.action) if entry.action else None,
            may_open=True,
            is_observed=self.is_observed,
            is_precise_deadline=deadline_at is not None,
            is_future=is_future(self.reported_at, received_at=self.received_at),
            labels=self._labels(None),
        )

    def _hook(self, entry: Hook, *, machine: MachineRef, position: int) -> Iterator[NormalisedEvent]:
        place = f"reports[{position}]"
        outcome = Outcome.ERROR if entry.outcome == "failed" else Outcome.OK
        message = wire.plain_text(entry.message) or None
        times = ((Kind.SHUTDOWN_STARTED, "started_at"), (Kind.SHUTDOWN_COMPLETED, "finished_at"))
        for kind, name in times:
            at = optional_time(getattr(entry, name), field=f"{place}.{name}")
            if at is None:
                continue
            is_end = kind is Kind.SHUTDOWN_COMPLETED
            yield self._stage(
                kind,
                at=at,
                machine=machine,
                position=position,
                outcome=outcome if is_end else Outcome.OK,
                message=message if is_end else None,
            )

    def _move(self, entry: Move, *, machine: MachineRef, position: int) -> Iterator[NormalisedEvent]:
        place = f"reports[{position}]"
        for kind, name in ((Kind.POD_EVICTED, "evicted_at"), (Kind.POD_RUNNING, "running_at")):
            at = optional_time(getattr(entry, name), field=f"{place}.{name}")
            if at is not None:
                yield self._stage(kind, at=at, machine=machine, position=position, workload=entry.workload)

    def _stage(
        self,
        kind: Kind,
        *,
        at: datetime,
        machine: MachineRef,
        position: int,
        outcome: Outcome = Outcome.OK,
        message: str | None = None,
        workload: str | None = None,
    ) -> NormalisedEvent:
        return NormalisedEvent(
            source=SOURCE,
            kind=kind,
            event_id=f"{self.id}:{position}:{kind}",
            occurred_at=at,
            machine=machine,
            outcome=outcome,
            is_future=is_future(at, received_at=self.received_at),
            labels=self._labels(workload),
            message=message,
        )

    def _labels(self, workload: str | None) -> dict[str, str]:
        labels = {"service": self.service} if self.service else {}
        if workload:
            namespace, found, name = workload.partition("/")
            labels |= {"namespace": namespace, "workload": name} if found else {"workload": workload}
        return labels


def _fact(entry: Report, *, place: str, told_as: str) -> Fact | None:
    """The entry as a row of its own; None for a heartbeat and a notice, which are none."""
    if isinstance(entry, Hook):
        return _hook_fact(entry, place=place, told_as=told_as)
    if isinstance(entry, Move):
        return MoveFact(
            workload=entry.workload,
            workload_class=entry.workload_class,
            evicted_at=required_time(entry.evicted_at, field=f"{place}.evicted_at"),
            running_at=optional_time(entry.running_at, field=f"{place}.running_at"),
            to_node=entry.to_node,
        )
    if isinstance(entry, Work):
        return WorkFact(
            job=entry.job,
            attempt=entry.attempt,
            useful_seconds=entry.useful_seconds,
            lost_seconds=entry.lost_seconds,
            restart_seconds=entry.restart_seconds,
            last_checkpoint_at=optional_time(entry.last_checkpoint_at, field=f"{place}.last_checkpoint_at"),
            finished_at=optional_time(entry.finished_at, field=f"{place}.finished_at"),
        )
    return _small_fact(entry, place=place)


def _small_fact(entry: Report, *, place: str) -> Fact | None:
    if isinstance(entry, Volume):
        return VolumeFact(
            volume=entry.volume,
            detached_at=optional_time(entry.detached_at, field=f"{place}.detached_at"),
            attached_at=optional_time(entry.attached_at, field=f"{place}.attached_at"),
        )
    if isinstance(entry, Replica):
        return ReplicaFact(
            name=entry.name,
            last_write_at=required_time(entry.last_write_at, field=f"{place}.last_write_at"),
            ready_at=optional_time(entry.ready_at, field=f"{place}.ready_at"),
        )
    if isinstance(entry, Sample):
        at = required_time(entry.at, field=f"{place}.at")
        return SampleFact(signal=entry.signal, replica=entry.replica, at=at, value=entry.value)
    if isinstance(entry, Log):
        at = required_time(entry.at, field=f"{place}.at")
        return LogFact(at=at, level=entry.level, message=entry.message.replace("\x00", "\ufffd"))
    return None


def _hook_fact(entry: Hook, *, place: str, told_as: str) -> HookFact:
    started_at = optional_time(entry.started_at, field=f"{place}.started_at")
    finished_at = optional_time(entry.finished_at, field=f"{place}.finished_at")
    if started_at is None and finished_at is None:
        raise Rejected("invalid_time", f"{place}: a hook needs started_at, finished_at or both")
    if started_at and finished_at and finished_at < started_at:
        raise Rejected("invalid_field", f"{place}.finished_at: must not be before started_at")
    return HookFact(
        told_as=told_as,
        started_at=started_at,
        finished_at=finished_at,
        outcome=entry.outcome,
        message=wire.plain_text(entry.message),
    )
