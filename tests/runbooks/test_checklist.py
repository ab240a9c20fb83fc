"""A checklist is worked by several people at once, keeps its wording, and forgets nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry
from console.runbooks import attaching, checklist, editing
from console.runbooks.checklist import NoSuchStep, NotPossible
from console.runbooks.models import Execution, Runbook, StepMark
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_service
from tests.make_runbooks import make_execution, make_runbook, make_step, make_writer, publish_next

LATER = NOON + timedelta(minutes=1)


def alice() -> Actor:
    return Actor.person(make_user("alice"))


@pytest.mark.django_db
def test_a_service_starts_with_its_own_runbook_and_others_with_the_default() -> None:
    service, other = make_service(), make_service()
    runbook = make_runbook()
    attaching.attach(runbook, service=service, by=make_writer(), now=NOON)
    mine, default, none = checklist.start_many(
        [(service, "live"), (other, "sample"), (None, "live")], now=NOON
    )
    assert mine.version.runbook == runbook
    assert (mine.service, mine.origin) == (service, "live")
    assert default.version.runbook.is_default
    assert default.origin == "sample"
    assert none.version == default.version


@pytest.mark.django_db
def test_a_storm_of_checklists_costs_as_many_queries_as_one(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    services = [make_service() for _ in range(30)]
    runbook = make_runbook()
    for service in services[:15]:
        attaching.attach(runbook, service=service, by=make_writer(), now=NOON)
    with django_assert_max_num_queries(4):
        made = checklist.start_many([(service, "live") for service in services], now=NOON)
    assert [run.version.runbook == runbook for run in made] == [True] * 15 + [False] * 15


@pytest.mark.django_db
def test_a_running_checklist_keeps_the_version_it_started_with() -> None:
    service, runbook = make_service(), make_runbook(make_step("Old"))
    attaching.attach(runbook, service=service, by=make_writer(), now=NOON)
    before = checklist.start(service, origin="live", now=NOON)
    publish_next(runbook, make_step("New"))
    after = checklist.start(service, origin="live", now=LATER)
    assert [step.title for step in checklist.state(before)] == ["Old"]
    assert [step.title for step in checklist.state(after)] == ["New"]


@pytest.mark.django_db
def test_a_draft_and_an_archived_runbook_start_nothing() -> None:
    service, runbook = make_service(), make_runbook()
    attaching.attach(runbook, service=service, by=make_writer(), now=NOON)
    editing.archive(runbook, by=make_writer(), now=NOON)
    assert checklist.start(service, origin="live", now=NOON).version.runbook.is_default


@pytest.mark.django_db
def test_the_default_runbook_is_put_back_when_it_is_gone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE runbooks_runbook CASCADE")
    execution = checklist.start(None, origin="live", now=NOON)
    assert execution.version.runbook.slug == "spot-incident"
    assert len(execution.version.steps) == 5


@pytest.mark.django_db
def test_a_second_tick_changes_nothing() -> None:
    execution, by = make_execution(), alice()
    for _ in range(2):
        checklist.tick(execution.pk, step=1, by=by, now=NOON)
    checklist.tick(execution.pk, step=1, by=Actor.person(make_user("bob")), now=LATER)
    (mark,) = StepMark.objects.all()
    assert (mark.who, mark.at) == ("Alice", NOON)
    assert AuditEntry.objects.filter(action="checklist.tick").count() == 1


@pytest.mark.django_db
def test_a_skip_needs_its_reason_and_a_second_one_changes_nothing() -> None:
    execution, by = make_execution(), alice()
    with pytest.raises(NotPossible, match="why"):
        checklist.skip(execution.pk, step=1, reason="  ", by=by, now=NOON)
    for _ in range(2):
        checklist.skip(execution.pk, step=1, reason="No pods there", by=by, now=NOON)
    (step, _) = checklist.state(execution)
    assert step.state == "skipped"
    assert step.changed is not None
    assert step.changed.note == "No pods there"
    assert StepMark.objects.count() == 1


@pytest.mark.django_db
def test_a_note_leaves_the_state_and_who_reached_it() -> None:
    execution, by = make_execution(), alice()
    checklist.tick(execution.pk, step=1, by=by, now=NOON)
    bob = Actor.person(make_user("bob"))
    checklist.note(execution.pk, step=1, text="Volume was slow", by=bob, now=LATER)
    step = checklist.state(execution)[0]
    assert step.state == "done"
    assert step.changed is not None
    assert (step.changed.who, step.changed.at) == ("Alice", NOON)
    assert [(mark.note, mark.who) for mark in step.notes] == [("Volume was slow", "Bob")]


@pytest.mark.django_db
def test_the_same_note_sent_twice_is_one_note() -> None:
    execution, by = make_execution(), alice()
    for _ in range(2):
        checklist.note(execution.pk, step=1, text="Drain hangs", by=by, now=NOON)
    assert len(checklist.state(execution)[0].notes) == 1


@pytest.mark.django_db
def test_a_checklist_is_finished_once_no_required_step_is_open() -> None:
    execution = make_execution(make_step(), make_step(), make_step(is_required=False))
    by = alice()
    checklist.tick(execution.pk, step=1, by=by, now=NOON)
    assert checklist.skip(execution.pk, step=2, reason="Gone", by=by, now=LATER).finished_at == LATER
    assert checklist.tick(execution.pk, step=3, by=by, now=LATER).finished_at == LATER
    assert checklist.untick(execution.pk, step=1, by=by, now=LATER).finished_at is None
    execution.refresh_from_db()
    assert execution.finished_at is None


@pytest.mark.django_db
def test_a_checklist_of_optional_steps_is_finished_with_the_last_of_them() -> None:
    execution, by = make_execution(make_step(is_required=False), make_step(is_required=False)), alice()
    assert checklist.tick(execution.pk, step=1, by=by, now=NOON).finished_at is None
    assert checklist.tick(execution.pk, step=2, by=by, now=NOON).finished_at == NOON


@pytest.mark.django_db
@pytest.mark.parametrize("step", [0, 3, 99])
def test_a_step_that_is_not_there_is_refused(step: int) -> None:
    execution = make_execution()
    with pytest.raises(NoSuchStep):
        checklist.tick(execution.pk, step=step, by=alice(), now=NOON)


@pytest.mark.django_db
def test_progress_of_many_checklists_is_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    by = alice()
    first, second = make_execution(make_step(), make_step(), make_step()), make_execution()
    checklist.tick(first.pk, step=1, by=by, now=NOON)
    checklist.untick(first.pk, step=1, by=by, now=NOON)
    checklist.tick(first.pk, step=2, by=by, now=NOON)
    checklist.skip(first.pk, step=3, reason="Not ours", by=by, now=NOON)
    with django_assert_num_queries(1):
        found = checklist.progress([first.pk, second.pk])
    assert found == {first.pk: (1, 1, 3), second.pk: (0, 0, 2)}
    assert found[first.pk].settled == 2


@pytest.mark.django_db
def test_the_database_refuses_to_change_a_mark() -> None:
    execution = make_execution()
    checklist.tick(execution.pk, step=1, by=alice(), now=NOON)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        StepMark.objects.update(note="was never done")


@pytest.mark.django_db
def test_a_mark_tells_the_boards() -> None:
    execution = make_execution()
    heard: list[str] = []
    connection.ensure_connection()
    with connection.execute_wrapper(
        lambda run, sql, params, many, context: (
            (heard.append(str(params)), run(sql, params, many, context))[1]
            if "pg_notify" in sql
            else run(sql, params, many, context)
        )
    ):
        checklist.tick(execution.pk, step=1, by=alice(), now=NOON)
        checklist.tick(execution.pk, step=1, by=make_writer(), now=NOON)
    assert len(heard) == 1
    assert f'"topics": ["checklist"], "ids": [{execution.pk}]' in heard[0]


@pytest.mark.django_db(transaction=True)
def test_eight_people_ticking_at_once_leave_one_mark_a_step() -> None:
    execution = make_execution()
    people = [Actor.person(make_user(f"person-{n}")) for n in range(8)]

    def work(by: Actor) -> None:
        try:
            for step in (1, 2):
                checklist.tick(execution.pk, step=step, by=by, now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, people))
    assert sorted(StepMark.objects.values_list("step", flat=True)) == [1, 2]
    assert Execution.objects.get().finished_at == NOON
    assert AuditEntry.objects.filter(action="checklist.tick").count() == 2


@pytest.mark.django_db
def test_a_runbook_that_was_worked_keeps_its_rows() -> None:
    make_execution()
    with pytest.raises(DatabaseError), transaction.atomic():
        Runbook.objects.all().delete()
