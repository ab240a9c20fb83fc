"""What managers do: make and change rotations, their layers, and import overrides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.audit import Actor
from console.accounts.forms import time_zones
from console.accounts.models import Role
from console.accounts.origin import chosen_origin
from console.accounts.permissions import role_required, signed_in
from console.lib.pages import render_region
from console.oncall import editing, importing, layering, overriding
from console.oncall.editing import CannotArchive
from console.oncall.forms import CalendarForm, RotationForm
from console.oncall.ical_reading import NotACalendar
from console.oncall.layer_editor import LayerEditor, preview
from console.oncall.layering import EditedMeanwhile, NotPossible
from console.oncall.models import Layer, Rotation
from console.oncall.people import can_be_on_call
from console.oncall.queries import ShiftLine
from console.oncall.views.answers import answered, page_of, rotation_named


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def rotation_new(request: HttpRequest) -> HttpResponse:
    """A name and a zone first; who takes turns comes next."""
    origin, now = chosen_origin(request), timezone.now()
    usual = {"time_zone": signed_in(request).time_zone, "is_round_the_clock": True}
    form = RotationForm(request.POST or None, origin=origin, initial=usual)
    if request.method == "POST" and form.is_valid():
        rotation = editing.create(form.order(), by=Actor.of(request), now=now, origin=origin)
        return redirect("oncall:layer_new", rotation.slug)
    context = {"form": form, "time_zones": time_zones()}
    status = 422 if form.errors else 200
    return render_region(request, "oncall/rotation_new.html", "rotation", context, status=status)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def rotation_edit(request: HttpRequest, slug: str) -> HttpResponse:
    rotation, now = rotation_named(slug), timezone.now()
    form = RotationForm(
        request.POST or None, origin=rotation.origin, initial=RotationForm.values_of(rotation)
    )
    if request.method == "POST" and form.is_valid():
        editing.change(rotation, form.order(), by=Actor.of(request), now=now)
        return answered(request, "It is saved.", back=page_of(rotation))
    context = {"rotation": rotation, "form": form, "time_zones": time_zones()}
    status = 422 if form.errors else 200
    return render_region(request, "oncall/rotation_edit.html", "rotation", context, status=status)


@require_POST
@role_required(Role.MANAGER)
def rotation_archive(request: HttpRequest, slug: str) -> HttpResponse:
    return _do(request, slug, editing.archive, said="Nobody is on call in it from now on.")


@require_POST
@role_required(Role.MANAGER)
def rotation_unarchive(request: HttpRequest, slug: str) -> HttpResponse:
    return _do(request, slug, editing.unarchive, said="Its layers hold again.")


def _do(request: HttpRequest, slug: str, act: Callable[..., None], *, said: str) -> HttpResponse:
    rotation = rotation_named(slug)
    try:
        act(rotation, by=Actor.of(request), now=timezone.now())
    except CannotArchive as refusal:
        return answered(request, str(refusal), back=page_of(rotation), is_refused=True)
    return answered(request, said, back=page_of(rotation))


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def layer_new(request: HttpRequest, slug: str) -> HttpResponse:
    rotation, now = rotation_named(slug), timezone.now()
    if request.method == "GET":
        return _show(request, rotation, LayerEditor.empty(rotation, now=now), None, now=now)
    return _edited(request, rotation, None, now=now)


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def layer_edit(request: HttpRequest, slug: str, position: int) -> HttpResponse:
    rotation, now = rotation_named(slug), timezone.now()
    layer = rotation.layers.not_over(at=now).filter(position=position).order_by("-valid_from").first()
    if layer is None:
        raise Http404
    if request.method == "GET":
        return _show(request, rotation, LayerEditor.of_layer(layer), layer, now=now)
    return _edited(request, rotation, layer, now=now)


def _edited(request: HttpRequest, rotation: Rotation, layer: Layer | None, *, now: datetime) -> HttpResponse:
    """Only "save" stores anything; the other buttons rearrange the form."""
    editor, press = LayerEditor.of(request.POST), request.POST.get("do", "")
    if press != "save":
        return _show(request, rotation, editor.rearranged(press), layer, now=now)
    order = editor.order(list(can_be_on_call(rotation.origin)))
    if order is None:
        return _show(request, rotation, editor, layer, now=now, status=422)
    by = Actor.of(request)
    try:
        if layer is None:
            layering.add_layer(rotation, order, by=by, now=now)
        elif editor.seen != layer.pk:
            raise EditedMeanwhile(
                "Somebody changed this layer while you were writing. Open it again to see how."
            )
        else:
            layering.change_layer(layer, order, by=by, now=now)
    except (NotPossible, EditedMeanwhile) as refusal:
        editor.form.add_error(None, str(refusal))
        return _show(request, rotation, editor, layer, now=now, status=409)
    return answered(request, "The layer is saved.", back=page_of(rotation))


def _show(
    request: HttpRequest, rotation: Rotation, editor: LayerEditor, layer: Layer | None, *, now: datetime,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    people = list(can_be_on_call(rotation.origin).order_by("name", "email", "pk"))
    named = {person.pk: person for person in people}
    order = editor.order(people) if editor.form.is_bound else None
    position = layer.position if layer else 1
    turns = preview(rotation, order, position=position, now=now) if order else []
    context = {
        "rotation": rotation,
        "layer": layer,
        "editor": editor,
        "form": editor.form,
        "people": people,
        "turns": [ShiftLine(turn, named.get(turn.person_id)) for turn in turns],
        "here": request.path,
    }
    return render_region(request, "oncall/layer_edit.html", "layer", context, status=status)


@require_POST
@role_required(Role.MANAGER)
def layer_remove(request: HttpRequest, slug: str, position: int) -> HttpResponse:
    rotation = rotation_named(slug)
    layering.remove_layer(rotation, position, by=Actor.of(request), now=timezone.now())
    return answered(request, "The layer is gone from now on.", back=page_of(rotation))


@require_POST
@role_required(Role.MANAGER)
def layer_raise(request: HttpRequest, slug: str, position: int) -> HttpResponse:
    rotation = rotation_named(slug)
    try:
        layering.raise_layer(rotation, position, by=Actor.of(request), now=timezone.now())
    except NotPossible as refusal:
        return answered(request, str(refusal), back=page_of(rotation), is_refused=True)
    return answered(request, "The layer lies one higher.", back=page_of(rotation))


@require_http_methods(["GET", "POST"])
@role_required(Role.MANAGER)
def overrides_import(request: HttpRequest, slug: str) -> HttpResponse:
    """An .ics file in, what became of each event out."""
    rotation, now = rotation_named(slug), timezone.now()
    form = CalendarForm(request.POST or None, request.FILES or None)
    context: dict[str, object] = {"rotation": rotation, "form": form}
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"].read()
        try:
            context["told"] = importing.import_calendar(rotation, content, by=Actor.of(request), now=now)
        except (NotACalendar, overriding.NotPossible) as refusal:
            form.add_error("file", str(refusal))
    context["back"] = reverse("oncall:rotation_detail", args=[slug])
    status = 422 if form.errors else 200
    return render_region(request, "oncall/overrides_import.html", "import", context, status=status)
