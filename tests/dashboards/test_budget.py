"""The on-call board keeps to its queries with everything present that its strip and its regions can show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import Role, User
from console.notifications.models import BoardNotice
from tests.make_accounts import make_user
from tests.make_escalations import make_group, make_policy, use_policy
from tests.make_feeds import make_feed
from tests.make_fleet import NOON, make_service, make_team
from tests.make_interruptions import make_hook, make_interruption, make_move
from tests.make_oncall import make_override, make_rotation
from tests.make_suppressions import make_suppression

pytestmark = pytest.mark.django_db
BUDGET = 20


def everything(person: User) -> None:
    """Rotations with overrides, policies, planned quiet in force, groups, waves, reclaims, hooks and moves."""
    now = timezone.now()
    team = make_team(name="Payments", slug="payments")
    for number in range(3):
        service = make_service(slug=f"service-{number}", team=team)
        reclaim = make_interruption(service=service, started_at=now, deadline_at=now + timedelta(seconds=90))
        make_hook(reclaim, at=now, outcome="failed")
        make_move(reclaim, seconds=None, evicted_at=now)
        wave = make_group(key=f"wave:{number}", triggered_at=now, last_news_at=now)
        make_group(service=service, parent=wave, triggered_at=now, last_news_at=now)
        make_group(service=service, acknowledged_by=person, acknowledged_at=now, status="acknowledged")
        make_suppression(f"service:service-{number}", at=(now - NOON).total_seconds() - 60)
        rotation = make_rotation(
            make_user(f"r{number}"), make_user(f"s{number}"), team=team if number else None
        )
        make_override(
            rotation, make_user(f"o{number}"), now=now, started_at=now, ended_at=now + timedelta(hours=1)
        )
        use_policy(make_policy((5, [rotation]), name=f"Policy {number}"), service=service)
    make_feed()
    BoardNotice.objects.create(person=person, is_shown=True)


@pytest.mark.parametrize("query", ["?view=all", "?team=payments"])
def test_the_board_with_everything_present_keeps_to_its_queries(client: Client, query: str) -> None:
    alice = make_user("alice", role=Role.MANAGER)
    client.force_login(alice)
    everything(alice)
    client.get("/oncall/")
    with CaptureQueriesContext(connection) as context:
        page = client.get(f"/oncall/{query}").content.decode()
    assert "suppressions active" in page
    assert "On call" in page
    assert page.count("data-group ") == 6
    assert len(context) <= BUDGET, "\n".join(query["sql"][:260] for query in context)


@pytest.mark.parametrize("path", ["/strip/", "/alerts/", "/services/service-0/", "/schedules/"])
def test_other_pages_keep_to_them_too(client: Client, path: str) -> None:
    alice = make_user("alice", role=Role.MANAGER)
    client.force_login(alice)
    everything(alice)
    client.get(path)
    with CaptureQueriesContext(connection) as context:
        assert client.get(path).status_code == 200
    assert len(context) <= BUDGET, "\n".join(query["sql"][:260] for query in context)
