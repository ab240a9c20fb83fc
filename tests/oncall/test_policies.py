"""Escalation policies: what can be written, what each change leaves, where one holds, and its pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.html import strip_tags

from console.accounts.audit import Actor
from console.accounts.models import AuditEntry, Role, Scope
from console.oncall import policies, policy_editing
from console.oncall.models import EscalationPolicy, LevelTarget, PolicyUse
from console.oncall.policy_editing import CannotSave, Draft, LevelDraft
from tests.make_accounts import make_token, make_user
from tests.make_escalations import make_channel, make_policy, make_rotation, use_policy
from tests.make_fleet import NOON, make_service, make_team

pytestmark = pytest.mark.django_db

SOMEBODY = (("administrators", 0),)
TESTS = Actor.console("tests")


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(make_user("mona", role=Role.MANAGER))
    return client


def draft(**fields: Any) -> Draft:
    known = {"name": "Payments", "slug": "payments", "levels": [LevelDraft(5, (("person", make_user().pk),))]}
    return Draft(**(known | fields))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"levels": []}, "needs a level"),
        ({"levels": [LevelDraft(5, ())]}, "Level 1 names nobody"),
        ({"levels": [LevelDraft(0, SOMEBODY)]}, "Level 1 waits"),
        ({"levels": [LevelDraft(5, SOMEBODY)] * 11}, "At most 10 levels"),
        ({"levels": [LevelDraft(5, (("person", 999_999),))]}, "not there any more"),
        ({"levels": [LevelDraft(5, (("pigeon", 1),))]}, "not there any more"),
        ({"repeats": 10}, "between 0 and 9 times"),
        ({"acknowledged_minutes": 4}, "between 5 minutes and a day"),
        ({"slug": "new"}, "choose another slug"),
    ],
)
def test_what_could_never_work_is_refused_with_what_to_mend(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(CannotSave, match=words):
        policy_editing.create(draft(**fields), origin="live", by=TESTS, now=NOON)
    assert not EscalationPolicy.objects.exists()


def test_each_change_is_a_version_with_an_audit_entry_and_no_change_is_none() -> None:
    first = draft()
    policy = policy_editing.create(first, origin="live", by=TESTS, now=NOON)
    assert policy_editing.change(policy.pk, first, by=TESTS, now=NOON).version == 1
    changed = policy_editing.change(policy.pk, draft(repeats=3), by=TESTS, now=NOON)
    assert changed.version == 2
    entry = AuditEntry.objects.get(action="policy.change")
    assert (entry.before["repeats"], entry.after["repeats"]) == (1, 3)
    assert AuditEntry.objects.filter(action__startswith="policy.").count() == 2


def test_a_target_names_exactly_what_its_kind_says() -> None:
    policy = make_policy((5, [make_user("alice")]))
    level = policy.levels.get()
    with pytest.raises(IntegrityError, match="names_what_its_kind_says"), transaction.atomic():
        LevelTarget.objects.create(level=level, kind="team", person=make_user("bob"))


def test_the_policy_of_a_service_wins_over_its_teams_and_that_over_the_default() -> None:
    team = make_team(name="Payments")
    mine, other = make_service(team=team, name="Checkout"), make_service(team=team, name="Ledger")
    lonely = make_service(name="Lonely")
    for name, whom in (("Mine", {"service": mine}), ("Team's", {"team": team}), ("Default", {})):
        use_policy(make_policy((5, [make_user()]), name=name), **whom)
    wanted: list[policies.Whose] = [(mine, team), (other, team), (lonely, None), (None, None)]
    found = policies.choose(wanted, origin="live")
    assert [found[one].policy.name for one in wanted] == ["Mine", "Team's", "Default", "Default"]
    assert found[mine, team].why == "the policy of Checkout"
    drill = policies.choose([(None, None)], origin="drill")
    assert drill[None, None].policy.name == "Default", "a drill takes the live default"
    policy_editing.archive(EscalationPolicy.objects.get(name="Mine").pk, by=TESTS, now=NOON)
    assert policies.choose([(mine, team)], origin="live")[mine, team].policy.name == "Team's"


def test_one_policy_holds_for_one_thing() -> None:
    service = make_service()
    first, second = make_policy((5, [make_user()])), make_policy((5, [make_user()]))
    for policy in (first, second, second):
        use_policy(policy, service=service)
        use_policy(policy)
    assert set(PolicyUse.objects.values_list("policy", flat=True)) == {second.pk}
    assert PolicyUse.objects.count() == 2


def test_a_policy_is_written_in_one_form_and_used_from_its_page(manager: Client) -> None:
    rotation, bob, service = make_rotation("Primary"), make_user("bob"), make_service(name="Checkout")
    typed = {
        "name": "Payments",
        "slug": "payments",
        "repeats": "2",
        "acknowledged_minutes": "45",
        "levels": "2",
        "level-1-wait": "5",
        "level-1-target": [f"rotation:{rotation.pk}", ""],
        "level-2-wait": "10",
        "level-2-target": [f"person:{bob.pk}", ""],
    }
    more = manager.post("/schedules/policies/new/", typed | {"act": "level"})
    assert 'name="level-3-wait"' in more.content.decode()
    assert not EscalationPolicy.objects.exists(), "asking for another level saves nothing"
    refused = manager.post("/schedules/policies/new/", typed | {"level-1-wait": "soon"})
    assert refused.status_code == 422
    assert "Level 1 waits between 1 minute and a day." in refused.content.decode()
    made = manager.post("/schedules/policies/new/", typed)
    assert made["Location"] == "/schedules/policies/payments/"
    policy = EscalationPolicy.objects.get()
    assert [level.wait_minutes for level in policy.levels.order_by("position")] == [5, 10]
    manager.post("/schedules/policies/payments/use/", {"whom": f"service:{service.pk}"})
    manager.post("/schedules/policies/payments/use/", {"whom": "default"})
    page = strip_tags(manager.get("/schedules/policies/payments/").content.decode())
    assert "Checkout" in page
    assert "everything else" in page
    use = PolicyUse.objects.get(service=service)
    manager.post(f"/schedules/policies/payments/uses/{use.pk}/end/")
    assert PolicyUse.objects.count() == 1
    assert "Payments" in manager.get("/schedules/policies/").content.decode()
    moved = typed | {"act": "down:1"}
    swapped = manager.post("/schedules/policies/payments/edit/", moved).content.decode()
    assert swapped.index(f'value="person:{bob.pk}" selected') < swapped.index(
        f'value="rotation:{rotation.pk}" selected'
    )
    manager.post("/schedules/policies/payments/archive/")
    policy.refresh_from_db()
    assert policy.archived_at is not None


def test_only_managers_change_policies_and_everybody_reads_them(client: Client) -> None:
    make_policy((5, [make_channel("#payments")]), slug="payments", name="Payments")
    client.force_login(make_user("alice"))
    assert "#payments" in client.get("/schedules/policies/payments/").content.decode()
    assert client.get("/schedules/policies/payments/edit/").status_code == 403
    assert client.post("/schedules/policies/payments/archive/").status_code == 403


def test_programs_read_policies(client: Client) -> None:
    service = make_service(slug="checkout")
    policy = use_policy(make_policy((5, [make_channel("#payments")]), name="Payments"), service=service)
    secret = make_token(Scope.READ)[1]
    answer = client.get("/api/v1/escalation-policies", headers={"Authorization": f"Bearer {secret}"})
    (item,) = answer.json()["items"]
    assert (item["slug"], item["version"], item["services"]) == (policy.slug, 1, ["checkout"])
    assert item["levels"] == [{"wait_minutes": 5, "targets": [{"kind": "channel", "name": "#payments"}]}]
