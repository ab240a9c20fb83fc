"""Factories of people and tokens. The cast: alice is on call, bob is next, charlie is elsewhere."""

from __future__ import annotations

from itertools import count
from typing import Any

from console.accounts.models import ApiToken, Role, Scope, User
from console.accounts.people import add_person

PASSWORD = "correct-horse-battery"
_numbers = count(1)


def make_user(name: str = "", **fields: Any) -> User:
    """A responder unless said otherwise. Without `password` they can sign in only by `force_login`."""
    name = name or f"person-{next(_numbers)}"
    email = fields.pop("email", f"{name}@example.com")
    role = Role(fields.pop("role", Role.RESPONDER))
    user = add_person(email, role=role, name=name.capitalize(), password=fields.pop("password", None))
    for field, value in fields.items():
        setattr(user, field, value)
    user.save()
    return user


def make_token(*scopes: Scope, **fields: Any) -> tuple[ApiToken, str]:
    """A token that may read, unless scopes are named, and its secret."""
    name = fields.pop("name", f"program-{next(_numbers)}")
    return ApiToken.issue(name, scopes=[scope.value for scope in scopes or (Scope.READ,)], **fields)
