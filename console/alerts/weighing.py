"""Whom a group is worth telling: the rules that look at it, and what the table of the one that decides says. Pure.

| group | rules that look at it | decides |
| --- | --- | --- |
| of a service | capacity below need, cascade (of the service alone), reclaim | the one whose table says most |
| wave | cascade, once for each service that it hits, in that service's column | the service for which it says most |
| finding | the rule that opened it | its table |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.alerts.detecting import HOLDS, PLATFORM, ServiceRow
from console.alerts.detectors.cascade import ENOUGH, SHORT
from console.alerts.impact import Hit, Impact
from console.alerts.models import AlertGroup, Decision
from console.alerts.rules_in_force import InForce, Rules
from console.fleet.models import Criticality

RANK = (Decision.LOG.value, Decision.TICKET.value, Decision.PAGE.value)


@dataclass(frozen=True, slots=True)
class Looked:
    """One rule that looked at a group, and what it would have done."""

    rule: InForce
    condition: str
    """Empty: it does not hold."""
    decision: str
    why: str

    def as_input(self) -> dict[str, Any]:
        told = {"rule": self.rule.slug, "version": self.rule.number, "condition": self.condition}
        return told | {"says": self.decision if self.condition else "", "why": self.why}


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is to be done about a group, before it is asked who has heard already and what is silenced."""

    decision: str
    reason: str
    rule: InForce | None = None
    condition: str = ""
    looked: Sequence[Looked] = field(default_factory=tuple)


def weigh(group: AlertGroup, impact: Impact, rules: Rules, services: Mapping[int, ServiceRow]) -> Weighed:
    if group.is_finding:
        return _finding(group, rules, services)
    looked = _wave(impact, rules, services) if group.is_wave else _service(group, impact, rules, services)
    holding = [one for one in looked if one.condition]
    if not holding:
        return Weighed(Decision.LOG, "No rule in force looks at it: shown on the board", looked=looked)
    best = max(holding, key=lambda one: RANK.index(one.decision))
    return Weighed(best.decision, best.why, best.rule, best.condition, looked)


def below_need_and_critical(impact: Impact) -> bool:
    """What a service under a wave is told of by itself for."""
    return any(hit.is_short and hit.criticality == Criticality.CRITICAL for hit in impact.hits)


def _finding(group: AlertGroup, rules: Rules, services: Mapping[int, ServiceRow]) -> Weighed:
    rule = rules.by_id.get(group.rule_id or 0)
    if rule is None:
        return Weighed(Decision.LOG, "The rule that opened it is not in force any more: shown on the board")
    service = services.get(group.service_id or 0)
    of = service.criticality if service else PLATFORM
    condition = group.condition or HOLDS
    decision = rule.decision(condition, of)
    label = next((one.label for one in rule.detector.conditions if one.name == condition), rule.name)
    return Weighed(decision, label, rule, condition, [Looked(rule, condition, decision, label)])


def _service(
    group: AlertGroup, impact: Impact, rules: Rules, services: Mapping[int, ServiceRow]
) -> list[Looked]:
    """By its own service, and by those whose machines people put beside it."""
    guests = [hit for hit in impact.hits if hit.service_id != group.service_id]
    own = next((hit for hit in impact.hits if hit.service_id == group.service_id), None)
    looked = _of_service(group, own, services.get(group.service_id or 0), rules)
    for hit in guests:
        looked += _of_service(group, hit, services.get(hit.service_id), rules, is_guest=True)
    return looked


def _of_service(
    group: AlertGroup, hit: Hit | None, service: ServiceRow | None, rules: Rules, *, is_guest: bool = False
) -> list[Looked]:
    of = service.criticality if service else Criticality.BEST_EFFORT.value
    looked = []
    if rule := rules.choose("capacity_below_need", service):
        is_short = hit is not None and hit.is_short
        why = hit.words() if hit and hit.replicas else "replicas not reported"
        looked.append(
            _look(rule, HOLDS if is_short else "", of, f"Below its need: {why}" if is_short else why)
        )
    if is_guest:
        return looked
    if rule := rules.choose("cascade", service):
        looked.append(_cascade_of(group, hit, rule, of))
    if rule := rules.choose("reclaim", service):
        looked.append(_look(rule, HOLDS, of, "Handled without anybody: shown on the board"))
    return looked


def _cascade_of(group: AlertGroup, hit: Hit | None, rule: InForce, of: str) -> Looked:
    if group.cascaded_at is None or hit is None:
        return _look(rule, "", of, "no more machines at once than chance explains")
    condition = _left(hit, rule)
    what = "leaves too little" if condition == SHORT else "leaves enough"
    return _look(rule, condition, of, f"A cascade of the service {what}: {hit.words()}")


def _wave(impact: Impact, rules: Rules, services: Mapping[int, ServiceRow]) -> list[Looked]:
    looked = []
    for hit in impact.hits:
        rule = rules.choose("cascade", services.get(hit.service_id)) or rules.widest("cascade")
        if rule is None:
            continue
        condition = _left(hit, rule)
        what = "leaves too little of" if condition == SHORT else "leaves enough of"
        looked.append(_look(rule, condition, hit.criticality, f"A cascade that {what} {hit.words()}"))
    return looked


def _left(hit: Hit, rule: InForce) -> str:
    limits = rule.limits
    is_short = hit.leaves_too_little(assumed_share=limits["assumed_share"], large=limits["large"])
    return SHORT if is_short else ENOUGH


def _look(rule: InForce, condition: str, of: str, why: str) -> Looked:
    return Looked(rule, condition, rule.decision(condition, of) if condition else Decision.LOG, why)
