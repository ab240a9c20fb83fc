"""What the senders of a feed need: the guide, a test message, secrets, and a pause."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.feeds.addresses import ingest_address
from console.feeds.forms import RotateForm
from console.feeds.guides import guide_for
from console.feeds.health import feed_state
from console.feeds.kinds import is_available
from console.feeds.models import Feed, FeedToken
from console.feeds.tending import pause, resume, revoke, rotate
from console.feeds.trying import front_door, try_out
from console.lib.durations import in_words
from console.lib.pages import render_region


@sensitive_variables("secret")
def render_connect(
    request: HttpRequest, feed: Feed, *, now: datetime, secret: str = "", **more: object
) -> HttpResponse:
    """The guide of a feed; with the secret where it was made in this very request."""
    address = ingest_address(feed.slug, request=request)
    context = {
        "feed": feed,
        "state": feed_state(feed, now=now),
        "address": address,
        "secret": secret,
        "guide": guide_for(feed.kind, address=address, secret=secret),
        "is_available": is_available(feed.kind),
        "may_manage": signed_in(request).may(Role.MANAGER),
        "rotate_form": RotateForm(),
        **more,
    }
    return render_region(request, "feeds/feed_connect.html", "first-message test-result", context)


@never_cache
@require_GET
@role_required(Role.VIEWER)
def feed_connect(request: HttpRequest, slug: str) -> HttpResponse:
    """How to make a sender send here."""
    return render_connect(request, get_object_or_404(Feed, slug=slug), now=timezone.now())


@never_cache
@require_POST
@role_required(Role.MANAGER)
def feed_test(request: HttpRequest, slug: str) -> HttpResponse:
    """Send a sample message through the front door, marked as test."""
    now = timezone.now()
    feed = get_object_or_404(Feed, slug=slug)
    trial = try_out(feed, door=front_door(request), by=Actor.of(request), now=now)
    return render_connect(request, feed, now=now, trial=trial)


@require_POST
@role_required(Role.MANAGER)
def feed_pause(request: HttpRequest, slug: str) -> HttpResponse:
    feed = get_object_or_404(Feed, slug=slug)
    if pause(feed, by=Actor.of(request), now=timezone.now()):
        messages.warning(request, f"{feed.name} is paused. Senders are told to come back later.")
    return redirect("feeds:feed_detail", slug)


@require_POST
@role_required(Role.MANAGER)
def feed_resume(request: HttpRequest, slug: str) -> HttpResponse:
    feed = get_object_or_404(Feed, slug=slug)
    if resume(feed, by=Actor.of(request), now=timezone.now()):
        messages.success(request, f"{feed.name} takes messages again.")
    return redirect("feeds:feed_detail", slug)


@never_cache
@sensitive_variables("secret")
@require_POST
@role_required(Role.MANAGER)
def feed_rotate(request: HttpRequest, slug: str) -> HttpResponse:
    """A new secret, shown in the guide this once."""
    now = timezone.now()
    feed = get_object_or_404(Feed, slug=slug)
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose how long the old secret goes on.")
        return redirect("feeds:feed_detail", slug)
    _, secret = rotate(feed, by=Actor.of(request), now=now, overlap=form.length)
    ends = f"end in {in_words(form.length)}" if form.length else "do not open the feed any more"
    return render_connect(request, feed, secret=secret, now=now, rotated=f"Older secrets {ends}.")


@require_POST
@role_required(Role.MANAGER)
def token_revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    token = get_object_or_404(FeedToken.objects.select_related("feed"), pk=pk, feed__slug=slug)
    if revoke(token, by=Actor.of(request), now=timezone.now()):
        messages.success(request, f"The secret {token.prefix}… opens nothing any more.")
    return redirect("feeds:feed_detail", slug)
