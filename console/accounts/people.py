"""Acts on people: joining, roles, leaving. There is always an administrator left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from console.accounts.audit import Actor, record
from console.accounts.models import Role, User


class LastAdministrator(Exception):
    """Without this person nobody could administer the console any more."""


def add_person(email: str, *, role: Role, name: str = "", password: str | None = None) -> User:
    """Make a person whose address is taken as proven. The caller writes the audit entry that says how."""
    with transaction.atomic():
        user: User = User.objects.create_user(email, password, role=role, name=name)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@transaction.atomic
def change_role(user: User, *, role: Role, by: Actor, now: datetime) -> None:
    """Give a person another role. Raises LastAdministrator."""
    locked = _locked(user)
    if locked.role == role:
        return
    _keep_an_administrator(locked, stays=role == Role.ADMIN)
    before = locked.role
    locked.role = user.role = role
    locked.save(update_fields=["role"])
    record(by, action="user.role", subject=locked, before={"role": before}, after={"role": role}, now=now)


@transaction.atomic
def deactivate(user: User, *, by: Actor, now: datetime) -> None:
    """End a person's access at once: their sessions stop working too. Raises LastAdministrator."""
    locked = _locked(user)
    if not locked.is_active:
        return
    _keep_an_administrator(locked, stays=False)
    _set_active(locked, to=False)
    user.is_active = False
    record(
        by,
        action="user.deactivate",
        subject=locked,
        before={"is_active": True},
        after={"is_active": False},
        now=now,
    )


@transaction.atomic
def reactivate(user: User, *, by: Actor, now: datetime) -> None:
    """Let a person in again, with the role they had."""
    locked = _locked(user)
    if locked.is_active:
        return
    _set_active(locked, to=True)
    user.is_active = True
    record(
        by,
        action="user.reactivate",
        subject=locked,
        before={"is_active": False},
        after={"is_active": True},
        now=now,
    )


def password_link(user: User, *, by: Actor, now: datetime) -> str:
    """The path of a page where this person sets a new password. For consoles without a mail server."""
    key = default_token_generator.make_token(user)
    record(by, action="user.password_link", subject=user, now=now)
    return reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])


def _set_active(user: User, *, to: bool) -> None:
    user.is_active = to
    user.save(update_fields=["is_active"])


def _locked(user: User) -> User:
    """The row as it is now. With it all administrators, in key order, so that two acts cannot deadlock."""
    concerned = Q(pk=user.pk) | Q(role=Role.ADMIN)
    together: Iterable[User] = User.objects.filter(concerned).select_for_update().order_by("pk")
    return next(person for person in together if person.pk == user.pk)


def _keep_an_administrator(user: User, *, stays: bool) -> None:
    """Called under the lock of all administrators: two who demote each other at once do not both succeed."""
    if stays or user.role != Role.ADMIN or not user.is_active:
        return
    if not User.objects.active_administrators().exclude(pk=user.pk).exists():
        raise LastAdministrator(
            f"{user} is the last active administrator. Make somebody else administrator first."
        )
