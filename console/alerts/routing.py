"""The one place that decides whom to tell: page, ticket, log or suppress, each with a receipt.

`weighing.py` says what a group is worth by the rules in force; here it is asked whether anybody may and must hear
that now. A group is told of when it first becomes worth it, when it gets worse, and when it is still so after the
cooldown of a re-opening; whatever else happens to it leaves a receipt that says why nobody was told again.
Everything is decided on what is stored and on `now`: replay runs this very function with the clock of then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import prefetch_related_objects

from console.alerts import flapping
from console.alerts.detecting import ServiceRow
from console.alerts.escalation.beginning import begin
from console.alerts.impact import Hit, Impact, assess
from console.alerts.models import AlertGroup, Decision, Receipt
from console.alerts.receipts import Told, told_of, write
from console.alerts.rosters import Owner, owners_of
from console.alerts.rules_in_force import Rules, read_rules
from console.alerts.severity import rank
from console.alerts.suppression.consulting import Consulted, consult
from console.alerts.suppression.hiding import write_down
from console.alerts.touched import Found, Touched
from console.alerts.weighing import RANK, Weighed, below_need_and_critical, weigh
from console.fleet.models import Service
from console.lib.origin import Origin
from console.lib.rows import columns_of, run

NO_RULE = "no-rule"
SUPPRESS = Decision.SUPPRESS.value
MOST_LISTED = 20
"""Rules and services that a receipt names one by one; the worst and the most hit come first."""

_FRESH = ("parent_id", "cascaded_at", "cooldown_until", "team_id", "rule_id", "condition")
"""What others may have written since the group was read in this transaction."""
_OWN = "UPDATE alerts_alertgroup g SET team_id = o.team FROM unnest(%s::bigint[], %s::bigint[]) AS o (id, team)" \
    " WHERE g.id = o.id AND g.team_id IS DISTINCT FROM o.team"  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One group with everything that is known about it when it is decided on."""

    group: AlertGroup
    impact: Impact
    weighed: Weighed
    owner: Owner
    consulted: Consulted
    told: Told | None
    late_by: float
    is_under_wave: bool


def decide(touched: Touched, *, now: datetime, rules: Rules | None = None) -> list[Receipt]:
    """Decide on every touched group. Twice for the same trigger leaves one receipt; the new ones are returned."""
    groups = touched.groups
    if not groups:
        return []
    in_force = rules or read_rules(now=now)
    under_wave = _read_again(groups)
    flapping.mark(groups, now=now)
    cases = _cases(touched, in_force, under_wave, now=now)
    receipts = write([_receipt(case, touched, now=now) for case in cases])
    _own(cases)
    _write_down(touched, cases, receipts, now=now)
    begin(receipts, now=now)
    return receipts


def _write_down(
    touched: Touched, cases: Sequence[Case], receipts: Sequence[Receipt], *, now: datetime
) -> None:
    """The ledger of suppressions: what was hidden, and what would have been done without."""
    suppressed = {receipt.group_id for receipt in receipts if receipt.decision == Decision.SUPPRESS}
    hidden = {
        case.group.pk: Decision(case.weighed.decision)
        for case in cases
        if case.group.pk in suppressed and case.consulted.suppressed_by is not None
    }
    write_down(touched, {case.group.pk: case.consulted for case in cases}, hidden=hidden, now=now)


def _read_again(groups: Sequence[AlertGroup]) -> set[int]:
    """Bring what may have changed in this transaction up to date; which of them stand under an open wave."""
    by_id = {group.pk: group for group in groups}
    rows = AlertGroup.objects.filter(pk__in=by_id).order_by("pk")
    under = set()
    for pk, parent, *fresh in rows.values_list("pk", "parent__status", *_FRESH):
        for name, value in zip(_FRESH, fresh, strict=True):
            setattr(by_id[pk], name, value)
        if parent is not None and parent != "resolved":
            under.add(pk)
    return under


def _cases(touched: Touched, rules: Rules, under_wave: set[int], *, now: datetime) -> list[Case]:
    groups = touched.groups
    prefetch_related_objects(groups, "service__team", "silenced_by", "acknowledged_by")
    impacts = assess(groups)
    services = _services(impacts, groups)
    owners, consulted = owners_of(groups, at=now), consult(groups, now=now)
    told = told_of([group.pk for group in groups])
    return [
        Case(
            group=group,
            impact=impacts[group.pk],
            weighed=weigh(group, impacts[group.pk], rules, services),
            owner=owners[group.pk],
            consulted=consulted.get(group.pk, Consulted()),
            told=told.get(group.pk),
            late_by=touched.late_by.get(group.pk, 0.0),
            is_under_wave=group.pk in under_wave,
        )
        for group in groups
    ]


def _services(impacts: Mapping[int, Impact], groups: Sequence[AlertGroup]) -> dict[int, ServiceRow]:
    """Every service that these groups are about."""
    ids = {hit.service_id for impact in impacts.values() for hit in impact.hits}
    ids |= {group.service_id for group in groups if group.service_id is not None}
    return {
        pk: ServiceRow(
            pk,
            service.origin,
            service.slug,
            service.name,
            service.criticality,
            service.team_id,
            service.team.slug if service.team else "",
            service.team.name if service.team else "",
        )
        for pk, service in Service.objects.select_related("team").in_bulk(ids).items()
    }


def decision_of(case: Case, *, now: datetime) -> tuple[str, str]:
    """What is done, and the sentence that says why. Pure."""
    group = case.group
    if case.late_by > 0:
        return Decision.LOG, f"Late by {_spoken(case.late_by)}: recorded and counted, nobody is told"
    if group.origin == Origin.TEST:
        return Decision.LOG, f"Not sent: {group.origin}"
    if not group.is_open:
        return Decision.LOG, f"Resolved: {group.get_resolution_display()}"
    decision, reason = _told_now(case, now=now)
    is_outward = group.origin == Origin.LIVE
    return decision, reason if is_outward else f"Not sent: {group.origin}. {reason}"


def _told_now(case: Case, *, now: datetime) -> tuple[str, str]:
    group, weighed = case.group, case.weighed
    if RANK.index(weighed.decision) == 0:
        return Decision.LOG, weighed.reason
    if case.is_under_wave and not below_need_and_critical(case.impact):
        return Decision.LOG, f"Its wave #{group.parent_id} is told of for it. {weighed.reason}"
    if case.consulted.suppressed_by is not None:
        return SUPPRESS, f"{case.consulted.words}. {weighed.reason}"
    if group.is_flapping(now=now) and not _is_worse_than_flapping(group, weighed):
        return Decision.LOG, _flaps(group)
    if held := _has_heard(case, now=now):
        return Decision.LOG, held
    if group.is_silenced(now=now):
        by = f" by {group.silenced_by}" if group.silenced_by else ""
        return SUPPRESS, f"Silenced until {group.silenced_until:%-d %b %H:%M} UTC{by}. {weighed.reason}"
    return weighed.decision, weighed.reason


def _is_worse_than_flapping(group: AlertGroup, weighed: Weighed) -> bool:
    """More is to be done than was, or it is worse than it was, when somebody was told."""
    is_more = RANK.index(weighed.decision) > RANK.index(group.flapping_decision)
    return is_more or rank(group.severity) > rank(group.flapping_severity)


def _flaps(group: AlertGroup) -> str:
    return (
        f"Flapping: opened {group.opening_count} times within an hour, and somebody was told. "
        f"Quiet until {group.flapping_until:%H:%M} UTC unless it gets worse"
    )


def _has_heard(case: Case, *, now: datetime) -> str:
    """Why nobody is told once more; empty where somebody is."""
    told, group, weighed = case.told, case.group, case.weighed
    if told is None or RANK.index(weighed.decision) > RANK.index(told.decision):
        return ""
    is_worse = weighed.decision == Decision.PAGE and rank(group.severity) > rank(told.severity)
    word = "Paged" if told.decision == Decision.PAGE else "A ticket"
    since = f"{word} at {told.at:%H:%M} UTC"
    if is_worse and not (group.acknowledged_at and group.status == "acknowledged"):
        return ""
    if is_worse:
        return f"It got worse, and {group.holder} has it. {since}"
    if group.cooldown_until is not None and told.at < group.cooldown_until:
        until = f"{group.cooldown_until:%H:%M} UTC"
        return f"Open again within its cooldown until {until}. {since}" if now < group.cooldown_until else ""
    return f"{since}, and nothing got worse since. {weighed.reason}"


def _receipt(case: Case, touched: Touched, *, now: datetime) -> Receipt:
    group, weighed = case.group, case.weighed
    decision, reason = decision_of(case, now=now)
    found = touched.found.get(group.pk, Found())
    return Receipt(
        origin=group.origin,
        group=group,
        trigger=touched.triggers[group.pk],
        rule=weighed.rule.slug if weighed.rule else NO_RULE,
        rule_version_id=weighed.rule.version_id if weighed.rule else None,
        decision=decision,
        severity=group.severity,
        reason=reason[:300],
        inputs=_inputs(case) | dict(found.inputs),
        windows=dict(found.windows),
        suppressions=[dict(one) for one in case.consulted.consulted],
        roster=case.owner.as_roster(),
        at=now,
    )


def _inputs(case: Case) -> dict[str, Any]:
    group = case.group
    looked = sorted(case.weighed.looked, key=lambda one: -RANK.index(one.decision))
    return {
        "severity": group.severity,
        "status": group.status,
        "members": group.member_count,
        "running_out": group.running_out_count,
        "impact": group.impact,
        "condition": case.weighed.condition,
        "rules": [one.as_input() for one in looked[:MOST_LISTED]],
        "services": [_figures(hit) for hit in case.impact.hits[:MOST_LISTED]],
    }


def _figures(hit: Hit) -> dict[str, Any]:
    """Of one service hit; a figure that nobody reported is null, never 0."""
    replicas, share = hit.replicas, hit.share_gone
    return {
        "service": hit.name,
        "class": hit.criticality,
        "machines": hit.machines,
        "share_gone": None if share is None else round(share, 3),
        "ready": replicas.ready if replicas else None,
        "wanted": replicas.wanted if replicas else None,
        "needed": replicas.needed if replicas else None,
        "zones_empty": replicas.empty_zones if replicas else None,
        "disruptions_left": replicas.disruptions_left if replicas else None,
    }


def _own(cases: Sequence[Case]) -> None:
    """Let each group know whose it is: escalation and lists go by it."""
    rows = [(case.group.pk, case.owner.team.pk if case.owner.team else None) for case in cases]
    for case in cases:
        case.group.team = case.owner.team
    run(_OWN, columns_of(rows, ("bigint", "bigint")))


def _spoken(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 60 * 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (60 * 24)} days"
