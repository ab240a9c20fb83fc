"""`/views/`: the filters that are kept under a name."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts import saved_views
from console.accounts.audit import Actor
from console.accounts.models import Board, DefaultView, Role, SavedView, User
from console.accounts.permissions import role_required, signed_in
from console.accounts.saved_views import Draft, NotPossible
from console.lib.pages import render_region


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def view_list(request: HttpRequest) -> HttpResponse:
    """All that this person sees; a new one is sent here from the board that it is of."""
    person, failure = signed_in(request), ""
    if request.method == "POST":
        try:
            view = _keep(request, person)
        except NotPossible as refusal:
            failure = str(refusal)
        else:
            messages.success(request, f"{view.name} is kept.")
            return redirect(view.path)
    context = {"boards": _boards(person), "failure": failure, "given": request.POST, "me": person}
    return render_region(
        request, "accounts/saved_view_list.html", "saved-views", context, status=422 if failure else 200
    )


@require_POST
@role_required(Role.VIEWER)
def view_act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """rename, update, share, unshare, delete, open-with or open-without."""
    person = signed_in(request)
    view = get_object_or_404(SavedView.objects.visible_to(person).select_related("owner"), pk=pk)
    try:
        said = _act(request, view, verb, person)
    except NotPossible as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("accounts:view_list")


def _keep(request: HttpRequest, person: User) -> SavedView:
    board = request.POST.get("board", "")
    if board not in Board.values:
        raise NotPossible("Say of which board it is.")
    draft = Draft(
        board=Board(board),
        name=request.POST.get("name", ""),
        query=request.POST.get("query", "")[:2000],
        is_shared=request.POST.get("is_shared") == "on",
    )
    view = saved_views.create(draft, owner=person, actor=Actor.of(request), now=timezone.now())
    if request.POST.get("is_default") == "on":
        saved_views.open_with(person, draft.board, view)
    return view


def _act(request: HttpRequest, view: SavedView, verb: str, person: User) -> str:
    board, actor, now = Board(view.board), Actor.of(request), timezone.now()
    if verb == "open-with":
        saved_views.open_with(person, board, view)
        return f"The {board.label.lower()} opens with {view.name} from now on."
    if verb == "open-without":
        saved_views.open_with(person, board, None)
        return f"The {board.label.lower()} opens with the filters you used last."
    if not saved_views.may_change(view, person):
        raise NotPossible(f"{view.name} is {view.whose}'s. Ask them, or a manager, to change it.")
    match verb:
        case "rename":
            saved_views.change(view, name=request.POST.get("name", ""), actor=actor, now=now)
            return f"It is called {view.name} now."
        case "share" | "unshare":
            if not person.may(Role.RESPONDER):
                raise NotPossible("Only responders share views.")
            saved_views.change(view, is_shared=verb == "share", actor=actor, now=now)
            return f"{view.name} is {'everybody’s' if view.is_shared else 'for its owner alone'} now."
        case "delete":
            saved_views.delete(view, actor=actor, now=now)
            return f"{view.name} is deleted."
    raise Http404(f"There is nothing called {verb} to do with a view.")


def _boards(person: User) -> list[dict[str, Any]]:
    defaults = set(DefaultView.objects.filter(person=person).values_list("view", flat=True))
    return [
        {
            "board": board,
            "url": f"/{board.value}/",
            "views": [
                {
                    "view": view,
                    "may_change": saved_views.may_change(view, person),
                    "is_default": view.pk in defaults,
                }
                for view in saved_views.views_of(person, board)
            ],
        }
        for board in Board
    ]
