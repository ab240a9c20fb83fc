"""Finding the rotation of a page, and saying what came of an act."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from console.oncall.models import Rotation


def rotation_named(slug: str) -> Rotation:
    return get_object_or_404(Rotation.objects.select_related("team"), slug=slug)


def answered(
    request: HttpRequest, text: str, *, back: str, undo: str = "", is_refused: bool = False
) -> HttpResponse:
    """Back to the page with what happened and how to take it back. An undo from a toast is answered briefly."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=409 if is_refused else 204)
    level = messages.WARNING if is_refused else messages.SUCCESS
    messages.add_message(request, level, text, extra_tags=f"undo:{undo}" if undo else "")
    return HttpResponseRedirect(back)


def page_of(rotation: Rotation) -> str:
    return reverse("oncall:rotation_detail", args=[rotation.slug])
