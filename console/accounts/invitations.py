"""Inviting a person, withdrawing the invitation, accepting it. A link works once and not for ever."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

from console.accounts.audit import Actor, record
from console.accounts.models import Invitation, Role, User, hash_secret
from console.accounts.people import add_person

logger = logging.getLogger("console.accounts")
LASTS = timedelta(days=7)


class AlreadyHere(Exception):
    """The address belongs to somebody who has an account."""


class InvitationIsOver(Exception):
    """The link was used, withdrawn, replaced or has expired."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a person says of themselves when they accept."""

    name: str
    password: str


@transaction.atomic
def invite(email: str, *, role: Role, by: User, actor: Actor, now: datetime) -> tuple[Invitation, str]:
    """Make an invitation and its secret, which can never be read again. An open one for the address ends."""
    email = User.objects.normalize_email(email).lower()
    if (person := User.objects.filter(email=email).first()) is not None:
        state = "has an account" if person.is_active else "has an account that is deactivated"
        raise AlreadyHere(f"{email} {state}. See the list of people.")
    Invitation.objects.open().filter(email=email).update(revoked_at=now)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        email=email,
        role=role,
        secret_hash=hash_secret(secret),
        invited_by=by,
        created_at=now,
        expires_at=now + LASTS,
    )
    record(actor, action="invitation.create", subject=invitation, after={"role": role}, now=now)
    return invitation, secret


def send(invitation: Invitation, *, link: str) -> bool:
    """Mail the link. False when the mail could not be handed over: the link on the page still works."""
    text = render_to_string("accounts/email/invitation.txt", {"invitation": invitation, "link": link})
    try:
        send_mail("Your invitation to Spot console", text, settings.DEFAULT_FROM_EMAIL, [invitation.email])
    except OSError:  # smtplib's errors and a server that does not answer
        logger.exception("invitation.mail_failed", extra={"invitation": invitation.pk})
        return False
    return True


@transaction.atomic
def withdraw(invitation: Invitation, *, actor: Actor, now: datetime) -> bool:
    """End an open invitation. False when it was over already."""
    is_withdrawn = Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=now) == 1
    if is_withdrawn:
        record(actor, action="invitation.withdraw", subject=invitation, now=now)
    return is_withdrawn


def find(secret: str, *, now: datetime) -> Invitation:
    """The usable invitation with this secret, else InvitationIsOver."""
    invitation = Invitation.objects.usable(now=now).filter(secret_hash=hash_secret(secret)).first()
    if invitation is None or User.objects.filter(email=invitation.email).exists():
        raise InvitationIsOver
    return invitation


@transaction.atomic
def accept(invitation: Invitation, acceptance: Acceptance, *, address: str | None, now: datetime) -> User:
    """Use the invitation up and make the person. Of two who try at once, one gets InvitationIsOver."""
    if Invitation.objects.usable(now=now).filter(pk=invitation.pk).update(accepted_at=now) == 0:
        raise InvitationIsOver
    user = add_person(
        invitation.email,
        role=Role(invitation.role),
        name=acceptance.name,
        password=acceptance.password,
    )
    actor = Actor.person(user, address=address)
    after = {"role": user.role, "name": user.name, "invited_by": str(invitation.invited_by or "")}
    record(actor, action="invitation.accept", subject=user, after=after, now=now)
    return user
