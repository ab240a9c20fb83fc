"""A watched cluster: its events are stored, its nodes are inventory, its pods are workloads, whatever breaks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connection
from django.utils import timezone

from console.config.installation import BASE_DIR, Installation
from console.feeds.feed_settings import sender_settings
from console.feeds.models import Delivery, Feed, FeedHour, QuarantinedItem
from console.feeds.pollers import kubernetes_watch
from console.feeds.pollers.kubernetes_api import IN_CLUSTER, access_of
from console.fleet.models import Machine, RunningInterval, WorkloadStatus
from console.ingest import watching
from console.interruptions.measures import WEEK, Scope, Window
from console.interruptions.measures_m3 import reschedule_latency
from console.interruptions.models import Interruption, Move
from console.interruptions.rollups import roll_up
from tests.ingest.cluster_double import (
    TOKEN,
    ClusterDouble,
    event_object,
    node_object,
    pod_object,
    serving,
)
from tests.ingest.hearing import ELSEWHERE, MACHINE, NODE, OTHER, THE_NODE, at, record

pytestmark = pytest.mark.django_db(transaction=True)

ON_THE_NODE = THE_NODE | {"uid": f"uid-of-{NODE}"}


@pytest.fixture
def cluster() -> Iterator[ClusterDouble]:
    with serving(ClusterDouble()) as double:
        yield double


@pytest.fixture
def feed(cluster: ClusterDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Feed:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("CONSOLE_CREDENTIALS", str(tmp_path))
    monkeypatch.setattr(kubernetes_watch, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(kubernetes_watch, "SHORTEST_WATCH", 0.05)
    monkeypatch.setattr(watching, "GATHER", 0.1)
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.2)
    return Feed.objects.create(
        slug="shop", name="Shop", kind="kubernetes-watch", cluster="shop-eu", account="204816327500",
        settings={"api_server": cluster.url, "token_file": str(tmp_path / "token")},
    )  # fmt: skip


class Watching:
    """A watch in its own thread, ended at the end."""

    def __init__(self, feed: Feed) -> None:
        self._ending = Event()
        self._thread = Thread(target=watching.Watch(feed, ending=self._ending).run)

    def __enter__(self) -> Thread:
        self._thread.start()
        return self._thread

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def until(is_so: Callable[[], object], *, within: float = 10.0) -> None:
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def is_stored(event: str) -> bool:
    return event in events_stored()


def events_stored() -> set[str]:
    return set(Delivery.objects.values_list("delivery_id", flat=True))


def test_events_before_and_during_the_watch_are_stored_once_byte_for_byte(
    cluster: ClusterDouble, feed: Feed
) -> None:
    cluster.page = 2
    for number in range(5):
        cluster.put("Event", event_object(number, about=ON_THE_NODE))
    with Watching(feed):
        until(lambda: len(events_stored()) == 5)
        cluster.put("Event", event_object(5, about=ON_THE_NODE))
        until(lambda: "event-5:1" in events_stored())
    assert b'"resourceVersion"' in bytes(Delivery.objects.get(delivery_id="event-5:1").body)
    assert Feed.objects.get().last_accepted_at is not None
    assert FeedHour.objects.get().accepted == 6
    assert not QuarantinedItem.objects.exists()


def test_a_drop_and_a_version_too_old_lose_nothing_and_repeat_nothing(
    cluster: ClusterDouble, feed: Feed
) -> None:
    cluster.put("Event", event_object(0, about=ON_THE_NODE))
    with Watching(feed):
        until(lambda: cluster.watches == 7)
        cluster.drop()
        cluster.put("Event", event_object(1, about=ON_THE_NODE))
        until(lambda: len(events_stored()) == 2)
        cluster.put("Event", event_object(2, about=ON_THE_NODE))
        cluster.forget()
        cluster.put("Event", event_object(3, about=ON_THE_NODE))
        until(lambda: len(events_stored()) == 4)
    assert Delivery.objects.count() == 4


def test_nodes_are_inventory_and_end_when_they_are_removed(cluster: ClusterDouble, feed: Feed) -> None:
    cluster.put("Node", node_object(NODE, instance=MACHINE, claim="spot-b8xk4"))
    with Watching(feed):
        until(Machine.objects.exists)
        machine = Machine.objects.get()
        assert (machine.provider, machine.account, machine.instance_id) == ("aws", "204816327500", MACHINE)
        assert (machine.node_name, machine.cluster, machine.node_pool) == (NODE, "shop-eu", "spot-pool")
        assert (machine.zone, machine.instance_type, machine.vcpus) == ("eu-central-1b", "m7i.large", 2)
        running = RunningInterval.objects.get()
        assert (running.lifecycle, running.ended_at) == ("spot", None)
        cluster.remove("Node", NODE)
        until(lambda: RunningInterval.objects.exclude(ended_at=None).exists())
    assert RunningInterval.objects.count() == 1


def test_a_node_that_went_while_nobody_watched_is_ended_by_the_first_list_that_lacks_it(
    cluster: ClusterDouble, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put("Node", node_object(NODE, instance=MACHINE))
    cluster.put("Node", node_object(ELSEWHERE, instance=OTHER))
    with Watching(feed):
        until(lambda: RunningInterval.objects.count() == 2)
    cluster.remove("Node", NODE)
    Machine.objects.update(listed_at=timezone.now() - 2 * watching.GONE_AFTER)
    with Watching(feed):
        until(lambda: RunningInterval.objects.exclude(ended_at=None).exists())
    assert RunningInterval.objects.get(ended_at=None).machine.instance_id == OTHER


def test_pods_owners_and_budgets_are_workloads(cluster: ClusterDouble, feed: Feed) -> None:
    cluster.put("Node", node_object(NODE, instance=MACHINE))
    cluster.put("Node", node_object(ELSEWHERE, instance=OTHER, zone="eu-central-1c"))
    owner = {"kind": "Deployment", "name": "cart", "uid": "d", "controller": True}
    cluster.put(
        "Deployment", {"metadata": {"name": "cart", "namespace": "checkout"}, "spec": {"replicas": 4}}
    )
    cluster.put("ReplicaSet", {
        "metadata": {"name": "cart-6f9d8c5b7", "namespace": "checkout", "ownerReferences": [owner]},
        "spec": {"replicas": 4},
    })  # fmt: skip
    cluster.put("PodDisruptionBudget", {
        "metadata": {"name": "cart", "namespace": "checkout"},
        "spec": {"selector": {"matchLabels": {"app": "cart"}}},
        "status": {"disruptionsAllowed": 1},
    })  # fmt: skip
    for name, node in (("a", NODE), ("b", NODE), ("c", ELSEWHERE), ("d", "")):
        cluster.put("Pod", pod_object(f"cart-6f9d8c5b7-{name}", node=node, ready=bool(node)))
    with Watching(feed):
        until(lambda: WorkloadStatus.objects.filter(ready=3, disruptions_allowed=1, wanted=4).exists())
        (cart,) = WorkloadStatus.objects.all()
        assert (cart.cluster, cart.namespace, cart.workload, cart.pending) == (
            "shop-eu",
            "checkout",
            "cart",
            1,
        )
        assert cart.by_zone == {"eu-central-1b": 2, "eu-central-1c": 1}
        cluster.put("Pod", pod_object("cart-6f9d8c5b7-a", node=NODE, deleted=True))
        cluster.remove("Pod", "cart-6f9d8c5b7-b", "checkout")
        until(lambda: WorkloadStatus.objects.get().by_zone == {"eu-central-1c": 1})
        assert WorkloadStatus.objects.get().wanted == 4


def test_without_the_right_to_read_owners_the_pods_seen_are_what_is_wanted(
    cluster: ClusterDouble, feed: Feed
) -> None:
    cluster.denied = {"Deployment", "StatefulSet", "ReplicaSet", "PodDisruptionBudget"}
    cluster.put("Node", node_object(NODE, instance=MACHINE))
    cluster.put("Pod", pod_object("cart-6f9d8c5b7-a", node=NODE))
    cluster.put("Pod", pod_object("cart-6f9d8c5b7-b", ready=False))
    with Watching(feed):
        until(WorkloadStatus.objects.exists)
    cart = WorkloadStatus.objects.get()
    assert (cart.wanted, cart.ready, cart.pending, cart.disruptions_allowed) == (2, 1, 1, None)


def test_a_paused_feed_is_watched_no_longer(cluster: ClusterDouble, feed: Feed) -> None:
    with Watching(feed) as thread:
        until(lambda: cluster.watches == 7)
        Feed.objects.update(paused_at=timezone.now())
        until(lambda: not thread.is_alive())
    assert watching.watched_feeds() == []


def test_a_wrong_token_stores_nothing_and_is_asked_again(
    cluster: ClusterDouble, feed: Feed, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("stale")
    cluster.put("Event", event_object(0, about=ON_THE_NODE))
    with Watching(feed):
        until(lambda: len(cluster.asked) > 14)
        assert not Delivery.objects.exists()
        assert Feed.objects.get().last_seen_at is None
        (tmp_path / "token").write_text(TOKEN)
        until(lambda: events_stored() == {"event-0:1"})


def test_a_token_file_outside_of_the_credentials_is_never_sent(
    cluster: ClusterDouble, feed: Feed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "inner").mkdir()
    monkeypatch.setenv("CONSOLE_CREDENTIALS", str(tmp_path / "inner"))
    with Watching(feed):
        time.sleep(0.5)
    assert cluster.asked == []


def test_two_watchers_of_one_feed_are_one(cluster: ClusterDouble, feed: Feed) -> None:
    with Watching(feed):
        until(lambda: cluster.watches == 7)
        with Watching(feed) as second:
            until(lambda: not second.is_alive())
        assert cluster.watches == 7


def test_nodes_events_and_pods_together_tell_a_reclaim_and_where_its_pods_went(
    cluster: ClusterDouble, feed: Feed
) -> None:
    """M3 from the cluster alone: from the eviction to the pod that runs in its place."""
    cluster.put("Node", node_object(NODE, instance=MACHINE, claim="spot-b8xk4"))
    cluster.put("Node", node_object(ELSEWHERE, instance=OTHER))
    gone = {"kind": "Pod", "namespace": "checkout", "name": "cart-6f9d8c5b7-k2mzp", "uid": "p-1"}
    back = {"kind": "Pod", "namespace": "checkout", "name": "cart-6f9d8c5b7-q7xvd", "uid": "p-2"}
    assigned = f"Successfully assigned checkout/{back['name']} to {ELSEWHERE}"
    told = [
        event_object(1, about={"kind": "NodeClaim", "name": "spot-b8xk4", "uid": "c"}),
        event_object(2, about=ON_THE_NODE),
        event_object(3, about=gone, reason="Killing", component="kubelet", host=NODE, at="2026-03-11T12:00:12Z"),
        event_object(4, about=back, reason="Scheduled", component="default-scheduler", message=assigned,
                     at="2026-03-11T12:00:14Z"),
        event_object(5, about=back, reason="Started", component="kubelet", host=ELSEWHERE,
                     at="2026-03-11T12:00:31Z"),
    ]  # fmt: skip
    with Watching(feed):
        until(lambda: Machine.objects.count() == 2)
        for event in told:
            cluster.put("Event", event)
        until(lambda: len(events_stored()) == 5)
    record(seconds=60)
    found = Interruption.objects.get(merged_into=None)
    assert (found.machine.instance_id, found.machine.account) == (MACHINE, "204816327500")
    assert (found.observation_count, found.evicted_at, found.running_at) == (3, at(12), at(31))
    move = Move.objects.get()
    assert (move.evicted_at, move.running_at, move.to_node) == (at(12), at(31), ELSEWHERE)
    roll_up(now=at(3600))
    window = Window.last(WEEK, as_of=at(3600))
    (m3,) = (each for each in reschedule_latency(Scope("live"), window=window, now=at(3600)) if each.n)
    assert (m3.workload_class, m3.n, m3.value) == ("stateless", 1, 19)


def test_a_watcher_that_is_killed_leaves_nothing_out_and_nothing_twice(
    cluster: ClusterDouble, feed: Feed
) -> None:
    database = connection.settings_dict["NAME"]
    url = f"postgresql://{connection.settings_dict['USER'] or 'postgres'}@/{database}"
    environ = os.environ | {"DATABASE_URL": f"{url}?host={connection.settings_dict['HOST']}"}
    command = [sys.executable, "manage.py", "watch_kubernetes", "shop"]
    cluster.put("Node", node_object(NODE, instance=MACHINE))
    expected = set()
    for life in range(3):
        started = subprocess.Popen(command, cwd=BASE_DIR, env=environ)
        try:
            for number in range(4):
                cluster.put("Event", event_object(10 * life + number, about=ON_THE_NODE))
                expected.add(f"event-{10 * life + number}:1")
            first = f"event-{10 * life}:1"
            until(partial(is_stored, first), within=40)
            if life == 2:
                until(RunningInterval.objects.exists)
        finally:
            started.kill() if life < 2 else started.terminate()
            assert started.wait(15) == (-signal.SIGKILL if life < 2 else 0)
    assert events_stored() == expected
    assert Delivery.objects.count() == len(expected)
    assert RunningInterval.objects.count() == 1


def test_a_watch_is_called_for_while_a_feed_is_to_be_watched(feed: Feed, tmp_path: Path) -> None:
    assert watching.call_for_a_watch(tmp_path)
    installation = Installation.from_environment({"CONSOLE_VAR": str(tmp_path)})
    assert installation.is_watch_called_for
    Feed.objects.update(paused_at=timezone.now())
    assert not watching.call_for_a_watch(tmp_path)
    assert not installation.is_watch_called_for


def test_a_feed_that_names_no_server_is_watched_from_inside_a_cluster_alone(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    Feed.objects.update(settings={})
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert watching.watched_feeds() == []
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    assert [each.slug for each in watching.watched_feeds()] == ["shop"]
    access = access_of(sender_settings({}), environ=os.environ)
    assert (access.server, access.token_file) == ("https://10.96.0.1:443", f"{IN_CLUSTER}/token")


@pytest.fixture(autouse=True)
def _no_session_locks_left() -> Iterator[None]:
    yield
    connection.close()
