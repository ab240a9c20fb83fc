"""What is done with a group's checklist stands in the group's history."""

from __future__ import annotations

import pytest
from django.test import Client

from console.accounts.audit import Actor
from console.alerts import queries
from console.alerts.models import AlertGroup
from console.runbooks import checklist
from tests.ingest.hearing import at, aws, hear
from tests.make_accounts import make_user

pytestmark = pytest.mark.django_db


def test_ticks_skips_and_notes_read_as_one_story_with_the_rest_and_once_each(client: Client) -> None:
    hear([aws("spot-warning-terminate", 0)])
    group = AlertGroup.objects.select_related("execution__version").get()
    assert group.execution_id is not None
    alice = make_user("alice")
    by = Actor.person(alice)
    for _ in range(2):
        checklist.tick(group.execution_id, step=1, by=by, now=at(10))
        checklist.skip(group.execution_id, step=2, reason="no volumes", by=by, now=at(11))
        checklist.note(group.execution_id, step=3, text="slow <b>", by=by, now=at(12))
    checklist.untick(group.execution_id, step=1, by=Actor.console("robot"), now=at(13))
    told = [
        (event.kind, event.text.partition(":")[0], event.by, event.at) for event in queries.events_of(group)
    ]
    assert told[:-1] == [
        ("checklist", "Step 1 unticked", None, at(13)),
        ("checklist", "Step 3 noted", alice, at(12)),
        ("checklist", "Step 2 skipped", alice, at(11)),
        ("checklist", "Step 1 ticked", alice, at(10)),
    ]
    assert told[-1][0] == "triggered"
    client.force_login(alice)
    page = client.get(f"/alerts/{group.pk}/").content.decode()
    assert "no volumes" in page
    assert "slow &lt;b&gt;" in page
    assert "robot" in page


@pytest.mark.parametrize(("count", "shown"), [(7, "7<"), (999, "999<"), (1000, "999+<")])
def test_a_badge_of_the_rail_has_room_for_any_number_and_says_it_whole(
    client: Client, count: int, shown: str
) -> None:
    AlertGroup.objects.bulk_create(
        AlertGroup(key=f"service:{n}", title="t", triggered_at=at(0), last_news_at=at(0))
        for n in range(count)
    )
    client.force_login(make_user("bob"))
    page = client.get("/me/").content.decode()
    badge = page[page.index('<span class="rail-count">') :].partition("</a>")[0]
    assert shown in badge
    assert f"{count:,}" in badge
    assert "open" in badge


def test_a_checklist_is_filled_in_for_the_most_urgent_machine_or_the_one_chosen(client: Client) -> None:
    hear([aws("spot-warning-terminate", n, machine=f"i-{n:017x}") for n in (5, 1)])
    group = AlertGroup.objects.get()
    urgent, other = queries.choices_of(group)
    assert urgent.machine.instance_id == f"i-{1:017x}"
    assert queries.checklist_variables(group, urgent)["instance_id"] == f"i-{1:017x}"
    (chosen, *_rest) = queries.choices_of(group, chosen=str(other.pk))
    assert chosen == other
    assert queries.choices_of(group, chosen="999999")[0] == urgent
    client.force_login(make_user("carol"))
    page = client.get(f"/alerts/{group.pk}/?member={other.pk}").content.decode()
    assert "Filled in for" in page
    assert f'value="/alerts/{group.pk}/?member={other.pk}"' in page, "a tick comes back to the same machine"


def test_a_group_without_a_machine_says_that_nothing_is_filled_in(client: Client) -> None:
    hear([aws("spot-warning-terminate", 0)])
    group = AlertGroup.objects.get()
    group.members.all().delete()
    client.force_login(make_user("dora"))
    assert "No machine is in this group" in client.get(f"/alerts/{group.pk}/").content.decode()
