"""Pages opened by id say whose data they show."""

from __future__ import annotations

import pytest
from django.test import Client

from console.accounts.models import Role
from console.alerts.models import AlertGroup
from tests.make_accounts import make_user
from tests.make_feeds import NOON
from tests.make_interruptions import make_interruption

pytestmark = pytest.mark.django_db
SAYS = "This is sample data; you are looking at live data."


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(make_user(role=Role.VIEWER))
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(("origin", "query", "is_said"), [("sample", "", True), ("sample", "?origin=sample", False), ("live", "", False)])  # fmt: skip
def test_a_reclaim_and_a_group_of_another_origin_say_so(
    viewer: Client, origin: str, query: str, is_said: bool
) -> None:
    reclaim = make_interruption(origin=origin)
    group = AlertGroup.objects.create(
        origin=origin, key="wave:x", title="x", triggered_at=NOON, last_news_at=NOON
    )
    for path in (f"/interruptions/{reclaim.pk}/{query}", f"/alerts/{group.pk}/{query}"):
        assert (SAYS in text(viewer, path)) is is_said
