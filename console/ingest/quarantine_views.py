"""`/quarantine/`: what senders sent that could not be taken."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.alerts.setting_aside import Again, list_set_aside
from console.feeds.models import QuarantinedItem, QuarantineReplay, QuarantineState
from console.feeds.raw_body import show_body
from console.feeds.views.feeds import download
from console.ingest.bells import RECORD, REPLAY
from console.ingest.error_codes import ERRORS
from console.ingest.quarantine import FILTERS, ORDER, QuarantineFilter, ask_for_replay, choices, discard
from console.ingest.replaying import MOST_AT_ONCE, Replayed, replay
from console.lib.cursor import Page, cut_page, query_of
from console.lib.pages import render_region
from console.lib.problems import Problem

ROWS = 50


@require_GET
@role_required(Role.VIEWER)
def quarantine_list(request: HttpRequest) -> HttpResponse:
    """What was refused, and why?"""
    wanted = QuarantineFilter.of(request.GET.dict(), origin=chosen_origin(request))
    page = _page(request, wanted)
    context = {
        "wanted": wanted,
        "page": page,
        "total": wanted.items().count(),
        "choices": choices(origin=wanted.origin, state=wanted.state),
        "states": QuarantineState.choices,
        "open_replays": QuarantineReplay.objects.filter(origin=wanted.origin, finished_at=None).order_by(
            "pk"
        ),
        "last_replay": _last_replay(wanted.origin),
        "set_aside": list_set_aside(wanted.origin),
        "set_aside_total": Again(wanted.origin).rows().count(),
        "next_url": f"?{query_of(request, cursor=page.next)}" if page.next else "",
        "first_url": f"?{query_of(request, cursor=None)}" if request.GET.get("cursor") else "",
        "filter_query": _filter_query(request.GET.dict()),
        "may_act": signed_in(request).may(Role.RESPONDER),
        "may_discard": signed_in(request).may(Role.MANAGER),
    }
    return render_region(
        request,
        "ingest/quarantine_list.html",
        "quarantine-table quarantine-replays quarantine-set-aside",
        context,
    )


def _page(request: HttpRequest, wanted: QuarantineFilter) -> Page[Any]:
    try:
        return cut_page(wanted.rows(), order=ORDER, cursor=request.GET.get("cursor", ""), size=ROWS)
    except Problem:  # a link from long ago
        return cut_page(wanted.rows(), order=ORDER, size=ROWS)


def _last_replay(origin: str) -> QuarantineReplay | None:
    ended = QuarantineReplay.objects.filter(origin=origin).exclude(finished_at=None)
    return ended.order_by("-finished_at", "-pk").first()


def _filter_query(query: dict[str, str]) -> str:
    return urlencode({name: query[name] for name in (*FILTERS, "origin") if query.get(name)})


@require_GET
@role_required(Role.VIEWER)
def quarantine_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One refused message, byte for byte, and what to do about it."""
    item = get_object_or_404(QuarantinedItem.objects.select_related("feed"), pk=pk)
    body = bytes(item.body)
    if request.GET.get("format") == "raw":
        return download(body, name=f"quarantined-{pk}")
    context = {
        "item": item,
        "body": show_body(body),
        "error": ERRORS.get(item.code),
        "may_act": signed_in(request).may(Role.RESPONDER),
        "may_discard": signed_in(request).may(Role.MANAGER),
    }
    return render_region(request, "ingest/quarantine_detail.html", "", context)


@require_POST
@role_required(Role.RESPONDER)
def quarantine_replay(request: HttpRequest) -> HttpResponse:
    """Read the chosen items again; or, with `all`, everything the filter shows, in the background."""
    now, actor = timezone.now(), Actor.of(request)
    if request.POST.get("all"):
        asked = ask_for_replay(_posted_filter(request), by=actor, now=now)
        if asked is None:
            messages.info(request, "Nothing is held that fits the filter.")
        else:
            REPLAY.ring()
            messages.info(
                request,
                f"{asked.wanted_count:,} messages are being read again. This page shows how far it is.",
            )
        return _back(request)
    ids = _chosen(request)
    outcome = replay(ids, by=actor, now=now)
    if outcome.replayed:
        RECORD.ring()
    _say(request, outcome, chosen=len(ids))
    return _back(request)


@require_POST
@role_required(Role.MANAGER)
def quarantine_discard(request: HttpRequest) -> HttpResponse:
    """Let go of the chosen items, or of all the filter shows."""
    only = None if request.POST.get("all") else _chosen(request)
    count = discard(_posted_filter(request), only=only, by=Actor.of(request), now=timezone.now())
    messages.success(request, f"{count:,} discarded." if count else "Nothing was held any more.")
    return _back(request)


def _chosen(request: HttpRequest) -> list[int]:
    return [int(pk) for pk in request.POST.getlist("item")[:MOST_AT_ONCE] if pk.isdigit() and len(pk) < 19]


def _posted_filter(request: HttpRequest) -> QuarantineFilter:
    return QuarantineFilter.of(request.GET.dict(), origin=chosen_origin(request))


def _back(request: HttpRequest) -> HttpResponse:
    query = _filter_query(request.GET.dict())
    return redirect(reverse("ingest:quarantine_list") + (f"?{query}" if query else ""))


def _say(request: HttpRequest, outcome: Replayed, *, chosen: int) -> None:
    if outcome == Replayed():
        messages.info(request, "Choose messages first." if not chosen else "Nothing was held any more.")
        return
    if outcome.replayed:
        known = f", {outcome.duplicates} of them known already" if outcome.duplicates else ""
        messages.success(request, f"{outcome.replayed} taken{known}.")
    if outcome.refused:
        messages.warning(request, f"{outcome.refused} refused again; the reason stands beside it.")
