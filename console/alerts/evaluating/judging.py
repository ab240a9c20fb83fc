"""What every sampled rule sees at one moment. Rows are read once, however many rules look at them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from console.alerts.detecting import Asked, Given, Judged, Kind, ServiceRow, counted
from console.alerts.rules_in_force import InForce, Rules
from console.alerts.severity import worst
from console.lib.passing import is_passing

logger = logging.getLogger(__name__)

NAMED = 3


@dataclass(slots=True)
class Seen:
    """By rule: its judgements, or why it has none."""

    judged: dict[int, list[Judged]] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(len(mine) for mine in self.judged.values())


def sampled(rules: Rules) -> list[InForce]:
    return [rule for rule in rules.by_id.values() if rule.detector.kind is Kind.SAMPLED]


def see(rules: Rules, asked: Asked, services: Mapping[int, ServiceRow]) -> Seen:
    """Each rule by itself: one that raises holds up no other."""
    seen = Seen()
    known: dict[Callable[[Asked], Any], Any] = {}
    for rule in sampled(rules):
        try:
            with transaction.atomic():
                seen.judged[rule.rule_id] = look(rule, rules, asked, services, known)
        except Exception as error:
            if is_passing(error):
                raise
            logger.exception("rule.raised", extra={"rule": rule.slug})
            seen.errors[rule.rule_id] = f"{type(error).__name__}: {error}"
    return seen


def look(
    rule: InForce,
    rules: Rules,
    asked: Asked,
    services: Mapping[int, ServiceRow],
    known: dict[Callable[[Asked], Any], Any],
) -> list[Judged]:
    """What one rule sees. `known` keeps what was read for this moment, by the function that reads it."""
    detector = rule.detector
    if detector.read is None or detector.judge is None:
        return []
    if detector.read not in known:
        known[detector.read] = detector.read(asked)
    judged = detector.judge(known[detector.read], Given(rule.limits, services, asked.now))
    chosen = _chosen(rule, rules, services)
    mine = [one for one in judged if one.origin in asked.origins and chosen(one)]
    return folded(mine, services) if rule.group_by == "team" else mine


def _chosen(rule: InForce, rules: Rules, services: Mapping[int, ServiceRow]) -> Callable[[Judged], bool]:
    """Which subjects are this rule's: those that no narrower one of the same detector looks at."""
    if len(rules.of(rule.detector.name)) == 1 and not rule.scope:
        return lambda _: True

    def is_mine(judged: Judged) -> bool:
        service = services.get(judged.service_id or 0)
        chosen = rules.choose(rule.detector.name, service)
        return chosen is not None and chosen.rule_id == rule.rule_id

    return is_mine


def folded(judged: Iterable[Judged], services: Mapping[int, ServiceRow]) -> list[Judged]:
    """One judgement a team and origin: it holds where it holds for any of its services."""
    teams: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        service = services.get(one.service_id or 0)
        teams[one.origin, service.team_slug if service else ""].append(one)
    return [_of_team(origin, slug, mine, services) for (origin, slug), mine in teams.items()]


def _of_team(origin: str, slug: str, mine: Sequence[Judged], services: Mapping[int, ServiceRow]) -> Judged:
    true = [one for one in mine if one.is_true]
    first = max(true or mine, key=lambda one: abs(one.value or 0.0))
    row = services.get(first.service_id or 0)
    hit = [services.get(one.service_id or 0) for one in true[:NAMED]]
    names = ", ".join(service.name for service in hit if service is not None)
    more = f" and {len(true) - NAMED} more" if len(true) > NAMED else ""
    team = (row.team_name if row else "") or "No team"
    severities = [one.severity for one in true if one.severity]
    return replace(
        first,
        scope=f"team-{slug or 'none'}",
        origin=origin,
        service_id=None,
        team_id=row.team_id if row else None,
        title=f"{team}: {first.title}"
        if len(true) < 2
        else f"{team}: {first.title}, and {len(true) - 1} more",
        text=f"{counted(len(true), 'service')} of {team}: {names}{more}. {first.text}"
        if true
        else first.text,
        is_true=bool(true),
        is_clear=all(one.is_over for one in mine),
        severity=worst(*severities) if severities else None,
        inputs={"services": {one.scope: dict(one.inputs) for one in true[:50]}, "of": len(mine)},
    )
