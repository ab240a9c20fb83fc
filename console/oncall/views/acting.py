"""What responders do: take over, override, swap, note, and take it back."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.accounts.permissions import role_required, signed_in
from console.lib.pages import render_region
from console.oncall import calendars, overriding, swapping
from console.oncall.forms import TAKE_OVERS, OverrideForm, SwapForm
from console.oncall.models import CalendarLink, Override, SwapRequest
from console.oncall.noting import NothingSaid, leave_note
from console.oncall.overriding import NotPossible
from console.oncall.queries import swap_choices
from console.oncall.views.answers import answered, page_of, rotation_named

SWAP_VERBS = {"accept": swapping.accept, "decline": swapping.decline, "withdraw": swapping.withdraw}


@require_POST
@role_required(Role.RESPONDER)
def take_over(request: HttpRequest, slug: str) -> HttpResponse:
    """One click: on call from now on."""
    rotation, person, now = rotation_named(slug), signed_in(request), timezone.now()
    minutes, seen = request.POST.get("minutes", ""), request.POST.get("seen", "")
    lasts = timedelta(minutes=int(minutes)) if minutes and minutes in TAKE_OVERS else None
    try:
        override = overriding.take_over(
            rotation,
            person,
            seen=int(seen) if seen.isdecimal() else None,
            lasts=lasts,
            by=Actor.of(request),
            now=now,
        )
    except NotPossible as refusal:
        return answered(request, str(refusal), back=page_of(rotation), is_refused=True)
    if override is None:
        return answered(request, "You are on call already.", back=page_of(rotation))
    undo = reverse("oncall:override_cancel", args=[override.pk])
    text = f"You are on call for {rotation.name} now."
    return answered(request, text, back=page_of(rotation), undo=undo)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def override_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Who should be on call instead?"""
    rotation, now = rotation_named(slug), timezone.now()
    form = OverrideForm(request.POST or None, rotation=rotation, initial=OverrideForm.usual(now))
    if request.method == "POST" and form.is_valid():
        try:
            override, is_new = overriding.add_override(rotation, form.order(), by=Actor.of(request), now=now)
        except NotPossible as refusal:
            form.add_error(None, str(refusal))
        else:
            undo = reverse("oncall:override_cancel", args=[override.pk]) if is_new else ""
            text = f"{override.person} is on call then." if is_new else "That override stands already."
            return answered(request, text, back=page_of(rotation), undo=undo)
    context = {"rotation": rotation, "form": form}
    status = 422 if form.errors else 200
    return render_region(request, "oncall/override_new.html", "override", context, status=status)


@require_POST
@role_required(Role.RESPONDER)
def override_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Managers take back any; others what puts themselves on call, or what they made."""
    override = _override(request, pk)
    now = timezone.now()
    held = overriding.cancel(override, by=Actor.of(request), now=now)
    undo = reverse("oncall:override_restore", args=[pk]) if held.cancelled_at == now else ""
    text = "It is taken back." if held.cancelled_at else "It ends now."
    return answered(request, text, back=page_of(override.rotation), undo=undo)


@require_POST
@role_required(Role.RESPONDER)
def override_restore(request: HttpRequest, pk: int) -> HttpResponse:
    override = _override(request, pk)
    try:
        overriding.restore(override, by=Actor.of(request), now=timezone.now())
    except NotPossible as refusal:
        return answered(request, str(refusal), back=page_of(override.rotation), is_refused=True)
    return answered(request, "It holds again.", back=page_of(override.rotation))


def _override(request: HttpRequest, pk: int) -> Override:
    override = get_object_or_404(Override.objects.select_related("rotation", "person"), pk=pk)
    person = signed_in(request)
    if person.may(Role.MANAGER) or person.pk in (override.person_id, override.created_by_id):
        return override
    raise PermissionDenied("Only a manager, or whoever it puts on call, may take it back.")


@require_http_methods(["GET", "POST"])
@role_required(Role.RESPONDER)
def swap_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Which shift would you like to give away, and for which?"""
    rotation, person, now = rotation_named(slug), signed_in(request), timezone.now()
    choices = swap_choices(rotation, person, now=now)
    form = SwapForm(request.POST or None, choices=choices, person=person)
    if request.method == "POST" and form.is_valid():
        try:
            swap = swapping.ask(rotation, form.order(), by=Actor.of(request), now=now)
        except NotPossible as refusal:
            form.add_error(None, str(refusal))
        else:
            return answered(request, f"{swap.asked} is asked.", back=page_of(rotation))
    context = {"rotation": rotation, "form": form, "choices": choices}
    status = 422 if form.errors else 200
    return render_region(request, "oncall/swap_new.html", "swap", context, status=status)


@require_POST
@role_required(Role.RESPONDER)
def swap_answer(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Accept and decline are for who is asked, withdraw for who asks."""
    found = SwapRequest.objects.select_related("rotation", "asker", "asked")
    swap = get_object_or_404(found, pk=pk)
    if verb not in SWAP_VERBS:
        raise Http404
    whose = swap.asker_id if verb == "withdraw" else swap.asked_id
    if signed_in(request).pk != whose:
        raise PermissionDenied("This swap is for somebody else to answer.")
    back = page_of(swap.rotation)
    try:
        held = SWAP_VERBS[verb](swap, by=Actor.of(request), now=timezone.now())
    except NotPossible as refusal:
        return answered(request, str(refusal), back=back, is_refused=True)
    return answered(request, f"The swap is {held.get_state_display().lower()}.", back=back)


@require_POST
@role_required(Role.RESPONDER)
def note_leave(request: HttpRequest, slug: str) -> HttpResponse:
    rotation = rotation_named(slug)
    try:
        leave_note(rotation, request.POST.get("text", ""), by=Actor.of(request), now=timezone.now())
    except NothingSaid as refusal:
        return answered(request, str(refusal), back=page_of(rotation), is_refused=True)
    return answered(request, "The next shift will read it.", back=f"{page_of(rotation)}#notes")


@require_POST
@role_required(Role.VIEWER)
def calendar_issue(request: HttpRequest, slug: str = "") -> HttpResponse:
    """An address of this rotation's calendar, or of one's own shifts."""
    rotation = rotation_named(slug) if slug else None
    calendars.issue(signed_in(request), rotation, by=Actor.of(request), now=timezone.now())
    return redirect(f"{page_of(rotation) if rotation else reverse('oncall:my_shifts')}#calendar")


@require_POST
@role_required(Role.VIEWER)
def calendar_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    links = CalendarLink.objects.select_related("rotation", "person").filter(person=signed_in(request))
    link = get_object_or_404(links, pk=pk)
    calendars.revoke(link, by=Actor.of(request), now=timezone.now())
    back = page_of(link.rotation) if link.rotation else reverse("oncall:my_shifts")
    return answered(request, "That address opens nothing any more.", back=back)
