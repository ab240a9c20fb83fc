"""Why nobody was told of an interruption, or who was: what looked at it, what was decided, and what would it take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.alerts.detecting import Kind, ServiceRow, Subject
from console.alerts.models import AlertGroup, Decision, Receipt, Rule, RuleState
from console.alerts.rules_in_force import InForce, read_rules
from console.interruptions.models import Interruption

MOST_RECEIPTS = 20


@dataclass(frozen=True, slots=True)
class Look:
    """One rule in force that looks at the interruption's service."""

    slug: str
    name: str
    number: int
    at: datetime | None
    state: str
    """`holds`, `pending`, `firing`, `cooling`, `quiet` or `never`."""
    label: str
    why: str
    would: str
    """What it does where it holds, for this class of service."""


@dataclass(frozen=True, slots=True)
class WhyNot:
    sentence: str
    groups: Sequence[AlertGroup]
    receipts: Sequence[Receipt]
    looks: Sequence[Look]


def why_not(interruption: Interruption, *, now: datetime) -> WhyNot:
    """Six statements. Needs service and its team selected along."""
    groups = list(
        AlertGroup.objects.filter(members__interruption=interruption).order_by("-triggered_at", "-pk")
    )
    newest = Receipt.objects.filter(group__in=groups).select_related("group", "rule_version__rule")
    receipts = list(newest.order_by("-pk")[:MOST_RECEIPTS])
    return WhyNot(
        sentence=_sentence(interruption, receipts),
        groups=groups,
        receipts=receipts,
        looks=_looks(interruption, receipts, now=now),
    )


def _sentence(interruption: Interruption, receipts: Sequence[Receipt]) -> str:
    told = [receipt for receipt in receipts if receipt.decision in (Decision.PAGE, Decision.TICKET)]
    if told:
        first = min(told, key=lambda receipt: receipt.pk)
        return (
            f"{first.get_decision_display()} at {first.at:%H:%M:%S} UTC for “{first.group}”: {first.reason}"
        )
    if interruption.is_hint:
        return "Nobody was told: it is only a hint that the machine may go, and hints are in no group."
    if not receipts:
        return "No decision was taken yet: alerting has not come to it, or it is older than the receipts."
    return f"Nobody was told. {receipts[0].reason}"


def _looks(interruption: Interruption, receipts: Sequence[Receipt], *, now: datetime) -> list[Look]:
    service = interruption.service
    team = service.team
    row = ServiceRow(
        service.pk, service.origin, service.slug, service.name, service.criticality, service.team_id,
        team.slug if team else "",
    )  # fmt: skip
    rules = read_rules(now=now)
    looking = (rules.choose(name, row) for name in sorted(rules.by_detector))
    chosen = [rule for rule in looking if rule and rule.detector.subject in (Subject.SERVICE, Subject.PLACE)]
    states = {state.rule_id: state for state in RuleState.objects.filter(service=service)}
    looked = dict(Rule.objects.values_list("pk", "evaluated_at"))
    told = {one["rule"]: one for receipt in reversed(receipts) for one in receipt.inputs.get("rules", ())}
    return [
        _look(rule, states.get(rule.rule_id), told.get(rule.slug), looked, service.criticality)
        for rule in chosen
    ]


def _look(
    rule: InForce,
    state: RuleState | None,
    told: dict[str, Any] | None,
    looked: dict[int, datetime | None],
    of: str,
) -> Look:
    decisions = {rule.decision(condition.name, of) for condition in rule.detector.conditions}
    would = " or ".join(one for one in ("page", "ticket", "log") if one in decisions)
    known = (rule.slug, rule.name, rule.number)
    if rule.detector.kind is Kind.EVENT:
        if told is None:
            return Look(*known, None, "never", "Has not looked", "No decision names it.", would)
        holds = bool(told.get("condition"))
        return Look(
            *known,
            None,
            "holds" if holds else "quiet",
            "Holds" if holds else "Does not hold",
            told["why"],
            would,
        )
    at = looked.get(rule.rule_id)
    if state is not None:
        return Look(
            *known, state.evaluated_at, state.standing, state.get_standing_display(), state.text, would
        )
    if at is None:
        return Look(
            *known, None, "never", "Has not looked", "It looks once a minute, and has not yet.", would
        )
    return Look(*known, at, "quiet", "Does not hold", rule.detector.about, would)
