"""One minute: claimed once, seen, stepped, written. Beat twice, or two workers at once, look at it once.

| step | why twice is harmless |
| --- | --- |
| claim the minute | compare-and-set on one row, in the transaction of everything else; none is made up for |
| see | reads only; a rule that raises becomes a finding for its owner and holds up no other |
| step | pure |
| write | one statement for states, one each for groups, events and receipts, however many services there are |
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from console.alerts import findings
from console.alerts.detecting import Asked, Judged
from console.alerts.detectors.console_failure import RAISED
from console.alerts.evaluating.judging import Seen, sampled, see
from console.alerts.evaluating.stepping import Act, State, step
from console.alerts.findings import Finding, Key
from console.alerts.models import AlertGroup, Evaluation, Rule, RuleState, Severity, Standing
from console.alerts.readings.services import read_services
from console.alerts.rules_in_force import InForce, Rules, read_rules
from console.alerts.touched import Found
from console.lib.bulk import upsert_rows
from console.lib.origin import Origin
from console.lib.rows import run

logger = logging.getLogger(__name__)

WATCHED = (Origin.LIVE, Origin.SAMPLE, Origin.DRILL)
NOT_IN_FORCE = "The rule, or its scope, is not in force any more"
OVER = "It has not been so for {}"

_CLAIM = """
INSERT INTO alerts_evaluation AS e (name, minute, took_ms, subjects) VALUES ('minute', %(minute)s, 0, 0)
ON CONFLICT (name) DO UPDATE SET minute = EXCLUDED.minute WHERE e.minute < EXCLUDED.minute
"""

Scope = tuple[int, str, str]
"""Rule, origin, scope."""


@dataclass(slots=True)
class Changes:
    """What one minute does."""

    states: dict[Scope, RuleState] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    opening: dict[Scope, Finding] = field(default_factory=dict)
    reopening: dict[Key, timedelta] = field(default_factory=dict)
    closing: dict[Key, str] = field(default_factory=dict)


def evaluate(*, now: datetime) -> int:
    """Look at the minute of `now`, unless somebody did. How many judgements were made; 0: none, or done before."""
    began = time.perf_counter()
    minute = now.replace(second=0, microsecond=0)
    with transaction.atomic():
        if not run(_CLAIM, {"minute": minute}):
            return 0
        count = evaluate_at(now=now, trigger=f"minute:{minute:%Y-%m-%dT%H:%M}")
        took = round(1_000 * (time.perf_counter() - began))
        Evaluation.objects.filter(name="minute").update(took_ms=took, subjects=count)
    logger.info("rules.evaluated", extra={"subjects": count, "took_ms": took})
    return count


def evaluate_at(*, now: datetime, trigger: str) -> int:
    """See, step and write, in the caller's transaction."""
    rules = read_rules(now=now)
    services = read_services(WATCHED)
    origins = sorted({Origin.LIVE.value, *(service.origin for service in services.values())})
    seen = see(rules, Asked(origins, now), services)
    changes = step_all(rules, seen, _remembered(), now=now)
    _write(changes, rules, trigger=trigger, now=now)
    _note(rules, seen, now=now)
    return seen.count


def _remembered() -> dict[Scope, RuleState]:
    rows = RuleState.objects.select_related("group").select_for_update(of=("self",)).order_by("pk")
    return {(row.rule_id, row.origin, row.scope): row for row in rows}


def step_all(rules: Rules, seen: Seen, known: Mapping[Scope, RuleState], *, now: datetime) -> Changes:
    """From what is remembered to what is to be done. Pure: replay steps through a month with it."""
    changes = Changes()
    judged = {
        (rule_id, one.origin, one.scope[:128]): one for rule_id, mine in seen.judged.items() for one in mine
    }
    for scope in sorted({*known, *judged}):
        if scope[0] in seen.errors:
            continue
        rule = rules.by_id.get(scope[0])
        if rule is None or rule.rule_id not in seen.judged:
            _end(scope, known[scope], changes)
            continue
        _step_one(scope, known.get(scope), judged.get(scope), rule, changes, now=now)
    return changes


def _end(scope: Scope, row: RuleState, changes: Changes) -> None:
    """Its rule was switched off, or archived with all that it watched."""
    changes.gone.append(row.pk)
    if row.group is not None:
        changes.closing[scope[1], row.group.key] = NOT_IN_FORCE


def _step_one(
    scope: Scope,
    row: RuleState | None,
    judged: Judged | None,
    rule: InForce,
    changes: Changes,
    *,
    now: datetime,
) -> None:
    before = _state(row) if row else None
    after, act = step(before, judged, rule, now=now)
    if after is None:
        if row is not None:
            changes.gone.append(row.pk)
        return
    key = scope[1], f"{rule.slug}:{scope[2]}"
    changes.states[scope] = _row(scope, after, judged, row, rule)
    is_closed_by_hand = act is Act.REFRESH and not (row and row.group and row.group.is_open)
    if act in (Act.FIRE, Act.REOPEN, Act.REFRESH) and judged is not None and not is_closed_by_hand:
        changes.opening[scope] = _finding(key, judged, after, rule)
    if act is Act.REOPEN:
        changes.reopening[key] = rule.cooldown
    if act is Act.RESOLVE:
        changes.closing[key] = OVER.format(_minutes(rule.resolve_after))


def _minutes(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _state(row: RuleState) -> State:
    return State(
        standing=Standing(row.standing),
        severity=Severity(row.severity),
        true_count=row.true_count,
        true_since=row.true_since,
        evaluated_at=row.evaluated_at,
        fired_at=row.fired_at,
        clear_since=row.clear_since,
        over_at=row.over_at,
        group_id=row.group_id,
    )


def _row(
    scope: Scope, after: State, judged: Judged | None, row: RuleState | None, rule: InForce
) -> RuleState:
    return RuleState(
        rule_id=scope[0],
        origin=scope[1],
        scope=scope[2],
        version_id=rule.version_id,
        service_id=judged.service_id if judged else row.service_id if row else None,
        group_id=after.group_id,
        standing=after.standing,
        severity=after.severity,
        true_count=after.true_count,
        true_since=after.true_since,
        fired_at=after.fired_at,
        clear_since=after.clear_since,
        over_at=after.over_at,
        evaluated_at=after.evaluated_at,
        value=judged.value if judged else None,
        limit=judged.limit if judged else None,
        text=(judged.text if judged else "No data any more")[:300],
    )


def _finding(key: Key, judged: Judged, after: State, rule: InForce) -> Finding:
    inputs = {"value": judged.value, "limit": judged.limit, "in_a_row": after.true_count} | dict(
        judged.inputs
    )
    return Finding(
        key=key[1],
        origin=key[0],
        title=judged.title,
        text=judged.text,
        severity=after.severity,
        rule_id=rule.rule_id,
        condition=judged.condition,
        service_id=judged.service_id,
        team_id=judged.team_id,
        found=Found(inputs=inputs, windows=dict(judged.windows)),
    )


def _write(changes: Changes, rules: Rules, *, trigger: str, now: datetime) -> None:
    opened = findings.open_findings(
        list(changes.opening.values()),
        now=now,
        trigger=trigger,
        reopening=changes.reopening,
        rules=rules,
    )
    findings.close_findings(changes.closing, now=now, trigger=trigger, rules=rules)
    for scope, finding in changes.opening.items():
        group: AlertGroup | None = opened.get(finding.place)
        changes.states[scope].group_id = group.pk if group else None
    RuleState.objects.filter(pk__in=changes.gone).delete()
    states = [changes.states[scope] for scope in sorted(changes.states)]
    upsert_rows(states, unique=("rule", "origin", "scope"), fields=_UPDATED)


_UPDATED = [
    "version", "service", "group", "standing", "severity", "true_count", "true_since", "fired_at", "clear_since",
    "over_at", "evaluated_at", "value", "limit", "text",
]  # fmt: skip


def _note(rules: Rules, seen: Seen, *, now: datetime) -> None:
    """When each rule was looked at; a rule that raised is a finding for its owner, until it goes through again."""
    failed = dict(Rule.objects.exclude(failed_at=None).values_list("pk", "slug"))
    healthy = [rule.rule_id for rule in sampled(rules) if rule.rule_id not in seen.errors]
    Rule.objects.filter(pk__in=healthy).update(evaluated_at=now, failed_at=None)
    Rule.objects.filter(pk__in=seen.errors).update(failed_at=now)
    well_again = {(Origin.LIVE.value, f"rule_error:{failed[pk]}"): "It goes through again"
                  for pk in failed if pk not in seen.errors}  # fmt: skip
    findings.close_findings(well_again, now=now, rules=rules)
    raised = [_raised(rules.by_id[pk], error, rules) for pk, error in sorted(seen.errors.items())]
    findings.open_findings(raised, now=now, rules=rules)


def _raised(rule: InForce, error: str, rules: Rules) -> Finding:
    return Finding(
        key=f"rule_error:{rule.slug}",
        title=f"The rule {rule.name} raised an error",
        text=f"It saw nothing this minute; the other rules did. {error}",
        severity=Severity.ERROR,
        detector="console_failure",
        condition=RAISED,
        team_id=rule.team_id,
        found=Found(inputs={"rule": rule.slug, "version": rule.number}),
    )
