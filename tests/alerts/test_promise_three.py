"""Promise 3: a storm is one page. However many reclaims in one zone, each responsible person is woken once, with the count."""

from __future__ import annotations

from collections import Counter

import pytest

from console.accounts.models import Role
from console.alerts.models import AlertGroup, Decision, GroupMember, Receipt
from console.fleet.models import Service, WorkloadStatus
from console.notifications.models import Notification
from tests.make_accounts import make_user
from tests.make_escalations import make_policy, use_policy
from tests.make_fleet import NOON, make_pool, make_service
from tests.make_reclaims import alert, make_reclaim, make_running

pytestmark = pytest.mark.django_db

SERVICES, EACH = 12, 25
BATCHES = 6


def make_storm(services: list[Service]) -> int:
    """All machines of a zone go within a minute, told bit by bit as feeds tell it. How many went."""
    pool = make_pool()
    machines = [machine for service in services for machine in make_running(pool, EACH, service=service)]
    size = len(machines) // BATCHES
    for batch in range(BATCHES):
        for number, machine in enumerate(machines[batch * size : (batch + 1) * size]):
            make_reclaim(machine, at=10 * batch + 9 * number / size)
        alert(10 * batch + 10)
    return size * BATCHES


def make_services(criticality: str, *, ready: int) -> list[Service]:
    services = [make_service(criticality=criticality) for _ in range(SERVICES)]
    for service in services:
        WorkloadStatus.objects.create(
            cluster="c",
            namespace="n",
            workload=service.slug,
            service=service,
            at=NOON,
            wanted=25,
            ready=ready,
            needed=20,
        )
    return services


def pages() -> Counter[int]:
    """By person: how often they were woken."""
    return Counter(Notification.objects.filter(kind="page").values_list("person", flat=True))


def test_a_storm_wakes_each_responsible_person_once_with_the_count() -> None:
    make_user("root", role=Role.ADMIN)
    platform = make_user("petra")
    use_policy(make_policy((30, [platform])))

    gone = make_storm(make_services("user_facing", ready=5))

    wave = AlertGroup.objects.get(key__startswith="wave:")
    assert pages() == {platform.pk: 1}
    page = Notification.objects.get(kind="page")
    assert page.subject == f"group:{wave.pk}"
    assert wave.member_count == gone == SERVICES * EACH
    assert f"of {gone} reclaimed" in wave.title
    assert GroupMember.objects.filter(group__key__startswith="service:").count() == gone
    assert AlertGroup.objects.filter(parent=wave).count() == SERVICES


def test_a_critical_service_below_its_need_wakes_its_own_people_beside_the_wave() -> None:
    make_user("root", role=Role.ADMIN)
    platform, owner = make_user("petra"), make_user("olga")
    use_policy(make_policy((30, [platform])))
    services = make_services("user_facing", ready=24)
    (critical,) = make_services("critical", ready=5)[:1]
    use_policy(make_policy((30, [owner])), service=critical)

    make_storm([*services, critical])

    assert pages() == {platform.pk: 1, owner.pk: 1}


def test_a_storm_that_leaves_enough_wakes_nobody_and_leaves_a_ticket() -> None:
    make_user("root", role=Role.ADMIN)
    make_storm(make_services("user_facing", ready=24))
    assert not pages()
    told = Receipt.objects.exclude(decision=Decision.LOG)
    assert [receipt.decision for receipt in told] == ["ticket"]
