"""Doubles of what a node watcher lives with: the metadata services of three clouds, a console that is away, a clock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from console.feeds.guides import watcher_program

SPEED = 20
INSTANCE = "i-0d41c7a9be2f60538"
NUMERIC = "4021885517233905166"
VM = "aks-spot-31415926-vmss_12"
AWS = {
    "latest/dynamic/instance-identity/document": json.dumps(
        {
            "accountId": "204816327500",
            "region": "eu-central-1",
            "availabilityZone": "eu-central-1a",
            "instanceId": INSTANCE,
            "instanceType": "m7i.large",
        }
    ),
    "latest/meta-data/events/maintenance/scheduled": "[]",
    "latest/meta-data/autoscaling/target-lifecycle-state": "InService",
}
GCP = {
    "computeMetadata/v1/project/project-id": "shop-prod-1",
    "computeMetadata/v1/instance/id": NUMERIC,
    "computeMetadata/v1/instance/zone": "projects/204816327500/zones/europe-west1-c",
    "computeMetadata/v1/instance/machine-type": "projects/204816327500/machineTypes/n2-standard-4",
    "computeMetadata/v1/instance/preempted": "FALSE",
}
AZURE = {
    "metadata/instance/compute": json.dumps(
        {
            "subscriptionId": "5b8f9d1e-2a3c-4d5e-8f60-718293a4b5c6",
            "resourceGroupName": "shop",
            "location": "westeurope",
            "zone": "1",
            "name": VM,
            "vmSize": "Standard_D4s_v5",
        }
    ),
    "metadata/scheduledevents": '{"DocumentIncarnation": 1, "Events": []}',
}
CLOUDS = {"aws": AWS, "gcp": GCP, "azure": AZURE}
_CLOCK = """
import time
_monotonic, _sleep, _time = time.monotonic, time.sleep, time.time
time.monotonic = lambda: _monotonic() * {speed}
time.sleep = lambda seconds: _sleep(seconds / {speed})
time.time = lambda: _time() + {off}
"""
"""Seconds pass faster for the watcher, and its clock is off; the program itself knows nothing of it."""


@dataclass
class Metadata:
    """The metadata service of one cloud: what it answers may be changed, and tokens run out."""

    cloud: str
    documents: dict[str, str] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    served: set[str] = field(default_factory=set)
    port: int = 0

    def __post_init__(self) -> None:
        self.documents = dict(CLOUDS[self.cloud]) | self.documents

    def answer(self, method: str, path: str, headers: Any) -> tuple[int, str]:
        if self.cloud == "aws" and method == "PUT" and path == "latest/api/token":
            self.tokens.append(f"token-{len(self.tokens)}")
            return 200, self.tokens[-1]
        if self.cloud == "aws" and headers["X-aws-ec2-metadata-token"] != (self.tokens or [""])[-1]:
            return 401, "<html>\nUnauthorized</html>"
        if self.cloud == "gcp" and headers["Metadata-Flavor"] != "Google":
            return 403, "Missing Metadata-Flavor:Google header."
        if self.cloud == "azure" and headers["Metadata"] != "true":
            return 400, '{"error": "Bad request. Required metadata header not specified"}'
        found = self.documents.get(path)
        self.served.add(found or "")
        return (404, "<html>\nNot found</html>") if found is None or method != "GET" else (200, found)


@dataclass
class Door:
    """A front door of its own: answers as told, and remembers what came."""

    statuses: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    def next(self, body: bytes) -> tuple[int, dict[str, str]]:
        self.heard.append(json.loads(body))
        return self.statuses.pop(0) if self.statuses else (202, {})


@contextmanager
def serving(double: Metadata | Door) -> Iterator[Any]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            body = self.rfile.read(length)
            if isinstance(double, Door):
                (status, more), text = double.next(body), "{}"
            else:
                path = self.path.lstrip("/").partition("?")[0]
                (status, text), more = double.answer(self.command, path, self.headers), {}
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_PUT = do_POST = _answer

        def log_message(self, *said: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", double.port), Handler)
    double.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Watcher:
    """The program of the guide, on a node."""

    folder: Path
    metadata: Metadata
    address: str
    secret: str
    off: int = 0
    env: dict[str, str] = field(default_factory=dict)
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """The watcher; with words the runner of hooks beside it."""
        for name in ("spot-watch", "spot-hook"):
            (self.folder / name).write_text(watcher_program(name))
        (self.folder / "sitecustomize.py").write_text(_CLOCK.format(speed=SPEED, off=self.off))
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.folder),
            "FEED_ADDRESS": self.address,
            "FEED_SECRET": self.secret,
            "METADATA_ADDRESS": f"http://127.0.0.1:{self.metadata.port}",
            "STATE_DIRECTORY": str(self.folder),
            "NODE_NAME": "ip-10-2-7-41",
        }
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, str(self.folder / ("spot-hook" if words else "spot-watch")), *words]
            self._running.append(subprocess.Popen(command, env=env | self.env, stderr=log))
        return self._running[-1]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def kill(self) -> None:
        """As the kernel does when memory runs out, or a machine that is switched off."""
        for running in self._running:
            if running.poll() is None:
                running.send_signal(signal.SIGKILL)
            running.wait()


def until(is_so: Any, *, seconds: float = 15) -> Any:
    """What `is_so` gives once it is true; what it gave last if it never is."""
    end = time.monotonic() + seconds
    while not (found := is_so()) and time.monotonic() < end:
        time.sleep(0.05)
    return found
