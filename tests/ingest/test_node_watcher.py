"""The node watcher of the guides, against doubles of the metadata services and the real front door."""

from __future__ import annotations

import ast
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.feeds.guides import watcher_program
from console.fleet.models import Machine
from console.interruptions.models import Hook, Interruption, Observation
from tests.ingest.conftest import Sender
from tests.ingest.hearing import aws
from tests.ingest.nodes import INSTANCE, NUMERIC, SPEED, VM, Door, Metadata, Watcher, serving, until
from tests.serving import work_off

pytestmark = pytest.mark.django_db(transaction=True)

MakeSender = Callable[..., Sender]
MakeWatcher = Callable[..., Watcher]
ACTION = "latest/meta-data/spot/instance-action"
KINDS = {"aws": "aws-imds", "gcp": "gcp-metadata", "azure": "azure-scheduled-events"}


def in_a_while(seconds: int = 120) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def notice() -> str:
    return json.dumps({"action": "terminate", "time": in_a_while()})


def listed(*events: dict[str, Any], incarnation: int = 2) -> str:
    return json.dumps({"DocumentIncarnation": incarnation, "Events": list(events)})


def preempt(status: str = "Scheduled") -> dict[str, Any]:
    return {"EventId": "602D9444-D2CD-49C7-8624-8643E7171297", "EventType": "Preempt", "EventStatus": status,
            "ResourceType": "VirtualMachine", "Resources": [VM],
            "NotBefore": f"{datetime.now(UTC) + timedelta(seconds=90):%a, %d %b %Y %H:%M:%S} GMT"}  # fmt: skip


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[MakeWatcher]:
    """A watcher on a node of that cloud, posting to a feed or to a door of the test's own."""
    made: list[Watcher] = []
    with pytest.MonkeyPatch.context(), _Services() as services:

        def make(to: Sender | Door, cloud: str = "aws", *, off: int = 0, **documents: str) -> Watcher:
            folder = tmp_path / f"node-{len(made)}"
            folder.mkdir()
            metadata = services.start(Metadata(cloud, documents))
            path, secret = (to.feed.slug, to.secret) if isinstance(to, Sender) else ("x", "s3cret")
            made.append(
                Watcher(folder, metadata, f"http://127.0.0.1:{to.port}/ingest/{path}", secret, off=off)
            )
            return made[-1]

        yield make
        for one in made:
            one.kill()


class _Services:
    def __init__(self) -> None:
        self.open: list[Any] = []

    def __enter__(self) -> _Services:
        return self

    def start(self, metadata: Metadata) -> Metadata:
        self.open.append(serving(metadata))
        found: Metadata = self.open[-1].__enter__()
        return found

    def __exit__(self, *said: Any) -> None:
        for one in self.open:
            one.__exit__(None, None, None)


@pytest.fixture
def record() -> Callable[[], None]:
    """Works off what was heard."""
    return work_off


def heard(one: Sender, path: str) -> list[dict[str, Any]]:
    """What was stored of this path, heartbeats and statements alike."""
    bodies = [json.loads(body) for body in one.stored() + one.heartbeats()]
    return [body for body in bodies if path in body.get("path", "")]


def real() -> list[Interruption]:
    return list(Interruption.objects.filter(merged_into=None).order_by("started_at"))


# What it is ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["spot-watch", "spot-hook"])
def test_it_needs_nothing_but_the_standard_library_and_is_a_hundred_lines(name: str) -> None:
    program = watcher_program(name)
    tree = ast.parse(program, feature_version=(3, 8))
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names
    told = [
        node.body[0] for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None
    ]  # fmt: skip
    words = {line for one in told for line in range(one.lineno, (one.end_lineno or 0) + 1)}
    lines = [
        line for number, line in enumerate(program.splitlines(), 1)
        if line.strip() and not line.startswith("#") and number not in words
    ]  # fmt: skip
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 130


# Notices ---------------------------------------------------------------------------------------
def test_a_notice_is_one_interruption_with_the_watcher_among_its_witnesses(
    sender: MakeSender, watcher: MakeWatcher, record: Callable[[], None]
) -> None:
    node, bridge = sender(kind="aws-imds"), sender(kind="aws-eventbridge")
    one = watcher(node)
    one.start()
    assert until(node.heartbeats)
    one.metadata.documents[ACTION] = notice()
    (told,) = until(lambda: heard(node, "instance-action"))
    assert (
        bridge.post(json.loads(aws("spot-warning-terminate", 0).body) | {"time": in_a_while(0)}).status == 202
    )
    record()
    (interruption,) = real()
    assert interruption.witness_count == 2
    assert interruption.machine.instance_id == INSTANCE
    assert told["context"]["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert told["body"] == json.loads(one.metadata.documents[ACTION])
    assert node.held() == []


@pytest.mark.parametrize(
    ("cloud", "path", "document", "instance"),
    [
        ("gcp", "computeMetadata/v1/instance/preempted", "TRUE", NUMERIC),
        ("azure", "metadata/scheduledevents", listed(preempt()), VM),
    ],
)
@pytest.mark.parametrize("kind", ["own", "node-report"])
def test_google_and_azure_are_found_out_and_told(
    sender: MakeSender, watcher: MakeWatcher, record: Callable[[], None],
    cloud: str, path: str, document: str, instance: str, kind: str,
) -> None:  # fmt: skip
    node = sender(kind=KINDS[cloud] if kind == "own" else kind)
    one = watcher(node, cloud)
    one.start()
    assert until(node.heartbeats)
    one.metadata.documents[path] = document
    assert until(lambda: [b for b in node.stored() if b'"TRUE"' in b or b"Preempt" in b])
    record()
    (interruption,) = real()
    assert (interruption.machine.instance_id, interruption.machine.provider) == (instance, cloud)
    assert node.held() == []


def test_rebalance_maintenance_and_the_end_of_the_lifecycle_are_told(
    sender: MakeSender, watcher: MakeWatcher, record: Callable[[], None]
) -> None:
    node = sender(kind="aws-imds")
    one = watcher(node)
    one.metadata.documents |= {
        "latest/meta-data/events/recommendations/rebalance": json.dumps({"noticeTime": in_a_while(-5)}),
        "latest/meta-data/events/maintenance/scheduled": json.dumps(
            [{"EventId": "instance-event-0", "Code": "system-reboot", "NotBefore": in_a_while(9000)}]
        ),
        "latest/meta-data/autoscaling/target-lifecycle-state": "Terminated",
    }
    one.start()
    assert until(lambda: len(node.stored()) == 3)
    record()
    kinds = set(Observation.objects.values_list("kind", flat=True))
    assert kinds == {"rebalance_recommendation", "interruption_notice", "shutdown_started"}
    assert node.held() == []


def test_an_event_of_azure_that_vanishes_is_told_and_closes(
    sender: MakeSender, watcher: MakeWatcher, record: Callable[[], None]
) -> None:
    node = sender(kind="azure-scheduled-events")
    one = watcher(node, "azure", **{"metadata/scheduledevents": listed(preempt())})
    one.start()
    assert until(lambda: heard(node, "scheduledevents"))
    record()
    assert [each.state for each in real()] != ["cancelled"]
    one.metadata.documents["metadata/scheduledevents"] = listed(incarnation=3)
    assert until(lambda: [b for b in heard(node, "scheduledevents") if not b["body"]["Events"]])
    record()
    assert [each.state for each in real()] == ["cancelled"]


def test_what_stands_is_told_once_and_again_after_a_restart_as_a_repeat(
    sender: MakeSender, watcher: MakeWatcher
) -> None:
    node = sender(kind="aws-imds")
    one = watcher(node)
    one.metadata.documents[ACTION] = notice()
    one.start()
    assert until(lambda: heard(node, "instance-action"))
    seen_at = node.feed.__class__.objects.get(pk=node.feed.pk).last_seen_at
    one.kill()
    one.start()
    assert until(lambda: node.feed.__class__.objects.get(pk=node.feed.pk).last_seen_at != seen_at)
    time.sleep(20 / SPEED)
    assert len(heard(node, "instance-action")) == 1
    assert node.held() == []


def test_a_token_that_runs_out_is_renewed(watcher: MakeWatcher) -> None:
    with serving(Door()) as door:
        one = watcher(door)
        one.start()
        assert until(lambda: door.heard)
        one.metadata.tokens.append("of-another-day")
        one.metadata.documents[ACTION] = notice()
        assert until(lambda: [b for b in door.heard if "instance-action" in b.get("path", "")])
    assert len(one.metadata.tokens) == 3


def test_signs_of_life_refresh_the_machine_every_minute(
    sender: MakeSender, watcher: MakeWatcher, record: Callable[[], None]
) -> None:
    node = sender(kind="aws-imds")
    one = watcher(node)
    one.start()
    assert until(lambda: len([b for b in node.heartbeats() if b"node-report/1" in b]) >= 2)
    record()
    machine = Machine.objects.get(instance_id=INSTANCE)
    assert machine.last_seen_at is not None
    assert datetime.now(UTC) - machine.last_seen_at < timedelta(seconds=30)


# A clock that is wrong -------------------------------------------------------------------------
@pytest.mark.parametrize("off", [3600, -3600])
def test_a_clock_off_by_an_hour_is_put_right_by_the_metadata_services(watcher: MakeWatcher, off: int) -> None:
    with serving(Door()) as door:
        one = watcher(door, off=off)
        one.metadata.documents[ACTION] = notice()
        one.start()
        (told,) = until(lambda: [b for b in door.heard if "instance-action" in b.get("path", "")])
    first_seen_at = datetime.fromisoformat(told["context"]["first_seen_at"])
    assert abs(first_seen_at - datetime.now(UTC)) < timedelta(seconds=30)


# The console is away ---------------------------------------------------------------------------
def test_a_notice_outlives_an_absent_console_and_kill_9(watcher: MakeWatcher) -> None:
    door = Door()
    with serving(door):
        one = watcher(door)
    one.metadata.documents[ACTION] = notice()
    one.start()
    assert until(lambda: "the console answers 0" in one.log)
    first = datetime.now(UTC)
    one.kill()
    del one.metadata.documents[ACTION]
    one.start()
    time.sleep(30 / SPEED)
    with serving(door):
        assert until(lambda: any("reports" in b for b in door.heard))
    told = [b for b in door.heard if "instance-action" in b.get("path", "")]
    assert len(told) == 1
    assert datetime.fromisoformat(told[0]["context"]["first_seen_at"]) <= first
    assert "path" in door.heard[0], "a notice goes before signs of life"


def test_what_waits_is_sent_in_order_and_once(watcher: MakeWatcher) -> None:
    door = Door()
    with serving(door):
        one = watcher(door, "azure")
    one.start()
    for incarnation in range(1, 6):
        document = one.metadata.documents["metadata/scheduledevents"] = listed(incarnation=incarnation)
        assert until(lambda document=document: document in one.metadata.served)  # type: ignore[misc]
    time.sleep(5 / SPEED)
    with serving(door):
        assert until(lambda: len([b for b in door.heard if "path" in b]) == 5)
        time.sleep(10 / SPEED)
    assert [b["body"]["DocumentIncarnation"] for b in door.heard if "path" in b] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("status", "times"), [(400, 1), (413, 1), (422, 1), (401, 2), (429, 2), (500, 2), (503, 2), (302, 2)]
)
def test_4xx_is_final_and_what_may_pass_is_sent_again(watcher: MakeWatcher, status: int, times: int) -> None:
    with serving(Door(statuses=[(status, {})])) as door:
        one = watcher(door)
        one.metadata.documents |= {ACTION: notice()}
        del one.metadata.documents["latest/meta-data/events/maintenance/scheduled"]
        del one.metadata.documents["latest/meta-data/autoscaling/target-lifecycle-state"]
        one.start()
        assert until(lambda: any("reports" in b for b in door.heard))
    told = [b for b in door.heard if "instance-action" in b.get("path", "")]
    assert len(told) == times


def test_retry_after_is_honoured(watcher: MakeWatcher) -> None:
    with serving(Door(statuses=[(503, {"Retry-After": "60"})])) as door:
        watcher(door).start()
        assert until(lambda: door.heard)
        began = time.monotonic()
        assert until(lambda: len(door.heard) > 1)
        assert time.monotonic() - began > 50 / SPEED


# Hooks -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("command", "outcome", "code"),
    [
        (["true"], "complete", 0),
        (["false"], "failed", 1),
        (["/no/such/program"], "failed", 127),
        (["sh", "-c", "kill -TERM $$"], "partial", 143),
    ],
)
def test_a_hook_is_run_measured_and_told_as_one_row(
    sender: MakeSender, watcher: MakeWatcher, record: Callable[[], None],
    command: list[str], outcome: str, code: int,
) -> None:  # fmt: skip
    node = sender(kind="aws-imds")
    assert watcher(node).start("run", "--", *command).wait(timeout=30) == code
    record()
    hook = Hook.objects.get()
    assert (hook.outcome, hook.machine.instance_id) == (outcome, INSTANCE)
    assert hook.started_at is not None
    assert hook.finished_at is not None
    assert hook.started_at <= hook.finished_at
    assert node.held() == []


def test_a_hook_that_is_killed_half_way_is_partial_and_its_beginning_is_known(
    sender: MakeSender, watcher: MakeWatcher, record: Callable[[], None]
) -> None:
    node = sender(kind="azure-scheduled-events")
    one = watcher(node, "azure")
    running = one.start("run", "--", "sh", "-c", "sleep 3")
    assert until(node.stored)
    running.kill()
    running.wait()
    record()
    hook = Hook.objects.get()
    assert (hook.outcome, hook.finished_at) == ("partial", None)
    assert hook.started_at is not None


def test_a_hook_asked_to_end_ends_and_is_told_as_partial(watcher: MakeWatcher) -> None:
    with serving(Door()) as door:
        running = watcher(door).start("run", "--", "sleep", "30")
        assert until(lambda: door.heard)
        running.terminate()
        assert running.wait(timeout=30) == 143
    assert [b["reports"][0]["outcome"] for b in door.heard] == ["partial", "partial"]
    assert "finished_at" in door.heard[1]["reports"][0]


def test_a_hook_measured_elsewhere_is_told(
    sender: MakeSender, watcher: MakeWatcher, record: Callable[[], None]
) -> None:
    node = sender(kind="gcp-metadata")
    words = ["report", "--started", in_a_while(-40), "--finished", in_a_while(-10), "--outcome", "complete"]
    assert watcher(node, "gcp").start(*words).wait(timeout=30) == 0
    record()
    assert Hook.objects.get().took == timedelta(seconds=30)
