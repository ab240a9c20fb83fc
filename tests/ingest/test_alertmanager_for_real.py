"""A real Alertmanager, set up as the connect guide says, sends an alert to the real front door."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.feeds.guides import guide_for
from console.feeds.models import Feed
from console.interruptions.models import Observation
from tests.ingest.conftest import Sender
from tests.ingest.nodes import until
from tests.serving import work_off

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(PROGRAM is None, reason="Alertmanager is not installed"),
]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def alertmanager(folder: Path, configuration: str) -> Iterator[int]:
    """Its port, once it is ready. Groups are sent at once, so that nobody waits."""
    file, port = folder / "alertmanager.yml", free_port()
    file.write_text(configuration)
    command = [str(PROGRAM), f"--config.file={file}", f"--storage.path={folder}/data", "--cluster.listen-address=",
               f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    running = subprocess.Popen(command, stderr=(folder / "log").open("wb"))
    try:
        assert until(lambda: is_ready(port)), (folder / "log").read_text()
        yield port
    finally:
        running.terminate()
        running.wait(timeout=20)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def fire(port: int, *alerts: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/alerts",
        json.dumps(alerts).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200


def alert(name: str, **labels: str) -> dict[str, object]:
    return {"labels": {"alertname": name, "severity": "warning"} | labels,
            "annotations": {"summary": "The node answers no more."},
            "startsAt": datetime.now(UTC).isoformat()}  # fmt: skip


def test_the_guide_followed_to_the_letter_brings_its_alerts_here(
    sender: Callable[..., Sender], tmp_path: Path
) -> None:
    one = sender(kind="alertmanager")
    address = f"http://127.0.0.1:{one.port}/ingest/{one.feed.slug}"
    codes = {
        code.label: code.code
        for part in guide_for("alertmanager", address=address, secret=one.secret)
        for code in part.codes
    }
    with alertmanager(tmp_path, codes["alertmanager.yml"]) as port:
        fire(
            port,
            alert("KubeNodeNotReady", node="ip-10-2-7-41.eu-central-1.compute.internal"),
            alert("Watchdog"),
        )
        assert until(lambda: one.stored() and one.heartbeats(), seconds=60), (tmp_path / "log").read_text()
    work_off()
    (observation,) = Observation.objects.all()
    assert (observation.kind, observation.feed_id) == ("state_change", one.feed.pk)
    assert one.held() == []
    assert until(lambda: Feed.objects.get(pk=one.feed.pk).last_accepted_at)
