"""Reclaims without notice open a group for whoever owns the feed that should have told, `no_notice:<feed>`.

From so many on as the rule `no_notice` says they are a ticket. What is late or historic opens nothing, and a group
that a person has closed opens again only for a reclaim heard of since. It closes by itself an hour after the last
such reclaim, or when a notice that was merely slow arrives for each of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from console.alerts.detectors.unnoticed import (
    DETECTOR,
    FEW,
    MANY,
    Listener,
    Missed,
    Unnoticed,
    find_missed,
)
from console.alerts.findings import close_finding, open_finding
from console.alerts.models import AlertGroup, GroupStatus, Severity
from console.alerts.rules_in_force import read_rules
from console.alerts.touched import Found
from console.feeds.models import Feed
from console.interruptions.models import Interruption, State
from console.lib.origin import Origin
from console.lib.rows import fetch

PREFIX = "no_notice:"
WATCHED = (Origin.LIVE, Origin.SAMPLE, Origin.DRILL)
QUIET = timedelta(hours=1)
SETTLING = timedelta(seconds=30)
"""A notice may come by a slower channel than the proof: only after this long is it missing."""
MOST = 500
NAMED = 3

_WITNESSES = """
SELECT interruption_id, array_agg(DISTINCT feed_id) FROM interruptions_observation
WHERE interruption_id = ANY(%(ids)s) AND received_at >= %(since)s GROUP BY interruption_id
"""


@transaction.atomic
def watch_notices(*, now: datetime) -> list[str]:
    """Open, refresh and close the groups of every origin; the keys that are open for a reason now."""
    return [key for origin in WATCHED for key in _watch(origin, now=now)]


def _watch(origin: Origin, *, now: datetime) -> list[str]:
    groups = AlertGroup.objects.of_origin(origin).filter(key__startswith=PREFIX)
    still = set(groups.open().values_list("key", flat=True))
    reclaims = _unnoticed(origin, now=now)
    missed = find_missed(reclaims, _listeners(origin)) if reclaims else []
    closed = dict(
        groups.filter(status=GroupStatus.RESOLVED, key__in=[PREFIX + one.scope for one in missed])
        .order_by()
        .values_list("key")
        .annotate(at=Max("resolved_at"))
    )
    keys = []
    rule = read_rules(now=now).widest("no_notice") if missed else None
    many = rule.limits["many"] if rule else DETECTOR.defaults["many"]
    for one in missed:
        key = PREFIX + one.scope
        since = closed.get(key)
        if key not in still and since and all(heard <= since for heard in _heard(one)):
            continue
        _open(one, key, many, origin=origin, now=now)
        keys.append(key)
    for key in sorted(still - set(keys)):
        text = "For an hour no reclaim came without notice, or the notices came after all"
        close_finding(key, text=text, now=now, origin=origin)
    return keys


def _open(one: Missed, key: str, many: float, *, origin: Origin, now: datetime) -> None:
    title, text = _words(one)
    open_finding(
        key,
        title=title,
        text=text,
        severity=Severity.WARNING,
        now=now,
        origin=origin,
        detector="no_notice",
        condition=MANY if len(one.reclaims) >= many else FEW,
        team_id=one.teller.team_id if one.teller else None,
        found=Found(
            inputs={"reclaims": len(one.reclaims), "ticket_from": many},
            windows={"long": {"since": (now - QUIET).isoformat(), "until": now.isoformat()}},
        ),
    )


def _heard(one: Missed) -> list[datetime]:
    rows = Interruption.objects.filter(pk__in=[reclaim.id for reclaim in one.reclaims])
    return list(rows.values_list("first_received_at", flat=True))


def _unnoticed(origin: Origin, *, now: datetime) -> list[Unnoticed]:
    """The counted reclaims of the last hour that are over, were heard of in time, and had no notice."""
    rows = list(
        Interruption.objects.of_origin(origin)
        .counted()
        .filter(
            started_at__gt=now - QUIET,
            first_received_at__lte=now - SETTLING,
            notice_at=None,
            state=State.ENDED,
            is_late=False,
        )
        .select_related("machine")
        .order_by("-started_at", "-pk")[:MOST]
    )
    if not rows:
        return []
    values = {"ids": [row.pk for row in rows], "since": min(row.first_received_at for row in rows)}
    witnesses = {pk: frozenset(feeds) for pk, feeds in fetch(_WITNESSES, values)}
    return [
        Unnoticed(
            row.pk,
            str(row.machine),
            row.provider,
            row.machine.account,
            row.region,
            row.started_at,
            row.machine.heartbeat_at,
            witnesses.get(row.pk, frozenset()),
        )
        for row in rows
    ]


def _listeners(origin: Origin) -> list[Listener]:
    rows = Feed.objects.of_origin(origin).filter(paused_at=None).select_related("team").order_by("pk")
    return [
        Listener(f.pk, f.slug, f.name, f.kind, f.account, f.region, f.team.name if f.team else "", f.team_id)
        for f in rows
    ]


def _words(one: Missed) -> tuple[str, str]:
    """The title, and a text whose first sentences stand alone: a board shows no more than these."""
    count, teller = len(one.reclaims), one.teller
    machines = "1 machine" if count == 1 else f"{count} machines"
    title = f"{machines} reclaimed without notice: {teller.name if teller else one.scope}"
    if teller is None:
        text = [f"No feed is connected that could have told ahead of time for {one.scope}: connect one."]
    else:
        owner = (
            f"For {teller.team}." if teller.team else "Nobody owns this feed: name a team in its settings."
        )
        text = [f"{teller.name} should have told of them before they went. {owner}"]
    silent = [feed.name for feed in one.silent]
    if silent:
        text.append(f"Silent: {', '.join(silent[:NAMED])}{_more(len(silent))}.")
    text += [_line(reclaim) for reclaim in one.reclaims[:NAMED]]
    if count > NAMED:
        text.append(f"And {count - NAMED} more.")
    return title[:200], " ".join(text)


def _more(count: int) -> str:
    return f" and {count - NAMED} more" if count > NAMED else ""


def _line(one: Unnoticed) -> str:
    agent = f"agent last heard {one.heartbeat_at:%H:%M:%S} UTC" if one.heartbeat_at else "no agent ever heard"
    told = "1 feed" if len(one.witnesses) == 1 else f"{len(one.witnesses)} feeds"
    return f"{one.machine} at {one.started_at:%H:%M:%S} UTC: {told} told afterwards; {agent}."
