"""The buttons of a group: each one verb, answered with what happened and how to take it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

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

SILENCES = {"30": "30 minutes", "120": "2 hours", "480": "8 hours", "1440": "1 day"}
"""Minutes a silence may last, as the menu offers them."""
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Verb:
    """What a button does, what it says afterwards, and which verb takes it back."""

    act: Callable[[int, By, datetime, HttpRequest], AlertGroup]
    said: str
    undo: str = ""


def _silence(pk: int, by: By, now: datetime, request: HttpRequest) -> AlertGroup:
    minutes = request.POST.get("minutes", "")
    if not minutes.isdigit():
        raise NotPossible("Say for how many minutes.")
    return handling.silence(pk, until=now + timedelta(minutes=int(minutes)), by=by, now=now)


def _resolve(pk: int, by: By, now: datetime, request: HttpRequest) -> AlertGroup:
    return handling.resolve(pk, by=by, now=now, is_sure=request.POST.get("sure") == "yes")


def _page(pk: int, by: By, now: datetime, request: HttpRequest) -> AlertGroup:
    person = request.POST.get("person", "")
    if not person.isdigit() or len(person) > 18:
        raise NotPossible("Choose whom to page.")
    return handling.page(pk, int(person), text=request.POST.get("text", ""), by=by, now=now)


def _judge(pk: int, by: By, now: datetime, request: HttpRequest) -> AlertGroup:
    if by.user is None:
        raise NotPossible("Only a person can say whether it was worth it.")
    return feedback.judge(pk, request.POST.get("verdict", ""), by=by.user, now=now)


VERBS = {
    "acknowledge": Verb(
        lambda pk, by, now, _: handling.acknowledge(pk, by=by, now=now), "You have it.", "unacknowledge"
    ),
    "unacknowledge": Verb(
        lambda pk, by, now, _: handling.unacknowledge(pk, by=by, now=now), "Nobody has it now.", "acknowledge"
    ),
    "resolve": Verb(_resolve, "Resolved.", "reopen"),
    "reopen": Verb(lambda pk, by, now, _: handling.reopen(pk, by=by, now=now), "Open again."),
    "silence": Verb(_silence, "Silenced.", "unsilence"),
    "unsilence": Verb(lambda pk, by, now, _: handling.unsilence(pk, by=by, now=now), "It may speak again."),
    "note": Verb(
        lambda pk, by, now, request: handling.add_note(pk, request.POST.get("text", ""), by=by, now=now),
        "Noted.",
    ),
    "escalate": Verb(lambda pk, by, now, _: handling.escalate(pk, by=by, now=now), "The next level is told."),
    "page": Verb(_page, "Paged."),
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
    try:
        VERBS[verb].act(pk, by, now, request)
    except StillFiring as firing:
        return _answer(request, pk, f"{firing} Resolve it again to confirm.", status=409)
    except NotPossible as refusal:
        return _answer(request, pk, str(refusal), status=409)
    undo = VERBS[verb].undo
    return _answer(
        request, pk, VERBS[verb].said, undo=reverse("alerts:group_action", args=[pk, undo]) if undo else ""
    )


@require_POST
@role_required(Role.RESPONDER)
def bulk(request: HttpRequest) -> HttpResponse:
    """One verb on the groups that are ticked; each is judged by itself, and failures are counted.

    The verb and the groups stand in the form, or in the URL that takes such an act back.
    """
    asked = request.POST if "verb" in request.POST else request.GET
    verb = VERBS.get(asked.get("verb", ""))
    ids = [int(pk) for pk in asked.getlist("group") if pk.isdigit()][:MOST_AT_ONCE]
    if verb is None or not ids:
        return _answer(request, None, "Tick some groups first.", status=409)
    by, now = By(user=signed_in(request), actor=Actor.of(request)), timezone.now()
    done, failures = _each(verb, ids, by, now, request)
    text = f"{len(done)} of {len(ids)}: {verb.said.lower()}"
    if failures:
        text += f" {len(failures)} not: {failures[0]}"
    undo = urlencode({"verb": verb.undo, "group": done}, doseq=True) if verb.undo and done else ""
    status = 409 if failures and not done else 200
    return _answer(request, None, text, status=status, undo=undo and f"{reverse('alerts:group_bulk')}?{undo}")


def _each(
    verb: Verb, ids: list[int], by: By, now: datetime, request: HttpRequest
) -> tuple[list[int], list[str]]:
    """The groups on which it was done, and why it was not on the others."""
    done: list[int] = []
    failures: list[str] = []
    for pk in AlertGroup.objects.filter(pk__in=ids).order_by("pk").values_list("pk", flat=True):
        try:
            verb.act(pk, by, now, request)
        except (NotPossible, StillFiring) as refusal:
            failures.append(str(refusal))
        else:
            done.append(pk)
    return done, failures


def _answer(
    request: HttpRequest, pk: int | None, text: str, *, status: int = 200, undo: str = ""
) -> HttpResponse:
    """A toast for htmx, which then refreshes its regions; a message and the page again without script."""
    tone = "neutral" if status < 400 else "warn"
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=204)
        toast = {"text": text, "tone": tone, "undo": undo}
        response["HX-Trigger"] = json.dumps({"spot:toast": toast, "spot:refresh": {}})
        return response
    messages.add_message(request, messages.SUCCESS if status < 400 else messages.WARNING, text)
    back = reverse("alerts:group_detail", args=[pk]) if pk else reverse("alerts:group_list")
    return HttpResponseRedirect(back)
