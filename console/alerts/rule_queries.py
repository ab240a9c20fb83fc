"""What the pages of rules show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q

from console.alerts.detecting import CLASSES, PLATFORM, Detector, Kind
from console.alerts.models import AlertGroup, Decision, Receipt, Rule, RuleState, RuleVersion, Standing
from console.alerts.registry import known
from console.fleet.models import Criticality
from console.lib.durations import in_words

LOOKED_BACK = timedelta(days=30)
MOST_STATES, MOST_RECEIPTS = 50, 20
CLASS_LABELS = {**dict(Criticality.choices), PLATFORM: "No service"}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A line of the list."""

    rule: Rule
    detector: Detector
    version: RuleVersion | None
    has_draft: bool
    firing: int
    pending: int
    told: Mapping[str, int]
    """Pages, tickets and suppressed ones of the last 30 days."""
    last_told_at: datetime | None

    @property
    def state(self) -> str:
        if self.version is None:
            return "draft"
        if not self.version.is_enabled:
            return "disabled"
        if self.rule.failed_at is not None:
            return "failed"
        return "firing" if self.firing else "quiet"

    @property
    def state_label(self) -> str:
        words = {"draft": "Never published", "disabled": "Switched off", "failed": "Raises errors"}
        return words.get(self.state) or (f"Firing for {self.firing}" if self.firing else "Quiet")

    @property
    def told_count(self) -> int:
        return sum(self.told.values())

    @property
    def is_sampled(self) -> bool:
        return self.detector.kind is Kind.SAMPLED


def rule_rows(*, origin: str, now: datetime) -> list[RuleRow]:
    """Those that fire first, then by name; six statements, however many rules."""
    rules = [
        rule
        for rule in Rule.objects.select_related("team", "runbook").order_by("name", "pk")
        if rule.detector in known()
    ]
    published = RuleVersion.objects.published().order_by("rule_id", "-number").distinct("rule_id")
    versions = {version.rule_id: version for version in published.select_related("published_by")}
    drafts = set(RuleVersion.objects.drafts().values_list("rule_id", flat=True))
    firing, pending = _standing(origin)
    told, last = _told(origin, now=now)
    rows = [
        RuleRow(
            rule=rule,
            detector=known()[rule.detector],
            version=versions.get(rule.pk),
            has_draft=rule.pk in drafts,
            firing=firing.get(rule.pk, 0) + firing.get(rule.detector, 0) * (rule.slug == rule.detector),
            pending=pending.get(rule.pk, 0),
            told=told.get(rule.pk, {}),
            last_told_at=last.get(rule.pk),
        )
        for rule in rules
    ]
    return sorted(rows, key=lambda row: (not row.firing, row.version is None, row.rule.name))


def _standing(origin: str) -> tuple[dict[int | str, int], dict[int, int]]:
    """Scopes that fire, by rule, and by detector where the groups of services and waves say it; scopes that wait."""
    waiting = RuleState.objects.filter(origin=origin, standing=Standing.PENDING).values_list("rule")
    pending = {int(rule): number for rule, number in waiting.annotate(n=Count("pk")).order_by()}
    opened = AlertGroup.objects.of_origin(origin).open()
    by_rule = opened.exclude(rule=None).values_list("rule").annotate(n=Count("pk")).order_by()
    firing: dict[int | str, int] = {int(rule): number for rule, number in by_rule}
    is_service = Q(key__startswith="service:")
    counts = opened.aggregate(
        reclaim=Count("pk", filter=is_service),
        capacity_below_need=Count("pk", filter=is_service & Q(below_need_since__isnull=False)),
        cascade=Count("pk", filter=Q(key__startswith="wave:") | Q(cascaded_at__isnull=False)),
    )
    return firing | counts, pending


def _told(origin: str, *, now: datetime) -> tuple[dict[int, dict[str, int]], dict[int, datetime]]:
    rows = (
        Receipt.objects.filter(
            origin=origin,
            rule_version__isnull=False,
            at__gte=now - LOOKED_BACK,
            decision__in=[Decision.PAGE, Decision.TICKET, Decision.SUPPRESS],
        )
        .values_list("rule_version__rule", "decision")
        .annotate(n=Count("pk"), last=Max("at"))
        .order_by()
    )
    told: dict[int, dict[str, int]] = defaultdict(Counter)
    newest: dict[int, datetime] = {}
    for rule, decision, number, last in rows:
        told[rule][decision] = number
        newest[rule] = max(last, newest.get(rule, last))
    return told, newest


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One limit of a version, in words."""

    name: str
    label: str
    value: str
    unit: str
    default: str

    @property
    def is_default(self) -> bool:
        return self.value == self.default


@dataclass(frozen=True, slots=True)
class TableLine:
    """One row of the table: its condition and, by class, what is done."""

    label: str
    decisions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two versions say differently."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RulePage:
    """Everything about one rule."""

    rule: Rule
    detector: Detector
    shown: RuleVersion
    newest: RuleVersion | None
    draft: RuleVersion | None
    versions: Sequence[RuleVersion]
    differences: Sequence[Difference]
    """From the version before the one that is shown."""
    limits: Sequence[LimitLine]
    table: Sequence[TableLine]
    facts: Sequence[dict[str, Any]]
    states: Sequence[RuleState] = field(default_factory=tuple)
    groups: Sequence[AlertGroup] = field(default_factory=tuple)
    receipts: Sequence[Receipt] = field(default_factory=tuple)


def rule_page(rule: Rule, *, number: int | None, origin: str) -> RulePage | None:
    """The version in force, or the one asked for; None where there is no such version."""
    related = ("published_by", "saved_by", "rule")
    versions = list(rule.versions.select_related(*related).order_by("-number"))
    published = [version for version in versions if version.is_published]
    draft = next((version for version in versions if not version.is_published), None)
    default = published[0] if published else draft
    shown = next((v for v in versions if v.number == number), None) if number else default
    if shown is None:
        return None
    detector = known()[rule.detector]
    before = next((version for version in published if version.number < shown.number), None)
    states = (
        rule.states.filter(origin=origin).select_related("service", "group").order_by("standing", "scope")
    )
    return RulePage(
        rule=rule,
        detector=detector,
        shown=shown,
        newest=published[0] if published else None,
        draft=draft,
        versions=published,
        differences=differences(before, shown, detector) if before else [],
        limits=limit_lines(shown, detector),
        table=table_lines(shown, detector),
        facts=_facts(shown, detector),
        states=list(states[:MOST_STATES]),
        groups=_open_groups(rule, origin),
        receipts=_receipts(published, origin),
    )


def _open_groups(rule: Rule, origin: str) -> list[AlertGroup]:
    """Of a rule that follows events: what is open because of it."""
    by_detector = {
        "cascade": Q(key__startswith="wave:") | Q(cascaded_at__isnull=False),
        "capacity_below_need": Q(key__startswith="service:", below_need_since__isnull=False),
        "reclaim": Q(key__startswith="service:"),
    }
    where = by_detector.get(rule.detector, Q(rule=rule))
    rows = AlertGroup.objects.of_origin(origin).open().filter(where)
    return list(rows.order_by("-triggered_at", "-pk")[:MOST_RECEIPTS])


def _receipts(versions: Sequence[RuleVersion], origin: str) -> list[Receipt]:
    """The newest times that somebody was told, or would have been but for a suppression."""
    told = Receipt.objects.filter(
        origin=origin,
        rule_version__in=[version.pk for version in versions],
        decision__in=[Decision.PAGE, Decision.TICKET, Decision.SUPPRESS],
    )
    return list(told.select_related("group", "rule_version").order_by("-at", "-pk")[:MOST_RECEIPTS])


def limit_lines(version: RuleVersion, detector: Detector) -> list[LimitLine]:
    given = detector.defaults | version.thresholds
    return [
        LimitLine(one.name, one.label, f"{given[one.name]:g}", one.unit, f"{one.default:g}")
        for one in detector.thresholds
    ]


def table_lines(version: RuleVersion, detector: Detector) -> list[TableLine]:
    return [
        TableLine(one.label, [version.table.get(one.name, one.row).get(of, "") for of in CLASSES])
        for one in detector.conditions
    ]


def _facts(version: RuleVersion, detector: Detector) -> list[dict[str, Any]]:
    looks = f"{version.evaluations} in a row, one a minute"
    facts = [
        {"name": "Looks at", "value": scope_words(version)},
        {"name": "Severity", "value": version.get_severity_display()},
        {
            "name": "Fires after",
            "value": looks if detector.kind is Kind.SAMPLED else "at once, when its rows change",
        },
    ]
    if detector.kind is Kind.SAMPLED:
        facts += [
            {"name": "Over after", "value": f"{in_words(version.resolve_after)} without it"},
            {"name": "One group for each", "value": version.group_by},
        ]
    facts.append({"name": "Cooldown", "value": in_words(version.cooldown)})
    return [{"copy": "", "url": "", "at": None, "copy_text": "", "missing": ""} | fact for fact in facts]


def scope_words(version: RuleVersion) -> str:
    parts = [f"{part} {wanted}" for part, wanted in version.scope.items() if wanted]
    return ", ".join(parts) or "everything that no narrower rule looks at"


def differences(before: RuleVersion, after: RuleVersion, detector: Detector) -> list[Difference]:
    """What a reader of two versions would have to look for."""
    old, new = dict(_flat(before, detector)), dict(_flat(after, detector))
    return [
        Difference(label, old.get(label, "not set"), new.get(label, "not set"))
        for label in dict.fromkeys([*old, *new])
        if old.get(label) != new.get(label)
    ]


def _flat(version: RuleVersion, detector: Detector) -> Iterator[tuple[str, str]]:
    yield "In force", "yes" if version.is_enabled else "switched off"
    yield "Looks at", scope_words(version)
    for limit in limit_lines(version, detector):
        yield limit.label, f"{limit.value} {limit.unit}".strip()
    for line in table_lines(version, detector):
        for of, decision in zip(CLASSES, line.decisions, strict=True):
            yield f"{line.label}, {CLASS_LABELS[of].lower()}", decision
    yield "Severity", str(version.get_severity_display())
    yield "Looks in a row", str(version.evaluations)
    yield "Over after", in_words(version.resolve_after)
    yield "Cooldown", in_words(version.cooldown)
    yield "One group for each", version.group_by
