"""The worked examples of `docs/alerting.md` are what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from console.accounts.models import Role
from console.alerts.models import Receipt
from console.fleet.models import WorkloadStatus
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_machine, make_service
from tests.make_reclaims import alert, make_reclaim

pytestmark = pytest.mark.django_db
TEXT = (Path(settings.BASE_DIR) / "docs/alerting.md").read_text()
ROWS = re.findall(r"^\| (\w+) \| (\d+) \| (page|ticket|log) \| (\w+) \|$", TEXT, re.M)
WANTED, NEEDED = map(int, re.findall(r"wants (\d+) replicas and needs (\d+)", TEXT)[0])


def test_there_are_examples_of_every_class_and_decision() -> None:
    assert {row[0] for row in ROWS} == {"critical", "user_facing", "batch", "best_effort"}
    assert {row[2] for row in ROWS} == {"page", "ticket", "log"}


@pytest.mark.parametrize(("criticality", "ready", "decision", "rule"), ROWS)
def test_a_worked_example_is_what_happens(criticality: str, ready: str, decision: str, rule: str) -> None:
    make_user("root", role=Role.ADMIN)
    service = make_service(criticality=criticality)
    WorkloadStatus.objects.create(
        cluster="prod",
        namespace=service.slug,
        workload="web",
        origin=service.origin,
        service=service,
        at=NOON,
        wanted=WANTED,
        ready=int(ready),
        needed=NEEDED,
    )
    make_reclaim(make_machine(service=service), at=0)
    alert(5)
    receipt = Receipt.objects.get()
    assert (receipt.decision, receipt.rule) == (decision, rule)
