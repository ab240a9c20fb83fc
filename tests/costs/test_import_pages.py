"""Giving bills to the console: who may, what they see, and that a worker's death costs nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Sum
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from console.accounts.models import AuditEntry, Role
from console.costs import claiming, importing
from console.costs.giving import Asked, give
from console.costs.models import BillingImport, Charge, ImportState
from console.costs.tasks import WORK
from tests.make_accounts import make_user
from tests.make_costs import BY, NOW, bring_in_rows, bring_in_text, focus_csv, focus_row

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    bells: list[str] = []
    monkeypatch.setattr(WORK, "ring", lambda: bells.append("work"))
    return bells


@pytest.fixture
def var(settings: LazySettings, tmp_path: Path) -> Path:
    settings.CONSOLE_VAR = tmp_path / "var"
    return tmp_path / "var"


def sign_in(role: Role) -> Client:
    client = Client()
    client.force_login(make_user(role.value, role=role))
    return client


def text(response: Any) -> str:
    return response.content.decode()  # type: ignore[no-any-return]


def posted(*contents: str, **fields: str) -> dict[str, Any]:
    files = [SimpleUploadedFile(f"bill-{at}.csv", body.encode()) for at, body in enumerate(contents)]
    return {"bills": files, "mode": "replace"} | fields


def test_a_manager_uploads_and_a_worker_brings_it_in(
    var: Path, rung: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    client = sign_in(Role.MANAGER)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            reverse("costs:import_list"), posted(focus_csv(focus_row()), focus_csv(focus_row(BilledCost="2")))
        )
    assert (answer.status_code, rung) == (302, ["work"])
    waiting = text(client.get(reverse("costs:import_list")))
    assert "Waiting" in waiting
    assert 'hx-trigger="every 2s"' in waiting

    assert claiming.work_waiting(var, now=NOW) == 2
    assert claiming.work_waiting(var, now=NOW) == 0
    done = text(client.get(reverse("costs:import_list")))
    assert done.count(".csv</a>") == 2
    assert 'hx-trigger="every 2s"' not in done
    assert Charge.objects.aggregate(n=Sum("billed"))["n"] == Decimal("3.5")
    assert list((var / "billing").iterdir()) == []
    who = AuditEntry.objects.filter(action__startswith="billing.").values_list("action", "actor_label")
    assert sorted(who) == [
        ("billing.import", "manager@example.com"),
        ("billing.import", "manager@example.com"),
        ("billing.upload", "manager@example.com"),
        ("billing.upload", "manager@example.com"),
    ]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER])
def test_others_look_and_do_not_upload(var: Path, role: Role) -> None:
    client = sign_in(role)
    assert "Give it a bill" not in text(client.get(reverse("costs:import_list")))
    assert client.post(reverse("costs:import_list"), posted(focus_csv(focus_row()))).status_code == 403
    assert not BillingImport.objects.exists()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"bills": []}, "This field is required"),
        ({"currency": "EU"}, "three letters"),
        ({"mode": "guess"}, "not one of the available choices"),
    ],
)
def test_an_upload_that_cannot_be_is_answered_with_what_to_do(
    var: Path, fields: dict[str, Any], told: str
) -> None:
    answer = sign_in(Role.ADMIN).post(reverse("costs:import_list"), posted(focus_csv(focus_row())) | fields)
    assert answer.status_code == 422
    assert told in text(answer)
    assert not BillingImport.objects.exists()


def test_a_worker_that_died_is_followed_by_another_and_its_late_return_changes_nothing(
    var: Path, tmp_path: Path
) -> None:
    (row,) = give(["bill.csv"], Asked("live"), by=BY, now=NOW)
    path = claiming.keeping_files.path_of(row, var)
    path.parent.mkdir(parents=True)
    path.write_text(focus_csv(focus_row()))
    lost = claiming.claim(now=NOW)
    assert [each.pk for each in lost] == [row.pk]
    assert claiming.claim(now=NOW + timedelta(seconds=60)) == []

    later = NOW + timedelta(seconds=61)
    assert claiming.work_waiting(var, now=later) == 1
    path.write_text(focus_csv(focus_row()))
    importing.work(lost, {row.pk: path}, by=BY, now=later)
    row.refresh_from_db()
    assert (row.state, row.attempt, row.finished_at) == (ImportState.DONE, 2, later)
    assert Charge.objects.count() == 1


def test_a_file_that_is_gone_is_refused(var: Path) -> None:
    (row,) = give(["bill.csv"], Asked("live"), by=BY, now=NOW)
    claiming.work_waiting(var, now=NOW)
    row.refresh_from_db()
    assert (row.state, row.message) == (ImportState.REFUSED, "bill.csv is no longer there. Send it again.")


def test_a_closed_month_waits_for_a_manager_and_shows_who_restated_it(var: Path, tmp_path: Path) -> None:
    bring_in_rows(tmp_path, [focus_row(InvoiceId="INV")])
    client = sign_in(Role.MANAGER)
    client.post(reverse("costs:import_list"), posted(focus_csv(focus_row(BilledCost="2", InvoiceId="INV"))))
    claiming.work_waiting(var, now=NOW)
    row = BillingImport.objects.get(state=ImportState.TO_CONFIRM)
    page, confirm = (reverse(f"costs:import_{name}", args=[row.pk]) for name in ("detail", "confirm"))
    assert "Restate the closed month" in text(client.get(page))
    viewer = sign_in(Role.VIEWER)
    assert "Restate the closed month" not in text(viewer.get(page))
    assert viewer.post(confirm).status_code == 403

    client.post(confirm)
    client.post(confirm)
    claiming.work_waiting(var, now=NOW)
    assert "was restated on" in text(client.get(page))
    assert Charge.objects.counted(origin="live").get().billed == Decimal(2)
    assert AuditEntry.objects.filter(action="billing.confirm_restatement").count() == 1


def test_import_detail_shows_sums_rejected_rows_and_defects_and_gives_them_as_csv(tmp_path: Path) -> None:
    row = bring_in_text(
        tmp_path,
        focus_csv(focus_row(Tags="bare"), focus_row(BilledCost="x"), focus_row(BillingCurrency="EUR")),
    )
    client = sign_in(Role.VIEWER)
    html = text(client.get(reverse("costs:import_detail", args=[row.pk])))
    for words in ("Tags are no JSON object", "is not a number", "EUR", "USD", "2 currencies"):
        assert words in html
    answer = client.get(reverse("costs:import_problems", args=[row.pk]))
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "line,kind,reason,raw"
    assert lines[1].startswith("3,rejected,BilledCost “x” is not a number")
    assert [line.split(",")[:2] for line in lines[2:]] == [["2", "defect"], ["4", "defect"]]


@pytest.mark.parametrize("count", [1, 30])
def test_import_list_costs_the_same_however_many_there_are(
    tmp_path: Path, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for at in range(count):
        give([f"{at}.csv"], Asked("live"), by=BY, now=NOW)
    client = sign_in(Role.VIEWER)
    with django_assert_max_num_queries(14):
        client.get(reverse("costs:import_list"))


def test_an_empty_list_says_what_to_do() -> None:
    assert "No bill was imported yet" in text(sign_in(Role.VIEWER).get(reverse("costs:import_list")))
