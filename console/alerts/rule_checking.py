"""What keeps a rule from being published, and what whoever publishes it should know first.

Refused: limits at which it could never hold, a scope that nothing is in, times that contradict each other.
Warned of: it would have held nearly all the time, looked back over the last 7 days of stored rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.alerts.detecting import CLASSES, Asked, Detector, Given, Judged, Kind, Subject, counted
from console.alerts.detectors.cascade import Limits, Reclaim, Stock, find_cascade
from console.alerts.models import Decision, RuleVersion
from console.alerts.readings.services import read_services
from console.alerts.registry import known
from console.alerts.rules_in_force import NARROWNESS, InForce, in_force
from console.fleet.models import Pool, Service, Team
from console.lib.origin import Origin
from console.lib.rows import fetch

LOOKED_BACK = timedelta(days=7)
EVERY = timedelta(hours=12)
CONSTANTLY = 0.5
"""It held at so many of the looks: people would learn not to look."""
MOST_COOLDOWN = timedelta(days=7)

_RECLAIMS = """
SELECT m.provider, m.region, m.zone, i.id, i.machine_id, i.pool_id, i.started_at
FROM interruptions_interruption i JOIN fleet_machine m ON m.id = i.machine_id
WHERE i.origin = %s AND i.started_at > %s AND i.started_at <= %s AND i.cause = 'spot' AND NOT i.is_late
  AND i.state NOT IN ('at_risk', 'no_action', 'cancelled') AND m.provider <> ''
ORDER BY i.started_at, i.id
"""
_STOCKS = """
SELECT p.id, p.provider, p.region, p.zone, count(*) FROM fleet_runninginterval r JOIN fleet_pool p ON p.id = r.pool_id
WHERE r.origin = %s AND r.lifecycle = 'spot' AND r.started_at <= %s AND (r.ended_at IS NULL OR r.ended_at > %s)
GROUP BY p.id
"""


@dataclass(frozen=True, slots=True)
class Past:
    """What a version would have done in the last 7 days."""

    words: str
    is_constant: bool = False
    """It would have held nearly all the time: a warning."""


def faults(version: RuleVersion) -> list[str]:
    """Why it cannot be published; each a sentence that says what to do."""
    detector = known()[version.rule.detector]
    return [
        *_limits(version, detector),
        *_times(version),
        *_scope(version, detector),
        *_table(version, detector),
    ]


def _limits(version: RuleVersion, detector: Detector) -> Iterator[str]:
    given = detector.defaults | version.thresholds
    for limit in detector.thresholds:
        value = given[limit.name]
        if not limit.least <= value <= limit.most:
            most = "" if limit.most == float("inf") else f" and {limit.most:,g}"
            yield f"{limit.label}: it could never hold at {value:g}. Choose between {limit.least:g}{most}."
        elif limit.is_whole and value != int(value):
            yield f"{limit.label}: write a whole number."
    unknown = set(version.thresholds) - {limit.name for limit in detector.thresholds}
    yield from (f"This detector has no limit {name}." for name in sorted(unknown))
    if not unknown:
        yield from detector.impossible(given)


def _times(version: RuleVersion) -> Iterator[str]:
    row = timedelta(minutes=version.evaluations)
    if version.cooldown < row:
        yield "The cooldown is shorter than the looks it takes to fire: it would open again as it closes."
    if version.resolve_after < timedelta(minutes=1):
        yield "It needs to be over for at least a minute, which is how often it is looked at."
    if version.cooldown > MOST_COOLDOWN or version.resolve_after > MOST_COOLDOWN:
        yield "Cooldown and resolve delay are at most 7 days."
    if version.evaluations > 60:
        yield "At most 60 looks in a row."


def _scope(version: RuleVersion, detector: Detector) -> Iterator[str]:
    scope = {part: wanted for part, wanted in version.scope.items() if wanted}
    if unknown := set(scope) - set(NARROWNESS):
        yield f"A scope names service, team, pool or label, not {', '.join(sorted(unknown))}."
        return
    if scope and detector.subject in (Subject.FEED, Subject.CONSOLE):
        yield "This detector is not about services: leave the scope empty."
        return
    if (name := scope.get("service")) and not Service.objects.filter(slug=name, archived_at=None).exists():
        yield f"The scope is empty: there is no service {name}."
    if (name := scope.get("team")) and not Team.objects.filter(slug=name).exists():
        yield f"The scope is empty: there is no team {name}."
    if (name := scope.get("pool")) and not _has_pool(name):
        yield f"The scope is empty: there is no pool {name}. Write it as provider/region/zone/type."
    if (name := scope.get("label")) and not name.partition("=")[2]:
        yield "Write the label as name=value."
    if version.group_by not in detector.groupings:
        yield f"Groups of this detector are for each {' or '.join(detector.groupings)}."


def _has_pool(name: str) -> bool:
    parts = dict(zip(("provider", "region", "zone", "instance_type"), name.split("/"), strict=False))
    return len(parts) == 4 and name.count("/") == 3 and Pool.objects.filter(**parts).exists()


def _table(version: RuleVersion, detector: Detector) -> Iterator[str]:
    allowed = {Decision.PAGE.value, Decision.TICKET.value, Decision.LOG.value}
    for condition in detector.conditions:
        given = version.table.get(condition.name, {})
        if set(given) != set(CLASSES) or not set(given.values()) <= allowed:
            yield f"{condition.label}: choose page, ticket or log for each class."
    if (
        version.is_enabled
        and not any(decision != Decision.LOG for line in version.table.values() for decision in line.values())
        and detector.name != "reclaim"
    ):
        yield "Every class is only logged: nobody would ever hear of it. Switch the rule off instead."


def past_of(version: RuleVersion, *, now: datetime, origin: str = Origin.LIVE) -> Past:
    """What it would have done; looked at a few times a day, by the very code that runs every minute."""
    rule = in_force(version)
    if rule.detector.name == "cascade":
        return _cascades(rule, now=now, origin=origin)
    if rule.detector.kind is Kind.EVENT or rule.detector.judge is None:
        return Past(
            "It follows events as they come; what it would have done shows in the receipts of its groups."
        )
    if not rule.detector.is_replayable:
        return _at_once(rule, now=now, origin=origin)
    return _looked_back(rule, now=now, origin=origin)


def _judged(rule: InForce, *, now: datetime, origin: str) -> list[Judged]:
    assert rule.detector.read is not None
    assert rule.detector.judge is not None
    services = read_services([origin])
    rows = rule.detector.read(Asked([origin], now))
    given = Given(rule.limits, services, now)
    mine = [one for one in rule.detector.judge(rows, given) if one.origin == origin]
    return [one for one in mine if rule.looks_at(services.get(one.service_id or 0))]


def _at_once(rule: InForce, *, now: datetime, origin: str) -> Past:
    """Where only the newest state is stored there is no looking back."""
    judged = _judged(rule, now=now, origin=origin)
    true = [one.scope for one in judged if one.is_true]
    words = f"Only the present is stored of what it looks at: it holds now for {len(true)} of {len(judged)}"
    return Past(f"{words}{_named(true)}.", is_constant=bool(judged) and len(true) > CONSTANTLY * len(judged))


def _looked_back(rule: InForce, *, now: datetime, origin: str) -> Past:
    looks = int(LOOKED_BACK / EVERY)
    held: Counter[str] = Counter()
    for number in range(looks):
        for one in _judged(rule, now=now - number * EVERY, origin=origin):
            held[one.scope] += one.is_true
    true = [scope for scope, count in held.most_common() if count]
    constant = [scope for scope in true if held[scope] > CONSTANTLY * looks]
    words = f"Looked at {looks} times over the last 7 days it would have held for {len(true)} of {len(held)}"
    if not constant:
        return Past(f"{words}{_named(true)}.")
    most = held[constant[0]]
    return Past(
        f"{words}; nearly all the time for {len(constant)}{_named(constant)} ({most} of {looks} looks).",
        is_constant=True,
    )


def _named(scopes: list[str]) -> str:
    more = f" and {len(scopes) - 3} more" if len(scopes) > 3 else ""
    return f": {', '.join(scopes[:3])}{more}" if scopes else ""


def _cascades(rule: InForce, *, now: datetime, origin: str) -> Past:
    """The waves that its limits would have opened, over what runs now."""
    rows = fetch(_RECLAIMS, [origin, now - LOOKED_BACK, now])
    stocks: dict[tuple[str, ...], dict[int, Stock]] = {}
    for pool, provider, region, zone, running in fetch(_STOCKS, [origin, now, now]):
        stocks.setdefault((provider, region, zone), {})[pool] = Stock(running)
    limits, waves = Limits.of(rule.limits), 0
    for place, bunch in _bunches(rows):
        found = find_cascade(bunch, stocks.get(place, {}), fresh={one.id for one in bunch}, limits=limits)
        waves += found is not None
    days = LOOKED_BACK / timedelta(days=1)
    words = f"{counted(len(rows), 'reclaim')} of the last 7 days would have been {counted(waves, 'wave')}."
    return Past(words, is_constant=waves > 10 * days)


def _bunches(rows: list[tuple[object, ...]]) -> Iterator[tuple[tuple[str, ...], list[Reclaim]]]:
    """Reclaims of one zone with gaps of at most ten minutes."""
    open_bunches: dict[tuple[str, ...], list[Reclaim]] = {}
    for provider, region, zone, *values in rows:
        place, one = (str(provider), str(region), str(zone)), Reclaim(*values)  # type: ignore[arg-type]
        bunch = open_bunches.setdefault(place, [])
        if bunch and one.started_at - bunch[-1].started_at > timedelta(minutes=10):
            yield place, bunch
            bunch = open_bunches[place] = []
        bunch.append(one)
    yield from ((place, bunch) for place, bunch in open_bunches.items() if bunch)
