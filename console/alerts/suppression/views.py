"""`/suppressions/…`: what is planned and in force, a new one with its preview, and one with what it hid."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.forms import time_zones
from console.accounts.models import Role, User
from console.accounts.origin import chosen_origin, foreign_origin
from console.accounts.permissions import role_required, signed_in
from console.alerts.handling import By
from console.alerts.models import Replay, Suppression, SuppressionOccurrence
from console.alerts.replay import asking
from console.alerts.suppression import changing, queries
from console.alerts.suppression.changing import NotPossible
from console.alerts.suppression.draft import Refused
from console.alerts.suppression.forms import SuppressionForm
from console.alerts.suppression.making import make
from console.alerts.suppression.preview import preview
from console.lib.cursor import page_of, query_of
from console.lib.lengths import write_length
from console.lib.pages import once, render_region

EXTENSIONS = {"30": "30 minutes", "60": "1 hour", "120": "2 hours"}
"""Minutes that the window in force may be made longer by, as the menu offers them."""


@require_GET
@role_required(Role.VIEWER)
def suppression_list(request: HttpRequest) -> HttpResponse:
    """What is planned quiet, now and ahead; or what was."""
    now, origin = timezone.now(), chosen_origin(request)
    is_past = request.GET.get("show") == "past"
    context: dict[str, Any] = {"is_past": is_past, "may_make": signed_in(request).may(Role.RESPONDER)}
    if is_past:
        page = queries.past(origin=origin, cursor=request.GET.get("cursor", ""), now=now)
        context["rows"] = queries.past_rows(page.items, now=now)
        context["next"] = query_of(request, cursor=page.next) if page.next else ""
    else:
        context["lists"] = once(lambda: queries.lists_of(origin=origin, now=now))
    return render_region(request, "alerts/suppression_list.html", "suppressions", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def suppression_new(request: HttpRequest) -> HttpResponse:
    """Plan quiet: while the form is filled in the preview says what it would have hidden."""
    now, origin, person = timezone.now(), chosen_origin(request), signed_in(request)
    is_asking = request.headers.get("HX-Target") == "preview"
    data = _with_name(request.POST) if is_asking else request.POST or None
    form = SuppressionForm(data, origin=origin, user=person, now=now, initial=_initial(request, person))
    is_told_first = is_asking or "preview" in request.POST
    is_valid = request.method == "POST" and form.is_valid()
    if is_valid and not is_told_first and form.draft is not None and "replay" in request.POST:
        if replay := _replay(request, form, now=now):
            return redirect("alerts:replay_detail", replay.pk)
        is_told_first = True
    if is_valid and not is_told_first and form.draft is not None:
        try:
            made = make(form.draft, by=By(user=person, actor=Actor.of(request)), now=now)
        except Refused as refusal:
            form.add_error(form.field_of(refusal), str(refusal))
        else:
            messages.success(request, f"“{made.name}” is planned.")
            return redirect("alerts:suppression_detail", made.pk)
    draft = form.draft if is_valid else None
    context = {
        "form": form,
        "origin": origin,
        "draft": draft,
        "echo": queries.echo_of(draft, now=now) if draft else None,
        "preview": once(lambda: preview(draft, now=now)) if draft else None,
        "missing": next(iter(form.errors.values()), [""])[0] if is_asking and form.errors else "",
        "choices": once(lambda: queries.scope_choices(origin=origin)),
        "time_zones": time_zones(),
        "may_plan": person.may(Role.MANAGER),
    }
    status = 422 if form.errors and not is_asking else 200
    return render_region(request, "alerts/suppression_new.html", "preview", context, status=status)


def _replay(request: HttpRequest, form: SuppressionForm, *, now: datetime) -> Replay | None:
    """Of a draft that a manager may plan; what is refused stands in the form."""
    person = signed_in(request)
    if form.draft is None or not person.may(Role.MANAGER):
        return None
    try:
        by = By(user=person, actor=Actor.of(request))
        return asking.ask_for_suppression(form.draft, days=90, by=by, now=now)
    except Refused as refusal:
        form.add_error(form.field_of(refusal), str(refusal))
    except asking.Refused as refusal:
        form.add_error(None, str(refusal))
    return None


@require_GET
@role_required(Role.VIEWER)
def suppression_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: why, by whom, when, and the ledger of what it hid."""
    now, person = timezone.now(), signed_in(request)
    rows = Suppression.objects.select_related("author", "team", "signed_by", "cancelled_by")
    suppression = get_object_or_404(rows.prefetch_related("scopes__service", "scopes__team"), pk=pk)
    window = suppression.occurrences.in_force(now=now).order_by("-starts_at", "-pk").first()
    following = suppression.occurrences.ahead(now=now).order_by("starts_at", "pk").first()
    page = page_of(request, queryset=queries.ledger_of(suppression), order=("-pk",), size=50)
    may_change = changing.may_change(suppression, person)
    is_live = bool(window or following or suppression.expand_at)
    context = {
        "suppression": suppression,
        "foreign_origin": foreign_origin(request, suppression.origin),
        "state": queries.state_of(suppression, window or following, now=now),
        "when": queries.when_of(suppression),
        "window": window,
        "following": following,
        "scopes": [scope.text for scope in suppression.scopes.all()],
        "tally": once(lambda: queries.tallies([pk]).get(pk, queries.Tally())),
        "windows": once(lambda: queries.windows_of(suppression, now=now)),
        "hits": page.items,
        "next": query_of(request, cursor=page.next) if page.next else "",
        "newest": query_of(request, cursor=None) if request.GET.get("cursor") else "",
        "extensions": EXTENSIONS,
        "may_change": may_change and is_live,
        "may_sign": _may_sign(suppression, person) and is_live,
        "may_make": person.may(Role.RESPONDER),
    }
    regions = "suppression-head windows ledger"
    return render_region(request, "alerts/suppression_detail.html", regions, context)


@require_POST
@role_required(Role.RESPONDER)
def suppression_act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """cancel, extend, sign, end (one window, now) or skip (one that is to come)."""
    get_object_or_404(Suppression, pk=pk)
    by, now = By(user=signed_in(request), actor=Actor.of(request)), timezone.now()
    minutes, window = request.POST.get("minutes", ""), request.POST.get("window", "")
    try:
        if verb == "cancel":
            changing.cancel(pk, by=by, now=now)
            said = "Cancelled. What still fires is told within a second."
        elif verb == "extend" and minutes in EXTENSIONS:
            changing.extend(pk, minutes=int(minutes), by=by, now=now)
            said = f"It lasts {EXTENSIONS[minutes]} longer."
        elif verb == "sign":
            changing.sign(pk, by=by, now=now)
            said = "Signed. It hides critical burn rates and large waves too."
        elif verb == "end" and window.isdigit():
            changing.end_window(pk, int(window), by=by, now=now)
            said = "That window is over. The others stay."
        else:
            raise Http404
    except SuppressionOccurrence.DoesNotExist as error:
        raise Http404 from error
    except NotPossible as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("alerts:suppression_detail", pk)


def _may_sign(suppression: Suppression, person: User) -> bool:
    is_open = suppression.needs_signature and suppression.signed_at is None
    return is_open and person.may(Role.MANAGER) and suppression.author_id != person.pk


def _with_name(given: QueryDict) -> QueryDict:
    """The preview needs neither name nor reason."""
    data = given.copy()
    for name in ("name", "reason"):
        data[name] = data.get(name, "").strip() or "…"
    return data


def _initial(request: HttpRequest, person: User) -> dict[str, Any]:
    """What a link asks for: `?scope=service:checkout`, or `?from=<id>` for one like another."""
    tomorrow = timezone.now().astimezone(person.zone) + timedelta(days=1)
    told: dict[str, Any] = {
        "time_zone": person.time_zone,
        "scopes": "\n".join(request.GET.getlist("scope")),
        "first_day": tomorrow.date(),
        "at": "02:00",
        "starts": f"{tomorrow:%Y-%m-%d}T02:00",
        "ends": f"{tomorrow:%Y-%m-%d}T04:00",
    }
    asked = request.GET.get("from", "")
    like = Suppression.objects.filter(pk=int(asked)).first() if asked.isdigit() and len(asked) < 19 else None
    if like is None:
        return told
    told |= {
        name: getattr(like, name)
        for name in ("kind", "name", "reason", "share", "needs_signature", "time_zone")
    }
    scopes = like.scopes.select_related("service", "team").order_by("pk")
    told |= {"scopes": "\n".join(scope.text for scope in scopes), "team": like.team.slug if like.team else ""}
    if like.rrule:
        following = queries.next_start(like, now=timezone.now())
        told |= {
            "when": "repeats",
            "every": "rule",
            "rrule": like.rrule,
            "lasting": write_length(like.duration),
        }
        told |= {"first_day": following.date(), "at": f"{following:%H:%M}"}
    return told
