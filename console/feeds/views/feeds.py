"""`/feeds/…`: the list, a new feed, one feed, its settings and its deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.feeds.connecting import CannotConnect, connect
from console.feeds.first_steps import COOKIE, DISMISSED_FOR
from console.feeds.forms import NewFeedForm, RotateForm, SettingsForm
from console.feeds.health import FeedState, feed_figures, feed_state
from console.feeds.history import history_of
from console.feeds.kinds import is_available, offered_kinds
from console.feeds.lookups import places_of
from console.feeds.models import Delivery, Feed, FeedToken, HeartbeatDelivery
from console.feeds.pace import pace_of
from console.feeds.queries import deliveries, feed_rows, hours_chart, sources_of, unread_kinds
from console.feeds.raw_body import show_body
from console.feeds.tending import change_settings
from console.feeds.views.senders import render_connect
from console.lib.cursor import query_of
from console.lib.pages import once, render_region
from console.lib.problems import Problem

ROWS = 25
SHOWS = ("", "unrecognised", "heartbeats")


@require_GET
@role_required(Role.VIEWER)
def feed_list(request: HttpRequest) -> HttpResponse:
    """Is every feed heard?"""
    now, origin = timezone.now(), chosen_origin(request)
    feeds = list(Feed.objects.of_origin(origin).order_by("name", "pk"))
    rows = feed_rows(feeds, now=now)
    context = {
        "rows": rows,
        "origin": origin,
        "since": rows[0].figures.since if rows else now,
        "lead": _lead(rows),
        "may_manage": signed_in(request).may(Role.MANAGER),
    }
    return render_region(request, "feeds/feed_list.html", "feed-table", context)


def _lead(rows: list[Any]) -> str:
    silent = sum(row.state == FeedState.SILENT for row in rows)
    if not rows:
        return "A feed is where reclaims are told from. None is connected yet."
    late = sum(row.state == FeedState.DELAYED for row in rows)
    if silent:
        return f"{silent} of {len(rows)} owe a message and are silent: what they would tell is not seen."
    if late:
        return f"{late} of {len(rows)} tell of reclaims more than 5 minutes late."
    return "Quiet is a feed that owes no message; silent is one that does."


@never_cache
@sensitive_variables("made")
@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def feed_new(request: HttpRequest) -> HttpResponse:
    """Choose a kind, give a name; the answer is the guide with the secret, this once."""
    now = timezone.now()
    origin = chosen_origin(request)
    form = NewFeedForm(request.POST or None, origin=origin, initial={"kind": request.GET.get("kind", "")})
    if request.method == "POST" and form.is_valid():
        order = form.order(origin=origin)
        try:
            made = connect(order, by=Actor.of(request), now=now)
        except CannotConnect as error:
            form.add_error("name", str(error))
        else:
            return render_connect(request, made.feed, secret=made.secret, now=now)
    context = {"form": form, "kinds": offered_kinds(), "origin": origin}
    return render_region(request, "feeds/feed_new.html", "", context, status=422 if form.errors else 200)


@require_GET
@role_required(Role.VIEWER)
def feed_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """How one feed is, and what it delivered last."""
    now = timezone.now()
    feed = get_object_or_404(Feed.objects.select_related("test_of", "team"), slug=slug)
    show = request.GET.get("show", "") if request.GET.get("show", "") in SHOWS else ""
    try:
        page = deliveries(feed, show=show, cursor=request.GET.get("cursor", ""), size=ROWS, now=now)
    except Problem:  # a link from long ago
        page = deliveries(feed, show=show, cursor="", size=ROWS, now=now)
    context = {
        "feed": feed,
        "state": feed_state(feed, now=now),
        "figures": feed_figures([feed], now=now)[feed.pk],
        "is_available": is_available(feed.kind),
        "sources": sources_of(feed),
        "places": places_of(feed),
        "show": show,
        "page": page,
        "next_url": f"?{query_of(request, cursor=page.next)}" if page.next else "",
        "first_url": f"?{query_of(request, cursor=None)}" if request.GET.get("cursor") else "",
        "may_manage": signed_in(request).may(Role.MANAGER),
        **_slow_parts(feed, now=now),
    }
    regions = "feed-health feed-hours feed-deliveries feed-unread feed-tokens feed-history"
    return render_region(request, "feeds/feed_detail.html", regions, context)


def _slow_parts(feed: Feed, *, now: datetime) -> dict[str, Any]:
    """Each read when a region comes to it: a live page asks for some of them at a time."""
    return {
        "pace": once(lambda: pace_of(feed, now=now)),
        "history": once(lambda: history_of(feed)),
        "chart": once(lambda: hours_chart(feed, now=now)),
        "unread": once(lambda: unread_kinds(feed, now=now)),
        "tokens": once(lambda: _tokens(feed, now=now)),
        "rotate_form": RotateForm(),
    }


def _tokens(feed: Feed, *, now: datetime) -> list[tuple[FeedToken, bool]]:
    tokens = feed.tokens.order_by("-created_at", "-pk")[:20]
    return [(token, token.is_usable(now=now)) for token in tokens]


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def feed_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """What may be changed about a feed."""
    feed = get_object_or_404(Feed.objects.select_related("team"), slug=slug)
    form = SettingsForm.of(feed, request.POST or None)
    if request.method == "POST" and form.is_valid():
        is_changed = change_settings(feed, form.settings, by=Actor.of(request), now=timezone.now())
        messages.success(request, "Saved." if is_changed else "Nothing was changed.")
        return redirect("feeds:feed_detail", slug)
    context = {"feed": feed, "form": form}
    return render_region(request, "feeds/feed_settings.html", "", context, status=422 if form.errors else 200)


@require_GET
@role_required(Role.VIEWER)
def delivery_detail(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One message exactly as it was received."""
    feed = get_object_or_404(Feed, slug=slug)
    model: Any = HeartbeatDelivery if request.GET.get("show") == "heartbeats" else Delivery
    delivery = model.objects.filter(pk=pk, feed=feed).first()
    if delivery is None:
        raise Http404("The raw message has expired, or there never was one.")
    body = bytes(delivery.body)
    if request.GET.get("format") == "raw":
        return download(body, name=f"delivery-{pk}")
    context = {
        "feed": feed,
        "delivery": delivery,
        "body": show_body(body),
        "show": request.GET.get("show", ""),
    }
    return render_region(request, "feeds/delivery_detail.html", "", context)


def download(body: bytes, *, name: str) -> HttpResponse:
    """Bytes of strangers: saved, never shown by the browser."""
    response = HttpResponse(body, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}.bin"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@role_required(Role.VIEWER)
def first_steps_dismiss(request: HttpRequest) -> HttpResponse:
    """This browser does not want to see the first steps any more."""
    response = redirect("/")
    response.set_cookie(COOKIE, "dismissed", max_age=DISMISSED_FOR, httponly=True, samesite="Lax")
    return response
