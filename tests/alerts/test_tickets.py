"""Tickets: opened once for a rule and group, worked by people, told to whoever has them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.html import strip_tags

from console.accounts.models import AuditEntry, Scope, User
from console.alerts.models import AlertGroup, Ticket
from console.alerts.tickets import working
from console.notifications.models import Notification
from tests.make_accounts import make_token, make_user
from tests.make_escalations import by, decide, make_channel, make_group, minute, told
from tests.make_fleet import make_service, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(client: Client) -> User:
    user = make_user("alice")
    client.force_login(user)
    return user


@pytest.fixture
def group() -> AlertGroup:
    return make_group(service=make_service(name="Search", owner=make_user("bob")), severity="warning")


def test_a_ticket_decision_opens_one_ticket_for_a_rule_and_group_and_tells_its_owner(
    group: AlertGroup,
) -> None:
    for at in (0, 1, 2):
        decide(group, "ticket", at=at)
    ticket = Ticket.objects.get()
    assert (str(ticket.owner), ticket.due_at - ticket.opened_at) == ("Bob", timedelta(days=7))
    assert told("ticket", subject=f"ticket:{ticket.pk}") == ["Bob"]
    assert group.events.get(kind="ticket").data == {"ticket": ticket.pk}
    working.move(ticket.pk, "wont_do", by=by(make_user("alice")), now=minute(3))
    decide(group, "ticket", at=4)
    assert Ticket.objects.get().state == "wont_do", "what is finished stays finished"
    decide(group, "ticket", at=5, rule="another")
    assert Ticket.objects.count() == 2


def test_without_an_owner_the_teams_channels_are_told() -> None:
    team = make_team(name="Payments")
    channel = make_channel("#payments", team=team)
    decide(make_group(service=make_service(team=team)), "ticket")
    message = Notification.objects.get()
    assert (message.channel, message.reason) == (channel, "Nobody has it yet; it is Payments's")


def test_each_change_is_a_line_of_history_and_an_audit_entry(group: AlertGroup) -> None:
    alice, charlie = make_user("alice"), make_user("charlie")
    decide(group, "ticket")
    ticket = Ticket.objects.get()
    working.give(ticket.pk, None, by=by(alice), now=minute(1))
    for _ in range(2):
        working.move(ticket.pk, "in_progress", by=by(alice), now=minute(2))
    working.give(ticket.pk, charlie, by=by(alice), now=minute(3))
    working.move(ticket.pk, "done", by=by(charlie), now=minute(4))
    ticket.refresh_from_db()
    assert (ticket.owner, ticket.finished_at) == (charlie, minute(4))
    lines = list(ticket.events.order_by("pk").values_list("text", flat=True))
    assert lines[1:] == ["Nobody has it", "Open → In progress", "Charlie has it", "In progress → Done"]
    assert AuditEntry.objects.filter(action__startswith="ticket.").count() == 4
    assert sorted(told("ticket")) == ["Bob", "Charlie"]
    assert set(Notification.objects.values_list("state", flat=True)) == {"called_off"}


def test_tickets_are_listed_filtered_and_changed_together(
    client: Client, alice: User, group: AlertGroup
) -> None:
    decide(group, "ticket")
    decide(make_group(title="Reclaims of Ledger"), "ticket")
    first, second = Ticket.objects.order_by("pk")
    page = client.get("/tickets/").content.decode()
    assert "Reclaims of Ledger" in page
    assert "Overdue" in page
    assert "Reclaims of Ledger" not in client.get("/tickets/?owner=bob@example.com").content.decode()
    assert client.get("/tickets/?owner=nobody&status=overdue").status_code == 200
    client.post(
        "/tickets/bulk/", {"verb": "give", "owner": "me", "ticket": [first.pk, second.pk], "back": "owner=me"}
    )
    assert set(Ticket.objects.values_list("owner", flat=True)) == {alice.pk}
    client.post(f"/tickets/{first.pk}/due/", {"due": "2026-03-20"})
    client.post(f"/tickets/{first.pk}/link/", {"link": "javascript:alert(1)"})
    client.post(f"/tickets/{first.pk}/note/", {"text": "The quota was the cause"})
    first.refresh_from_db()
    assert (first.due_at.isoformat(), first.link) == ("2026-03-20T17:00:00+00:00", "")
    detail = strip_tags(client.get(f"/tickets/{first.pk}/").content.decode())
    assert "The quota was the cause" in detail
    assert "A link begins with https://" in detail
    client.force_login(make_user("viv", role="viewer"))
    assert client.post(f"/tickets/{first.pk}/move/", {"state": "done"}).status_code == 403


def test_programs_read_and_work_tickets(client: Client, group: AlertGroup) -> None:
    decide(group, "ticket")
    ticket = Ticket.objects.get()
    secret = make_token(Scope.READ, Scope.ACT, name="tracker")[1]
    headers = {"Authorization": f"Bearer {secret}"}
    (item,) = client.get("/api/v1/tickets?status=open", headers=headers).json()["items"]
    assert (item["id"], item["owner"]) == (ticket.pk, "bob@example.com")
    given = {"state": "in_progress", "link": "https://tracker.example/T-1", "owner": ""}
    answer = client.patch(
        f"/api/v1/tickets/{ticket.pk}", given, content_type="application/json", headers=headers
    )
    assert (answer.json()["state"], answer.json()["owner"], answer.json()["link"]) == (
        "in_progress",
        None,
        "https://tracker.example/T-1",
    )
    assert ticket.events.order_by("-pk").first().who == "tracker"
    refused = client.get("/api/v1/tickets?status=lost", headers=headers)
    assert refused.status_code == 422
