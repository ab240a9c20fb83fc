"""What people choose for themselves: methods and their proof, rules, quiet hours, the open board; and a test page."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from console.accounts.audit import Actor, record
from console.accounts.models import User, hash_secret
from console.notifications.destinations import give_settings
from console.notifications.expanding import habits_of
from console.notifications.models import (
    BoardNotice,
    ContactKind,
    ContactMethod,
    Importance,
    NotificationKind,
    PersonalRule,
    QuietHours,
)
from console.notifications.outbox import Message, put

CODE_LASTS = timedelta(minutes=15)
MOST_TRIES = 5
MOST_METHODS, MOST_RULES, MOST_QUIET = 10, 30, 10
CODES_EVERY = timedelta(seconds=30)


class NotPossible(Exception):
    """It cannot be done; the text says what to do instead."""


@transaction.atomic
def add_method(
    person: User, *, kind: str, label: str, values: Mapping[str, str], actor: Actor, now: datetime
) -> ContactMethod:
    """A new way to reach a person, and a code on its way there. Raises `BadSetting`."""
    if ContactMethod.objects.kept().filter(person=person).count() >= MOST_METHODS:
        raise NotPossible(f"At most {MOST_METHODS} methods. Remove one first.")
    method = ContactMethod(person=person, kind=kind, label=label, created_at=now)
    give_settings(method, values)
    method.save()
    record(
        actor, action="contact_method.add", subject=method, after={"address": method.address_hint}, now=now
    )
    send_code(method, now=now)
    return method


@transaction.atomic
def send_code(method: ContactMethod, *, now: datetime) -> None:
    """Send a new code there; the one before is void. Not more often than every half minute."""
    sent_at = method.code_expires_at - CODE_LASTS if method.code_expires_at else None
    if sent_at and now - sent_at < CODES_EVERY:
        raise NotPossible("A code was sent just now. Wait half a minute before asking for another.")
    code = f"{secrets.randbelow(10**6):06}"
    method.code_hash, method.code_tries = hash_secret(f"{method.pk}:{code}"), 0
    method.code_expires_at = now + CODE_LASTS
    method.save(update_fields=["code_hash", "code_tries", "code_expires_at"])
    message = _trial(
        method,
        name="code",
        title=f"{code} is your code for Spot console",
        text=f"Type {code} on your settings page within 15 minutes, to be told by this method.",
        now=now,
    )
    put([message], now=now)


def verify(method: ContactMethod, code: str, *, actor: Actor, now: datetime) -> None:
    """Prove that the person reads what is sent there. Raises `NotPossible`; five wrong tries void the code."""
    if method.verified_at is not None:
        return
    asked = ContactMethod.objects.filter(
        pk=method.pk, code_expires_at__gt=now, code_tries__lt=MOST_TRIES, archived_at=None
    )
    if not method.code_hash or not asked.update(code_tries=F("code_tries") + 1):
        raise NotPossible("The code is not valid any more. Have a new one sent.")
    typed = hash_secret(f"{method.pk}:{code.strip().replace(' ', '')}")
    if not hmac.compare_digest(typed, method.code_hash):
        raise NotPossible("That is not the code. Look at the newest message.")
    with transaction.atomic():
        method.verified_at, method.code_hash, method.code_expires_at = now, "", None
        method.save(update_fields=["verified_at", "code_hash", "code_expires_at"])
        record(actor, action="contact_method.verify", subject=method, now=now)


@transaction.atomic
def remove_method(method: ContactMethod, *, actor: Actor, now: datetime) -> None:
    """Stop using it; its rules go with it. The account's own e-mail stays."""
    if method.kind == ContactKind.ACCOUNT:
        raise NotPossible("The e-mail of the account cannot be removed: it is the last resort.")
    method.rules.all().delete()
    method.archive(now=now)
    record(actor, action="contact_method.remove", subject=method, now=now)


@transaction.atomic
def set_bundling(method: ContactMethod, *, after: int, minutes: int, actor: Actor, now: datetime) -> None:
    """After how many messages in how many minutes the next ones come as one."""
    before = {"after": method.bundle_after, "minutes": method.bundle_minutes}
    method.bundle_after, method.bundle_minutes = after, minutes
    method.save(update_fields=["bundle_after", "bundle_minutes"])
    after_words = {"after": after, "minutes": minutes}
    record(actor, action="contact_method.bundling", subject=method, before=before, after=after_words, now=now)


@transaction.atomic
def add_rule(
    method: ContactMethod, *, importance: str, delay_minutes: int, actor: Actor, now: datetime
) -> None:
    if not method.is_usable:
        raise NotPossible("Prove first that messages reach you there: type the code that was sent.")
    if PersonalRule.objects.filter(method__person=method.person_id).count() >= MOST_RULES:
        raise NotPossible(f"At most {MOST_RULES} rules. Remove one first.")
    rule, is_new = PersonalRule.objects.get_or_create(
        method=method, importance=importance, delay_minutes=delay_minutes
    )
    if is_new:
        record(actor, action="personal_rule.add", subject=rule, after={"importance": importance}, now=now)


@transaction.atomic
def remove_rule(rule: PersonalRule, *, actor: Actor, now: datetime) -> None:
    record(
        actor, action="personal_rule.remove", subject=rule, before={"importance": rule.importance}, now=now
    )
    rule.delete()


@transaction.atomic
def add_quiet_hours(person: User, hours: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    if person.quiet_hours.count() >= MOST_QUIET:
        raise NotPossible(f"At most {MOST_QUIET} entries. Remove one first.")
    made = QuietHours.objects.create(person=person, **hours)
    record(actor, action="quiet_hours.add", subject=made, after={"days": made.days}, now=now)


@transaction.atomic
def remove_quiet_hours(hours: QuietHours, *, actor: Actor, now: datetime) -> None:
    record(actor, action="quiet_hours.remove", subject=hours, now=now)
    hours.delete()


@transaction.atomic
def set_board_notice(
    person: User, *, is_shown: bool, is_heard: bool, actor: Actor, now: datetime
) -> BoardNotice:
    choice = {"is_shown": is_shown, "is_heard": is_heard}
    notice, _ = BoardNotice.objects.update_or_create(person=person, defaults=choice)
    record(actor, action="user.board_notice", subject=person, after=choice, now=now)
    return notice


@transaction.atomic
def send_test_page(person: User, *, actor: Actor, now: datetime) -> str:
    """One message by each method that an important page would take, all at once. The subject of them."""
    habits = habits_of([person.pk])[person.pk]
    used = {rule.method_id for rule in habits.rules if rule.importance == Importance.IMPORTANT}
    methods = ContactMethod.objects.filter(pk__in=used or {habits.account_id})
    put([_test_page(method, now=now) for method in methods], now=now)
    record(actor, action="user.test_page", subject=person, now=now)
    return subject_of(person)


@transaction.atomic
def try_method(method: ContactMethod, *, actor: Actor, now: datetime) -> None:
    if not method.is_usable:
        raise NotPossible("Prove first that messages reach you there: type the code that was sent.")
    put([_test_page(method, now=now)], now=now)
    record(actor, action="contact_method.test", subject=method, now=now)


def subject_of(person: User) -> str:
    return f"person:{person.pk}"


def _test_page(method: ContactMethod, *, now: datetime) -> Message:
    return _trial(
        method,
        name="page",
        title="Test page from Spot console",
        text="This is how a page reaches you. Nothing is wrong, and nothing has to be done.",
        now=now,
    )


def _trial(method: ContactMethod, *, name: str, title: str, text: str, now: datetime) -> Message:
    return Message(
        key=f"trial:{name}:{method.pk}:{now.isoformat()}",
        origin="live",
        kind=NotificationKind.TRIAL,
        importance=Importance.IMPORTANT,
        subject=f"person:{method.person_id}",
        title=title,
        text=text,
        path="/me/notifications/",
        reason="You asked for it",
        person_id=method.person_id,
        method_id=method.pk,
        data={"severity": "info", "is_confidential": True} if name == "code" else {"severity": "info"},
    )
