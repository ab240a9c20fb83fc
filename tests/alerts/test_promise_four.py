"""Promise 4: every page, ticket, suppression and deliberate silence leaves a receipt with its reason, rule and inputs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from console.accounts.audit import Actor
from console.accounts.models import Role
from console.alerts import handling
from console.alerts.handling import By
from console.alerts.models import AlertGroup, Receipt
from console.alerts.why_not import why_not
from console.fleet.models import Service, WorkloadStatus
from console.interruptions.models import Interruption
from console.lib.origin import Origin
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_machine, make_service
from tests.make_reclaims import alert, make_reclaim, second
from tests.make_suppressions import make_suppression

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root() -> None:
    make_user("root", role=Role.ADMIN)


def lose(service: Service, *, at: float = 0, **fields: object) -> Interruption:
    reclaim = make_reclaim(make_machine(service=service), at=at, **fields)
    alert(at + 5)
    return reclaim


def short(criticality: str) -> Service:
    """A service that has fewer replicas than it needs."""
    service = make_service(criticality=criticality)
    WorkloadStatus.objects.create(
        cluster="c",
        namespace="n",
        workload=service.slug,
        service=service,
        at=NOON,
        wanted=4,
        ready=1,
        needed=3,
    )
    return service


def paged() -> None:
    lose(short("critical"))


def ticketed() -> None:
    lose(short("batch"))


def logged() -> None:
    lose(make_service())


def told_late() -> None:
    lose(make_service(), is_late=True, first_received_at=second(3_600))


def silenced() -> None:
    service = short("critical")
    WorkloadStatus.objects.filter(service=service).update(ready=4)
    lose(service)
    group = AlertGroup.objects.get(service=service)
    by = By(user=make_user(), actor=Actor.console("tests"))
    handling.silence(group.pk, until=second(0) + timedelta(hours=1), by=by, now=second(6))
    WorkloadStatus.objects.filter(service=service).update(ready=1)
    lose(service, at=10)


def suppressed() -> None:
    service = short("user_facing")
    make_suppression(f"service:{service.slug}")
    lose(service)


CASES: dict[str, tuple[Callable[[], None], str, str]] = {
    "page": (paged, "page", "Below its need"),
    "ticket": (ticketed, "ticket", "Below its need"),
    "log": (logged, "log", "Handled without anybody"),
    "late": (told_late, "log", "Late by"),
    "silence": (silenced, "suppress", "Silenced until"),
    "suppression": (suppressed, "suppress", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_whatever_was_decided_has_a_receipt(case: str) -> None:
    act, decision, reason = CASES[case]
    act()
    receipt = Receipt.objects.latest("pk")
    assert receipt.decision == decision
    assert reason in receipt.reason
    assert receipt.rule
    assert receipt.rule_version is not None
    assert receipt.rule_version.rule.slug == receipt.rule
    assert receipt.inputs
    assert "roster" in {field.name for field in Receipt._meta.fields}
    assert receipt.roster


def test_no_group_is_without_a_receipt_and_every_quiet_reclaim_says_why_nobody_was_woken() -> None:
    for act, _, _ in CASES.values():
        act()
    assert not AlertGroup.objects.filter(receipts=None).exists()
    for interruption in Interruption.objects.filter(origin=Origin.LIVE):
        assert why_not(interruption, now=second(60)) is not None
