"""Programs read runbooks and checklists, and tick steps with a token that may act."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.accounts.models import AuditEntry, Scope
from console.runbooks import attaching, editing
from console.runbooks.editing import Wording
from console.runbooks.models import StepMark
from tests.make_accounts import make_token
from tests.make_fleet import NOON, make_service
from tests.make_runbooks import make_execution, make_runbook, make_step, make_writer, publish_next

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("default_runbook")]


def call(path: str, *scopes: Scope, method: str = "get", **more: Any) -> Any:
    _, secret = make_token(*scopes, **more.pop("token", {}))
    headers = {"Authorization": f"Bearer {secret}"}
    sent = {"data": more, "content_type": "application/json"} if method == "post" else {"query_params": more}
    return getattr(Client(), method)(f"/api/v1/{path}", headers=headers, **sent)


def test_runbook_list_names_versions_drafts_and_services() -> None:
    runbook = make_runbook(name="GPU pool")
    attaching.attach(runbook, service=make_service(slug="trainers"), by=make_writer(), now=NOON)
    editing.save_draft(runbook, Wording(2, 0, [make_step()]), by=make_writer(), now=NOON)
    items = {item["slug"]: item for item in call("runbooks").json()["items"]}
    assert items["gpu-pool"] | {"version": 1, "draft": 2, "services": ["trainers"]} == items["gpu-pool"]
    assert items["spot-incident"]["is_default"]


def test_runbook_list_is_also_csv() -> None:
    answer = call("runbooks", format="csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].startswith("slug,name,summary,is_default,version")
    assert lines[1].startswith("spot-incident,")


def test_runbook_detail_has_the_steps_in_use_and_hides_the_draft() -> None:
    runbook = make_runbook(make_step("Published"))
    editing.save_draft(runbook, Wording(2, 0, [make_step("Secret")]), by=make_writer(), now=NOON)
    found = call(f"runbooks/{runbook.slug}").json()
    assert [step["title"] for step in found["steps"]] == ["Published"]
    assert call(f"runbooks/{runbook.slug}/versions/2").status_code == 404


def test_versions_come_newest_first_with_their_frozen_steps() -> None:
    runbook = make_runbook(make_step("One"))
    publish_next(runbook, make_step("Two"), change_note="Shorter.")
    items = call(f"runbooks/{runbook.slug}/versions").json()["items"]
    assert [(item["number"], item["steps"][0]["title"]) for item in items] == [(2, "Two"), (1, "One")]
    assert items[0]["change_note"] == "Shorter."
    assert call(f"runbooks/{runbook.slug}/versions/1").json()["steps"][0]["title"] == "One"


def test_executions_are_those_of_the_tokens_origin_and_of_the_filters() -> None:
    first, _ = make_execution(service=make_service(slug="web")), make_execution(origin="sample")
    done = make_execution(finished_at=NOON)
    ids = lambda **query: [item["id"] for item in call("executions", **query).json()["items"]]  # noqa: E731
    assert ids() == [done.pk, first.pk]
    assert ids(service="web") == [first.pk]
    assert ids(is_finished="true") == [done.pk]
    assert ids(runbook=first.version.runbook.slug) == [first.pk]


def test_a_program_ticks_a_step_and_the_trail_names_it() -> None:
    execution = make_execution()
    token = {"name": "deploy-bot"}
    for _ in range(2):
        answer = call(f"executions/{execution.pk}/steps/1", Scope.ACT, method="post", act="tick", token=token)
    found = answer.json()
    assert (found["done"], found["total"]) == (1, 2)
    assert found["steps"][0]["state"] == "done"
    assert [mark["by"] for mark in found["steps"][0]["marks"]] == ["deploy-bot"]
    assert AuditEntry.objects.get(action="checklist.tick").actor_label == "deploy-bot"


@pytest.mark.parametrize(
    ("wish", "status"),
    [({"act": "skip"}, 422), ({"act": "burn"}, 422), ({}, 422), ({"act": "note", "text": "x" * 1001}, 422)],
)
def test_a_wish_that_makes_no_sense_is_refused(wish: dict[str, str], status: int) -> None:
    execution = make_execution()
    answer = call(f"executions/{execution.pk}/steps/1", Scope.ACT, method="post", **wish)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not StepMark.objects.exists()


def test_a_token_that_only_reads_ticks_nothing() -> None:
    execution = make_execution()
    answer = call(f"executions/{execution.pk}/steps/1", Scope.READ, method="post", act="tick")
    assert answer.status_code == 403
    assert not StepMark.objects.exists()


def test_a_token_of_another_origin_does_not_find_a_live_checklist() -> None:
    execution = make_execution()
    token = {"origin": "sample"}
    path = f"executions/{execution.pk}"
    assert call(path, token=token).status_code == 404
    assert call(f"{path}/steps/1", Scope.ACT, method="post", act="tick", token=token).status_code == 404
    assert call(path).json()["steps"][0]["state"] == "open"
