"""Acknowledging from a message: signed out, asked first, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import AuditEntry, Role, User
from console.alerts.models import AlertEvent, AlertGroup, GroupStatus
from console.notifications.links import LinkOrder, issue
from console.notifications.models import Link
from tests.make_accounts import make_user
from tests.make_notifications import queue
from tests.notifications.outbox_hands import send_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> AlertGroup:
    now = timezone.now()
    return AlertGroup.objects.create(
        key="service:1", title="checkout: 3 of 12", triggered_at=now, last_news_at=now
    )


def link_to(group: AlertGroup, person: User | None, *, label: str = "") -> str:
    order = LinkOrder(
        purpose="acknowledge", subject=f"group:{group.pk}", person_id=person and person.pk, label=label
    )
    return f"/a/{issue([order], now=timezone.now())[0]}/"


def test_looking_at_the_link_does_nothing_and_pressing_it_acknowledges_in_the_persons_name(
    group: AlertGroup,
) -> None:
    alice, anonymous = make_user("alice"), Client()
    path = link_to(group, alice)

    asked = [anonymous.get(path) for _ in range(3)]
    before = AlertGroup.objects.get().status
    done = anonymous.post(path)

    after = AlertGroup.objects.get()
    assert ["Acknowledge as Alice" in answer.content.decode() for answer in asked] == [True] * 3
    assert before == GroupStatus.TRIGGERED
    assert (after.status, after.acknowledged_by) == (GroupStatus.ACKNOWLEDGED, alice)
    assert f'href="/alerts/{group.pk}/"' in done.content.decode()
    assert AuditEntry.objects.get(action="alert_group.acknowledge").actor_label == "alice@example.com"


def test_a_link_acts_once(group: AlertGroup) -> None:
    path = link_to(group, make_user("alice"))

    first, second = Client().post(path), Client().post(path)

    assert (first.status_code, second.status_code) == (200, 410)
    assert "This link was used already" in second.content.decode()
    assert AlertEvent.objects.count() == 1


def test_a_webhooks_link_acknowledges_in_the_channels_name(group: AlertGroup) -> None:
    Client().post(link_to(group, None, label="Ops hook"))

    assert AlertGroup.objects.get().holder == "link sent to Ops hook"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.replace("/a/", "/a/x"), "was not made by this console"),
        (lambda path: _expire(path), "has expired"),
        (lambda path: _demote(path), "may not acknowledge any more"),
        (lambda path: _resolve(path), "The group is resolved"),
    ],
    ids=["forged", "expired", "demoted", "resolved"],
)
def test_a_link_that_cannot_act_says_why_and_changes_nothing(
    spoil: object, words: str, group: AlertGroup
) -> None:
    path = spoil(link_to(group, make_user("alice")))  # type: ignore[operator]

    answer = Client().post(path)

    assert (answer.status_code, words in answer.content.decode()) == (410, True)
    assert not AlertEvent.objects.exists()
    assert Link.objects.filter(used_at=None).count() == 1


def test_who_answers_by_the_link_in_a_message_has_read_it(
    group: AlertGroup, mailoutbox: list[object]
) -> None:
    row = queue(person_id=make_user("alice").pk, subject=f"group:{group.pk}", path=f"/alerts/{group.pk}/")
    send_due()
    body = mailoutbox[0].body  # type: ignore[attr-defined]
    path = body.partition("Acknowledge: http://127.0.0.1:8000")[2].split()[0]

    Client().post(path)

    row.refresh_from_db()
    assert (row.state, row.note) == ("delivered", "Answered by the link in it")


def _expire(path: str) -> str:
    Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return path


def _demote(path: str) -> str:
    User.objects.update(role=Role.VIEWER)
    return path


def _resolve(path: str) -> str:
    AlertGroup.objects.update(status=GroupStatus.RESOLVED, resolved_at=timezone.now(), resolution="by_hand")
    return path
