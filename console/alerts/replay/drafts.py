"""What a replay compares: the rules and windows in force, and the same with the draft in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.alerts.detecting import Kind
from console.alerts.models import (
    Replay,
    Rule,
    RuleVersion,
    Severity,
    Suppression,
    SuppressionKind,
    SuppressionOccurrence,
)
from console.alerts.registry import known
from console.alerts.replay.past import WARM_UP
from console.alerts.rule_editing import Wording
from console.alerts.rules_in_force import InForce, Rules, in_force, read_rules
from console.alerts.suppression.consulting import InForce as Window
from console.alerts.suppression.draft import Draft
from console.alerts.suppression.preview import past_windows
from console.alerts.suppression.recurrence import Rule as Recurrence
from console.alerts.suppression.scoping import parse_scopes
from console.fleet.models import Team

OF_RECLAIMS = ("reclaim", "cascade", "capacity_below_need")
"""They decide about the groups of services and waves together, so they are replayed together."""
PREFIXES = ("service:", "wave:")


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides. `detectors` are the sampled ones to look with; the rest stays as it is on record."""

    rules_now: Rules
    rules_draft: Rules
    windows_now: Sequence[Window]
    windows_draft: Sequence[Window]
    detectors: Sequence[str]
    has_reclaims: bool
    prefixes: Sequence[str] | None
    """Beginnings of the keys of the groups that are replayed; None: of all."""


def wording_as_json(wording: Wording) -> dict[str, Any]:
    named = {name: getattr(wording, name) for name in Wording.__dataclass_fields__}
    seconds = {name: named[name].total_seconds() for name in ("resolve_after", "cooldown")}
    return named | seconds | {"severity": str(wording.severity)}


def wording_of(draft: Mapping[str, Any]) -> Wording:
    lengths = {name: timedelta(seconds=draft[name]) for name in ("resolve_after", "cooldown")}
    return Wording(**{**draft, **lengths, "severity": Severity(draft["severity"])})


def suppression_as_json(draft: Draft) -> dict[str, Any]:
    return {
        "kind": str(draft.kind),
        "name": draft.name,
        "reason": draft.reason,
        "scopes": [scope.text for scope in draft.scopes],
        "starts_at": draft.starts_at.isoformat(),
        "duration_s": draft.duration.total_seconds(),
        "rrule": str(draft.rule) if draft.rule else "",
        "time_zone": draft.time_zone,
        "team": draft.team.pk if draft.team else None,
        "share": draft.share,
        "needs_signature": draft.needs_signature,
    }


def suppression_of(draft: Mapping[str, Any], *, origin: str) -> Draft:
    """Raises `BadScope` where what it covered is no more."""
    return Draft(
        origin=origin,
        kind=SuppressionKind(draft["kind"]),
        name=draft["name"],
        reason=draft["reason"],
        scopes=parse_scopes(draft["scopes"], origin=origin),
        starts_at=datetime.fromisoformat(draft["starts_at"]),
        duration=timedelta(seconds=draft["duration_s"]),
        rule=Recurrence.parse(draft["rrule"]) if draft["rrule"] else None,
        time_zone=draft["time_zone"],
        team=Team.objects.filter(pk=draft["team"]).first() if draft["team"] else None,
        share=draft["share"],
        needs_signature=draft["needs_signature"],
    )


def version_of(rule: Rule, wording: Wording) -> RuleVersion:
    """The draft as a version that is not stored."""
    version = RuleVersion(rule=rule, number=0)
    wording.put(version)
    return version


def why_not(rule: Rule) -> str:
    """Why nothing can be replayed of this rule; empty: it can."""
    detector = known()[rule.detector]
    if rule.detector in OF_RECLAIMS:
        return ""
    if detector.kind is Kind.EVENT or detector.judge is None:
        return "It follows what feeds and the console itself did, of which no history is kept: look at its receipts."
    return (
        ""
        if detector.is_replayable
        else "Only the present is stored of what it looks at: there is no past to replay."
    )


def compared(replay: Replay, *, now: datetime) -> Compared:
    """What this replay lays over each other."""
    rules, windows = read_rules(now=now), _windows(replay)
    if replay.rule is None:
        sampled = [name for name in known() if _is_looked_at(name)]
        draft = suppression_of(replay.draft, origin=replay.origin)
        return Compared(
            rules, rules, windows, [*windows, *_draft_windows(draft, replay)], sampled, True, None
        )
    drafted = _with(rules, replay.rule, wording_of(replay.draft))
    if replay.rule.detector in OF_RECLAIMS:
        return Compared(rules, drafted, windows, windows, (), True, PREFIXES)
    name = replay.rule.detector
    prefixes = [f"{rule.slug}:" for rule in (*rules.of(name), *drafted.of(name))]
    return Compared(rules, drafted, windows, windows, (name,), False, prefixes)


def _is_looked_at(name: str) -> bool:
    detector = known()[name]
    return detector.kind is Kind.SAMPLED and detector.judge is not None and detector.is_replayable


def _with(rules: Rules, rule: Rule, wording: Wording) -> Rules:
    """Those in force, with the draft in its rule's place; switched off: without it."""
    others: list[InForce] = [one for one in rules.by_id.values() if one.rule_id != rule.pk]
    return Rules([*others, in_force(version_of(rule, wording))] if wording.is_enabled else others)


def _windows(replay: Replay) -> list[Window]:
    """Those that really were in force, until they ended or were let go of."""
    rows = SuppressionOccurrence.objects.of_origin(replay.origin).filter(
        starts_at__lt=replay.until, ends_at__gt=replay.since - WARM_UP
    )
    with_scopes = rows.select_related("suppression__author").prefetch_related(
        "suppression__scopes__service", "suppression__scopes__team"
    )
    found = []
    for row in with_scopes.order_by("starts_at", "pk"):
        if row.released_at is not None:
            row.ends_at, row.released_at = min(row.ends_at, row.released_at), None
        if row.ends_at > row.starts_at:
            found.append(Window(row, list(row.suppression.scopes.all())))
    return found


def _draft_windows(draft: Draft, replay: Replay) -> list[Window]:
    """As if it had come all along, unsigned; one that comes once covers the whole stretch."""
    suppression = Suppression(pk=-1, origin=draft.origin, kind=draft.kind, name=draft.name, share=draft.share)
    spans = past_windows(draft, now=replay.until, back=replay.until - replay.since)
    return [
        Window(
            SuppressionOccurrence(
                pk=-number,
                origin=draft.origin,
                suppression=suppression,
                starts_at=span.starts_at,
                ends_at=span.ends_at,
            ),
            draft.scopes,
        )
        for number, span in enumerate(spans, start=1)
    ]
