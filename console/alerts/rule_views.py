"""`/rules/`: which rules there are, what one says and does, and changing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.alerts import rule_editing
from console.alerts.detecting import CLASSES
from console.alerts.handling import By
from console.alerts.models import Evaluation, Rule, RuleVersion
from console.alerts.registry import known
from console.alerts.replay import asking
from console.alerts.replay.drafts import version_of, why_not
from console.alerts.rule_checking import Past, faults, past_of
from console.alerts.rule_editing import EditedMeanwhile, NotPublishable
from console.alerts.rule_forms import AboutForm, NewRuleForm, RuleForm, initial_of
from console.alerts.rule_queries import CLASS_LABELS, rule_page, rule_rows
from console.lib.pages import render_region


@require_GET
@role_required(Role.VIEWER)
def rule_list(request: HttpRequest) -> HttpResponse:
    """What is watched for, what fires, and what each rule told of in 30 days."""
    now = timezone.now()
    rows = rule_rows(origin=chosen_origin(request), now=now)
    context = {
        "rows": rows,
        "firing": sum(bool(row.firing) and row.detector.name != "reclaim" for row in rows),
        "evaluation": Evaluation.objects.first(),
        "may_manage": signed_in(request).may(Role.MANAGER),
    }
    return render_region(request, "alerts/rule_list.html", "rules", context)


@require_GET
@role_required(Role.VIEWER)
def rule_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """The version in force, or the one that `?version=` names; where it stands now, and whom it told."""
    rule = _rule(slug)
    asked = request.GET.get("version", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 7 else None
    page = rule_page(rule, number=number, origin=chosen_origin(request))
    if page is None:
        raise Http404("There is no such version.")
    initial = {"name": rule.name, "team": rule.team_id, "runbook": rule.runbook_id}
    context = {
        "page": page,
        "rule": rule,
        "classes": [CLASS_LABELS[of] for of in CLASSES],
        "may_manage": signed_in(request).may(Role.MANAGER),
        "about_form": AboutForm(initial=initial),
    }
    return render_region(request, "alerts/rule_detail.html", "rule rule-state", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def rule_new(request: HttpRequest) -> HttpResponse:
    """A name and a detector; its limits follow in the editor."""
    form = NewRuleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        by, now = Actor.of(request), timezone.now()
        rule = rule_editing.create(given["name"], detector=given["detector"], by=by, now=now)
        return redirect("alerts:rule_edit", rule.slug)
    abouts = [one for one in known().values() if one.name in dict(form.fields["detector"].choices)]  # type: ignore[attr-defined]
    status = 422 if form.errors else 200
    return render_region(
        request, "alerts/rule_new.html", "new-rule", {"form": form, "abouts": abouts}, status=status
    )


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def rule_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The limits, the table, the times. "Look back" stores nothing; "save" a draft; "publish" freezes it."""
    rule, origin = _rule(slug), chosen_origin(request)
    detector = known()[rule.detector]
    stands = rule_editing.draft_of(rule) or rule_editing.newest(rule)
    if stands is None:
        raise Http404("The rule has no version.")
    initial = initial_of(stands, detector)
    form = RuleForm(request.POST or None, detector=detector, origin=origin, initial=initial)
    if request.method == "GET" or not form.is_valid():
        return _show(request, rule, form, status=422 if form.errors else 200)
    try:
        return _press(request, rule, form, origin=origin)
    except NotPublishable as error:
        return _show(request, rule, form, found=error.faults, status=422)
    except EditedMeanwhile as error:
        return _show(request, rule, form, found=[str(error)], status=409, is_new_start=True)


def _press(request: HttpRequest, rule: Rule, form: RuleForm, *, origin: str) -> HttpResponse:
    by, now, press = Actor.of(request), timezone.now(), request.POST.get("do", "look")
    started_from, note = request.POST.get("started_from", ""), request.POST.get("change_note", "")
    if press.startswith("replay-"):
        return _replay(request, rule, form, days=press.removeprefix("replay-"), origin=origin)
    if press == "save":
        rule_editing.save_draft(rule, form.wording(), started_from=started_from, by=by, now=now)
        messages.success(request, "The draft is saved. Nothing changes until it is published.")
        return redirect("alerts:rule_edit", rule.slug)
    would_be = RuleVersion(rule=rule, number=0)
    form.wording().put(would_be)
    found = faults(would_be)
    past = past_of(would_be, now=now, origin=origin) if not found else None
    is_sure = request.POST.get("sure") == "yes"
    if press == "publish" and not found and past and (is_sure or not past.is_constant):
        version = rule_editing.publish(
            rule, form.wording(), started_from=started_from, change_note=note, by=by, now=now
        )
        messages.success(request, f"Version {version.number} is in force.")
        return redirect("alerts:rule_detail", rule.slug)
    return _show(request, rule, form, found=found, past=past, is_asked=press == "publish")


def _replay(request: HttpRequest, rule: Rule, form: RuleForm, *, days: str, origin: str) -> HttpResponse:
    """Keep the draft and lay it over the past; what keeps it from being published keeps it from that too."""
    by, now = By(user=signed_in(request), actor=Actor.of(request)), timezone.now()
    if found := faults(version_of(rule, form.wording())):
        raise NotPublishable(found)
    started_from = request.POST.get("started_from", "")
    rule_editing.save_draft(rule, form.wording(), started_from=started_from, by=by.actor, now=now)
    try:
        replay = asking.ask_for_rule(
            rule, form.wording(), days=int(days) if days.isdecimal() else 0, origin=origin, by=by, now=now
        )
    except asking.Refused as error:
        return _show(request, rule, form, found=[str(error)], status=422, is_new_start=True)
    return redirect("alerts:replay_detail", replay.pk)


def _show(
    request: HttpRequest,
    rule: Rule,
    form: RuleForm,
    *,
    found: list[str] | None = None,
    past: Past | None = None,
    status: int = 200,
    is_asked: bool = False,
    is_new_start: bool = False,
) -> HttpResponse:
    started_from = rule_editing.revision_of(rule)
    context: dict[str, Any] = {
        "rule": rule,
        "detector": known()[rule.detector],
        "form": form,
        "faults": found or [],
        "past": past,
        "why_no_replay": why_not(rule),
        "is_asked": is_asked,
        "classes": [CLASS_LABELS[of] for of in CLASSES],
        "newest": rule_editing.newest(rule),
        "draft": rule_editing.draft_of(rule),
        "change_note": request.POST.get("change_note", ""),
        "started_from": started_from if is_new_start else request.POST.get("started_from", started_from),
    }
    return render_region(request, "alerts/rule_edit.html", "rule-editor", context, status=status)


@require_POST
@role_required(Role.MANAGER)
def rule_discard(request: HttpRequest, slug: str) -> HttpResponse:
    rule = _rule(slug)
    if rule_editing.discard_draft(rule, by=Actor.of(request), now=timezone.now()):
        messages.success(request, f"{rule.name} is discarded; it had never been published.")
        return redirect("alerts:rule_list")
    messages.success(request, "The draft is discarded.")
    return redirect("alerts:rule_detail", slug)


@require_POST
@role_required(Role.MANAGER)
def rule_describe(request: HttpRequest, slug: str) -> HttpResponse:
    rule, form = _rule(slug), AboutForm(request.POST)
    if not form.is_valid():
        messages.error(request, "A name of at most 120 characters is needed.")
        return redirect("alerts:rule_detail", slug)
    team, runbook = form.cleaned_data["team"], form.cleaned_data["runbook"]
    rule_editing.describe(
        rule,
        name=form.cleaned_data["name"],
        team_id=team.pk if team else None,
        runbook_id=runbook.pk if runbook else None,
        by=Actor.of(request),
        now=timezone.now(),
    )
    messages.success(request, "Saved.")
    return redirect("alerts:rule_detail", slug)


def _rule(slug: str) -> Rule:
    return get_object_or_404(
        Rule.objects.select_related("team", "runbook"), slug=slug, detector__in=list(known())
    )
