"""A node's name that is used again within hours: what is said of either machine stays with it, in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.fleet.inventory import InventoryRow, take_inventory
from console.fleet.models import Machine
from console.interruptions.reattributing import follow_machines
from console.lib.pushed import Batch
from tests.ingest.hearing import HOUR, MACHINE, MINUTE, NODE, THE_NODE, Message, at, aws, hear, said
from tests.ingest.outcome import interruptions, unattached

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = THE_NODE, THE_NODE | {"uid": "a2b81c70-3f0e-4f57-8d3b-6f3c2e9b7d15"}
NEXT_MACHINE = "i-0fedcba9876543210"

Step = Message | Callable[[], None]


def listed(machine: str, node: dict[str, Any], seconds: int) -> Callable[[], None]:
    """The cluster's list of nodes, where the name stands with its uid and its instance."""
    row = InventoryRow(
        cluster="shop-eu", node_name=NODE, node_uid=node["uid"], provider_id=f"aws:///eu-central-1b/{machine}"
    )

    def take() -> None:
        take_inventory(Batch([(0, row)], []), origin="live", now=at(seconds))

    return take


def told_of(machine: str, node: dict[str, Any], begin: int) -> list[Step]:
    """A reclaim by the cloud and by the cluster, and the map from one to the other."""
    return [
        aws("spot-warning-terminate", begin, machine=machine),
        said(begin + 6, "karpenter", "SpotInterrupted", about=node),
        said(begin + 8, "aws-node-termination-handler", "CordonAndDrain", about=node),
        aws("state-terminated", begin + 2 * MINUTE, machine=machine),
        listed(machine, node, begin + 30),
    ]


def outcome_of(steps: list[Step]) -> tuple[list[Any], list[Any], int]:
    try:
        with transaction.atomic():
            for step in steps:
                if isinstance(step, Message):
                    hear([step], seconds=3 * HOUR)
                else:
                    step()
                while follow_machines(now=at(3 * HOUR)):
                    pass
            found = interruptions(), unattached(), Machine.objects.filter(merged_into=None).count()
            raise _Undo(found)
    except _Undo as undo:
        return undo.found


class _Undo(Exception):
    def __init__(self, found: tuple[list[Any], list[Any], int]) -> None:
        super().__init__()
        self.found = found


@pytest.mark.parametrize("apart", [20 * MINUTE, 2 * HOUR], ids=["20 minutes", "2 hours"])
def test_two_lives_of_a_name_are_two_reclaims_with_their_own_witnesses(apart: int) -> None:
    steps = [*told_of(MACHINE, FIRST, 0), *told_of(NEXT_MACHINE, SECOND, apart)]
    expected = outcome_of(steps)
    reclaims, left, machines = expected
    assert (len(reclaims), left, machines) == (2, [], 2)
    assert [one["witness_count"] for one in reclaims] == [2, 2]
    assert [one["started_at"] for one in reclaims] == [at(0), at(apart)]

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations(steps))
    def in_any_order(shuffled: list[Step]) -> None:
        assert outcome_of(shuffled) == expected

    in_any_order()
