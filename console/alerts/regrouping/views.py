"""Arranging groups by hand: one form an act, which works without script, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.alerts.actions import answer
from console.alerts.handling import By, NotPossible
from console.alerts.models import AlertGroup, Regrouping, RegroupingAct
from console.alerts.regrouping import acts
from console.alerts.regrouping.placing import lock, machines
from console.alerts.regrouping.taking_back import take_back
from console.alerts.regrouping.targets import machines_of, targets_of
from console.lib.asked import BIGGEST_ID

Act = RegroupingAct
MOST_AT_ONCE = 50
"""Groups arranged by one form."""


@dataclass(frozen=True, slots=True)
class Words:
    """How the form of one act speaks."""

    heading: str
    lead: str
    button: str
    has_targets: bool = True
    has_machines: bool = False


WORDS = {
    Act.MERGE: Words(
        "Merge into another group",
        "All machines go into the other group, which answers for them from now on. This one closes and its pages"
        " stop; what else its service loses joins the other one while that is open.",
        "Merge",
    ),
    Act.MOVE: Words(
        "Move machines to another group",
        "They stay where you put them, whatever service they turn out to be of.",
        "Move",
        has_machines=True,
    ),
    Act.SPLIT: Words(
        "Split machines off",
        "They become a group of their own, which nobody has yet and which is decided on by itself.",
        "Split off",
        has_targets=False,
        has_machines=True,
    ),
    Act.ATTACH: Words(
        "Put it under a wave",
        "It is taken and kept quiet as the wave is. It pages by itself only for a critical service below its need.",
        "Put under the wave",
    ),
    Act.DETACH: Words(
        "Take it out from under its wave",
        "It is told of by itself from now on, and the wave does not take it back.",
        "Take it out",
        has_targets=False,
    ),
}


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def regroup(request: HttpRequest, act: str) -> HttpResponse:
    """Ask where to, with which machines and why; then do it."""
    if act not in Act.values:
        raise Http404
    asked = request.POST if request.method == "POST" else request.GET
    ids = _ids(asked.getlist("group"))
    if len(ids) > MOST_AT_ONCE:
        messages.warning(request, f"{len(ids)} groups are ticked. Choose at most {MOST_AT_ONCE} at once.")
        return HttpResponseRedirect(reverse("alerts:group_list"))
    groups = list(AlertGroup.objects.filter(pk__in=ids).select_related("service", "parent").order_by("pk"))
    if not groups:
        messages.warning(request, "Tick some groups first.")
        return HttpResponseRedirect(reverse("alerts:group_list"))
    error, status = "", 200
    if request.method == "POST":
        by = By(user=signed_in(request), actor=Actor.of(request))
        try:
            with transaction.atomic():
                _lock_all(request, groups)
                done = _DO[Act(act)](request, groups, by, timezone.now())
        except NotPossible as refusal:
            error, status = str(refusal), 409
        else:
            return _done(request, done)
    return render(
        request, "alerts/regroup.html", _context(asked, Act(act), groups, error=error), status=status
    )


@require_POST
@role_required(Role.RESPONDER)
def regroup_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one act back: within ten seconds from the toast, and later from the group's page."""
    found = get_object_or_404(Regrouping, pk=pk)
    by = By(user=signed_in(request), actor=Actor.of(request))
    try:
        take_back(pk, by=by, now=timezone.now())
    except NotPossible as refusal:
        return answer(request, found.source_id, f"Not taken back. {refusal}", status=409)
    return answer(request, found.source_id, "Taken back.")


def _lock_all(request: HttpRequest, groups: Sequence[AlertGroup]) -> None:
    """Before the first of several acts, so that their locks are taken in the order of everybody's."""
    ids = {group.pk for group in groups} | {group.parent_id for group in groups if group.parent_id}
    lock(*sorted(ids | set(_ids([request.POST.get("into", "")]))))


def _context(asked: Any, act: Act, groups: Sequence[AlertGroup], *, error: str) -> dict[str, Any]:
    words = WORDS[act]
    several = act == Act.MERGE and len(groups) > 1
    others = targets_of(groups, act, asked=asked.get("q", "")) if words.has_targets else None
    return {
        "act": act.value,
        "words": words,
        "groups": groups,
        "group": groups[0],
        "is_several": several,
        "targets": others,
        "members": machines_of(groups[0]) if words.has_machines else [],
        "chosen": _ids(asked.getlist("m")),
        "into": (asked.get("into") or (str(groups[0].pk) if several else "")),
        "q": asked.get("q", ""),
        "reason": asked.get("reason", ""),
        "title": asked.get("title", ""),
        "error": error,
    }


def _done(request: HttpRequest, done: Sequence[Regrouping]) -> HttpResponse:
    """To where the machines are now, with the way back."""
    last = done[-1]
    moved = sum(len(one.members) for one in done)
    text = f"{last.get_act_display()}: {machines(moved)}." if moved else f"{last.get_act_display()}."
    undo = reverse("alerts:regroup_undo", args=[last.pk]) if len(done) == 1 else ""
    messages.success(request, text, extra_tags=f"undo:{undo}" if undo else "")
    shown = last.source_id if last.act in (Act.ATTACH, Act.DETACH) else last.target_id
    return HttpResponseRedirect(reverse("alerts:group_detail", args=[shown]))


def _merge(request: HttpRequest, groups: Sequence[AlertGroup], by: By, now: datetime) -> list[Regrouping]:
    into, reason = _into(request), request.POST.get("reason", "")
    sources = [group.pk for group in groups if group.pk != into]
    if not sources:
        raise NotPossible("Choose another group than this one.")
    return [acts.merge(pk, into, reason=reason, by=by, now=now) for pk in sources]


def _move(request: HttpRequest, groups: Sequence[AlertGroup], by: By, now: datetime) -> list[Regrouping]:
    chosen, reason = _ids(request.POST.getlist("m")), request.POST.get("reason", "")
    return [acts.move_members(groups[0].pk, _into(request), chosen, reason=reason, by=by, now=now)]


def _split(request: HttpRequest, groups: Sequence[AlertGroup], by: By, now: datetime) -> list[Regrouping]:
    chosen, title = _ids(request.POST.getlist("m")), request.POST.get("title", "")
    reason = request.POST.get("reason", "")
    return [acts.split(groups[0].pk, chosen, title=title, reason=reason, by=by, now=now)]


def _attach(request: HttpRequest, groups: Sequence[AlertGroup], by: By, now: datetime) -> list[Regrouping]:
    into, reason = _into(request), request.POST.get("reason", "")
    return [acts.attach(group.pk, into, reason=reason, by=by, now=now) for group in groups]


def _detach(request: HttpRequest, groups: Sequence[AlertGroup], by: By, now: datetime) -> list[Regrouping]:
    reason = request.POST.get("reason", "")
    return [acts.detach(group.pk, reason=reason, by=by, now=now) for group in groups]


_DO: dict[Act, Callable[[HttpRequest, Sequence[AlertGroup], By, datetime], list[Regrouping]]] = {
    Act.MERGE: _merge,
    Act.MOVE: _move,
    Act.SPLIT: _split,
    Act.ATTACH: _attach,
    Act.DETACH: _detach,
}


def _into(request: HttpRequest) -> int:
    chosen = _ids([request.POST.get("into", "")])
    if not chosen:
        raise NotPossible("Choose where to first.")
    return chosen[0]


def _ids(values: Sequence[str]) -> list[int]:
    found = [int(value) for value in values if value.isdecimal() and len(value) < 19]
    return [pk for pk in dict.fromkeys(found) if pk <= BIGGEST_ID]
