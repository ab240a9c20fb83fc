"""Keeping the filters of a board under a name, for oneself or for everybody.

Shared views are everybody's business: making, changing and deleting one is in the audit trail. Private ones are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db import IntegrityError, transaction
from django.http import QueryDict

from console.accounts.audit import Actor, changed, record
from console.accounts.models import Board, DefaultView, Role, SavedView, User

FILTERS = {
    Board.ONCALL: ("service", "team", "provider", "region", "q"),
    Board.ALERTS: ("status", "service", "severity", "q"),
}
"""What each board is filtered by; nothing else of its URL is kept."""
USUAL = {("status", "open")}
MOST = 100
LONGEST_VALUE = 100


class NotPossible(Exception):
    """It cannot be kept so; the text says what to do instead."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a view is to be."""

    board: Board
    name: str
    query: str
    is_shared: bool = False


def clean_query(board: Board, query: str | QueryDict) -> str:
    """The board's own filters that are set, always in the same order."""
    given = QueryDict(query) if isinstance(query, str) else query
    pairs = [(name, given.get(name, "").replace("\0", "").strip()[:LONGEST_VALUE]) for name in FILTERS[board]]
    return urlencode([pair for pair in pairs if pair[1] and pair not in USUAL])


def views_of(person: User, board: Board) -> list[SavedView]:
    """One's own before the others', by name."""
    rows = SavedView.objects.visible_to(person).filter(board=board).select_related("owner")
    return sorted(rows[:MOST], key=lambda view: (view.owner_id != person.pk, view.name.lower()))


def may_change(view: SavedView, person: User) -> bool:
    """Its owner; a shared one any manager too."""
    return view.owner_id == person.pk or (view.is_shared and person.may(Role.MANAGER))


def create(draft: Draft, *, owner: User | None, actor: Actor, now: datetime) -> SavedView:
    """Keep it. Raises `NotPossible` where the name is taken, or is missing."""
    if owner is not None and draft.is_shared and not owner.may(Role.RESPONDER):
        raise NotPossible("Only responders share views. Keep it for yourself.")
    if owner is not None and SavedView.objects.filter(owner=owner).count() >= MOST:
        raise NotPossible(f"You keep {MOST} views already. Delete some first.")
    view = SavedView(
        board=draft.board,
        name=_name(draft.name),
        query=clean_query(draft.board, draft.query),
        owner=owner,
        owner_label="" if owner else actor.label,
        is_shared=draft.is_shared or owner is None,
        created_at=now,
    )
    _save(view, before=None, actor=actor, now=now)
    return view


def change(
    view: SavedView,
    *,
    actor: Actor,
    now: datetime,
    name: str | None = None,
    query: str | None = None,
    is_shared: bool | None = None,
) -> None:
    """Rename it, give it other filters, share it or take it back for oneself. Twice is harmless."""
    before = _state(view)
    if name is not None:
        view.name = _name(name)
    if query is not None:
        view.query = clean_query(Board(view.board), query)
    if is_shared is not None:
        if not is_shared and view.owner is None:
            raise NotPossible("A program made it, so it stays shared. Delete it instead.")
        view.is_shared = is_shared
    if _state(view) != before:
        _save(view, before=before, actor=actor, now=now)


@transaction.atomic
def delete(view: SavedView, *, actor: Actor, now: datetime) -> None:
    """For good. Whoever opened their board with it sees everything from then on."""
    if view.is_shared:
        record(actor, action="saved_view.delete", subject=view, before=_state(view), now=now)
    view.delete()


def open_with(person: User, board: Board, view: SavedView | None) -> None:
    """The view a board opens with from now on; none: everything, or the filters used last."""
    if view is None:
        DefaultView.objects.filter(person=person, board=board).delete()
    else:
        DefaultView.objects.update_or_create(person=person, board=board, defaults={"view": view})


def default_of(person: User, board: Board) -> SavedView | None:
    """One that is no longer shared opens nobody else's board."""
    chosen = SavedView.objects.visible_to(person).filter(default_of__person=person, default_of__board=board)
    return chosen.first()


def _name(name: str) -> str:
    if not (short := " ".join(name.split())[:80]):
        raise NotPossible("Give it a name.")
    return short


@transaction.atomic
def _save(view: SavedView, *, before: dict[str, object] | None, actor: Actor, now: datetime) -> None:
    action = "saved_view.create" if view.pk is None else "saved_view.change"
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as taken:
        raise NotPossible(f"There is a view called {view.name} already. Choose another name.") from taken
    if view.is_shared or (before and before["is_shared"]):
        old, new = changed(before or {}, _state(view))
        record(actor, action=action, subject=view, before=old if before else None, after=new, now=now)


def _state(view: SavedView) -> dict[str, object]:
    return {"name": view.name, "board": view.board, "query": view.query, "is_shared": view.is_shared}
