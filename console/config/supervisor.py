"""Keep a list of children running: restart with back-off, show their output, stop them in order.

One thread, one loop: it sleeps until a child writes, a child dies, a restart is due or a signal comes.
It knows nothing of the console; `up.py` tells it what to run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator
from types import FrameType

from console.config.ledger import Ledger
from console.config.processes import Child, Process

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Raised out of whatever start-up step is under way when a stop signal comes."""


@dataclasses.dataclass(frozen=True)
class BackOff:
    """Seconds before the next start of a child that died for the nth time in a row."""

    first: float = 0.5
    longest: float = 30.0
    forgiven_after: float = 60.0  # a child that ran this long starts counting anew

    def seconds(self, deaths: int) -> float:
        return min(self.first * 2.0 ** (min(deaths, 32) - 1), self.longest)


@dataclasses.dataclass
class Watched:
    child: Child
    process: Process
    deaths: int = 0
    due_at: float | None = None  # when to start it again; None while it runs


class Supervisor:
    def __init__(
        self,
        *,
        ledger: Ledger,
        show: Callable[[str, str], None],
        back_off: BackOff = BackOff(),
        spawn: Callable[[Child], Process] = Process,
    ) -> None:
        self._ledger = ledger
        self._show = show
        self._back_off = back_off
        self._make = spawn
        self._watched: list[Watched] = []
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._stops_asked = 0
        self._raises = True

    # Signals -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Within: a stop signal ends start-up at once, and later the loop; a second one ends the waiting."""
        for end in (self._wake, self._waker):
            end.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, self._heed) for number in STOP_SIGNALS}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the loop
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            self._wake.close()
            self._waker.close()

    def _heed(self, number: int, frame: FrameType | None) -> None:
        self._stops_asked += 1
        if self._raises:
            self._raises = False
            raise StopRequested
        if self._stops_asked > 1:
            for watched in self._watched:
                watched.process.send(watched.child.last_signal)

    # Children ----------------------------------------------------------------------------------

    def start(self, child: Child) -> Process:
        """Started now and kept running from now on."""
        watched = Watched(child, self._spawn(child))
        self._watched.append(watched)
        self._ledger.write(watched.process for watched in self._watched)
        return watched.process

    def end(self, name: str) -> None:
        """Stop one child for good, also one that waits for its next start."""
        for watched in [one for one in self._watched if one.child.name == name]:
            watched.process.end()
            self._drain(watched.process)
            self.forget(watched.process)
        self._ledger.write(other.process for other in self._watched)

    def has(self, name: str) -> bool:
        """Whether a child of this name runs, or is to be started again."""
        return any(watched.child.name == name for watched in self._watched)

    def forget(self, process: Process) -> None:
        self._watched = [watched for watched in self._watched if watched.process is not process]

    def run_once(self, child: Child, *, show: Callable[[str, str], None] | None = None) -> int:
        """Run a step of start-up to its end, showing what it says."""
        process = self._spawn(child, show=show)
        try:
            while process.poll() is None:
                self.turn(0.1)
            self._drain(process)
        finally:
            process.end()
        return process.poll() or 0

    def wait_until(self, is_done: Callable[[], bool], *, within: float) -> bool:
        end = time.monotonic() + within
        while not is_done():
            if time.monotonic() >= end:
                return False
            self.turn(0.1)
        return True

    def deaths(self, name: str) -> int:
        return sum(watched.deaths for watched in self._watched if watched.child.name == name)

    def run(self, *, tend: Callable[[], None] | None = None) -> None:
        """Until a stop signal. `tend` is called each round, some seconds apart: who is needed may change."""
        self._raises = False
        while not self._stops_asked:
            if tend is not None:
                tend()
            self.turn(5.0)

    def turn(self, longest: float) -> None:
        """One round: show output, notice deaths, start what is due."""
        now = time.monotonic()
        waits = [watched.due_at - now for watched in self._watched if watched.due_at is not None]
        self._turn(max(0.0, min([longest, *waits])))
        for watched in list(self._watched):
            self._look_after(watched, now=time.monotonic())

    def stop(self) -> None:
        """In the reverse order of starting; each waits for the one before it."""
        self._raises = False
        self._stops_asked = max(self._stops_asked, 1)
        for watched in reversed(self._watched):
            watched.process.send(watched.child.stop_signal)
            end = time.monotonic() + watched.child.stop_within
            while watched.process.poll() is None and time.monotonic() < end:
                self._turn(0.05)
            watched.process.end(within=0)
            self._drain(watched.process)
        self._watched.clear()

    # Inside ------------------------------------------------------------------------------------

    def _spawn(self, child: Child, *, show: Callable[[str, str], None] | None = None) -> Process:
        process = self._make(child)
        if process.output is not None:
            os.set_blocking(process.output.fileno(), False)
            self._selector.register(
                process.output, selectors.EVENT_READ, Lines(child.name, show or self._show)
            )
        return process

    def _look_after(self, watched: Watched, *, now: float) -> None:
        if watched.due_at is not None:
            if now >= watched.due_at:
                watched.due_at = None
                watched.process = self._spawn(watched.child)
                self._ledger.write(other.process for other in self._watched)
            return
        code = watched.process.poll()
        if code is None:
            return
        self._drain(watched.process)
        watched.process.bury()
        if code == 0 and watched.child.may_finish:
            self.forget(watched.process)
            self._ledger.write(other.process for other in self._watched)
            return
        if now - watched.process.started_at >= self._back_off.forgiven_after:
            watched.deaths = 0
        watched.deaths += 1
        delay = self._back_off.seconds(watched.deaths)
        watched.due_at = now + delay
        self._show("up", f"{watched.child.name} {_how_it_ended(code)}; starting it again in {delay:g} s")

    def _turn(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Lines):
                self._read(key)
            else:
                with contextlib.suppress(BlockingIOError):
                    self._wake.recv(4096)

    def _read(self, key: selectors.SelectorKey) -> None:
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(key.fd, 65536)
            key.data.feed(chunk)
            if not chunk:
                self._selector.unregister(key.fileobj)

    def _drain(self, process: Process) -> None:
        """The last words of a child that ended: only what is there, a grandchild may keep the pipe open."""
        if process.output is None or process.output.closed:
            return
        with contextlib.suppress(KeyError):
            key = self._selector.get_key(process.output)
            with contextlib.suppress(BlockingIOError):
                while chunk := os.read(key.fd, 65536):
                    key.data.feed(chunk)
            key.data.feed(b"")
            self._selector.unregister(process.output)
        process.output.close()


class Lines:
    """Cuts a child's output into lines."""

    def __init__(self, name: str, show: Callable[[str, str], None]) -> None:
        self._name = name
        self._show = show
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """An empty chunk is the end."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if not chunk and self._rest:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._show(self._name, line.decode("utf-8", "replace").rstrip("\r"))


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
