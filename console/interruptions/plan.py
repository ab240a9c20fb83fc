"""What is to be written about one machine: its partition held against what is stored."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from console.fleet.azure_names import resource_name
from console.interruptions.keys import Naming, reconcile
from console.interruptions.known import Told
from console.interruptions.lifecycle import resolve
from console.interruptions.partition import Reclaim, partition
from console.interruptions.seen import Seen
from console.interruptions.stored import Row
from console.interruptions.tracks import stage_times
from console.interruptions.writing import Wanted

logger = logging.getLogger(__name__)


class Machine(msgspec.Struct, frozen=True, gc=False):
    """What deciding needs to know of a machine."""

    id: int
    service_id: int
    pool_id: int | None
    provider: str
    account: str
    region: str
    instance_id: str
    node_name: str
    alive_at: datetime | None
    """Its latest sign of life: a heartbeat, or an inventory that lists it."""
    first_seen_at: datetime
    last_seen_at: datetime
    stopped_at: Sequence[datetime]
    """When its inventory says that it stopped running."""

    @property
    def naming(self) -> Naming:
        resource = self.instance_id or self.node_name
        return Naming(
            provider=self.provider,
            account=self.account,
            region=self.region,
            resource=resource,
            azure_resource=resource_name(resource),
        )


@dataclass(slots=True)
class Plan:
    """What is to be written about the machines of one batch."""

    origin: str
    opened: list[Wanted] = field(default_factory=list)
    updated: dict[int, Wanted] = field(default_factory=dict)
    """By id; only those that differ from what is stored."""
    members: dict[str, Reclaim] = field(default_factory=dict)
    """By key: what each interruption is made of."""
    machine_of: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    """By key: the key of the interruption that it leads to."""
    absorbed: dict[int, str] = field(default_factory=dict)
    """By id: the key of the interruption that this one turned out to be."""
    homeless: list[Seen] = field(default_factory=list)
    """Observations that were in an interruption and are in none now."""

    @property
    def written(self) -> list[Wanted]:
        return [*self.opened, *self.updated.values()]

    def upset(self, rows: Mapping[int, Row]) -> list[int]:
        """Stored interruptions in an episode that move or stop counting: their run may break in two."""
        return [
            pk
            for pk, wanted in self.updated.items()
            if rows[pk].episode_id is not None
            and (
                not wanted.is_counted
                or (wanted.service_id, wanted.started_at) != (rows[pk].service_id, rows[pk].started_at)
            )
        ]

    def shrunk(self, rows: Mapping[int, Row]) -> set[int]:
        """Episodes of which a member was over sooner than was thought."""
        return {
            episode_id
            for pk, wanted in self.updated.items()
            if (episode_id := rows[pk].episode_id) is not None and wanted.over_at < rows[pk].over_at
        }


def plan_machine(
    plan: Plan, told: Told, machine: Machine, rows: Mapping[int, Row], *, last_ordinal: int, now: datetime
) -> None:
    """Add to `plan` what this machine's observations say differently from what is stored."""
    parts = partition(told.seen.values())
    mine = [rows[pk].stored for pk in sorted(set(told.homes.values())) if pk in rows]
    difference = reconcile(parts, stored=mine, naming=machine.naming, last_ordinal=last_ordinal)
    for opened in difference.opened:
        key, ordinal = _unused(plan, opened.key, opened.ordinal, machine)
        _remember(plan, key, opened.reclaim, machine)
        plan.opened.append(
            _wanted(
                opened.reclaim,
                machine,
                origin=plan.origin,
                key=key,
                ordinal=ordinal,
                opened_by=opened.reclaim.opener.identity,
                now=now,
            )
        )
    for continued in difference.continued:
        row = continued.stored
        _remember(plan, row.key, continued.reclaim, machine)
        plan.aliases |= dict.fromkeys(continued.new_aliases, row.key)
        plan.absorbed |= {gone.id: row.key for gone in continued.absorbed}
        wanted = _wanted(
            continued.reclaim,
            machine,
            origin=plan.origin,
            key=row.key,
            ordinal=row.ordinal,
            opened_by=row.opened_by,
            now=now,
        )
        if wanted.values != rows[row.id].values:
            plan.updated[row.id] = wanted
    for gone in difference.vanished:
        logger.error("interruption.vanished", extra={"interruption": gone.id, "key": gone.key})
    plan.homeless += [seen for seen in parts.unattached if seen.id in told.homes]


def renumber(plan: Plan, wanted: Wanted, machine: Machine) -> Wanted:
    """Another machine's interruption goes by that key (a node name used again): the next number is taken."""
    key, ordinal = _unused(plan, machine.naming.numbered(wanted.ordinal + 1), wanted.ordinal + 1, machine)
    plan.members[key] = plan.members.pop(wanted.key)
    plan.machine_of[key] = plan.machine_of.pop(wanted.key)
    return msgspec.structs.replace(wanted, key=key, ordinal=ordinal)


def _unused(plan: Plan, key: str, ordinal: int, machine: Machine) -> tuple[str, int]:
    while key in plan.members:
        ordinal += 1
        key = machine.naming.numbered(ordinal)
    return key, ordinal


def _remember(plan: Plan, key: str, reclaim: Reclaim, machine: Machine) -> None:
    plan.members[key] = reclaim
    plan.machine_of[key] = machine.id


def _wanted(
    reclaim: Reclaim,
    machine: Machine,
    *,
    origin: str,
    key: str,
    ordinal: int,
    opened_by: str,
    now: datetime,
) -> Wanted:
    stages = stage_times(
        reclaim.members,
        native_id=reclaim.native_id,
        restarted_at=reclaim.restarted_at,
        vanished_at=reclaim.vanished_at,
    )
    resolution = resolve(stages, now=now, alive_at=machine.alive_at, stopped_at=machine.stopped_at)
    return Wanted(
        origin=origin,
        key=key,
        ordinal=ordinal,
        machine_id=machine.id,
        service_id=machine.service_id,
        pool_id=machine.pool_id,
        provider=machine.provider,
        region=machine.region,
        state=resolution.state.value,
        cause=stages.cause.value,
        action=stages.action.value if stages.action else "",
        known_by=stages.known_by.value,
        native_id=reclaim.native_id or "",
        opened_by=opened_by,
        started_at=stages.started_at,
        deadline_at=stages.deadline_at,
        ended_at=resolution.ended_at,
        at_risk_at=stages.at_risk_at,
        notice_at=stages.notice_at,
        cordoned_at=stages.cordoned_at,
        drain_started_at=stages.drain_started_at,
        shutdown_started_at=stages.shutdown_started_at,
        shutdown_completed_at=stages.shutdown_completed_at,
        terminated_at=stages.terminated_at,
        evicted_at=stages.evicted_at,
        scheduled_at=stages.scheduled_at,
        running_at=stages.running_at,
        has_drain_error=stages.has_drain_error,
        is_low_confidence=stages.is_low_confidence,
        witness_count=stages.witness_count,
        observation_count=stages.observation_count,
        first_received_at=stages.first_received_at,
        last_received_at=stages.last_received_at,
        is_late=stages.is_late,
        due_at=resolution.next_due_at,
    )
