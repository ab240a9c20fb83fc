"""The first person of a console: made once, when there is nobody yet."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction

from console.accounts.audit import Actor, record
from console.accounts.models import Role, User
from console.accounts.people import add_person

DEFAULT_EMAIL = "admin@localhost"
LOCK = "accounts.first_administrator"


class UnusableAdministrator(Exception):
    """CONSOLE_ADMIN_EMAIL or CONSOLE_ADMIN_PASSWORD cannot be used. The message says which and why."""


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """Who was made. The password is here only when it was generated: print it once, keep it nowhere."""

    email: str
    generated_password: str | None


@transaction.atomic
def ensure_first_administrator(*, email: str, password: str, now: datetime) -> FirstAdministrator | None:
    """Make an administrator when nobody exists. None when somebody does, also when two start at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])
    if User.objects.real().exists():
        return None
    email = email or DEFAULT_EMAIL
    generated = None if password else secrets.token_urlsafe(15)
    _check(email, password)
    user = add_person(email, role=Role.ADMIN, name="Administrator", password=password or generated)
    record(
        Actor.console("first start"),
        action="user.create",
        subject=user,
        after={"role": user.role},
        now=now,
    )
    return FirstAdministrator(user.email, generated)


def _check(email: str, password: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise UnusableAdministrator(f"CONSOLE_ADMIN_EMAIL: {email} is not an e-mail address.") from error
    try:
        if password:
            validate_password(password, User(email=email, name="Administrator"))
    except ValidationError as error:
        raise UnusableAdministrator("CONSOLE_ADMIN_PASSWORD: " + " ".join(error.messages)) from error
