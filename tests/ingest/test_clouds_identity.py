"""One reclaim on Google Cloud or Azure is one interruption, whoever tells it, in any order."""

from __future__ import annotations

from itertools import permutations

import pytest
from django.db import transaction

from console.fleet.models import Machine
from console.interruptions.models import Interruption, Observation
from tests.ingest.cloud_messages import (
    NUMERIC,
    SUBSCRIPTION,
    annotated,
    arm,
    audit,
    document,
    listed,
    metadata,
    operation,
)
from tests.ingest.hearing import DAY, HOUR, Message, at, hear, hear_one_by_one, node
from tests.ingest.outcome import interruptions

pytestmark = pytest.mark.django_db(transaction=True)

AKS = "aks-spot-31415926-vmss"


def real() -> list[Interruption]:
    return list(Interruption.objects.filter(merged_into=None).order_by("started_at", "key"))


def told_in_every_order(messages: list[Message], *, seconds: float) -> list[list[dict[str, object]]]:
    """The record after each order of arrival, each in a store of its own."""
    found = []
    for order in permutations(messages):
        try:
            with transaction.atomic():
                hear_one_by_one(order, seconds=seconds)
                found.append(interruptions())
                raise _Undo
        except _Undo:
            pass
    return found


class _Undo(Exception):
    pass


# Google Cloud


def test_one_vm_preempted_three_times_is_three_interruptions() -> None:
    hear([audit(hour * HOUR, operation=f"systemevent-{hour}") for hour in range(3)])
    assert [one.key for one in real()] == [f"gcp:shop-prod-1:systemevent-{hour}" for hour in range(3)]
    assert Machine.objects.get().instance_id == NUMERIC


def test_three_preemptions_within_a_minute_of_each_other_stay_three() -> None:
    hear([audit(20 * n, operation=f"systemevent-{n}") for n in range(3)])
    assert len(real()) == 3


def test_the_notice_inside_the_guest_and_the_audit_entry_are_one_in_any_order() -> None:
    told = [metadata(0), audit(31, operation="systemevent-a"), operation(30.9, name="systemevent-a")]
    outcomes = told_in_every_order(told, seconds=100)
    assert all(outcome == outcomes[0] for outcome in outcomes)
    (one,) = outcomes[0]
    assert (one["witness_count"], one["native_id"], one["known_by"]) == (3, "systemevent-a", "notice")
    assert (one["started_at"], one["deadline_at"]) == (at(0), at(30))


def test_the_older_key_stays_and_the_operations_id_leads_to_it() -> None:
    hear([metadata(0)])
    key = real()[0].key
    assert key == f"gcp:shop-prod-1:{NUMERIC}:1"
    hear([audit(31, operation="systemevent-a")])
    (one,) = real()
    assert one.key == key
    assert list(one.aliases.values_list("key", flat=True)) == ["gcp:shop-prod-1:systemevent-a"]


def test_a_name_used_again_is_another_machine_and_a_bare_name_means_the_one_alive_then() -> None:
    hear([audit(0, machine="111"), audit(0.5, case="audit-insert", machine="111")])
    hear([audit(DAY, case="audit-insert", machine="222"), audit(DAY + HOUR, machine="222")])
    hear([audit(2, machine=None), audit(DAY + HOUR + 2, machine=None)])
    assert Machine.objects.filter(merged_into=None).count() == 2
    first, second = real()
    for one, numeric in ((first, "111"), (second, "222")):
        assert (one.machine.instance_id, one.observation_count) == (numeric, 2)
        assert one.is_low_confidence


def test_a_bare_name_alone_opens_nothing() -> None:
    hear([audit(0, machine=None)])
    assert real() == []
    assert Observation.objects.get().interruption is None


def test_without_a_deadline_google_and_azure_give_half_a_minute() -> None:
    hear([metadata(0), document(0, listed("checkout-7", status="Started"))], seconds=2)
    for one in real():
        assert one.due_at == at(30 + 15 * 60)


def test_a_vm_stopped_and_preempted_after_its_next_boot_is_two_interruptions() -> None:
    stopped = audit(40, case="audit-stop-last", operation="operation-9")
    hear([metadata(0, boot="b-1"), stopped, metadata(20 * 60, boot="b-2")], seconds=DAY)
    assert len(real()) == 2


# Azure


def test_an_event_of_several_machines_told_by_all_is_one_interruption_a_machine() -> None:
    machines = ("checkout-7", "checkout-8", "checkout-9")
    event = listed(*machines, until=40)
    hear([
        document(n, event | {"EventId": str.lower(event["EventId"]) if n else event["EventId"]},
                 reporter=machine, number=3, feed=f"azure-{n}")
        for n, machine in enumerate(machines)
    ], seconds=4)  # fmt: skip
    assert [one.key for one in real()] == [
        f"azure:9b1f7c20-44d1-4e0a-b7c3-0d5a6e8f1234:{machine}" for machine in machines
    ]
    assert {(one.witness_count, one.started_at, one.deadline_at) for one in real()} == {(3, at(0), at(40))}


def test_node_resource_and_arm_id_of_a_scale_sets_machine_are_one_in_any_order() -> None:
    told = [
        document(0, listed(f"{AKS}_862", until=40), reporter="checkout-7", number=3),
        annotated(41, arm("862", scale_set=AKS)),
        node(5, {"type": "notice"}, provider="azure", account=SUBSCRIPTION, node_name=f"{AKS}0000ny"),
    ]
    outcomes = told_in_every_order(told, seconds=100)
    assert all(outcome == outcomes[0] for outcome in outcomes)
    (one,) = outcomes[0]
    assert (one["witness_count"], one["state"], one["ended_at"]) == (3, "ended", at(41))


def test_equal_names_in_two_resource_groups_are_two_machines() -> None:
    hear([annotated(0, arm("checkout-7")), annotated(1, arm("checkout-7", group="other"))])
    assert len(real()) == 2


def test_case_does_not_make_another_machine() -> None:
    hear([annotated(0, arm("Checkout-7")), annotated(1, arm("checkout-7").upper().replace("/SUBSCRIPTIONS", "/subscriptions"))])  # fmt: skip
    assert Machine.objects.filter(merged_into=None).count() == 1


def test_an_index_used_again_is_another_interruption_of_another_event() -> None:
    first, second = (listed(f"{AKS}_862", event=f"{n}" * 8 + EVENT_TAIL, until=n * 600 + 40) for n in (1, 2))
    hear([document(600, first, number=3), annotated(641, arm("862", scale_set=AKS))], seconds=700)
    hear([document(1200, second, number=5)], seconds=1205)
    assert [one.native_id[:8] for one in real()] == ["11111111", "22222222"]


EVENT_TAIL = "-44d1-4e0a-b7c3-0d5a6e8f1234"


def test_an_event_that_vanishes_while_its_machine_reports_was_called_off_in_any_order() -> None:
    told = [
        document(0, listed("checkout-7", until=600), number=3),
        document(60, number=4),
        document(30, listed("checkout-7", until=600), number=3, feed="azure-2", reporter="checkout-8"),
    ]
    outcomes = told_in_every_order(told, seconds=100)
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert [one["state"] for one in outcomes[0]] == ["cancelled"]


def test_an_older_document_that_comes_late_takes_nothing_back() -> None:
    told = [
        document(0, number=2),
        document(10, listed("checkout-7", until=600), number=3),
        document(20, number=2, boot="b-1"),
    ]
    assert [[one["state"] for one in outcome] for outcome in told_in_every_order(told, seconds=100)] == [
        ["noticed"]
    ] * 6


def test_an_event_that_started_before_it_vanished_was_not_called_off() -> None:
    hear([
        document(0, listed("checkout-7", until=600), number=3),
        document(60, listed("checkout-7", status="Started"), number=4),
        document(70, number=5),
    ], seconds=100)  # fmt: skip
    (one,) = real()
    assert (one.state, one.deadline_at) == ("shutting_down", at(600))


def test_an_event_gone_after_its_deadline_was_not_called_off() -> None:
    hear([document(0, listed("checkout-7", until=30), number=3), document(60, number=4)], seconds=100)
    assert real()[0].state == "noticed"


def test_another_machines_silence_about_an_event_says_nothing() -> None:
    hear([
        document(0, listed("checkout-7", until=600), number=3),
        document(60, number=4, reporter="checkout-8"),
    ], seconds=100)  # fmt: skip
    assert real()[0].state == "noticed"


def test_an_event_that_vanishes_beside_another_that_stays_was_called_off() -> None:
    other = listed("checkout-8", event="77777777" + EVENT_TAIL, until=900)
    hear([
        document(0, other, number=2),
        document(10, other, listed("checkout-7", until=600), number=3),
        document(60, other, number=4),
    ], seconds=100)  # fmt: skip
    assert {one.machine.instance_id: one.state for one in real()} == {
        "checkout-7": "cancelled",
        "checkout-8": "noticed",
    }


def test_maintenance_and_a_freeze_open_nothing() -> None:
    kinds = ("Reboot", "Redeploy", "Terminate", "Freeze")
    events = [
        listed("checkout-7", kind=kind, event=f"{n}" * 8 + EVENT_TAIL, until=600)
        for n, kind in enumerate(kinds, 1)
    ]
    hear([document(0, *events, number=3)], seconds=10)
    assert real() == []
    assert Observation.objects.exclude(kind="heartbeat").count() == len(kinds)


def test_a_reboot_told_of_a_preempted_machine_does_not_lend_it_its_id() -> None:
    hear([
        annotated(20, arm("checkout-7")),
        document(0, listed("checkout-7", kind="Reboot", status="Started"), number=3),
    ], seconds=60)  # fmt: skip
    assert [one.native_id for one in real()] == [""]
