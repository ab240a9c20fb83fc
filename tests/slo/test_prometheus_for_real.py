"""A real Prometheus, where one is installed: what it holds is what is counted. Debian's package `prometheus` has it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.notifications.models import AllowedHost
from console.slo.models import Objective, PrometheusServer, RequestMinute
from console.slo.polling import poll
from tests.make_accounts import make_user
from tests.make_slo import MINUTE, make_objective

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("promtool")),
        reason="prometheus and promtool are not installed",
    ),
]
UNTIL = datetime.now(UTC).replace(second=0, microsecond=0)
HOURS = 26
EVERY = 15
GOOD = 'sum(increase(http_requests_total{service="web",code!~"5.."}[1m]))'
TOTAL = 'sum(increase(http_requests_total{service="web"}[1m]))'
GAP = (UNTIL - timedelta(hours=10), UNTIL - timedelta(hours=9))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that scraped 4 good and 1 bad request a second for a day, but for an hour in which it was away."""
    home = tmp_path_factory.mktemp("prometheus")
    (home / "prometheus.yml").write_text("scrape_configs: []\n")
    _fill(home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={home / 'prometheus.yml'}",
            f"--storage.tsdb.path={home / 'data'}",
            "--storage.tsdb.retention.time=30d",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _fill(home: Path) -> None:
    lines = ["# TYPE http_requests counter"]
    moments = [UNTIL - timedelta(seconds=EVERY * n) for n in range(HOURS * 3600 // EVERY, -1, -1)]
    start = moments[0]
    for code, rate in (("200", 4), ("500", 1)):
        lines += [
            f'http_requests_total{{service="web",code="{code}"}}'
            f" {rate * (at - start).total_seconds():.0f} {at.timestamp():.0f}"
            for at in moments
            if not GAP[0] < at < GAP[1]
        ]
    (home / "counts.txt").write_text("\n".join([*lines, "# EOF", ""]))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", home / "counts.txt", home / "data"]
    subprocess.run(command, check=True, capture_output=True)


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("Prometheus did not become ready")


def test_what_it_holds_is_counted_minute_by_minute_and_its_gap_stays_a_gap(url: str) -> None:
    AllowedHost.objects.create(host="127.0.0.1", reason="tests", created_by=make_user(), created_at=UNTIL)
    server = PrometheusServer.made(name="real", base_url=url, token="", now=UNTIL)
    server.save()
    one = make_objective(
        source="prometheus", server=server, good_query=GOOD, total_query=TOTAL, next_poll_at=UNTIL
    )
    poll(now=UNTIL + timedelta(seconds=31))
    one.refresh_from_db()
    assert (one.poll_error, one.polled_until) == ("", UNTIL)
    counts = RequestMinute.objects.values_list("minute", "good", "total")
    rows = {minute: (good, total) for minute, good, total in counts}
    inside = UNTIL - timedelta(hours=5)
    assert rows[inside] == (pytest.approx(240, abs=1e-2), pytest.approx(300, abs=1e-2))
    assert UNTIL - MINUTE in rows
    assert GAP[0] + 30 * MINUTE not in rows
    missing = [minute for n in range(12 * 60) if (minute := UNTIL - (n + 1) * MINUTE) not in rows]
    assert GAP[0] <= min(missing) <= max(missing) <= GAP[1]
    assert 57 <= len(missing) <= 60


def test_a_query_that_it_refuses_is_told_in_its_own_words(url: str) -> None:
    AllowedHost.objects.create(host="127.0.0.1", reason="tests", created_by=make_user(), created_at=UNTIL)
    server = PrometheusServer.made(name="real", base_url=url, token="", now=UNTIL)
    server.save()
    make_objective(
        source="prometheus", server=server, good_query="sum(", total_query="sum(", next_poll_at=UNTIL
    )
    poll(now=UNTIL)
    assert "parse error" in Objective.objects.get().poll_error
    Objective.objects.update(good_query=TOTAL, total_query="http_requests_total", next_poll_at=UNTIL)
    poll(now=UNTIL)
    assert "The query answers 2 series; wrap it in sum" in Objective.objects.get().poll_error
