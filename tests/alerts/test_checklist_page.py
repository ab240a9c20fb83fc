"""A checklist's own page fills in its commands as the group's page does."""

from __future__ import annotations

import pytest
from django.test import Client

from console.accounts.models import Role
from console.alerts import pipeline
from console.alerts.models import AlertGroup
from console.runbooks.checklist import start
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_machine, make_service
from tests.make_reclaims import make_reclaim

pytestmark = pytest.mark.django_db


def test_the_checklist_of_a_group_is_filled_in_for_its_machine_or_the_chosen_one() -> None:
    service = make_service(slug="web", name="Web")
    first, second = (make_machine(service=service, instance_id=f"i-{n}") for n in ("first", "second"))
    make_reclaim(first, at=0)
    later = make_reclaim(second, at=60)
    pipeline.alert(now=NOON)
    group = AlertGroup.objects.get()
    client = Client()
    client.force_login(make_user(role=Role.RESPONDER))

    page = client.get(f"/runbooks/executions/{group.execution_id}/").content.decode()
    chosen = client.get(f"/runbooks/executions/{group.execution_id}/?member={later.pk}").content.decode()

    checklist = page[page.index('id="checklist"') :]
    assert "i-first" in checklist
    assert "‹instance_id›" not in checklist
    assert f"/alerts/{group.pk}/" in page
    assert "i-second" in chosen[chosen.index('id="checklist"') :]
    region = client.get(
        f"/runbooks/executions/{group.execution_id}/?member={later.pk}",
        headers={"HX-Request": "true", "HX-Target": "checklist"},
    ).content.decode()
    assert "i-second" in region


def test_a_checklist_without_a_group_knows_its_service() -> None:
    execution = start(make_service(slug="web", name="Web"), origin="live", now=NOON)
    client = Client()
    client.force_login(make_user(role=Role.VIEWER))

    page = client.get(f"/runbooks/executions/{execution.pk}/").content.decode()

    assert "Filled in for" not in page
    assert 'id="checklist"' in page
