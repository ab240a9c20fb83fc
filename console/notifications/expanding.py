"""From a message for a person to the ways it is told by: their rules, their quiet hours, at once by e-mail else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from console.accounts.models import User
from console.notifications.message import Message
from console.notifications.models import (
    HEARD,
    ContactKind,
    ContactMethod,
    Importance,
    Notification,
    NotificationKind,
    PersonalRule,
    QuietHours,
)
from console.notifications.quiet import Quiet, quiet_until

TOLD_IN_STEPS = (NotificationKind.PAGE, NotificationKind.REMINDER)
"""What may be called off meanwhile is told by one method after the other; all else by the first ones, at once."""


@dataclass(frozen=True, slots=True)
class Way:
    """By which method (null: a channel has but one), when, and why so."""

    method_id: int | None
    due_at: datetime
    why: str
    note: str = ""


class Rule(NamedTuple):
    importance: str
    delay_minutes: int
    method_id: int
    label: str


@dataclass(frozen=True, slots=True)
class Habits:
    """How one person is told."""

    zone: ZoneInfo
    is_active: bool
    account_id: int
    rules: Sequence[Rule]
    quiet: Sequence[Quiet]
    labels: dict[int, str]


def habits_of(person_ids: Iterable[int]) -> dict[int, Habits]:
    """Five statements, however many people."""
    ids = sorted(set(person_ids))
    if not ids:
        return {}
    people = User.objects.filter(pk__in=ids).in_bulk()
    accounts = _accounts(ids)
    rules: dict[int, list[Rule]] = defaultdict(list)
    labels: dict[int, dict[int, str]] = defaultdict(dict)
    quiet: dict[int, list[Quiet]] = defaultdict(list)
    for method in ContactMethod.objects.usable().filter(person__in=ids):
        labels[method.person_id][method.pk] = method.label
    kept = PersonalRule.objects.filter(method__person__in=ids, method__archived_at=None)
    columns = "method__person", "importance", "delay_minutes", "method", "method__label"
    for person_id, *rule in kept.exclude(method__verified_at=None).order_by(*columns).values_list(*columns):
        rules[person_id].append(Rule(*rule))
    for hours in QuietHours.objects.filter(person__in=ids):
        quiet[hours.person_id].append(Quiet(hours.days, hours.starts, hours.ends))
    return {
        pk: Habits(person.zone, person.is_active, accounts[pk], rules[pk], quiet[pk], labels[pk])
        for pk, person in people.items()
    }


def _accounts(ids: Sequence[int]) -> dict[int, int]:
    """The e-mail of each account as a contact method; made for whoever has none yet."""
    wanted = ContactMethod.objects.filter(person__in=ids, kind=ContactKind.ACCOUNT)
    found = dict(wanted.values_list("person", "pk"))
    missing = [pk for pk in ids if pk not in found]
    if missing:
        ContactMethod.objects.bulk_create([account_method(pk) for pk in missing], ignore_conflicts=True)
        found = dict(wanted.values_list("person", "pk"))
    return found


def account_method(person_id: int) -> ContactMethod:
    """Proven: the invitation, or single sign-on, came by that address. Every person has one, for ever."""
    label = ContactKind.ACCOUNT.label
    method = ContactMethod(person_id=person_id, kind=ContactKind.ACCOUNT, label=label)
    method.verified_at = method.created_at
    return method


def heard_by(messages: Iterable[Message]) -> dict[tuple[str, int], set[int]]:
    """By (subject, person) of the *healed* messages: the methods by which the person heard that it broke."""
    healed = [message for message in messages if message.kind == NotificationKind.HEALED]
    methods: dict[tuple[str, int], set[int]] = defaultdict(set)
    if healed:
        rows = Notification.objects.filter(
            subject__in={message.subject for message in healed},
            person__in={message.person_id for message in healed if message.person_id},
            kind__in=[NotificationKind.PAGE, NotificationKind.REMINDER, NotificationKind.TICKET],
            state__in=HEARD,
            method__archived_at=None,
        )
        for subject, person_id, method_id in rows.values_list("subject", "person", "method").distinct():
            methods[subject, person_id].add(method_id)
    return methods


def ways(message: Message, habits: Habits, *, heard: Iterable[int], now: datetime) -> list[Way]:
    """By which methods the message is told, the first one first. Never none."""
    if message.method_id is not None:
        return [Way(message.method_id, now, "")]
    if heard_ways := [
        Way(pk, now, f"by {habits.labels.get(pk, 'the method')}, as they heard that it broke")
        for pk in sorted(heard)
    ]:
        return [_after_quiet(way, message, habits) for way in heard_ways]
    rules = [rule for rule in habits.rules if rule.importance == message.importance]
    if not rules:
        return [_after_quiet(Way(habits.account_id, now, _why_e_mail(habits, message)), message, habits)]
    if message.kind not in TOLD_IN_STEPS:
        first = min(rule.delay_minutes for rule in rules)
        rules = [rule._replace(delay_minutes=0) for rule in rules if rule.delay_minutes == first]
    return [_after_quiet(_by_rule(rule, now=now), message, habits) for rule in rules]


def _why_e_mail(habits: Habits, message: Message) -> str:
    if habits.rules:
        return f"no rule of theirs for {message.importance} messages: e-mail at once"
    return "no rules of their own: e-mail at once"


def _by_rule(rule: Rule, *, now: datetime) -> Way:
    when = f"after {rule.delay_minutes} min" if rule.delay_minutes else "at once"
    due_at = now + timedelta(minutes=rule.delay_minutes)
    return Way(rule.method_id, due_at, f"{when} by {rule.label}, their rule for {rule.importance} messages")


def _after_quiet(way: Way, message: Message, habits: Habits) -> Way:
    if message.importance == Importance.IMPORTANT:
        return way
    until = quiet_until(way.due_at, habits.quiet, zone=habits.zone)
    if until is None:
        return way
    there = until.astimezone(habits.zone)
    note = f"Waits for their quiet hours to end: {there:%a %H:%M} {there.tzname()}, {until.astimezone(UTC):%H:%M}Z"
    return Way(way.method_id, until, way.why, note)
