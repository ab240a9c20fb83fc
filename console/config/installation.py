"""What `up` is asked to run, read once from the environment, and the children that follow from it."""

from __future__ import annotations

import dataclasses
import errno
import importlib.util
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from console.config.processes import CannotStart, Child

BASE_DIR = Path(__file__).resolve().parents[2]
NEEDED = ("django", "celery", "psycopg", "psycopg_pool", "uvicorn", "uvloop", "httptools", "a2wsgi", "redis")
BACKLOG = 2048
SAMPLE_CHOICES = ("auto", "0", "1")
# Two allocator arenas, not eight a core; workers that do not load every page to check the settings; and
# no warning that static files were not collected, which only the image does.
CHILD_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",
    "CELERY_SKIP_CHECKS": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore:No directory at",
}


@dataclasses.dataclass(frozen=True)
class Installation:
    host: str
    port: int
    var: Path
    workers: int
    url: str
    has_own_database: bool
    has_own_broker: bool
    is_log_json: bool
    sample: str
    """`auto`, `0` or `1`: whether the sample fleet may play."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Installation:
        host = environ.get("HOST") or "127.0.0.1"
        port = _number(environ, "PORT", default=8000, least=1, most=65535)
        return cls(
            host=host,
            port=port,
            var=Path(environ.get("CONSOLE_VAR") or BASE_DIR / "var").resolve(),
            workers=_number(environ, "CONSOLE_WORKERS", default=2, least=1, most=64),
            url=(environ.get("CONSOLE_URL") or f"http://{_shown(host)}:{port}").rstrip("/"),
            has_own_database=not environ.get("DATABASE_URL"),
            has_own_broker=not environ.get("CELERY_BROKER_URL"),
            is_log_json=environ.get("CONSOLE_LOG_FORMAT") == "json",
            sample=_choice(environ, "CONSOLE_SAMPLE", SAMPLE_CHOICES),
        )

    def check_packages(self) -> None:
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise CannotStart(
                f"{missing[0]} is not installed. Run `make run`, or `pip install -r requirements.txt`."
            )

    def listen(self) -> socket.socket:
        """Bound here and handed to the web process: its restarts keep callers waiting, not refused."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, kind, protocol)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Inherited by every connection. A server that is handed a socket does not set it, and then each
            # answer waits 40 ms for the caller's acknowledgement.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except socket.gaierror as error:
            raise CannotStart(f"HOST={self.host} is no address of this machine: {error.strerror}.") from error
        except OSError as error:
            raise CannotStart(self._why_not(error)) from error
        return listener

    def _why_not(self, error: OSError) -> str:
        if error.errno == errno.EADDRINUSE:
            return (
                f"Port {self.port} on {self.host} is taken: stop what uses it, "
                f"or choose another one with PORT={self.port + 1}."
            )
        return f"Cannot listen on {self.host}, port {self.port}: {error.strerror}."

    # Children ----------------------------------------------------------------------------------

    def command(self, name: str, *arguments: str) -> Child:
        return self._python(name, "manage.py", *arguments, stop_within=3.0)

    def has_command(self, name: str) -> bool:
        return any(BASE_DIR.glob(f"console/*/management/commands/{name}.py"))

    def web(self, listener: socket.socket) -> Child:
        argv = [
            "-m", "uvicorn", "console.config.asgi:application", "--fd", str(listener.fileno()),
            "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "on",
            "--no-access-log", "--log-level", "warning", "--no-server-header", "--no-proxy-headers",
            "--backlog", str(BACKLOG), "--timeout-graceful-shutdown", "2",
        ]  # fmt: skip
        return self._python("web", *argv, pass_fds=(listener.fileno(),), stop_within=2.5)

    def hands(self) -> Child:
        """The workers and beat, which stop in their own order within the time given here."""
        argv = ["-m", "console.config.hands", str(self.var), str(self.workers)]
        return self._python("hands", *argv, stop_within=4.0)

    @property
    def is_watch_called_for(self) -> bool:
        """Beat lays this file down while a feed of a cluster is to be watched."""
        return (self.var / "calls" / "watch_kubernetes").exists()

    def cluster_watch(self) -> Child:
        """Ends by itself once nothing is left to watch."""
        return self._python("watch", "manage.py", "watch_kubernetes", stop_within=4.0, may_finish=True)

    @property
    def plays_sample(self) -> bool:
        """Never on a database that is somebody's own, unless it is asked for; and only what is set up."""
        is_wanted = self.sample == "1" or (self.sample == "auto" and self.has_own_database)
        return is_wanted and (self.var / "sample.json").exists()

    def sample_player(self, listener: socket.socket) -> Child:
        """The sample fleet, which ends by itself once it is cleared."""
        host, port = listener.getsockname()[:2]
        argv = [
            "-m",
            "console.drills.sample.player",
            str(self.var),
            f"http://{_shown(host)}:{port}",
            self.url,
        ]
        return self._python("sample", *argv, stop_within=1.0, may_finish=True)

    def _python(
        self,
        name: str,
        *arguments: str,
        stop_within: float,
        pass_fds: tuple[int, ...] = (),
        may_finish: bool = False,
    ) -> Child:
        return Child(
            name=name,
            argv=[sys.executable, *arguments],
            env={"CONSOLE_VAR": str(self.var), **CHILD_ENVIRONMENT},
            cwd=BASE_DIR,
            pass_fds=pass_fds,
            stop_within=stop_within,
            may_finish=may_finish,
        )


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The first of the choices where nothing is said."""
    said = environ.get(name) or choices[0]
    if said not in choices:
        raise CannotStart(f"{name}={said} is not known: use one of {', '.join(choices)}.")
    return said


def _number(environ: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise CannotStart(f"{name}={text} is not a number from {least} to {most}.")
    return int(text)


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared with, not bound to
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def is_answering(listener: socket.socket, *, within: float = 1.0) -> bool:
    """Any HTTP answer counts: the port itself is open from the first moment on."""
    host, port = listener.getsockname()[:2]
    try:
        with socket.create_connection((_shown(host).strip("[]"), port), timeout=within) as probe:
            probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return probe.recv(5) == b"HTTP/"
    except OSError:
        return False
