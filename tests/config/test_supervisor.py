"""The supervisor over small stand-in children."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from console.config.ledger import Ledger
from console.config.processes import CannotStart, Child, still_running
from console.config.supervisor import BackOff, Supervisor

SLEEPER = "import time\nwhile True: time.sleep(1)"
TELLS_WHEN_TOLD = """
import signal, sys, time
def leave(*_):
    with open(sys.argv[1], "a") as out: out.write(sys.argv[2] + "\\n")
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
while True: time.sleep(1)
"""
DEAF = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\n"
    + SLEEPER
)


class Shown(list[tuple[str, str]]):
    def __call__(self, name: str, line: str) -> None:
        self.append((name, line))


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def supervisor(tmp_path: Path, shown: Shown) -> Iterator[Supervisor]:
    supervisor = Supervisor(ledger=Ledger(tmp_path), show=shown, back_off=BackOff(first=0.2, longest=0.8))
    yield supervisor
    supervisor.stop()


def make_child(name: str, script: str, *arguments: str, stop_within: float = 2.0) -> Child:
    return Child(name=name, argv=[sys.executable, "-c", script, *arguments], stop_within=stop_within)


def is_running(supervisor: Supervisor, other_than: int) -> Callable[[], bool]:
    return lambda: any(
        watched.process.poll() is None and watched.process.pid != other_than
        for watched in supervisor._watched
    )


def test_a_killed_child_is_started_again_later_each_time(supervisor: Supervisor, shown: Shown) -> None:
    pid = supervisor.start(make_child("sleeper", SLEEPER)).pid
    pauses = []
    for _ in range(3):
        os.kill(pid, signal.SIGKILL)
        killed_at = time.monotonic()
        assert supervisor.wait_until(is_running(supervisor, pid), within=5)
        pauses.append(time.monotonic() - killed_at)
        pid = supervisor._watched[0].process.pid
    assert supervisor.deaths("sleeper") == 3
    assert pauses[0] >= 0.2
    assert pauses[1] >= 0.4
    assert pauses[2] >= 0.8
    assert ("up", "sleeper was ended by SIGKILL; starting it again in 0.2 s") in shown


def test_back_off_doubles_up_to_its_longest() -> None:
    back_off = BackOff(first=0.5, longest=30)
    assert [back_off.seconds(n) for n in (1, 2, 3, 7, 8, 1000)] == [0.5, 1, 2, 30, 30, 30]


def test_a_child_that_ran_long_enough_starts_counting_anew(tmp_path: Path, shown: Shown) -> None:
    supervisor = Supervisor(
        ledger=Ledger(tmp_path), show=shown, back_off=BackOff(first=0.01, longest=1, forgiven_after=0)
    )
    supervisor.start(make_child("short", "pass"))
    seen = lambda: len(shown) >= 3  # noqa: E731
    assert supervisor.wait_until(seen, within=10)
    assert supervisor.deaths("short") == 1
    supervisor.stop()


def test_children_stop_in_the_reverse_order_of_their_start(
    supervisor: Supervisor, shown: Shown, tmp_path: Path
) -> None:
    out = tmp_path / "order"
    for name in ("postgres", "worker", "web"):
        supervisor.start(make_child(name, TELLS_WHEN_TOLD, str(out), name))
    assert supervisor.wait_until(lambda: len(shown) == 3, within=10)
    supervisor.stop()
    assert out.read_text().split() == ["web", "worker", "postgres"]


def test_a_child_that_does_not_heed_is_killed_in_time(supervisor: Supervisor, shown: Shown) -> None:
    process = supervisor.start(make_child("deaf", DEAF, stop_within=0.3))
    assert supervisor.wait_until(lambda: ("deaf", "ready") in shown, within=10)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 2
    assert process.poll() == -signal.SIGKILL


def test_a_dead_child_takes_its_own_children_along(supervisor: Supervisor, shown: Shown) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    process = supervisor.start(make_child("prefork", script))
    assert supervisor.wait_until(lambda: bool(shown), within=10)
    grandchild = psutil.Process(int(shown[0][1]))
    os.kill(process.pid, signal.SIGKILL)
    assert supervisor.wait_until(lambda: not still_running([grandchild], within=0), within=5)


def test_output_is_shown_by_whole_lines_with_the_unfinished_last_one(
    supervisor: Supervisor, shown: Shown
) -> None:
    code = supervisor.run_once(
        make_child("step", "import sys; print('one'); print('two', end=''); sys.exit(3)")
    )
    assert code == 3
    assert shown == [("step", "one"), ("step", "two")]


def test_a_program_that_is_not_there_is_one_sentence(supervisor: Supervisor) -> None:
    with pytest.raises(CannotStart, match=r"^Cannot start nothing: .*No such file"):
        supervisor.start(Child(name="nothing", argv=["/no/such/program"]))


def test_a_second_supervisor_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    first, second = Ledger(tmp_path), Ledger(tmp_path)
    first.take()
    with pytest.raises(CannotStart, match=rf"already runs on .* \(process {os.getpid()}\)"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_child_whose_work_is_done_is_not_started_again_but_a_failed_one_is(
    supervisor: Supervisor, shown: Shown
) -> None:
    done = Child(name="done", argv=[sys.executable, "-c", ""], may_finish=True)
    failed = Child(name="failed", argv=[sys.executable, "-c", "raise SystemExit(3)"], may_finish=True)
    supervisor.start(done)
    supervisor.start(failed)
    assert supervisor.wait_until(lambda: supervisor.deaths("failed") >= 2, within=15)
    assert supervisor.deaths("done") == 0
    assert [watched.child.name for watched in supervisor._watched] == ["failed"]
