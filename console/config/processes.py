"""One child process: how it is described, started, told to stop, and recognised after its supervisor died."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class CannotStart(Exception):
    """Carries the one sentence the operator is told."""


@dataclasses.dataclass(frozen=True)
class Account:
    """The system user a child runs as; `None` means the one who asks."""

    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    @property
    def extra_groups(self) -> list[int] | None:
        """Another user keeps none of ours."""
        return None if self.uid is None else []


@dataclasses.dataclass(frozen=True)
class Child:
    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cwd: Path | None = None
    account: Account = Account()
    log: Path | None = None  # where its output goes; without one the supervisor prints it
    pass_fds: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 3.0
    may_finish: bool = False  # ending with code 0 means that its work is done: it is not started again
    is_own_keeper: bool = False  # PostgreSQL: never killed outright, and its own pid file finds its orphan

    @property
    def last_signal(self) -> signal.Signals:
        """For one that did not heed the first. To PostgreSQL this is "immediate": safe, replayed at start."""
        return signal.SIGQUIT if self.is_own_keeper else signal.SIGKILL


class Process:
    """A started child, the leader of its own session, so that Ctrl-C reaches the supervisor alone."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.started_at = time.monotonic()
        self._popen = _spawn(child)
        self.pid = self._popen.pid
        self.output = self._popen.stdout

    def poll(self) -> int | None:
        return self._popen.poll()

    def send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def send_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def wait(self, seconds: float) -> bool:
        try:
            self._popen.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, *, within: float | None = None) -> None:
        """Ask, wait as long as the child may take, insist; then sweep what it left in its session."""
        self.send(self.child.stop_signal)
        if not self.wait(self.child.stop_within if within is None else within):
            self.send(self.child.last_signal)
            self.wait(1.0)
        self.bury()

    def bury(self) -> None:
        """A prefork worker that was killed may leave its pool behind; PostgreSQL sees to its own."""
        if not self.child.is_own_keeper:
            self.send_group(signal.SIGKILL)


def _spawn(child: Child) -> subprocess.Popen[bytes]:
    with contextlib.ExitStack() as stack:
        output = subprocess.PIPE if child.log is None else stack.enter_context(child.log.open("ab"))
        try:
            return subprocess.Popen(
                list(child.argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **child.env},
                cwd=child.cwd,
                pass_fds=child.pass_fds,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid(), child.stop_signal),
                user=child.account.uid,
                group=child.account.gid,
                extra_groups=child.account.extra_groups,
            )
        except OSError as error:
            raise CannotStart(f"Cannot start {child.name}: {error}.") from error


def die_with_parent(parent: int, number: signal.Signals) -> None:
    """Linux tells a child when its parent dies. Called in it, after a change of user, which clears this."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os._exit(1)


def end_orphan(pid: int, *, created_at: float, within: float) -> bool:
    """Stop what an earlier supervisor left behind, with its whole session; False if it was already gone.

    A process is only recognised with its time of birth: pids are given out again.
    """
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created_at) > 1:
            return False
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        return False
    stragglers = still_running(family, within=within)
    for straggler in stragglers:
        with contextlib.suppress(psutil.NoSuchProcess):
            straggler.kill()
    still_running(stragglers, within=2)
    return True


def still_running(processes: Iterable[psutil.Process], *, within: float) -> list[psutil.Process]:
    """Those that have not ended `within` seconds.

    An ended process whose parent never asks for its status (pid 1 of many containers) counts as ended;
    `psutil.wait_procs` would wait for it in vain.
    """
    until = time.monotonic() + within
    running = [process for process in processes if _runs(process)]
    while running and time.monotonic() < until:
        time.sleep(0.02)
        running = [process for process in running if _runs(process)]
    return running


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
