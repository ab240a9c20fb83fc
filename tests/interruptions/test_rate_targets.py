"""The page of rate targets: who may change what, what is refused and why, and what the board says of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.accounts.models import AuditEntry, Role
from console.interruptions.models import RateTarget
from tests.make_accounts import make_user
from tests.make_fleet import make_pool

pytestmark = pytest.mark.django_db
URL = "/services/targets/"
GPU = {"label": "GPU", "provider": "aws", "type_prefix": "p4d.", "target": "60", "red": "90"}


def signed_in(role: Role = Role.MANAGER) -> Client:
    client = Client()
    client.force_login(make_user(role=role))
    return client


def make_target(**fields: Any) -> RateTarget:
    return RateTarget.objects.create(**(GPU | {"target": 60, "red": 90} | fields))


def test_a_manager_makes_changes_and_ends_a_target_and_the_trail_tells_each() -> None:
    client = signed_in()
    assert client.post(URL, GPU).status_code == 302
    row = RateTarget.objects.get()

    assert client.post(f"{URL}{row.pk}/edit/", GPU | {"target": "70"}).status_code == 302
    assert client.post(f"{URL}{row.pk}/edit/", GPU | {"target": "70"}).status_code == 302
    assert RateTarget.objects.get().target == 70
    for _ in range(2):
        assert client.post(f"{URL}{row.pk}/end/").status_code == 302

    assert not RateTarget.objects.exists()
    trail = AuditEntry.objects.filter(subject_kind="ratetarget").order_by("pk")
    assert [entry.action for entry in trail] == ["rate_target.set", "rate_target.set", "rate_target.remove"]
    assert [entry.subject_label for entry in trail] == ["aws/p4d."] * 3
    assert trail.values_list("before__target", flat=True)[1] == 60


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"target": "0"}, "A target is above 0"),
        ({"red": "9"}, "write 60 or more"),
        ({"type_prefix": "p4d *"}, "letters, digits, dots"),
        ({"type_prefix": ""}, "This field is required"),
        ({"target": "many"}, "Enter a number"),
        ({"provider": "oracle"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(changed: dict[str, str], said: str) -> None:
    answer = signed_in().post(URL, GPU | changed)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not RateTarget.objects.exists()


def test_a_class_has_one_target() -> None:
    make_target()
    other = make_target(type_prefix="g5.", label="G5")
    client = signed_in()

    assert "has a target already: change that one" in client.post(URL, GPU).content.decode()
    answer = client.post(f"{URL}{other.pk}/edit/", GPU)
    assert (answer.status_code, "end that one first" in answer.content.decode()) == (422, True)


def test_the_list_says_which_machines_each_target_is_for() -> None:
    make_target(label="All P", type_prefix="p")
    make_target()
    for name in ("p4d.24xlarge", "p5.48xlarge", "m7i.large"):
        make_pool(instance_type=name)

    page = signed_in(Role.VIEWER).get(URL).content.decode()

    assert page.count("aws p4d.24xlarge") == page.count("aws p5.48xlarge") == 2  # the text and its title
    assert "m7i.large" not in page
    assert "Set the target" not in page


def test_only_managers_change_targets() -> None:
    row = make_target()
    client = signed_in(Role.RESPONDER)

    for path in (URL, f"{URL}{row.pk}/edit/", f"{URL}{row.pk}/end/"):
        assert client.post(path, GPU).status_code == 403
    assert Client().get(URL).status_code == 302


def test_no_service_can_be_called_like_the_page() -> None:
    answer = signed_in().post("/services/new/", {"name": "Targets", "slug": "targets"})

    assert "is a page of its own" in answer.content.decode()
