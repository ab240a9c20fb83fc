"""Which rules are in force: the newest published version of each, in the shape that decisions need.

Of two rules of one detector the narrower one looks at a service: one for the service itself, then for its team, then
for machines with a label or of a pool, then for all. So a team can have limits of its own without being told twice.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from console.alerts import default_rules
from console.alerts.detecting import PLATFORM, Detector, ServiceRow
from console.alerts.models import Rule, RuleVersion, Severity
from console.alerts.registry import known
from console.lib.rows import fetch

_NEWEST = """
SELECT DISTINCT ON (r.id) r.id, r.slug, r.name, r.detector, r.team_id, v.id, v.number, v.is_enabled, v.scope,
       v.thresholds, v.table, v.severity, v.evaluations, v.resolve_after, v.cooldown, v.group_by
FROM alerts_rule r JOIN alerts_ruleversion v ON v.rule_id = r.id AND v.published_at IS NOT NULL
ORDER BY r.id, v.number DESC
"""
_IN_POOL = """
SELECT DISTINCT p.name, r.service_id FROM (
    SELECT id, concat_ws('/', provider, region, zone, instance_type) AS name FROM fleet_pool) p
JOIN fleet_runninginterval r ON r.pool_id = p.id AND r.ended_at IS NULL
WHERE p.name = ANY(%(names)s)
"""
_WITH_LABEL = """
SELECT DISTINCT l.label, r.service_id FROM unnest(%(labels)s::text[]) AS l (label)
JOIN fleet_machine m ON m.tags ->> split_part(l.label, '=', 1) = substr(l.label, strpos(l.label, '=') + 1)
JOIN fleet_runninginterval r ON r.machine_id = m.id AND r.ended_at IS NULL
"""
NARROWNESS = ("service", "team", "label", "pool")


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A rule as its newest published version has it."""

    rule_id: int
    slug: str
    name: str
    detector: Detector
    team_id: int | None
    version_id: int
    number: int
    scope: Mapping[str, str]
    limits: Mapping[str, float]
    table: Mapping[str, Mapping[str, str]]
    severity: Severity
    evaluations: int
    resolve_after: timedelta
    cooldown: timedelta
    group_by: str
    reached: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """The services that a pool or a label of the scope leads to."""

    def decision(self, condition: str, of: str) -> str:
        """What the table says for a class of service; `platform` for what concerns no single one."""
        line = self.table.get(condition) or self.detector.table.get(condition) or {}
        return line.get(of or PLATFORM, "ticket")

    def looks_at(self, service: ServiceRow | None) -> bool:
        """Every part of the scope must fit; an empty one fits everything."""
        if not self.scope:
            return True
        if service is None:
            return False
        fits = {"service": service.slug, "team": service.team_slug}
        return all(
            fits[part] == wanted if part in fits else service.id in self.reached.get(part, ())
            for part, wanted in self.scope.items()
        )

    @property
    def breadth(self) -> tuple[int, int]:
        """Sorts the narrower rule before the wider one, an older before a younger."""
        parts = [NARROWNESS.index(part) for part in self.scope]
        return min(parts, default=len(NARROWNESS)), self.rule_id


class Rules:
    """All rules in force, by detector, the narrowest first."""

    def __init__(self, rules: Iterable[InForce]) -> None:
        self.by_detector: dict[str, list[InForce]] = defaultdict(list)
        for rule in sorted(rules, key=lambda rule: rule.breadth):
            self.by_detector[rule.detector.name].append(rule)
        self.by_id = {rule.rule_id: rule for rules in self.by_detector.values() for rule in rules}

    def of(self, detector: str) -> list[InForce]:
        return self.by_detector.get(detector, [])

    def choose(self, detector: str, service: ServiceRow | None) -> InForce | None:
        """The one rule of this detector that looks at the service; None: none does."""
        return next((rule for rule in self.of(detector) if rule.looks_at(service)), None)

    def widest(self, detector: str) -> InForce | None:
        """The one that looks at everything."""
        return next((rule for rule in self.of(detector) if not rule.scope), None)


def read_rules(*, now: datetime) -> Rules:
    """Enabled ones. Detectors without any rule get their default first."""
    rows = fetch(_NEWEST)
    if set(known()) - {row[3] for row in rows}:
        default_rules.install(Rule.objects, RuleVersion.objects, now=now)
        rows = fetch(_NEWEST)
    found = [_in_force(row) for row in rows if row[7] and row[3] in known()]
    return Rules(_reaching(found))


def in_force(version: RuleVersion) -> InForce:
    """What this version would be, published or not."""
    rule = version.rule
    values = (rule.pk, rule.slug, rule.name, rule.detector, rule.team_id, version.pk, version.number, True)
    wording = (version.scope, version.thresholds, version.table, version.severity, version.evaluations)
    row = (*values, *wording, version.resolve_after, version.cooldown, version.group_by)
    return _reaching([_in_force(row)])[0]


def _in_force(row: tuple[Any, ...]) -> InForce:
    detector = known()[row[3]]
    return InForce(
        rule_id=row[0],
        slug=row[1],
        name=row[2],
        detector=detector,
        team_id=row[4],
        version_id=row[5],
        number=row[6],
        scope={part: wanted for part, wanted in _loaded(row[8]).items() if wanted},
        limits=detector.defaults | _loaded(row[9]),
        table=_loaded(row[10]),
        severity=Severity(row[11]),
        evaluations=row[12],
        resolve_after=row[13],
        cooldown=row[14],
        group_by=row[15],
    )


def _loaded(value: Any) -> dict[str, Any]:
    return dict(json.loads(value) if isinstance(value, str) else value)


def _reaching(rules: list[InForce]) -> list[InForce]:
    """With the services that pools and labels lead to: at most two statements, none where no rule has such a scope."""
    pools = _lookup(_IN_POOL, "names", {rule.scope["pool"] for rule in rules if "pool" in rule.scope})
    labels = _lookup(_WITH_LABEL, "labels", {rule.scope["label"] for rule in rules if "label" in rule.scope})
    return [
        replace(
            rule,
            reached={
                "pool": pools.get(rule.scope.get("pool", ""), frozenset()),
                "label": labels.get(rule.scope.get("label", ""), frozenset()),
            },
        )
        if rule.scope.keys() & {"pool", "label"}
        else rule
        for rule in rules
    ]


def _lookup(sql: str, name: str, wanted: Collection[str]) -> dict[str, frozenset[int]]:
    if not wanted:
        return {}
    found: dict[str, set[int]] = defaultdict(set)
    for key, service_id in fetch(sql, {name: sorted(wanted)}):
        found[key].add(service_id)
    return {key: frozenset(ids) for key, ids in found.items()}
