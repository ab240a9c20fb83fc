"""What a suppression covers, as people and programs write it, and whether a machine is among it.

| written | covers |
| --- | --- |
| `service:checkout` | the machines of a service |
| `team:payments` | those of every service of a team |
| `pool:aws/eu-west-1/*/m7i.large` | those of a provider, region, zone and type; `*` or nothing leaves a part open |
| `label:env=staging` | those with a tag of this name and value |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from console.alerts.models import ScopeKind, SuppressionScope
from console.fleet.models import Service, Team

MOST_SCOPES = 50
Row = TypeVar("Row", Service, Team)
POOL_PARTS = ("provider", "region", "zone", "instance_type")


class BadScope(ValueError):
    """It cannot be read, or names nothing that there is; the text says what to write."""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is, by slug."""

    services: Mapping[str, Service]
    teams: Mapping[str, Team]


@dataclass(frozen=True, slots=True)
class Part:
    """Machines of one group that are alike in all that a scope can ask about."""

    service_id: int | None
    team_id: int | None
    provider: str = ""
    region: str = ""
    zone: str = ""
    instance_type: str = ""
    labels: frozenset[tuple[str, str]] = frozenset()
    """Of the labels that were asked about: those that they carry."""
    machines: int = 0


def covers(scope: SuppressionScope, part: Part) -> bool:
    """Whether these machines are among it."""
    if scope.kind == ScopeKind.SERVICE:
        return part.service_id == scope.service_id
    if scope.kind == ScopeKind.TEAM:
        return part.team_id == scope.team_id
    if scope.kind == ScopeKind.LABEL:
        return (scope.label_key, scope.label_value) in part.labels
    return all(getattr(scope, name) in ("", getattr(part, name)) for name in POOL_PARTS)


def labels_of(scopes: Iterable[SuppressionScope]) -> list[tuple[str, str]]:
    """What has to be known of each machine's tags."""
    return sorted({(s.label_key, s.label_value) for s in scopes if s.kind == ScopeKind.LABEL})


def parse_scopes(texts: Iterable[str], *, origin: str) -> list[SuppressionScope]:
    """Scopes that are not stored yet, each once, in the order given. Two queries. Raises `BadScope`."""
    written = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if not written:
        raise BadScope("Say what it covers: a service, a team, a pool or a label.")
    if len(written) > MOST_SCOPES:
        raise BadScope(f"It covers at most {MOST_SCOPES} things; name a team or a region instead.")
    split = [_split(text) for text in written]
    slugs = {kind: [value for named, value in split if named == kind] for kind in ScopeKind}
    services = Service.objects.filter(origin=origin, slug__in=slugs[ScopeKind.SERVICE])
    teams = Team.objects.filter(origin=origin, slug__in=slugs[ScopeKind.TEAM])
    known = Known({each.slug: each for each in services}, {each.slug: each for each in teams})
    return [_scope(kind, value, known) for kind, value in split]


def _split(text: str) -> tuple[ScopeKind, str]:
    kind, sign, value = text.partition(":")
    if not sign or kind.lower() not in ScopeKind.values or not value.strip():
        raise BadScope(
            f"{text!r} is not understood. Write service:checkout, team:payments, pool:aws/eu-west-1 or label:env=prod."
        )
    return ScopeKind(kind.lower()), value.strip()


def _scope(kind: ScopeKind, value: str, known: Known) -> SuppressionScope:
    if kind == ScopeKind.SERVICE:
        return SuppressionScope(kind=kind, service=_found(known.services, kind, value))
    if kind == ScopeKind.TEAM:
        return SuppressionScope(kind=kind, team=_found(known.teams, kind, value))
    if kind == ScopeKind.LABEL:
        key, sign, wanted = value.partition("=")
        if not sign or not key.strip() or not wanted.strip():
            raise BadScope(f"label:{value} needs a name and a value. Write label:env=prod.")
        return _fitting(SuppressionScope(kind=kind, label_key=key.strip(), label_value=wanted.strip()))
    return _pool(value)


def _found(rows: Mapping[str, Row], kind: ScopeKind, slug: str) -> Row:
    if slug not in rows:
        raise BadScope(f"There is no {kind.label.lower()} {slug}.")
    return rows[slug]


def _pool(value: str) -> SuppressionScope:
    parts = [part.strip().replace("*", "") for part in value.split("/")]
    if len(parts) > len(POOL_PARTS):
        raise BadScope("A pool has four parts: pool:provider/region/zone/type.")
    if not any(parts):
        raise BadScope("A pool without any part would cover everything. Name at least one, as pool:aws.")
    return _fitting(SuppressionScope(kind=ScopeKind.POOL, **dict(zip(POOL_PARTS, parts, strict=False))))


def _fitting(scope: SuppressionScope) -> SuppressionScope:
    """Refused where a part is longer than any name can be."""
    for name in (*POOL_PARTS, "label_key", "label_value"):
        most = getattr(SuppressionScope._meta.get_field(name), "max_length", None)
        value = getattr(scope, name)
        if most is not None and len(value) > most:
            raise BadScope(f"{value[:20]}… is longer than any {name.replace('_', ' ')} ({most} characters).")
    return scope
