"""One reclaim from the first hint to the last replica that runs again, as the messages that tell it.

The same story serves history, where it is told at once, and live play, where each message waits for its time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from console.drills.sample import aws_messages as aws
from console.drills.sample import node_messages as node
from console.drills.sample import witnesses
from console.drills.sample.lanes import AWS, INVENTORY, NODES, SNS, Post
from console.drills.sample.machines import Machine, Sitting, inventory_row

NOTICE = {"aws": 120.0, "gcp": 30.0, "azure": 38.0}


@dataclass(frozen=True, slots=True)
class Step:
    """Replicas that go down (or come back) at a time."""

    at: datetime
    zone: str
    delta: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is out of the ordinary about a reclaim."""

    rebalance_lead: float | None = None
    is_warned: bool = True
    is_agent_silent: bool = False
    hook: str = "complete"
    """`complete`, `partial`, `failed` or `overrun`."""
    has_second_witness: bool = False
    is_proven: bool = False


@dataclass(slots=True)
class Story:
    """A reclaim told: its messages, when its machine went and the next one came."""

    machine: Machine
    ended_at: datetime
    replaced_at: datetime
    posts: list[Post] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def script_of(chance: Random) -> Script:
    """An ordinary reclaim: most go well, some do not."""
    return Script(
        rebalance_lead=chance.uniform(60, 240) if chance.random() < 0.3 else None,
        hook=chance.choices(("complete", "partial", "failed", "overrun"), (94, 3, 2, 1))[0],
        has_second_witness=chance.random() < 0.5,
        is_proven=chance.random() < 0.25,
    )


def tell(
    sitting: Sitting,
    successor: Machine,
    *,
    at: datetime,
    script: Script,
    chance: Random,
    is_past: bool = False,
) -> Story:
    """The reclaim of a machine whose notice comes at `at`. Of a past one the node tells all in one report."""
    machine = sitting.machine
    window = NOTICE[machine.provider]
    gone = at + _seconds(chance.uniform(0.7, 0.985) * window)
    if script.hook == "overrun" or not script.is_warned:
        gone = at + _seconds(window + chance.uniform(4, 22) if script.is_warned else 2)
    replaced = at + _seconds(chance.uniform(20, 75) if script.is_warned else chance.uniform(90, 240))
    story = Story(machine, ended_at=gone, replaced_at=replaced)
    teller = _Teller(story, successor, script, at, chance)
    teller.provider()
    teller.cluster()
    if not script.is_agent_silent:
        teller.agent()
    teller.aftermath()
    if is_past:
        _tell_at_once(story)
    next_sitting = Sitting(successor, replaced, replaces=machine.instance_id)
    story.posts.append(Post(replaced, INVENTORY, inventory_row(next_sitting)))
    story.posts.append(Post(gone, INVENTORY, inventory_row(sitting, ended_at=gone)))
    story.posts.sort(key=lambda post: post.at)
    return story


def _tell_at_once(story: Story) -> None:
    """One report in place of those that hold no notice: what a notice says, it says as of its own time."""
    reports = [post for post in story.posts if post.lane == NODES]
    own = [post for post in reports if post.body["instance_id"] == story.machine.instance_id]
    facts = [post for post in own if post.body["reports"][0]["type"] != "notice"]
    if facts:
        last = max(facts, key=lambda post: post.at)
        moves = {_identity(entry): entry for post in facts for entry in post.body["reports"]}
        story.posts = [post for post in story.posts if post not in facts]
        story.posts.append(Post(last.at, NODES, last.body | {"reports": list(moves.values())}))


def _identity(entry: node.Entry) -> tuple[str, str]:
    """A move that is told twice is one: the later word knows more."""
    name = entry.get("workload") or entry.get("at") or entry.get("message") or ""
    return entry["type"], entry.get("signal", "") + name


class _Teller:
    """Who says what about one reclaim."""

    def __init__(
        self, story: Story, successor: Machine, script: Script, at: datetime, chance: Random
    ) -> None:
        self.story, self.successor, self.script, self.at = story, successor, script, at
        self.machine, self.chance = story.machine, chance
        self.deadline = at + _seconds(NOTICE[self.machine.provider])

    def say(self, at: datetime, body: dict[str, Any], *, lane: str = AWS, delay: float = 0.0) -> None:
        self.story.posts.append(Post(at + _seconds(delay), lane, body))

    def node(self, at: datetime, *entries: node.Entry, delay: float = 0.3) -> None:
        self.say(at, node.report(self.machine, entries, at=at, chance=self.chance), lane=NODES, delay=delay)

    def provider(self) -> None:
        if self.machine.provider != "aws":
            self._other_cloud()
            return
        machine, chance, gone = self.machine, self.chance, self.story.ended_at
        if self.script.rebalance_lead is not None:
            hinted = self.at - _seconds(self.script.rebalance_lead)
            self.say(hinted, aws.rebalance(machine, at=hinted, chance=chance), delay=1)
        if self.script.is_warned:
            warning = aws.spot_warning(machine, at=self.at, chance=chance)
            self.say(self.at, warning, delay=chance.uniform(0.8, 3.0))
            held = self.at + _seconds(chance.uniform(5, 14))
            self.say(held, aws.terminate_action(machine, at=held, chance=chance), delay=1)
            if self.script.has_second_witness:
                published = aws.in_sns(warning, at=self.at, chance=chance)
                self.say(self.at, published, lane=SNS, delay=chance.uniform(3, 9))
        self.say(gone, aws.state_change(machine, state="terminated", at=gone, chance=chance), delay=1.2)
        if self.script.is_proven or not self.script.is_warned:
            proven = gone + _seconds(1)
            delay = chance.uniform(60, 200)
            self.say(proven, aws.bid_evicted(machine, at=proven, chance=chance), delay=delay)

    def _other_cloud(self) -> None:
        gone = self.story.ended_at
        if self.machine.provider == "gcp":
            self.story.posts += witnesses.of_google(self.machine, at=self.at, gone=gone)
        else:
            told = witnesses.of_azure(self.machine, at=self.at, gone=gone, deadline=self.deadline)
            self.story.posts += told

    def cluster(self) -> None:
        """The cluster's own events and alerts."""
        self.story.posts += witnesses.of_the_cluster(
            self.machine,
            at=self.at,
            gone=self.story.ended_at,
            deadline=self.deadline,
            is_warned=self.script.is_warned,
        )

    def agent(self) -> None:
        """The node's own word: the notice it saw, and how its shutdown hook went."""
        chance, gone, script = self.chance, self.story.ended_at, self.script
        if self.machine.provider == "aws" and chance.random() < 0.6:
            self.node(self.at + _seconds(chance.uniform(1, 4)), node.notice(self.deadline))
        began = self.at + _seconds(chance.uniform(1.5, 5))
        span = (gone - began).total_seconds()
        ended = began + _seconds(span * chance.uniform(0.35, 0.9))
        outcome, message = _HOOKS[script.hook]
        if script.hook == "overrun":
            ended = gone - _seconds(1)
        entries = [node.hook(began, ended, outcome=outcome, message=message)]
        entries.append(node.log(began, "drain: SIGTERM sent, waiting for work in flight"))
        level = "info" if outcome == "complete" else "error"
        entries.append(node.log(ended, f"drain: {message or 'everything handed over'}", level=level))
        entries += self._seen_last(ended)
        self.node(ended, *entries)

    def _seen_last(self, at: datetime) -> list[dict[str, Any]]:
        """What the streams hold of the machine's end: telemetry to the last, audit as far as it was flushed."""
        unseen = self.chance.uniform(0, 3) if self.script.hook == "complete" else self.chance.uniform(20, 110)
        return [
            node.stream(self.machine, "telemetry", at, value=round(self.chance.uniform(0.2, 0.9), 3)),
            node.stream(self.machine, "audit", at - _seconds(unseen)),
        ]

    def aftermath(self) -> None:
        """Replicas move, work is lost or saved, the next machine comes up."""
        service, replaced = self.machine.service, self.story.replaced_at
        if self.machine.provider == "aws":
            launch = aws.launch_successful(self.successor, at=replaced, chance=self.chance)
            self.say(replaced, launch, delay=1)
        self._seen_again()
        self._moves()
        if service.statefulness == "stateful":
            self._storage()
        elif service.statefulness == "batch":
            self._work()

    def _seen_again(self) -> None:
        """The next machine goes on with the streams of its seat once its agent is up."""
        began = max(self.story.replaced_at, self.story.ended_at) + _seconds(self.chance.uniform(4, 40))
        entries = [node.heartbeat()]
        entries += [node.stream(self.successor, signal, began) for signal in ("telemetry", "audit")]
        body = node.report(self.successor, entries, at=began, chance=self.chance)
        self.say(began, body, lane=NODES, delay=0.3)

    def _moves(self) -> None:
        chance, zone = self.chance, self.machine.pool.zone
        if self.machine.seat.lifecycle == "warm" or not self.machine.service.slug:
            return
        for number in range(self.machine.service.replicas):
            start = self.at if self.script.is_warned else self.story.ended_at
            evicted = start + _seconds(chance.uniform(3, 20) + number)
            running = max(evicted, self.story.replaced_at) + _seconds(chance.uniform(6, 35))
            if chance.random() < 0.8:  # room on another node
                running = evicted + _seconds(chance.uniform(4, 25))
            self._move(number, evicted_at=evicted, running_at=running)
            self.story.steps += [Step(evicted, zone, -1), Step(running, zone, 1)]

    def _move(self, number: int, *, evicted_at: datetime, running_at: datetime) -> None:
        """Told by the cluster where replicas are pods and there was time to stop them, else by the node."""
        machine, to = self.machine, self.successor
        if machine.service.kind in witnesses.TELLS_PODS and self.script.is_warned:
            told = witnesses.of_a_pod(machine, number, evicted_at=evicted_at, running_at=running_at, to=to)
            self.story.posts += told
            return
        self.node(evicted_at, node.move(machine, number, evicted_at=evicted_at, running_at=None, to=None))
        back = node.move(machine, number, evicted_at=evicted_at, running_at=running_at, to=to)
        self.node(running_at, back)

    def _storage(self) -> None:
        gone, chance = self.story.ended_at, self.chance
        attached = max(gone, self.story.replaced_at) + _seconds(chance.uniform(8, 60))
        self.node(
            attached,
            node.volume(self.machine, detached_at=gone, attached_at=attached),
            node.replica(
                self.machine,
                last_write_at=gone - _seconds(chance.uniform(1, 15)),
                ready_at=attached + _seconds(2),
            ),
            delay=3,
        )

    def _work(self) -> None:
        """What the job's own controller tells; of one that overran only the checkpoints are known."""
        gone, chance = self.story.ended_at, self.chance
        is_saved = self.script.hook == "complete" and self.script.is_warned
        lost = chance.uniform(2, 60) if is_saved else chance.uniform(900, 5400)
        checkpoint = gone - _seconds(lost)
        if self.script.hook == "overrun":
            earlier = checkpoint - _seconds(chance.uniform(1200, 7200))
            saved = [node.checkpoint(self.machine, at) for at in (earlier, checkpoint)]
            self.node(self.at + _seconds(1), *saved)
            return
        resumed = max(gone, self.story.replaced_at) + _seconds(chance.uniform(20, 90))
        self.node(
            resumed,
            node.work(
                self.machine,
                useful=chance.uniform(1800, 14_400),
                lost=lost,
                restart=(resumed - gone).total_seconds(),
                checkpoint_at=checkpoint,
                attempt=self.machine.generation + 1,
            ),
        )


_HOOKS = {
    "complete": ("complete", ""),
    "partial": ("partial", "2 of 3 queues handed over, the third timed out"),
    "failed": ("failed", "flush to object storage failed: connection reset"),
    "overrun": ("failed", "still flushing when the machine went: 41 % of the buffer left"),
}


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=count)
