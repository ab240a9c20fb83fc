"""The pages: who may do what, with and without script, and that nothing written is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from console.accounts.models import AuditEntry, Role
from console.runbooks import attaching, checklist, editing
from console.runbooks.editing import Wording
from console.runbooks.models import Execution, Runbook, StepMark
from console.runbooks.variables import sealed
from tests.make_accounts import make_user
from tests.make_fleet import NOON, make_service
from tests.make_runbooks import make_execution, make_runbook, make_step, make_writer, publish_next

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("default_runbook")]
HTMX = {"HX-Request": "true", "HX-Target": "checklist"}


def sign_in(role: Role = Role.RESPONDER, name: str = "") -> Client:
    client = Client()
    client.force_login(make_user(name or role.value, role=role))
    return client


def text(response: Any) -> str:
    return response.content.decode()  # type: ignore[no-any-return]


def page(name: str, *args: object) -> str:
    return reverse(f"runbooks:{name}", args=args)


def editor(*steps: dict[str, Any], number: int = 1, revision: int = 1, **fields: str) -> dict[str, Any]:
    """What the editor posts."""
    posted: dict[str, Any] = {"number": number, "revision": revision, "steps": len(steps), **fields}
    for at, step in enumerate(steps):
        posted |= {f"step-{at}-title": step["title"], f"step-{at}-body": step["body"]}
        posted |= {f"step-{at}-required": "on"} if step["is_required"] else {}
    return posted


def test_runbook_list_shows_version_services_use_and_drafts() -> None:
    runbook = make_runbook(name="GPU pool")
    attaching.attach(runbook, service=make_service(name="Trainers"), by=make_writer(), now=NOON)
    editing.save_draft(runbook, Wording(2, 0, [make_step()]), by=make_writer(), now=NOON)
    Execution.objects.create(version=runbook.versions.get(number=1), started_at=NOON)
    Execution.objects.create(version=runbook.versions.get(number=1), started_at=NOON, origin="sample")
    html = text(sign_in(Role.VIEWER).get(page("runbook_list")))
    assert all(
        word in html for word in ("GPU pool", "Version 1", "Draft of version 2", "Trainers", "Used 1 time")
    )
    assert "New runbook" not in html


@pytest.mark.parametrize(("count", "most"), [(1, 14), (25, 14)])
def test_runbook_list_costs_the_same_however_many_there_are(
    count: int, most: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        attaching.attach(make_runbook(), service=make_service(), by=make_writer(), now=NOON)
    client = sign_in(Role.VIEWER)
    with django_assert_max_num_queries(most):
        client.get(page("runbook_list"))


def test_runbook_detail_costs_the_same_however_much_it_was_used(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    runbook = make_runbook()
    for _ in range(30):
        Execution.objects.create(version=runbook.versions.get(), started_at=NOON, service=make_service())
    client = sign_in(Role.MANAGER)
    with django_assert_max_num_queries(16):
        html = text(client.get(page("runbook_detail", runbook.slug)))
    assert "The newest 20 of 30" in html


def test_runbook_detail_of_an_older_version_says_which_one_is_in_use() -> None:
    runbook = make_runbook(make_step("Old step"))
    publish_next(runbook, make_step("New step"))
    html = text(sign_in().get(page("runbook_detail", runbook.slug), {"version": 1}))
    assert "Old step" in html
    assert "New step" not in html
    assert "New checklists start with" in html


def test_runbook_compare_shows_what_was_reworded() -> None:
    runbook = make_runbook(make_step("Drain", "slowly"))
    publish_next(runbook, make_step("Drain", "quickly"))
    html = text(sign_in().get(page("runbook_compare", runbook.slug)))
    assert "slowly</del>" in html
    assert "quickly</ins>" in html
    assert sign_in(name="b").get(page("runbook_compare", runbook.slug), {"new": 9}).status_code == 404


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("runbook_new", "get"),
        ("runbook_new", "post"),
        ("runbook_edit", "get"),
        ("runbook_edit", "post"),
        ("draft_discard", "post"),
        ("runbook_rename", "post"),
        ("runbook_archive", "post"),
        ("runbook_unarchive", "post"),
        ("runbook_make_default", "post"),
        ("service_attach", "post"),
        ("step_preview", "post"),
    ],
)
def test_only_managers_write_runbooks(name: str, method: str) -> None:
    runbook = make_runbook()
    address = page(name) if name in ("runbook_new", "step_preview") else page(name, runbook.slug)
    before = AuditEntry.objects.count()
    assert getattr(sign_in(Role.RESPONDER), method)(address).status_code == 403
    assert getattr(Client(), method)(address).status_code == 302
    assert AuditEntry.objects.count() == before


def test_a_manager_writes_and_publishes_a_runbook() -> None:
    client, service = sign_in(Role.MANAGER), make_service()
    assert client.post(page("runbook_new"), {"name": "GPU pool"}).url == page("runbook_edit", "gpu-pool")  # type: ignore[attr-defined]
    steps = (make_step("First", "`kubectl get {{ node_name }}`"), make_step("Second", is_required=False))
    answer = client.post(page("runbook_edit", "gpu-pool"), editor(*steps, do="publish", change_note="New."))
    assert answer.status_code == 302
    client.post(page("service_attach", "gpu-pool"), {"service": service.pk})
    started = checklist.start(service, origin="live", now=NOON)
    assert started.version.steps == list(steps)
    assert str(started.version.published_by) == "Manager"


def test_a_variable_nobody_knows_is_refused_beside_its_step_and_the_text_stays() -> None:
    runbook = make_runbook(is_published=False)
    steps = (make_step("Good"), make_step("Bad", "Drain {{ node }} now"))
    answer = sign_in(Role.MANAGER).post(
        page("runbook_edit", runbook.slug), editor(*steps, do="publish", change_note="My note")
    )
    html = text(answer)
    assert answer.status_code == 422
    assert "{{ node }} is not a variable. Known are: service, instance_id" in html
    assert html.index('id="step-1-faults"') > html.index('id="step-0-title"')
    assert "Drain {{ node }} now" in html
    assert 'value="My note"' in html


@pytest.mark.parametrize(
    ("press", "titles"),
    [
        ("add", ["A", "B", "C", ""]),
        ("remove-1", ["A", "C"]),
        ("up-2", ["A", "C", "B"]),
        ("down-0", ["B", "A", "C"]),
        ("up-0", ["A", "B", "C"]),
        ("down-2", ["A", "B", "C"]),
        ("remove-9", ["A", "B", "C"]),
        ("up-x", ["A", "B", "C"]),
    ],
)
def test_the_editor_rearranges_without_storing(press: str, titles: list[str]) -> None:
    runbook = make_runbook(is_published=False)
    posted = editor(make_step("A"), make_step("B"), make_step("C"), do=press)
    answer = sign_in(Role.MANAGER).post(page("runbook_edit", runbook.slug), posted)
    assert [row["step"]["title"] for row in answer.context["steps"]] == titles
    assert runbook.versions.get().revision == 1


def test_the_editor_answers_htmx_with_its_region_alone() -> None:
    runbook = make_runbook(is_published=False)
    headers = {"HX-Request": "true", "HX-Target": "editor"}
    html = text(
        sign_in(Role.MANAGER).post(
            page("runbook_edit", runbook.slug), editor(make_step("A"), do="add"), headers=headers
        )
    )
    assert html.strip().startswith('<form id="editor"')
    assert 'id="step-1-title"' in html


def test_of_two_editors_the_second_sees_both_texts_and_may_then_save() -> None:
    runbook = make_runbook(make_step("Base"))
    alice, bob = sign_in(Role.MANAGER, "alice"), sign_in(Role.MANAGER, "bob")
    address = page("runbook_edit", runbook.slug)
    alice.post(address, editor(make_step("From Alice", "alpha"), number=2, revision=0, do="save"))
    answer = bob.post(address, editor(make_step("From Bob", "beta"), number=2, revision=0, do="save"))
    html = text(answer)
    assert answer.status_code == 409
    assert all(word in html for word in ("Alice", "saved this draft", "From Bob", "alpha", "beta"))
    assert 'name="revision" value="1"' in html
    bob.post(address, editor(make_step("Both"), number=2, revision=1, do="save"))
    assert runbook.versions.get(number=2).steps[0]["title"] == "Both"


def test_the_preview_fills_in_examples_and_names_what_is_wrong() -> None:
    client = sign_in(Role.MANAGER)
    html = text(client.post(page("step_preview"), {"step-3-body": "**In** {{ zone }}, {{ nope }} <script>"}))
    assert "<strong>In</strong> eu-west-1b" in html
    assert "{{ nope }} is not a variable" in html
    assert "<script>" not in html


def test_a_manager_renames_archives_and_brings_back() -> None:
    client, runbook = sign_in(Role.MANAGER), make_runbook(name="Old")
    client.post(page("runbook_rename", "old"), {"name": "New name", "summary": "S"})
    client.post(page("runbook_archive", "old"))
    runbook.refresh_from_db()
    assert (runbook.name, runbook.archived_at is None) == ("New name", False)
    assert client.get(page("runbook_edit", "old")).status_code == 404
    client.post(page("runbook_unarchive", "old"))
    runbook.refresh_from_db()
    assert runbook.archived_at is None


def test_what_cannot_be_done_is_said_and_changes_nothing() -> None:
    default = Runbook.objects.get(is_default=True)
    html = text(sign_in(Role.MANAGER).post(page("runbook_archive", default.slug), follow=True))
    assert "This is the default runbook." in html
    default.refresh_from_db()
    assert default.archived_at is None


def test_a_service_is_detached() -> None:
    runbook, service = make_runbook(), make_service()
    attaching.attach(runbook, service=service, by=make_writer(), now=NOON)
    sign_in(Role.MANAGER).post(page("service_detach", runbook.slug, service.pk))
    assert not runbook.attachments.exists()
    assert AuditEntry.objects.filter(action="runbook.detach").count() == 1


def act(client: Client, execution: Execution, step: int, htmx: bool = False, **fields: str) -> Any:
    address = page("step_act", execution.pk, step)
    return client.post(address, fields, headers=HTMX if htmx else {})


def test_without_script_an_act_goes_back_to_the_page_it_came_from() -> None:
    execution, client = make_execution(), sign_in()
    answer = act(client, execution, 1, act="tick", next="/alerts/7/?origin=live")
    assert answer.url == "/alerts/7/?origin=live#checklist"
    assert StepMark.objects.get().state == "done"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_an_act_never_leads_out_of_the_console(address: str) -> None:
    execution = make_execution()
    answer = act(sign_in(), execution, 1, act="tick", next=address)
    assert answer.url == page("execution_detail", execution.pk) + "#checklist"


def test_with_htmx_an_act_answers_the_checklist_with_its_variables() -> None:
    execution = make_execution(make_step("Drain", "`kubectl drain {{ node_name }}`"))
    answer = act(
        sign_in(),
        execution,
        1,
        htmx=True,
        act="skip",
        text="No pods",
        variables=sealed({"node_name": "node-7"}),
    )
    html = text(answer)
    assert html.strip().startswith('<section id="checklist"')
    assert "kubectl drain node-7" in html
    assert "No pods" in html


def test_variables_that_were_tampered_with_are_not_shown() -> None:
    execution = make_execution(make_step("Drain", "`kubectl drain {{ node_name }}`"))
    forged = sealed({"node_name": "node-7"})[:-3] + "abc"
    html = text(act(sign_in(), execution, 1, htmx=True, act="tick", variables=forged))
    assert "kubectl drain ‹node_name›" in html


@pytest.mark.parametrize("fields", [{"act": "skip"}, {"act": "note", "text": " "}, {"act": "burn"}, {}])
def test_a_refused_act_says_why_and_leaves_no_mark(fields: dict[str, str]) -> None:
    execution, client = make_execution(), sign_in()
    answer = act(client, execution, 1, htmx=True, **fields)
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    assert act(client, execution, 1, **fields).status_code == 302
    assert not StepMark.objects.exists()


def test_a_step_that_is_not_there_is_404() -> None:
    execution = make_execution()
    assert act(sign_in(), execution, 9, act="tick").status_code == 404
    assert sign_in(name="b").post(page("step_act", 999, 1), {"act": "tick"}).status_code == 404


def test_viewers_read_a_checklist_and_mark_nothing() -> None:
    execution, client = make_execution(), sign_in(Role.VIEWER)
    assert act(client, execution, 1, act="tick").status_code == 403
    html = text(client.get(page("execution_detail", execution.pk)))
    assert "0 of 2 done" in html
    assert 'id="step-1-act"' not in html


def test_an_unchanged_checklist_is_answered_204() -> None:
    execution, client = make_execution(), sign_in()
    address = page("execution_detail", execution.pk)
    first = client.get(address, headers=HTMX)
    digest = {"X-Region-Digest": first.headers["X-Region-Digest"]}
    assert client.get(address, headers=HTMX | digest).status_code == 204
    act(client, execution, 1, act="tick")
    assert client.get(address, headers=HTMX | digest).status_code == 200


def test_a_checklist_shows_who_did_what_and_every_note() -> None:
    execution = make_execution(make_step("One"), make_step("Two"))
    alice, bob = sign_in(name="alice"), sign_in(name="bob")
    act(alice, execution, 1, act="tick")
    act(bob, execution, 1, act="note", text="It <b>hung</b>")
    act(bob, execution, 2, act="skip", text="Nothing there")
    html = text(alice.get(page("execution_detail", execution.pk)))
    assert all(word in html for word in ("Alice", "Bob", "It &lt;b&gt;hung&lt;/b&gt;", "Nothing there"))
    assert "1 of 2 done, 1 skipped" in html
    assert "Every required step is settled" in html


def test_a_checklist_costs_the_same_however_much_was_noted(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    execution = make_execution(*[make_step() for _ in range(20)])
    by = make_writer()
    for step in range(1, 21):
        checklist.note(
            execution.pk, step=step, text=f"Note {step}", by=by, now=NOON + timedelta(seconds=step)
        )
    client = sign_in()
    with django_assert_max_num_queries(11):
        client.get(page("execution_detail", execution.pk))
