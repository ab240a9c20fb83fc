"""Every reason of every component that tells of nodes and pods, and every shape in which an Event comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.feeds.normalised import Cause, Kind, Outcome, Reading, Rejected, Result
from tests.feeds.conftest import PAYLOADS

SAID_AT = datetime(2026, 3, 11, 14, 31, 40, tzinfo=UTC)
MACHINE = "i-0d41c7a9be2f60538"
NODE = "ip-10-2-7-41.eu-central-1.compute.internal"
UID = "c0a1d6f2-5b7e-4c1d-9e35-7f4a2b80d911"
POD = {"kind": "Pod", "namespace": "checkout", "name": "cart-6f9d8c5b7-k2mzp", "uid": "aa51c7de"}
THE_NODE = {"kind": "Node", "name": NODE, "uid": UID}
Read = Callable[..., Reading]
Refuse = Callable[..., Rejected]
ReadBytes = Callable[..., Any]

NTH, KARPENTER, KUBELET = "aws-node-termination-handler", "karpenter", "kubelet"
SCHEDULER, AUTOSCALER, DETECTOR = "default-scheduler", "cluster-autoscaler", "node-problem-detector"
CONTROLLER, TAINTS = "node-controller", "taint-eviction-controller"
OPENS = {"may_open": True, "cause": Cause.SPOT}
FAILED, OFF = {"outcome": Outcome.ERROR}, {"outcome": Outcome.CANCELLED}

ROWS: list[tuple[str, str, str, Kind, dict[str, Any]]] = [
    (NTH, "SpotInterruption", "", Kind.INTERRUPTION_NOTICE, OPENS),
    (NTH, "RebalanceRecommendation", "", Kind.REBALANCE_RECOMMENDATION, OPENS),
    (NTH, "ScheduledEvent", "", Kind.INTERRUPTION_NOTICE, {"cause": Cause.MAINTENANCE}),
    (NTH, "StateChange", "", Kind.STATE_CHANGE, {}),
    (NTH, "ASGLifecycle", "", Kind.SHUTDOWN_STARTED, {}),
    (NTH, "SQSTermination", "Spot Interruption notice for", Kind.INTERRUPTION_NOTICE, OPENS),
    (NTH, "SQSTermination", "Rebalance recommendation event", Kind.REBALANCE_RECOMMENDATION, OPENS),
    (NTH, "SQSTermination", "State Change event received", Kind.STATE_CHANGE, {}),
    (NTH, "SQSTermination", "ASG Lifecycle Termination event", Kind.SHUTDOWN_STARTED, {}),
    (NTH, "SQSTermination", "AWS Health scheduled", Kind.INTERRUPTION_NOTICE, {"cause": Cause.MAINTENANCE}),
    (NTH, "Cordon", "", Kind.NODE_CORDONED, {}),
    (NTH, "PreDrain", "", Kind.NODE_CORDONED, {}),
    (NTH, "CordonError", "", Kind.NODE_CORDONED, FAILED),
    (NTH, "CordonAndDrain", "", Kind.SHUTDOWN_COMPLETED, {}),
    (NTH, "PostDrain", "", Kind.SHUTDOWN_COMPLETED, {}),
    (NTH, "CordonAndDrainError", "", Kind.SHUTDOWN_COMPLETED, FAILED),
    (NTH, "Uncordon", "", Kind.NODE_CORDONED, OFF),
    (NTH, "UncordonError", "", Kind.NODE_CORDONED, FAILED),
    (NTH, "CancelDrain", "", Kind.NODE_DRAIN_STARTED, OFF),
    (KARPENTER, "SpotInterrupted", "", Kind.INTERRUPTION_NOTICE, OPENS),
    (KARPENTER, "InstanceSpotInterrupted", "", Kind.INTERRUPTION_NOTICE, OPENS),
    (KARPENTER, "SpotRebalanceRecommendation", "", Kind.REBALANCE_RECOMMENDATION, OPENS),
    (KARPENTER, "InstanceSpotRebalanceRecommendation", "", Kind.REBALANCE_RECOMMENDATION, OPENS),
    (KARPENTER, "TerminatingOnInterruption", "", Kind.NODE_DRAIN_STARTED, {}),
    (KARPENTER, "DisruptionTerminating", "", Kind.NODE_DRAIN_STARTED, {}),
    (KARPENTER, "InstanceStopping", "", Kind.STATE_CHANGE, {}),
    (KARPENTER, "InstanceTerminating", "", Kind.SHUTDOWN_STARTED, {}),
    (KARPENTER, "FailedDraining", "", Kind.NODE_DRAIN_STARTED, FAILED),
    (KARPENTER, "TerminationGracePeriodExpiring", "", Kind.NODE_DRAIN_STARTED, FAILED),
    (KUBELET, "NodeNotSchedulable", "", Kind.NODE_CORDONED, {}),
    (KUBELET, "NodeSchedulable", "", Kind.STATE_CHANGE, {}),
    (KUBELET, "Shutdown", "Shutdown manager detected shutdown event", Kind.SHUTDOWN_STARTED, {}),
    (KUBELET, "Shutdown", "Shutdown manager detected shutdown cancellation", Kind.SHUTDOWN_STARTED, OFF),
    (KUBELET, "NodeReady", "", Kind.REPLACEMENT_LAUNCHED, {"state": "ready"}),
    (CONTROLLER, "NodeNotReady", "", Kind.STATE_CHANGE, {"state": "not-ready"}),
    ("cloud-node-lifecycle-controller", "DeletingNode", "", Kind.TERMINATED, {}),
    (CONTROLLER, "RemovingNode", "", Kind.TERMINATED, {}),
    (DETECTOR, "PreemptScheduled", "", Kind.INTERRUPTION_NOTICE, OPENS),
    (DETECTOR, "VMEventScheduled", "Preempt Scheduled: soon", Kind.INTERRUPTION_NOTICE, OPENS),
    (DETECTOR, "PreemptStarted", "", Kind.SHUTDOWN_STARTED, {}),
    (DETECTOR, "VMEventScheduled", "Preempt Started", Kind.SHUTDOWN_STARTED, {}),
    ("node-termination-handler", "ImpendingNodeTermination", "", Kind.INTERRUPTION_NOTICE, OPENS),
]  # fmt: skip
POD_ROWS: list[tuple[str, str, str, Kind, Outcome, str | None]] = [
    (KARPENTER, "Evicted", "Evicted pod: SpotInterruption", Kind.POD_EVICTED, Outcome.OK, None),
    (KARPENTER, "Nominated", "should go on: nodeclaim/a, node/n-2", Kind.STATE_CHANGE, Outcome.OK, "n-2"),
    (KUBELET, "Killing", "", Kind.POD_EVICTED, Outcome.OK, NODE),
    (KUBELET, "Evicted", "", Kind.POD_EVICTED, Outcome.OK, NODE),
    (KUBELET, "Started", "", Kind.POD_RUNNING, Outcome.OK, NODE),
    (CONTROLLER, "NodeNotReady", "", Kind.STATE_CHANGE, Outcome.OK, None),
    (TAINTS, "TaintManagerEviction", "Marking for deletion Pod a/b", Kind.POD_EVICTED, Outcome.OK, None),
    (TAINTS, "TaintManagerEviction", "Cancelling deletion of Pod a/b", Kind.POD_EVICTED, Outcome.CANCELLED, None),
    (CONTROLLER, "NodeControllerEviction", "", Kind.POD_EVICTED, Outcome.OK, None),
    (SCHEDULER, "Scheduled", "Successfully assigned a/b to n-2", Kind.POD_SCHEDULED, Outcome.OK, "n-2"),
    (SCHEDULER, "FailedScheduling", "0/9 nodes", Kind.POD_SCHEDULED, Outcome.ERROR, None),
    (AUTOSCALER, "TriggeredScaleUp", "", Kind.REPLACEMENT_LAUNCHED, Outcome.OK, None),
    (AUTOSCALER, "ScaledUpGroup", "", Kind.REPLACEMENT_LAUNCHED, Outcome.OK, None),
    (AUTOSCALER, "NotTriggerScaleUp", "", Kind.REPLACEMENT_LAUNCHED, Outcome.ERROR, None),
]  # fmt: skip
NOTHING = [
    (NTH, "SomethingElse", Result.UNRECOGNISED),
    (NTH, "SQSTermination", Result.UNRECOGNISED),
    (KARPENTER, "Unconsolidatable", Result.UNRECOGNISED),
    (AUTOSCALER, "ScaleDown", Result.UNRECOGNISED),
    (DETECTOR, "FreezeScheduled", Result.UNRECOGNISED),
    (DETECTOR, "VMEventScheduled", Result.UNRECOGNISED),
    ("node-termination-handler", "Other", Result.UNRECOGNISED),
    (KUBELET, "BackOff", Result.IGNORED),
    (SCHEDULER, "Preempted", Result.IGNORED),
    (CONTROLLER, "RegisteredNode", Result.IGNORED),
    ("deployment-controller", "ScalingReplicaSet", Result.IGNORED),
]


def event(component: str, reason: str, message: str = "", *, about: Any, **more: Any) -> bytes:
    source = {"component": component} | ({"host": NODE} if component == KUBELET else {})
    return json.dumps(
        {
            "metadata": {"uid": "7d0e91c4-1111-4a6b-8c2f-000000000099"},
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "source": source,
            "lastTimestamp": "2026-03-11T14:31:40Z",
            "count": 1,
        }
        | more
    ).encode()


def one(body: Any) -> Reading:
    (item,) = body.items
    assert isinstance(item.outcome, Reading), item.outcome
    return item.outcome


@pytest.mark.parametrize(("component", "reason", "message", "kind", "said"), ROWS)
def test_each_reason_about_a_node_says_what_the_table_says(
    component: str, reason: str, message: str, kind: Kind, said: dict[str, Any], read_bytes: ReadBytes
) -> None:
    (told,) = one(read_bytes(event(component, reason, message, about=THE_NODE), kind="kubernetes")).events
    expected = {"cause": None, "may_open": False, "outcome": Outcome.OK} | said
    assert told.kind is kind
    assert {name: getattr(told, name) for name in expected} == expected
    assert (told.machine.node_name, told.machine.node_uid) == (NODE, UID)
    assert told.occurred_at == SAID_AT


@pytest.mark.parametrize(("component", "reason", "message", "kind", "outcome", "node"), POD_ROWS)
def test_each_reason_about_a_pod_names_its_node_only_where_it_is_said(
    component: str, reason: str, message: str, kind: Kind, outcome: Outcome, node: str | None,
    read_bytes: ReadBytes,
) -> None:  # fmt: skip
    (told,) = one(read_bytes(event(component, reason, message, about=POD), kind="kubernetes")).events
    assert (told.kind, told.outcome, told.may_open) == (kind, outcome, False)
    assert told.machine.node_name == node
    assert told.labels["pod"] == "cart-6f9d8c5b7-k2mzp"
    assert (told.labels["owner"], told.labels["workload"]) == ("cart-6f9d8c5b7", "cart")


@pytest.mark.parametrize(("component", "reason", "result"), NOTHING)
def test_other_reasons_are_unrecognised_of_those_that_tell_of_reclaims_and_ignored_of_the_rest(
    component: str, reason: str, result: Result, read_bytes: ReadBytes
) -> None:
    reading = one(read_bytes(event(component, reason, about=THE_NODE), kind="kubernetes"))
    assert (reading.result, reading.events) == (result, ())
    assert bool(reading.note) == (result is Result.UNRECOGNISED)


def test_the_handler_gives_the_cloud_identity_in_annotations_and_the_deadline_in_words(
    read_case: Read,
) -> None:
    (told,) = read_case("kubernetes/nth-spot-interruption").events
    machine = told.machine
    assert (machine.provider, machine.account, machine.region) == ("aws", "204816327500", "eu-central-1")
    assert (machine.instance_id, machine.node_name, machine.node_uid) == (MACHINE, NODE, None)
    assert (told.deadline_at, told.is_precise_deadline) == (SAID_AT + timedelta(seconds=118), True)


def test_in_queue_mode_the_handlers_own_node_is_not_taken_for_the_one_it_speaks_of(read_case: Read) -> None:
    (told,) = read_case("kubernetes/nth-queue-mode", account="204816327500").events
    assert (told.machine.instance_id, told.machine.node_name) == (MACHINE, NODE)
    assert (told.machine.zone, told.deadline_at) == (None, None)


def test_a_monitor_error_is_a_sign_of_life_of_the_feed(read_case: Read) -> None:
    reading = read_case("kubernetes/nth-monitor-error")
    assert (reading.is_heartbeat, reading.events, reading.machine) == (True, (), None)
    assert "problem monitoring" in reading.note


def test_a_node_claim_opens_nothing_and_names_itself(read_case: Read) -> None:
    (told,) = read_case("kubernetes/karpenter-node-claim").events
    assert (told.may_open, told.machine.node_name) == (False, None)
    assert told.labels == {"node_claim": "spot-b8xk4"}


def test_a_node_name_in_the_place_of_a_uid_is_no_uid(read_case: Read) -> None:
    (told,) = read_case("kubernetes/kubelet-shutdown").events
    assert (told.machine.node_name, told.machine.node_uid) == (NODE, None)


def test_the_exporter_adds_the_owner_and_the_cluster(read_case: Read) -> None:
    (told,) = read_case("kubernetes/exporter-scheduled", cluster="of-the-feed").events
    assert told.machine.node_name == "ip-10-2-9-80.eu-central-1.compute.internal"
    assert told.machine.cluster == told.labels["cluster"] == "shop-eu"
    assert told.labels["owner_uid"] == "5e8d2c1b-7a90-4f36-b1c4-d0e9f8a7b6c5"


def test_a_tailed_event_equals_the_plain_one(read_case: Read, read_bytes: ReadBytes) -> None:
    tailed = read_case("kubernetes/tailer-node-not-ready")
    inner = json.loads((PAYLOADS / "kubernetes/tailer-node-not-ready.json").read_text())["event"]
    assert one(read_bytes(json.dumps(inner).encode(), kind="kubernetes")) == tailed
    (told,) = tailed.events
    assert (told.machine.zone, told.machine.instance_type) == ("eu-central-1b", "m6g.xlarge")
    assert told.labels["node_pool"] == "spot"


def test_a_newer_event_counts_on_in_its_series_and_keeps_its_first_time(read_case: Read) -> None:
    (told,) = read_case("kubernetes/events-v1").events
    assert told.event_id.endswith(":3")
    assert told.occurred_at == SAID_AT + timedelta(milliseconds=250)


def test_times_are_taken_in_the_order_in_which_they_can_be_trusted(read_bytes: ReadBytes) -> None:
    times: dict[str, Any] = {
        "eventTime": "2026-03-11T14:00:01Z",
        "series": {"count": 2, "lastObservedTime": "2026-03-11T14:00:02Z"},
        "lastTimestamp": "2026-03-11T14:00:03Z",
        "firstTimestamp": "2026-03-11T14:00:04Z",
        "metadata": {"uid": "u", "creationTimestamp": "2026-03-11T14:00:05Z"},
    }
    for second, name in enumerate(list(times), start=1):
        body = event(KUBELET, "Shutdown", about=THE_NODE, **times)
        (told,) = one(read_bytes(body, kind="kubernetes")).events
        assert (told.occurred_at.second, told.is_observed) == (second, False)
        times[name] = None
    (told,) = one(read_bytes(event(KUBELET, "Shutdown", about=THE_NODE, **times), kind="kubernetes")).events
    assert told.is_observed


def test_an_event_that_is_said_again_has_another_id_and_is_no_arrival(read_bytes: ReadBytes) -> None:
    first, again = (
        one(read_bytes(event(KUBELET, "NodeReady", about=THE_NODE, count=count), kind="kubernetes")).events[0]
        for count in (1, 2)
    )
    assert first.event_id != again.event_id
    assert (first.kind, again.kind) == (Kind.REPLACEMENT_LAUNCHED, Kind.STATE_CHANGE)


def test_aks_names_the_scheduled_event_by_its_own_id(read_case: Read) -> None:
    (told,) = read_case("kubernetes/aks-preempt").events
    assert told.native_id == "6b1f4e2a-3c5d-4a7b-9e80-1d2c3b4a5f60"
    assert told.deadline_at == SAID_AT + timedelta(seconds=40)
    assert (told.machine.provider, told.machine.node_uid) == ("azure", None)


def test_a_list_is_cut_into_its_events(read_bytes: ReadBytes) -> None:
    body = read_bytes((PAYLOADS / "kubernetes/list.json").read_bytes(), kind="kubernetes")
    assert body.is_batch
    assert [item.outcome.result for item in body.items] == [Result.ACCEPTED, Result.IGNORED]


def test_a_scale_up_names_its_group(read_case: Read) -> None:
    assert read_case("kubernetes/autoscaler-scale-up").events[0].group == "spot-workers"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (event(NTH, "Cordon", about={"kind": "Node"}), "missing_instance_id"),
        (event(KUBELET, "Shutdown", about=THE_NODE, lastTimestamp="yyyy-mm-dd"), "invalid_time"),
        (event(KUBELET, "Shutdown", about=THE_NODE, count="two"), "invalid_field"),
        (event(KUBELET, "Shutdown", about=[]), "invalid_field"),
        (event(NTH, "Cordon", about=THE_NODE, metadata={"annotations": {"account-id": "12"}}), "invalid_field"),
        (b'{"verb": "ADDED", "event": "text"}', "invalid_field"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_says_why(body: bytes, code: str, read_bytes: ReadBytes) -> None:
    (item,) = read_bytes(body, kind="kubernetes").items
    assert isinstance(item.outcome, Rejected)
    assert item.outcome.code == code


def test_an_event_inside_a_cloud_event_equals_the_direct_one(read_case: Read, read_bytes: ReadBytes) -> None:
    direct = read_case("kubernetes/karpenter-spot-interrupted")
    data = json.loads((PAYLOADS / "kubernetes/karpenter-spot-interrupted.json").read_text())
    wrapped = {"specversion": "1.0", "id": "1", "source": "relay", "type": "event", "data": data}
    relayed = one(read_bytes(json.dumps(wrapped).encode(), kind="cloudevents"))
    assert relayed.events == direct.events
    assert relayed.delivery_id == direct.delivery_id
