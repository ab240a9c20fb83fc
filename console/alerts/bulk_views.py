"""One verb on the groups that are ticked, and taking back what was just done."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.alerts import bulk, undoing
from console.alerts.actions import VERBS, answer, said, undo_url
from console.alerts.handling import By
from console.alerts.undoing import Outcome, Recorder, TooLate
from console.lib.pages import render_region
from console.oncall.people import can_be_on_call

ASKED = {"acknowledge": "Acknowledge", "silence": "Silence", "resolve": "Resolve", "escalate": "Escalate",
         "assign": "Give"}  # fmt: skip
"""Verbs for many groups, as the question's buttons say them."""


@require_POST
@role_required(Role.RESPONDER)
def group_bulk(request: HttpRequest) -> HttpResponse:
    """What is not as the verb expects is asked about first; failures are listed, each with its reason."""
    verb = request.POST.get("verb", "")
    asked = request.POST.get("asked", "")
    ticked = [*request.POST.getlist("group"), *(request.POST.getlist("other") if asked == "all" else [])]
    ids = [int(pk) for pk in ticked if pk.isdigit() and len(pk) < 19]
    groups = bulk.groups_of(ids)
    if verb == "merge" and groups:
        return _ask_where(request, ids)
    if verb not in ASKED or not groups:
        return answer(request, None, "Tick some groups first.", status=409)
    now = timezone.now()
    if not asked:
        question = bulk.question(verb, groups, now=now)
        if question or (verb == "assign" and not request.POST.get("person")):
            question = question or bulk.Question(verb, [], ids)
            return _ask(request, question)
    by = By(user=signed_in(request), actor=Actor.of(request))
    recorder = Recorder(verb, by, now)
    done = bulk.run(recorder, ids, lambda pk: VERBS[verb].act(pk, by, now, request))
    return _tell(request, verb, done, undo=undo_url(recorder))


def _ask_where(request: HttpRequest, ids: list[int]) -> HttpResponse:
    """Which of them goes on is asked on a page of its own."""
    where = f"{reverse('alerts:regroup', args=['merge'])}?{urlencode({'group': ids}, doseq=True)}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return HttpResponseRedirect(where)


@require_POST
@role_required(Role.RESPONDER)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what this person did within the last ten seconds."""
    by = By(user=signed_in(request), actor=Actor.of(request))
    try:
        outcome = undoing.take_back(pk, by=by, now=timezone.now())
    except TooLate as refusal:
        return answer(request, None, str(refusal), status=409)
    if not outcome.kept:
        return answer(
            request, None, "Undone." if len(outcome.undone) < 2 else f"Undone for {len(outcome.undone)}."
        )
    if not outcome.undone and len(outcome.kept) == 1:
        return answer(request, None, f"Not undone. {outcome.kept[0][1]}", status=409)
    return answer(request, None, _in_words(outcome), status=409)


def _in_words(outcome: Outcome) -> str:
    reasons = "; ".join(f"{group}: {why}" for group, why in outcome.kept[:3])
    more = f" and {len(outcome.kept) - 3} more" if len(outcome.kept) > 3 else ""
    return f"Undone for {len(outcome.undone)}, not for {len(outcome.kept)}: {reasons}{more}"


def _ask(request: HttpRequest, question: bulk.Question) -> HttpResponse:
    is_giving = question.verb == "assign"
    context: dict[str, Any] = {
        "question": question,
        "verb_label": ASKED[question.verb],
        "minutes": request.POST.get("minutes", ""),
        "people": can_be_on_call(chosen_origin(request)).order_by("name", "email") if is_giving else [],
        "me": signed_in(request),
    }
    return render_region(request, "alerts/bulk_ask.html", "bulk-answer", context)


def _tell(request: HttpRequest, verb: str, done: bulk.Done, *, undo: str) -> HttpResponse:
    text = f"{len(done.ids)} {VERBS[verb].done}." if done.ids else f"None {VERBS[verb].done}."
    if not done.failures:
        return answer(request, None, text, undo=undo, is_unticked=True)
    text = f"{text} {len(done.failures)} could not be."
    if request.headers.get("HX-Request") != "true":
        reasons = "; ".join(f"{one.group}: {one.reason}" for one in done.failures[:20])
        messages.warning(request, f"{text} {reasons}", extra_tags=f"undo:{undo}" if undo else "")
        return HttpResponseRedirect(reverse("alerts:group_list"))
    context = {"failures": done.failures, "done": len(done.ids), "done_label": VERBS[verb].done}
    response = render_region(request, "alerts/bulk_failures.html", "bulk-answer", context)
    response["HX-Trigger"] = said(text, tone="warn", undo=undo, is_unticked=True)
    return response
