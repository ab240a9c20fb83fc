"""Groups that rules open without members: about a service, a feed, the console. One is open for a key.

A finding is opened, kept current and closed by whoever sees what it is about; here it is written, many at a time,
with its history, its receipt and its announcement.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from console.alerts import routing, silences
from console.alerts.detecting import HOLDS
from console.alerts.escalation.following import follow
from console.alerts.models import (
    AlertEvent,
    AlertGroup,
    EventKind,
    GroupStatus,
    Resolution,
    Severity,
)
from console.alerts.rules_in_force import Rules, read_rules
from console.alerts.touched import Found, Touched
from console.lib.bulk import update_rows
from console.lib.live import announce
from console.lib.origin import Origin

Key = tuple[str, str]
"""Origin and key."""
IMPACT_LENGTH, TITLE_LENGTH, KEY_LENGTH = 300, 200, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is the matter with one thing. `detector` names the rule, where `rule_id` does not."""

    key: str
    title: str
    text: str
    severity: Severity
    origin: str = Origin.LIVE
    detector: str = ""
    rule_id: int | None = None
    condition: str = HOLDS
    service_id: int | None = None
    team_id: int | None = None
    found: Found = field(default_factory=Found)

    @property
    def place(self) -> Key:
        return self.origin, self.key[:KEY_LENGTH]


def open_findings(
    findings: Sequence[Finding],
    *,
    now: datetime,
    trigger: str = "",
    reopening: Mapping[Key, timedelta] | None = None,
    rules: Rules | None = None,
) -> dict[Key, AlertGroup]:
    """Open the groups of these, or tell the open ones what is known now. Decided on where there is news.

    `reopening`: the keys whose newest group is opened again instead, and the cooldown that it is under.
    """
    if not findings:
        return {}
    with transaction.atomic():
        in_force = rules or read_rules(now=now)
        wanted = {finding.place: finding for finding in findings}
        known = _locked(wanted)
        fresh = _reopen({key: (reopening or {}).get(key) for key in wanted if key not in known}, now=now)
        missing = [key for key in sorted(wanted) if key not in known and key not in fresh]
        rows = [new_group(wanted[key], in_force, now=now) for key in missing]
        AlertGroup.objects.bulk_create(rows, ignore_conflicts=True)
        groups = _locked(wanted) if missing or fresh else known
        opened = [key for key in groups if key not in known]
        silences.carry_over([groups[key] for key in opened if key not in fresh], now=now)
        events = [_opened(groups[key], wanted[key], is_again=key in fresh, now=now) for key in sorted(opened)]
        changed = [key for key in groups if bring_up(groups[key], wanted[key], in_force, events, now=now)]
        _write([groups[key] for key in sorted({*changed, *opened})])
        AlertEvent.objects.bulk_create(events)
        news = [key for key in groups if key in opened or _is_news(groups[key], events)]
        _decide(news, groups, wanted, trigger or _trigger("opened", now), in_force, now=now)
        announce("groups", ids=sorted(groups[key].pk for key in {*changed, *opened}))
    return groups


def close_findings(
    keys: Mapping[Key, str], *, now: datetime, trigger: str = "", rules: Rules | None = None
) -> int:
    """They are over: resolve the open groups of these keys, each with its last sentence. How many there were."""
    with transaction.atomic():
        groups = _locked(keys)
        events = []
        for key, group in groups.items():
            end(group, now=now)
            events.append(AlertEvent(group=group, at=now, kind=EventKind.RESOLVED, text=keys[key]))
        if not groups:
            return 0
        closed = [
            "status",
            "resolution",
            "resolved_at",
            "cooldown_until",
            "due_at",
            "version",
        ]
        update_rows(list(groups.values()), closed)
        AlertEvent.objects.bulk_create(events)
        rows = list(groups.values())
        triggers = {group.pk: trigger or _trigger("resolved", now) for group in rows}
        routing.decide(Touched(groups=rows, triggers=triggers), now=now, rules=rules)
        follow([group.pk for group in rows], now=now)
        announce("groups", ids=[group.pk for group in rows])
    return len(groups)


def open_finding(
    key: str,
    *,
    title: str,
    text: str,
    severity: Severity,
    now: datetime,
    origin: str = Origin.LIVE,
    detector: str = "console_failure",
    condition: str = HOLDS,
    team_id: int | None = None,
    found: Found | None = None,
) -> AlertGroup:
    """Open the group of `key`, or tell the open one what is known now."""
    finding = Finding(
        key=key,
        title=title,
        text=text,
        severity=severity,
        origin=origin,
        detector=detector,
        condition=condition,
        team_id=team_id,
        found=found or Found(),
    )
    return open_findings([finding], now=now)[finding.place]


def close_finding(key: str, *, text: str, now: datetime, origin: str = Origin.LIVE) -> None:
    """It is over: resolve the open group of `key`, if there is one."""
    close_findings({(origin, key): text}, now=now)


def _locked(keys: Collection[Key] | Mapping[Key, Any]) -> dict[Key, AlertGroup]:
    wanted = set(keys)
    rows = AlertGroup.objects.open().filter(key__in={key for _, key in wanted})
    rows = rows.filter(origin__in={origin for origin, _ in wanted})
    locked = rows.select_for_update(of=("self",)).order_by("pk")
    return {(row.origin, row.key): row for row in locked if (row.origin, row.key) in wanted}


def _reopen(wanted: Mapping[Key, timedelta | None], *, now: datetime) -> set[Key]:
    """The newest closed group of each key that has a cooldown, open once more."""
    cooldowns = {key: cooldown for key, cooldown in wanted.items() if cooldown is not None}
    if not cooldowns:
        return set()
    rows = AlertGroup.objects.filter(status=GroupStatus.RESOLVED, key__in={key for _, key in cooldowns})
    newest = rows.order_by("origin", "key", "-resolved_at", "-pk").distinct("origin", "key")
    ids = [row.pk for row in newest if (row.origin, row.key) in cooldowns]
    groups = list(AlertGroup.objects.filter(pk__in=ids).select_for_update().order_by("pk"))
    for group in groups:
        begin_again(group, cooldown=cooldowns[group.origin, group.key], now=now)
    fields = [
        "status",
        "resolution",
        "resolved_at",
        "resolved_by",
        "cooldown_until",
        "due_at",
        "silenced_until",
    ]
    update_rows(groups, fields)
    return {(group.origin, group.key) for group in groups}


def begin_again(group: AlertGroup, *, cooldown: timedelta, now: datetime) -> None:
    """A closed group is open again, under its cooldown. Pure: replay calls it too."""
    closed_at = group.resolved_at or now
    group.status = GroupStatus.ACKNOWLEDGED if group.acknowledged_at else GroupStatus.TRIGGERED
    group.resolution, group.resolved_at, group.resolved_by = "", None, None
    group.cooldown_until = closed_at + cooldown
    group.due_at = group.cooldown_until
    silences.keep(group, now=now)


def end(group: AlertGroup, *, now: datetime) -> None:
    """It is over. Pure: replay calls it too."""
    group.status, group.resolution = GroupStatus.RESOLVED, Resolution.HEALED
    group.resolved_at = max(now, group.triggered_at)
    group.cooldown_until = group.due_at = None
    group.version += 1


def new_group(finding: Finding, rules: Rules, *, now: datetime) -> AlertGroup:
    origin, key = finding.place
    return AlertGroup(
        origin=origin,
        key=key,
        title=finding.title[:TITLE_LENGTH],
        impact=finding.text[:IMPACT_LENGTH],
        severity=finding.severity,
        service_id=finding.service_id,
        team_id=finding.team_id,
        rule_id=_rule_of(finding, rules),
        condition=finding.condition,
        triggered_at=now,
        last_news_at=now,
    )


def _rule_of(finding: Finding, rules: Rules) -> int | None:
    if finding.rule_id is not None:
        return finding.rule_id
    rule = rules.widest(finding.detector)
    return rule.rule_id if rule else None


def _opened(group: AlertGroup, finding: Finding, *, is_again: bool, now: datetime) -> AlertEvent:
    kind = EventKind.REOPENED if is_again else EventKind.TRIGGERED
    return AlertEvent(group=group, at=now, kind=kind, text=finding.text)


def bring_up(
    group: AlertGroup, finding: Finding, rules: Rules, events: list[AlertEvent], *, now: datetime
) -> bool:
    """Bring one open group up to what is known. False: nothing differs. Pure."""
    told = (finding.title[:TITLE_LENGTH], finding.text[:IMPACT_LENGTH], finding.severity, finding.condition)
    rule_id = _rule_of(finding, rules)
    before = (group.title, group.impact, group.severity, group.condition)
    if before == told and group.rule_id == rule_id:
        return False
    if group.severity != finding.severity:
        data = {"from": str(group.severity), "to": finding.severity.value}
        text = f"{finding.severity.label}: {finding.text}"[:IMPACT_LENGTH]
        events.append(AlertEvent(group=group, at=now, kind=EventKind.SEVERITY, text=text, data=data))
    elif group.condition != finding.condition:
        events.append(AlertEvent(group=group, at=now, kind=EventKind.SEVERITY, text=finding.text))
    group.title, group.impact, group.severity, group.condition = told
    group.rule_id, group.last_news_at = rule_id, now
    group.version += 1
    return True


def _is_news(group: AlertGroup, events: Sequence[AlertEvent]) -> bool:
    """It got better or worse; other figures of the same are no reason to decide once more."""
    return any(event.group_id == group.pk for event in events)


def _write(groups: Sequence[AlertGroup]) -> None:
    fields = ["title", "impact", "severity", "condition", "rule", "last_news_at", "version"]
    update_rows(groups, fields)


def _decide(
    keys: Sequence[Key],
    groups: Mapping[Key, AlertGroup],
    wanted: Mapping[Key, Finding],
    trigger: str,
    rules: Rules,
    *,
    now: datetime,
) -> None:
    rows = [groups[key] for key in keys]
    touched = Touched(
        groups=rows,
        triggers={group.pk: trigger for group in rows},
        found={groups[key].pk: wanted[key].found for key in keys},
    )
    routing.decide(touched, now=now, rules=rules)
    follow([group.pk for group in rows], now=now)


def _trigger(word: str, now: datetime) -> str:
    return f"{word}:{now:%Y-%m-%dT%H:%M:%S.%f}"
