"""Whose a machine is: the first rule that fits, unless the node itself names a service that exists.

The matcher is pure, so that the tester on the rules page and the record pipeline give one answer;
`console/fleet/reattribution.py` says the same in SQL for everything that is stored.
Rules and services are those of the machine's own data origin; drill machines may name live services.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from console.fleet.models import UNATTRIBUTED, Service
from console.lib.origin import Origin
from console.lib.rows import fetch


class Traits(NamedTuple):
    """What rules look at. Unknown is the empty string. The order is that of `CONDITIONS`."""

    provider: str = ""
    account: str = ""
    region: str = ""
    namespace: str = ""
    node_pool: str = ""


CONDITIONS = {
    "provider": "provider",
    "account": "account",
    "region": "region",
    "namespace": "namespace",
    "node_pool": "node pool",
}
"""The columns a rule may ask about, and how they are called on pages."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, compiled: what it asks of each trait by index, and of the tags."""

    id: int
    position: int
    service_id: int
    service_slug: str
    asks: tuple[tuple[int, str], ...]
    tags: tuple[tuple[str, str], ...]

    def takes(self, traits: Traits, tags: Mapping[str, str]) -> bool:
        return all(traits[index] == wanted for index, wanted in self.asks) and all(
            tags.get(name) == wanted for name, wanted in self.tags
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything attribution needs of one data origin, read once a batch."""

    ordered: tuple[Rule, ...]
    services: Mapping[str, int]
    """Slugs that a node may declare: unarchived services of this origin (for drills: live ones too)."""
    unattributed_id: int
    _known: dict[object, int] = field(default_factory=dict, compare=False, repr=False)

    def service_of(self, traits: Traits, tags: Mapping[str, str], *, declared: str = "") -> int:
        """The id of the service that takes such a machine."""
        if declared and (service := self.services.get(declared)):
            return service
        key = (traits, tuple(sorted(tags.items())))
        found = self._known.get(key)
        if found is None:
            first = next((rule.service_id for rule in self.ordered if rule.takes(traits, tags)), None)
            found = self._known[key] = first or self.unattributed_id
        return found


_READ = """
SELECT NULL, id, origin, slug, NULL, '', '', '', '', '', '{}'::jsonb FROM fleet_service
    WHERE origin = ANY(%s) AND archived_at IS NULL
UNION ALL
SELECT r.id, s.id, r.origin, s.slug, r.position,
       r.provider, r.account, r.region, r.namespace, r.node_pool, r.tags
    FROM fleet_attributionrule r JOIN fleet_service s ON s.id = r.service_id WHERE r.origin = %s
ORDER BY 5 NULLS FIRST
"""


def origins_named_by(origin: str) -> list[str]:
    """Whose services a machine of this origin may name."""
    return [origin, Origin.LIVE.value] if origin == Origin.DRILL else [origin]


def read_rules(origin: str) -> Rules:
    """Rules and services of one origin in one statement; the unattributed service is made if missing."""
    rows = fetch(_READ, [origins_named_by(origin), origin])
    named = [row for row in rows if row[0] is None]
    own = {slug: pk for _, pk, of, slug, *_ in named if of == origin}
    services = {slug: pk for _, pk, of, slug, *_ in named if of != origin} | own
    home = own.get(UNATTRIBUTED) or Service.unattributed(origin=origin).pk
    return Rules(tuple(_compile(row) for row in rows if row[0] is not None), services, home)


def _compile(row: tuple[Any, ...]) -> Rule:
    pk, service_id, _, slug, position, *wanted, tags = row
    tags = json.loads(tags) if isinstance(tags, str) else tags
    return Rule(
        id=pk,
        position=position,
        service_id=service_id,
        service_slug=slug,
        asks=tuple((index, value) for index, value in enumerate(wanted) if value),
        tags=tuple(sorted(tags.items())),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says to one machine. `because` has one sentence a condition that does not hold."""

    rule: Rule
    takes: bool
    is_reached: bool
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which service takes a machine, by what, and why each rule did or did not."""

    service_id: int
    by: str
    """`declared`, `rule` or `nothing`."""
    verdicts: tuple[Verdict, ...]
    note: str = ""

    @property
    def rule(self) -> Rule | None:
        return next((one.rule for one in self.verdicts if one.takes and one.is_reached), None)


def explain(traits: Traits, rules: Rules, *, tags: Mapping[str, str], declared: str = "") -> Explanation:
    """The tester's answer; the same as `Rules.service_of`, with its reasons."""
    verdicts: list[Verdict] = []
    is_reached = not (declared and declared in rules.services)
    for rule in rules.ordered:
        because = tuple(_misses(rule, traits, tags))
        verdicts.append(Verdict(rule, not because, is_reached, because))
        is_reached = is_reached and bool(because)
    service_id = rules.service_of(traits, tags, declared=declared)
    if declared in rules.services and declared:
        return Explanation(service_id, "declared", tuple(verdicts), f"The node itself names {declared}.")
    note = f"The node names {declared}, but there is no such service." if declared else ""
    by = "rule" if any(one.takes for one in verdicts) else "nothing"
    return Explanation(service_id, by, tuple(verdicts), note)


def _misses(rule: Rule, traits: Traits, tags: Mapping[str, str]) -> Iterator[str]:
    names = list(CONDITIONS.values())
    for index, wanted in rule.asks:
        if (found := traits[index]) != wanted:
            yield f"{names[index]} is {found or 'not known'}, not {wanted}"
    for name, wanted in rule.tags:
        if (given := tags.get(name)) != wanted:
            yield f"tag {name} is {'missing' if given is None else given or 'empty'}, not {wanted}"
