"""What the palette finds as one types: things by their name, and acts on a group by its number or name.

Six queries at most, each for a handful of rows and led by an index; only what the person may see and do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from console.alerts.models import AlertGroup, GroupStatus
from console.fleet.models import Machine, Service
from console.fleet.queries import machines_named
from console.interruptions.models import Interruption
from console.lib.origin import Origin
from console.runbooks.models import Runbook

MOST_OF_A_KIND = 5
LEAST_LETTERS = 2
LONGEST = 100
VERBS = {
    "acknowledge": ("Acknowledge", "user-check"),
    "silence": ("Silence for 30 minutes", "bell-off"),
    "escalate": ("Escalate", "siren"),
    "resolve": ("Resolve", "circle-check"),
    "reopen": ("Re-open", "history"),
}
ACT = re.compile(r"(?P<verb>[a-z-]+)\s+(?:group\s+)?#?(?P<what>.+)", re.IGNORECASE)
NUMBER = re.compile(r"#?(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the palette. With `post` choosing it does something, else it opens `url`."""

    label: str
    hint: str
    icon: str
    url: str = ""
    post: str = ""
    values: tuple[tuple[str, str], ...] = ()
    ask: str = ""
    """Asked before `post`, where it cannot be undone or needs to be meant."""

    @property
    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"values": dict(self.values)}


def find(typed: str, *, origin: Origin, may_act: bool, now: datetime) -> list[Found]:
    """Acts first, then groups, services, runbooks, reclaims and machines."""
    q = typed.strip()[:LONGEST]
    if (match := ACT.fullmatch(q)) and (verb := _verb(match["verb"])):
        return list(_acts(verb, match["what"], origin=origin, now=now)) if may_act else []
    if not NUMBER.fullmatch(q) and len(q) < LEAST_LETTERS:
        return []
    return [
        *_groups(q, origin=origin, now=now),
        *_services(q, origin=origin),
        *_runbooks(q, origin=origin),
        *_machines(q, origin=origin),
    ]


def _verb(typed: str) -> str:
    """`ack` is enough, as far as only one verb begins so."""
    found = [verb for verb in VERBS if verb.startswith(typed.lower().replace("re-open", "reopen"))]
    return found[0] if len(found) == 1 and len(typed) > 2 else ""


def _acts(verb: str, what: str, *, origin: Origin, now: datetime) -> Iterator[Found]:
    label, icon = VERBS[verb]
    for group in _matching(what, origin=origin):
        if not _can(verb, group, now=now):
            continue
        firing = group.running_out_count if verb == "resolve" else 0
        ask = f"{firing} of its machines still run out. Resolve all the same?" if firing else ""
        if verb == "escalate":
            ask = f"The next level of {group.title} is told now."
        values = {"silence": (("minutes", "30"),), "resolve": (("sure", "yes"),) if firing else ()}
        yield Found(
            label=f"{label}: #{group.pk} {group.title}",
            hint=_state(group, now=now),
            icon=icon,
            post=reverse("alerts:group_action", args=[group.pk, verb]),
            values=values.get(verb, ()),
            ask=ask,
        )


def _can(verb: str, group: AlertGroup, *, now: datetime) -> bool:
    match verb:
        case "acknowledge":
            return group.status == GroupStatus.TRIGGERED
        case "reopen":
            return not group.is_open
        case "escalate" | "silence":
            return group.is_open and not group.is_silenced(now=now)
    return group.is_open


def _matching(what: str, *, origin: Origin) -> list[AlertGroup]:
    """One by its number; by name the open ones, those nobody has first."""
    rows = AlertGroup.objects.of_origin(origin).select_related("acknowledged_by")
    if number := NUMBER.fullmatch(what.strip()):
        return list(rows.filter(pk=int(number[1])))
    words = Q()
    for word in what.split()[:8]:
        words &= Q(title__icontains=word) | Q(impact__icontains=word)
    return list(rows.open().filter(words).order_by("-status", "-triggered_at", "-pk")[:MOST_OF_A_KIND])


def _groups(q: str, *, origin: Origin, now: datetime) -> Iterator[Found]:
    for group in _matching(q, origin=origin):
        url = reverse("alerts:group_detail", args=[group.pk])
        yield Found(f"#{group.pk} {group.title}", f"group · {_state(group, now=now)}", "bell", url)


def _state(group: AlertGroup, *, now: datetime) -> str:
    if group.is_open and group.is_silenced(now=now):
        return "silenced"
    if group.status == GroupStatus.ACKNOWLEDGED:
        return f"{group.holder} has it"
    return str(group.get_status_display()).lower()


def _services(q: str, *, origin: Origin) -> Iterator[Found]:
    rows = Service.objects.filter(origin=origin, archived_at=None).select_related("team")
    rows = rows.filter(Q(name__icontains=q) | Q(slug__icontains=q)).order_by("name", "pk")
    for service in rows[:MOST_OF_A_KIND]:
        hint = f"service · {service.team.name}" if service.team else "service"
        yield Found(service.name, hint, "boxes", reverse("fleet:service_detail", args=[service.slug]))


def _runbooks(q: str, *, origin: Origin) -> Iterator[Found]:
    rows = Runbook.objects.in_use().shown_with(origin).filter(Q(name__icontains=q) | Q(slug__icontains=q))
    for runbook in rows.order_by("name", "pk")[:MOST_OF_A_KIND]:
        url = reverse("runbooks:runbook_detail", args=[runbook.slug])
        yield Found(runbook.name, "runbook", "book-open-check", url)


def _machines(q: str, *, origin: Origin) -> Iterator[Found]:
    """Machines whose name begins so, and the newest reclaim of each; a reclaim by the beginning of its key."""
    named = machines_named(q, origin=origin) or []
    reclaims = Interruption.objects.of_origin(origin).filter(merged_into=None)
    about = reclaims.filter(machine__in=named[:200]) if named else reclaims.filter(key=q)
    for row in about.select_related("machine", "service").order_by("-started_at", "-pk")[:MOST_OF_A_KIND]:
        url = reverse("dashboards:interruption_detail", args=[row.pk])
        hint = f"reclaim · {row.service.name} · {row.get_state_display().lower()}"
        yield Found(str(row.machine), hint, "zap", url)
    for machine in Machine.objects.filter(pk__in=named[:MOST_OF_A_KIND]).order_by("pk"):
        url = f"{reverse('fleet:instance_list')}?{urlencode({'q': machine.instance_id})}"
        yield Found(str(machine), "machine", "server", url)
