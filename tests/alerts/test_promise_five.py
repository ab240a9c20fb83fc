"""Promise 5: acknowledging stops all that is still to be sent, and everyone who heard that it broke hears that it healed.

With real transactions: senders, escalations and people at once.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from threading import Barrier, Thread

import pytest
from django.db import connection

from console.accounts.models import User
from console.alerts import handling
from console.alerts.escalation import firing
from console.alerts.models import AlertGroup, Escalation
from console.notifications.claiming import claim
from console.notifications.models import Notification
from tests.make_accounts import make_user
from tests.make_escalations import by, decide, make_channel, make_group, make_policy, minute, use_policy
from tests.make_fleet import make_service

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12


def at_once(*acts: Callable[[], None]) -> None:
    """Each in a thread of its own, let go together; what one of them raises is raised here."""
    start, failures = Barrier(len(acts)), list[Exception]()

    def play(act: Callable[[], None]) -> None:
        try:
            start.wait()
            act()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=play, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


def take_one() -> None:
    """A sender: claims what waits, and is still at it."""
    claim(now=minute(60))


@pytest.fixture
def alice() -> User:
    return make_user("alice")


def test_after_an_acknowledgement_commits_no_older_level_queues_anything(alice: User) -> None:
    service = make_service(name="Checkout")
    channels = [make_channel() for _ in range(3)]
    use_policy(make_policy(*((1, [channel]) for channel in channels), repeats=3), service=service)
    chance = Random(5)
    raced = 0
    for number in range(ROUNDS):
        group = make_group(service=service, key=f"service:round-{number}")
        decide(group)
        firing.escalate(now=minute(0))
        level = chance.randint(1, 5)
        for at in range(1, level):
            firing.escalate(now=minute(at))
        queued_at_commit: list[set[int]] = []

        def acknowledge(
            group: AlertGroup = group, level: int = level, found: list[set[int]] = queued_at_commit
        ) -> None:
            handling.acknowledge(group.pk, by=by(alice), now=minute(level))
            mine = Notification.objects.filter(subject=f"group:{group.pk}", kind="page")
            assert not mine.filter(state="queued").exists(), "everything that waited is called off"
            found.append(set(mine.values_list("pk", flat=True)))

        at_once(
            acknowledge,
            lambda level=level: firing.escalate(now=minute(level)),
            lambda level=level: firing.escalate(now=minute(level)),
            take_one,
        )
        firing.escalate(now=minute(level + 5))
        mine = Notification.objects.filter(subject=f"group:{group.pk}", kind="page")
        assert set(mine.values_list("pk", flat=True)) == queued_at_commit[0], "no older level goes on"
        on_their_way = mine.filter(state="sending", settled_at=None)
        raced += on_their_way.exists()
        said = group.events.filter(kind="called_off").values_list("data__sending", flat=True)
        for name in {name for names in said for name in names}:
            assert on_their_way.filter(channel__name=name).exists(), "what it names was on its way"
        Notification.objects.filter(state="sending").update(state="delivered", send_at=None)
    assert Escalation.objects.filter(state="acknowledged").count() == ROUNDS


def test_two_workers_at_one_deadline_tell_once(alice: User) -> None:
    service = make_service(name="Checkout")
    use_policy(make_policy((5, [alice])), service=service)
    for number in range(8):
        decide(make_group(service=service, key=f"service:{number}-twice"))
    at_once(*[lambda: firing.escalate(now=minute(0))] * 3)
    firing.escalate(now=minute(0))
    assert Notification.objects.filter(kind="page").count() == 8


def test_everyone_who_heard_that_it_broke_hears_that_it_healed_also_when_silenced_meanwhile(
    alice: User,
) -> None:
    """Heard: delivered, on its way, or unknown whether. Not: called off, or never sent."""
    service = make_service(name="Checkout")
    names = {
        state: make_channel(f"#{state}") for state in ("delivered", "sending", "unknown", "queued", "failed")
    }
    use_policy(make_policy((5, list(names.values()))), service=service)
    group = make_group(service=service)
    decide(group)
    firing.escalate(now=minute(0))
    for state, channel in names.items():
        left = {"send_at": None} if state in ("delivered", "failed") else {}
        Notification.objects.filter(channel=channel).update(state=state, **left)
    handling.silence(group.pk, until=minute(60), by=by(alice), now=minute(1))
    for _ in range(2):
        handling.resolve(group.pk, by=by(alice), now=minute(2))
    healed = Notification.objects.filter(kind="healed").values_list("channel__name", flat=True)
    assert sorted(healed) == ["#delivered", "#sending", "#unknown"]
