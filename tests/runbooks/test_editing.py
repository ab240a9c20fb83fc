"""Drafts are not overwritten unseen; what was published never changes; every change is on the trail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from console.accounts.models import AuditEntry
from console.runbooks import attaching, editing
from console.runbooks.default_runbook import STEPS, install
from console.runbooks.editing import EditedMeanwhile, NotPossible, NotPublishable, Wording
from console.runbooks.models import Runbook, RunbookAttachment, RunbookVersion
from console.runbooks.wording import faults
from tests.make_fleet import NOON, make_service
from tests.make_runbooks import make_runbook, make_step, make_writer, publish_next

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("default_runbook")]
LATER = NOON + timedelta(minutes=1)


def test_the_console_comes_with_the_five_steps_published() -> None:
    runbook = Runbook.objects.get(is_default=True)
    (version,) = runbook.versions.all()
    assert version.is_published
    assert [step["title"].split()[0] for step in version.steps] == [
        "Identify",
        "Confirm",
        "Reschedule",
        "Capture",
        "Restore",
    ]
    assert faults(version.steps) == []
    assert all("```sh" in step["body"] for step in version.steps)


def test_installing_the_default_twice_changes_nothing() -> None:
    for _ in range(2):
        install(Runbook.objects, RunbookVersion.objects, now=NOON)
    assert RunbookVersion.objects.count() == 1


def test_installing_leaves_another_default_alone() -> None:
    runbook = make_runbook()
    editing.make_default(runbook, by=make_writer(), now=NOON)
    install(Runbook.objects, RunbookVersion.objects, now=NOON)
    assert Runbook.objects.get(is_default=True) == runbook


def test_publishing_freezes_and_the_next_edit_starts_the_next_number() -> None:
    runbook = make_runbook(make_step("One"))
    assert editing.to_edit(runbook) == Wording(2, 0, runbook.versions.get().steps)
    draft = editing.save_draft(runbook, Wording(2, 0, [make_step("Two")]), by=make_writer(), now=LATER)
    assert (draft.number, draft.revision, draft.is_published) == (2, 1, False)
    assert editing.newest(runbook).number == 1  # type: ignore[union-attr]
    editing.publish(runbook, Wording(2, 1, draft.steps), change_note="Two.", by=make_writer(), now=LATER)
    assert editing.newest(runbook).number == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "change", [{"steps": []}, {"number": 9}, {"published_at": None}, {"change_note": "x"}]
)
def test_the_database_refuses_to_change_a_published_version(change: dict[str, object]) -> None:
    version = make_runbook().versions.get()
    with pytest.raises(DatabaseError, match="frozen"), transaction.atomic():
        RunbookVersion.objects.filter(pk=version.pk).update(**change)


def test_the_database_refuses_to_delete_a_published_version() -> None:
    version = make_runbook().versions.get()
    with pytest.raises(DatabaseError, match="frozen"), transaction.atomic():
        version.delete()


def test_the_database_refuses_a_second_draft() -> None:
    runbook = make_runbook(is_published=False)
    with pytest.raises(IntegrityError, match="one_draft"), transaction.atomic():
        RunbookVersion.objects.create(runbook=runbook, number=2)


def test_two_editors_do_not_overwrite_each_other_unseen() -> None:
    runbook = make_runbook(make_step("One"))
    base = editing.to_edit(runbook)
    theirs = editing.save_draft(runbook, Wording(2, 0, [make_step("Alice")]), by=make_writer(), now=NOON)
    with pytest.raises(EditedMeanwhile) as caught:
        editing.save_draft(
            runbook, Wording(base.number, base.revision, [make_step("Bob")]), by=make_writer(), now=LATER
        )
    assert caught.value.theirs == theirs
    assert (caught.value.now_at.number, caught.value.now_at.revision) == (2, 1)
    mine = editing.save_draft(runbook, Wording(2, 1, [make_step("Bob")]), by=make_writer(), now=LATER)
    assert (mine.steps[0]["title"], mine.revision) == ("Bob", 2)


def test_an_editor_hears_of_a_version_published_meanwhile() -> None:
    runbook = make_runbook(make_step("One"))
    publish_next(runbook, make_step("Two"))
    with pytest.raises(EditedMeanwhile) as caught:
        editing.save_draft(runbook, Wording(2, 0, [make_step("Mine")]), by=make_writer(), now=LATER)
    assert caught.value.now_at.number == 3
    assert caught.value.theirs == editing.newest(runbook)


def test_saving_the_same_text_again_is_no_new_revision() -> None:
    runbook, steps = make_runbook(is_published=False), [make_step("One")]
    first = editing.save_draft(runbook, Wording(1, 1, steps), by=make_writer(), now=NOON)
    again = editing.save_draft(runbook, Wording(1, first.revision, steps), by=make_writer(), now=LATER)
    assert (again.revision, again.saved_at) == (first.revision, NOON)


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        (make_step("", "text") | {"title": ""}, "needs a title"),
        (make_step("A", "Drain {{ node }}"), "{{ node }} is not a variable"),
        (make_step("A {{ nope }}"), "{{ nope }} is not a variable"),
        (make_step("A", "docker -f '{{ .State }}'"), "{{ .State }} is not a variable"),
        (make_step("A" * 161), "160 characters"),
        (make_step("A", "x" * 20_001), "20,000 characters"),
    ],
)
def test_a_faulty_step_is_not_published_and_the_reason_names_it(
    step: dict[str, object], complaint: str
) -> None:
    runbook = make_runbook(is_published=False)
    wording = Wording(1, 1, [make_step(), step])  # type: ignore[list-item]
    with pytest.raises(NotPublishable) as caught:
        editing.publish(runbook, wording, change_note="First.", by=make_writer(), now=NOON)
    (fault,) = caught.value.faults
    assert fault.step == 2
    assert complaint in fault.text
    assert editing.newest(runbook) is None


@pytest.mark.parametrize(
    ("steps", "note", "complaint"),
    [
        ([], "First.", "at least one step"),
        ([make_step()], " ", "what changed"),
        ([make_step()] * 51, "x", "50 steps"),
    ],
)
def test_a_runbook_without_steps_or_change_note_is_not_published(
    steps: list[object], note: str, complaint: str
) -> None:
    runbook = make_runbook(is_published=False)
    with pytest.raises(NotPublishable, match=complaint):
        editing.publish(runbook, Wording(1, 1, steps), change_note=note, by=make_writer(), now=NOON)  # type: ignore[arg-type]


def test_a_version_that_changes_nothing_is_not_published() -> None:
    runbook = make_runbook(make_step("One"))
    with pytest.raises(NotPublishable, match="Nothing differs from version 1"):
        publish_next(runbook, *runbook.versions.get().steps)


def test_discarding_a_draft_keeps_what_was_published() -> None:
    runbook = make_runbook()
    editing.save_draft(runbook, Wording(2, 0, [make_step("New")]), by=make_writer(), now=NOON)
    editing.discard_draft(runbook, by=make_writer(), now=LATER)
    assert [version.number for version in runbook.versions.all()] == [1]


def test_discarding_the_only_draft_removes_the_runbook() -> None:
    runbook = make_runbook(is_published=False)
    editing.discard_draft(runbook, by=make_writer(), now=LATER)
    assert not Runbook.objects.filter(pk=runbook.pk).exists()


def test_archiving_hands_its_services_to_the_default() -> None:
    runbook, service = make_runbook(), make_service(slug="web")
    attaching.attach(runbook, service=service, by=make_writer(), now=NOON)
    editing.archive(runbook, by=make_writer(), now=LATER)
    assert not RunbookAttachment.objects.exists()
    assert AuditEntry.objects.get(action="runbook.archive").before == {"services": ["web"]}
    with pytest.raises(NotPossible, match="archived"):
        attaching.attach(runbook, service=service, by=make_writer(), now=LATER)


def test_the_default_cannot_be_archived() -> None:
    with pytest.raises(NotPossible, match="default"):
        editing.archive(Runbook.objects.get(is_default=True), by=make_writer(), now=NOON)


def test_another_runbook_becomes_the_default_once_it_is_published() -> None:
    draft = make_runbook(is_published=False)
    with pytest.raises(NotPossible, match="Publish"):
        editing.make_default(draft, by=make_writer(), now=NOON)
    runbook = make_runbook()
    editing.make_default(runbook, by=make_writer(), now=NOON)
    assert list(Runbook.objects.filter(is_default=True)) == [runbook]


def test_attaching_moves_a_service_and_says_from_where() -> None:
    first, second, service = make_runbook(name="First"), make_runbook(name="Second"), make_service()
    for runbook in (first, second, second):
        attaching.attach(runbook, service=service, by=make_writer(), now=NOON)
    assert RunbookAttachment.objects.get().runbook == second
    moved = AuditEntry.objects.filter(action="runbook.attach").order_by("-pk").first()
    assert moved is not None
    assert moved.before == {"service": service.slug, "runbook": "first"}
    assert AuditEntry.objects.filter(action="runbook.attach").count() == 2


def test_an_unpublished_runbook_is_attached_to_nothing() -> None:
    with pytest.raises(NotPossible, match="Publish"):
        attaching.attach(make_runbook(is_published=False), service=make_service(), by=make_writer(), now=NOON)


def test_names_give_addresses_that_no_page_has() -> None:
    slugs = [make_runbook(name=name).slug for name in ("New", "GPU pool", "GPU pool", "執行", "Executions")]
    assert slugs == ["new-2", "gpu-pool", "gpu-pool-2", "runbook", "executions-2"]


def test_a_runbook_can_begin_as_a_copy_of_another() -> None:
    default = Runbook.objects.get(is_default=True)
    copy = editing.create("Copy", copy_of=default, by=make_writer(), now=NOON)
    assert editing.to_edit(copy).steps == STEPS


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_one_hears_of_the_other() -> None:
    runbook = make_runbook(make_step("One"))
    people = [make_writer() for _ in range(2)]

    def save(at: int) -> str:
        try:
            editing.save_draft(runbook, Wording(2, 0, [make_step(f"Mine {at}")]), by=people[at], now=NOON)
        except EditedMeanwhile:
            return "heard"
        finally:
            connection.close()
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(save, range(2))) == ["heard", "saved"]
