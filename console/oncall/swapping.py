"""Swapping shifts: one asks, the other answers, and an accepted swap is overrides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from console.accounts.audit import Actor, record
from console.accounts.models import User
from console.lib.live import announce
from console.oncall.models import OverrideKind, Rotation, SwapRequest, SwapState
from console.oncall.overriding import NotPossible, OverrideOrder, add_override, lock
from console.oncall.people import can_be_on_call
from console.oncall.schedule import shifts
from console.oncall.telling import News, span_in_words, tell


@dataclass(frozen=True, slots=True)
class Stretch:
    """[started_at, ended_at)"""

    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class SwapOrder:
    """`asker` gives a shift to `asked`, for one of theirs or for nothing."""

    asker: User
    asked: User
    gives: Stretch
    takes: Stretch | None = None
    message: str = ""


@transaction.atomic
def ask(rotation: Rotation, order: SwapOrder, *, by: Actor, now: datetime) -> SwapRequest:
    held = lock(rotation)
    _check(held, order, now=now)
    takes = order.takes
    try:
        with transaction.atomic():
            swap = SwapRequest.objects.create(
                rotation=held,
                asker=order.asker,
                asked=order.asked,
                started_at=order.gives.started_at,
                ended_at=order.gives.ended_at,
                return_started_at=takes.started_at if takes else None,
                return_ended_at=takes.ended_at if takes else None,
                message=order.message[:300],
                created_at=now,
            )
    except IntegrityError as error:
        raise NotPossible("You have asked for a swap of this shift already. Withdraw that first.") from error
    _note(by, "swap.ask", swap, now=now)
    _tell(swap, swap.asked, "asks", _question(swap), now=now)
    return swap


def accept(swap: SwapRequest, *, by: Actor, now: datetime) -> SwapRequest:
    """The shifts change hands. Refused where the schedule changed since: nobody takes on what they did not see."""

    def act(held: SwapRequest) -> None:
        _check(held.rotation, order_of(held), now=now)
        gives = OverrideOrder(
            held.asked, held.started_at, held.ended_at, held.asker, "Swapped", OverrideKind.SWAP, held
        )
        add_override(held.rotation, gives, by=by, now=now)
        if held.return_started_at and held.return_ended_at:
            back = OverrideOrder(
                held.asker, held.return_started_at, held.return_ended_at, held.asked, "Swapped",
                OverrideKind.SWAP, held,
            )  # fmt: skip
            add_override(held.rotation, back, by=by, now=now)
        _tell(held, held.asker, "accepted", f"{held.asked} accepted your swap.", now=now)

    return _decide(swap, SwapState.ACCEPTED, "swap.accept", act, by=by, now=now)


def decline(swap: SwapRequest, *, by: Actor, now: datetime) -> SwapRequest:
    def act(held: SwapRequest) -> None:
        _tell(held, held.asker, "declined", f"{held.asked} declined your swap.", now=now)

    return _decide(swap, SwapState.DECLINED, "swap.decline", act, by=by, now=now)


def withdraw(swap: SwapRequest, *, by: Actor, now: datetime) -> SwapRequest:
    def act(held: SwapRequest) -> None:
        _tell(held, held.asked, "withdrawn", f"{held.asker} no longer asks you to swap.", now=now)

    return _decide(swap, SwapState.WITHDRAWN, "swap.withdraw", act, by=by, now=now)


def order_of(swap: SwapRequest) -> SwapOrder:
    takes = None
    if swap.return_started_at and swap.return_ended_at:
        takes = Stretch(swap.return_started_at, swap.return_ended_at)
    return SwapOrder(swap.asker, swap.asked, Stretch(swap.started_at, swap.ended_at), takes)


@transaction.atomic
def _decide(
    swap: SwapRequest, state: SwapState, action: str, act: Callable[[SwapRequest], None], *, by: Actor, now: datetime
) -> SwapRequest:  # fmt: skip
    lock(swap.rotation)
    found = SwapRequest.objects.select_for_update(of=("self",)).select_related("rotation", "asker", "asked")
    held = found.get(pk=swap.pk)
    if held.state == state:
        return held
    if held.state != SwapState.OPEN:
        raise NotPossible(f"This swap is {held.get_state_display().lower()} already.")
    if held.started_at <= now and state == SwapState.ACCEPTED:
        raise NotPossible("The shift has begun; take over instead.")
    act(held)
    held.state, held.decided_at = state, now
    held.save(update_fields=["state", "decided_at"])
    _note(by, action, held, now=now)
    return held


def _check(rotation: Rotation, order: SwapOrder, *, now: datetime) -> None:
    if order.asker == order.asked:
        raise NotPossible("Ask somebody else.")
    if not can_be_on_call(rotation.origin).filter(pk=order.asked.pk).exists():
        raise NotPossible(f"{order.asked} cannot be on call: that needs an open account of a responder.")
    for person, stretch in ((order.asker, order.gives), (order.asked, order.takes)):
        if stretch is None:
            continue
        if stretch.started_at <= now:
            raise NotPossible("Only shifts that have not begun can be swapped; take over instead.")
        if not _is_on_call(rotation, person, stretch):
            raise NotPossible(f"{person} is not on call in all of that time any more. Ask anew.")


def _is_on_call(rotation: Rotation, person: User, stretch: Stretch) -> bool:
    found = shifts([rotation.pk], since=stretch.started_at, until=stretch.ended_at)[rotation.pk]
    return [
        (shift.person_id, shift.started_at, shift.ended_at) for shift in found
    ] == [(person.pk, stretch.started_at, stretch.ended_at)]  # fmt: skip


def _question(swap: SwapRequest) -> str:
    gives = span_in_words(swap.started_at, swap.ended_at, person=swap.asked)
    text = f"{swap.asker} asks you to take their shift, {gives}"
    if swap.return_started_at and swap.return_ended_at:
        text += (
            f", for yours, {span_in_words(swap.return_started_at, swap.return_ended_at, person=swap.asked)}"
        )
    return f"{text}." + (f" “{swap.message}”" if swap.message else "")


def _tell(swap: SwapRequest, person: User, what: str, text: str, *, now: datetime) -> None:
    news = News(
        key=f"swap:{swap.pk}:{what}",
        person=person,
        title=f"{swap.rotation.name}: {text}"[:200],
        text=text,
        reason="A swap of shifts that you are part of.",
    )
    tell(news, rotation=swap.rotation, now=now)


def _note(by: Actor, action: str, swap: SwapRequest, *, now: datetime) -> None:
    after: dict[str, Any] = {
        "asker": swap.asker.email,
        "asked": swap.asked.email,
        "started_at": swap.started_at.isoformat(),
        "ended_at": swap.ended_at.isoformat(),
        "state": swap.state,
    }
    record(by, action=action, subject=swap, after=after, now=now)
    announce("shifts")
