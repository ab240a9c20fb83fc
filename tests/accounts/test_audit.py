"""The audit trail: append-only, filterable, for administrators and managers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from console.accounts.audit import Actor, changed, record
from console.accounts.models import ActorKind, AuditEntry, Role, Scope
from console.accounts.queries import AuditFilter, differences, known_actions
from tests.make_accounts import make_token, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)


def make_entry(**fields: object) -> AuditEntry:
    known: dict[str, object] = {
        "action": "service.update",
        "subject_kind": "service",
        "subject_id": 14,
        "now": NOON,
    }
    return record(Actor.console("a test"), **(known | fields))  # type: ignore[arg-type]


def test_an_entry_cannot_be_changed() -> None:
    entry = make_entry()
    entry.action = "service.delete"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entry.save()
    entry.refresh_from_db()
    assert entry.action == "service.update"


def test_an_entry_cannot_be_deleted() -> None:
    entry = make_entry()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entry.delete()
    assert AuditEntry.objects.filter(action="service.update").exists()


def test_the_trail_cannot_be_emptied() -> None:
    make_entry()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER accounts_auditentry_is_not_emptied")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute("TRUNCATE accounts_auditentry")
        transaction.set_rollback(True)


def test_an_entry_goes_with_the_change_it_tells_of() -> None:
    with transaction.atomic():
        make_entry()
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_only_what_differs_is_told() -> None:
    assert changed({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ({"b": 2, "c": None}, {"b": 3, "c": 4})


def test_a_difference_is_one_line_a_field() -> None:
    entry = make_entry(before={"replicas": 3}, after={"replicas": 4, "name": "checkout"})
    assert [(d.field, d.before, d.after) for d in differences(entry)] == [
        ("name", None, "checkout"),
        ("replicas", "3", "4"),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["team.create", "service.update", "service.create"]),
        ({"action": "service"}, ["service.update", "service.create"]),
        ({"action": "service.create"}, ["service.create"]),
        ({"action": "serv"}, []),
        ({"subject": "service:14"}, ["service.update"]),
        ({"subject": "team"}, ["team.create"]),
        ({"subject": "check"}, ["service.create"]),
        ({"actor": "ALICE"}, ["team.create"]),
        ({"since": "2026-03-12"}, ["team.create"]),
        ({"until": "2026-03-10"}, ["service.create"]),
        ({"since": "2026-03-11T11:59:00Z", "until": "2026-03-11T12:01:00Z"}, ["service.update"]),
        ({"since": "nonsense"}, ["team.create", "service.update", "service.create"]),
    ],
)
def test_the_trail_is_filtered_by_actor_action_subject_and_time(
    query: dict[str, str], found: list[str]
) -> None:
    make_entry(action="service.create", subject_id=15, subject_label="checkout", now=NOON - timedelta(days=1))
    make_entry()
    record(
        Actor(ActorKind.PERSON, "alice@example.com"),
        action="team.create",
        subject_kind="team",
        now=NOON + timedelta(days=1),
    )
    entries = AuditFilter.of(query).entries().order_by("-at")
    assert [entry.action for entry in entries] == found


def test_the_filter_offers_every_action_once() -> None:
    for action in ("b.x", "a.x", "b.x", "a.y"):
        make_entry(action=action)
    assert known_actions() == ["a.x", "a.y", "b.x"]


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.VIEWER, 403), (Role.RESPONDER, 403), (Role.MANAGER, 200), (Role.ADMIN, 200)],
)
def test_managers_and_administrators_read_the_trail(client: Client, role: Role, status: int) -> None:
    client.force_login(make_user("alice", role=role))
    assert client.get("/audit/").status_code == status


def test_the_page_leads_through_the_whole_trail(client: Client) -> None:
    client.force_login(make_user("alice", role=Role.MANAGER))
    for number in range(120):
        make_entry(subject_label=f"service-{number}", now=NOON + timedelta(seconds=number))
    seen: list[str] = []
    address = "/audit/?action=service.update"
    while address:
        context = client.get(address).context
        seen += [entry.subject_label for entry, _ in context["rows"]]
        address = f"/audit/?{context['next']}" if context["next"] else ""
    assert seen == [f"service-{number}" for number in reversed(range(120))]


def test_a_stale_cursor_shows_the_newest_entries(client: Client) -> None:
    client.force_login(make_user("alice", role=Role.MANAGER))
    make_entry()
    response = client.get("/audit/?cursor=forged&action=service.update")
    assert [entry.action for entry, _ in response.context["rows"]] == ["service.update"]


def test_the_page_exports_what_it_shows(client: Client) -> None:
    client.force_login(make_user("alice", role=Role.MANAGER))
    make_entry(after={"name": "=cmd()"})
    make_entry(action="team.create", subject_label="=1+1")
    response = client.get("/audit/?format=csv&action=team")
    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert "team.create" in lines[1]
    assert "'=1+1" in lines[1]


def test_the_page_costs_few_queries_however_long_the_trail(
    client: Client, django_assert_max_num_queries
) -> None:  # type: ignore[no-untyped-def]
    client.force_login(make_user("alice", role=Role.MANAGER))
    for _ in range(60):
        make_entry(before={"a": 1}, after={"a": 2})
    with django_assert_max_num_queries(20):
        client.get("/audit/")


def test_the_api_lists_the_trail_for_tokens_with_the_audit_scope(client: Client) -> None:
    make_entry(after={"replicas": 4})
    _, secret = make_token(Scope.AUDIT)
    answer = client.get("/api/v1/audit", headers={"authorization": f"Bearer {secret}"}).json()
    assert answer["next"] is None
    assert answer["items"][0]["after"] == {"replicas": 4}
    assert answer["items"][0]["at"] == "2026-03-11T12:00:00Z"


def test_the_api_keeps_the_trail_from_tokens_without_the_scope(client: Client) -> None:
    _, secret = make_token(Scope.READ, Scope.MANAGE)
    assert client.get("/api/v1/audit", headers={"authorization": f"Bearer {secret}"}).status_code == 403
