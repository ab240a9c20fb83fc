"""The buttons of a group: each one verb, answered with what happened and how to take it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.alerts import feedback, handling
from console.alerts.handling import By, NotPossible, StillFiring
from console.alerts.models import AlertGroup
from console.alerts.undoing import Recorder

SILENCES = {"30": "30 minutes", "120": "2 hours", "480": "8 hours", "1440": "1 day"}
"""Minutes a silence may last, as the menu offers them."""


@dataclass(frozen=True, slots=True)
class Verb:
    """What a button does, what it says afterwards of one group, and of many after their number."""

    act: Callable[[int, By, datetime, HttpRequest], AlertGroup]
    said: str
    done: str = ""


def _silence(pk: int, by: By, now: datetime, request: HttpRequest) -> AlertGroup:
    minutes = request.POST.get("minutes", "")
    if not minutes.isdigit():
        raise NotPossible("Say for how many minutes.")
    return handling.silence(pk, until=now + timedelta(minutes=int(minutes)), by=by, now=now)


def _resolve(pk: int, by: By, now: datetime, request: HttpRequest) -> AlertGroup:
    is_sure = request.POST.get("sure") == "yes" or request.POST.get("asked") == "all"
    return handling.resolve(pk, by=by, now=now, is_sure=is_sure)


def _page(pk: int, by: By, now: datetime, request: HttpRequest) -> AlertGroup:
    person = request.POST.get("person", "")
    if not person.isdigit() or len(person) > 18:
        raise NotPossible("Choose whom to page.")
    return handling.page(pk, int(person), text=request.POST.get("text", ""), by=by, now=now)


def _assign(pk: int, by: By, now: datetime, request: HttpRequest) -> AlertGroup:
    person = request.POST.get("person", "")
    if not person.isdigit() or len(person) > 18:
        raise NotPossible("Choose whom to give it to.")
    return handling.assign(pk, int(person), by=by, now=now)


def _judge(pk: int, by: By, now: datetime, request: HttpRequest) -> AlertGroup:
    if by.user is None:
        raise NotPossible("Only a person can say whether it was worth it.")
    return feedback.judge(pk, request.POST.get("verdict", ""), by=by.user, now=now)


VERBS = {
    "acknowledge": Verb(
        lambda pk, by, now, _: handling.acknowledge(pk, by=by, now=now), "You have it.", "acknowledged"
    ),
    "unacknowledge": Verb(
        lambda pk, by, now, _: handling.unacknowledge(pk, by=by, now=now), "Nobody has it now.", "given back"
    ),
    "resolve": Verb(_resolve, "Resolved.", "resolved"),
    "reopen": Verb(lambda pk, by, now, _: handling.reopen(pk, by=by, now=now), "Open again.", "open again"),
    "silence": Verb(_silence, "Silenced.", "silenced"),
    "unsilence": Verb(
        lambda pk, by, now, _: handling.unsilence(pk, by=by, now=now), "It may speak again.", "speaking again"
    ),
    "note": Verb(
        lambda pk, by, now, request: handling.add_note(pk, request.POST.get("text", ""), by=by, now=now),
        "Noted.",
    ),
    "escalate": Verb(
        lambda pk, by, now, _: handling.escalate(pk, by=by, now=now), "The next level is told.", "escalated"
    ),
    "page": Verb(_page, "Paged."),
    "assign": Verb(_assign, "Given, and they are told.", "given"),
    "keep": Verb(lambda pk, by, now, _: handling.keep(pk, by=by, now=now), "You still have it."),
    "judge": Verb(_judge, "Thank you: it counts in the noise report."),
}


@require_POST
@role_required(Role.RESPONDER)
def group_action(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """One verb on one group."""
    if verb not in VERBS or not AlertGroup.objects.filter(pk=pk).exists():
        raise Http404
    by, now = By(user=signed_in(request), actor=Actor.of(request)), timezone.now()
    recorder = Recorder(verb, by, now)
    try:
        recorder.run(pk, lambda: VERBS[verb].act(pk, by, now, request))
    except StillFiring as firing:
        return answer(request, pk, f"{firing} Resolve it again to confirm.", status=409)
    except NotPossible as refusal:
        return answer(request, pk, str(refusal), status=409)
    return answer(request, pk, VERBS[verb].said, undo=undo_url(recorder))


def undo_url(recorder: Recorder) -> str:
    """Where what was done can be taken back; empty where nothing changed."""
    return reverse("alerts:undo", args=[recorder.undo.pk]) if recorder.undo else ""


def answer(
    request: HttpRequest,
    pk: int | None,
    text: str,
    *,
    status: int = 200,
    undo: str = "",
    is_unticked: bool = False,
) -> HttpResponse:
    """A toast for htmx, which then refreshes its regions; a message and the page again without script."""
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=204)
        tone = "neutral" if status < 400 else "warn"
        response["HX-Trigger"] = said(text, tone=tone, undo=undo, is_unticked=is_unticked)
        return response
    level = messages.SUCCESS if status < 400 else messages.WARNING
    messages.add_message(request, level, text, extra_tags=f"undo:{undo}" if undo else "")
    back = reverse("alerts:group_detail", args=[pk]) if pk else reverse("alerts:group_list")
    return HttpResponseRedirect(back)


def said(text: str, *, tone: str, undo: str = "", is_unticked: bool = False) -> str:
    """The `HX-Trigger` that shows a toast, and lets the page look again; what was ticked is ticked no more."""
    told: dict[str, object] = {"spot:toast": {"text": text, "tone": tone, "undo": undo}, "spot:refresh": {}}
    return json.dumps(told | ({"spot:untick": {}} if is_unticked else {}))
