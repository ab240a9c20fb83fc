"""What a replay of the sample fleet's 90 days costs, through the API and a worker, as people ask for it."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

from tests.bench.figure import AtMost
from tests.bench.whole_console import WholeConsole, whole_console

MOST_SECONDS = 60.0
RECLAIMS = 300
"""So many the sample fleet's history has; it is told through the front door first."""
TOLD_WITHIN = 300.0
RULE = {"rule": "cascade", "days": 90, "thresholds": {"least": 4}}
RATE = {"rule": "interruption_rate", "days": 90, "thresholds": {"red": 12}}
SUPPRESSION = {
    "days": 90,
    "name": "Nightly work",
    "reason": "Bench",
    "scopes": ["pool:aws"],
    "rrule": "FREQ=DAILY",
    "minutes": 480,
    "time_zone": "Europe/Berlin",
}


def ninety_days() -> AtMost:
    """The slowest of three drafts: of waves, of a rate, and a suppression, which looks with every detector."""
    with whole_console(sample=True) as console:
        api = Api(console)
        until = time.monotonic() + TOLD_WITHIN
        waves = api.replay("replays", RULE)
        while waves["result"]["reclaims"] < RECLAIMS and time.monotonic() < until:
            time.sleep(5)
            waves = api.replay("replays", RULE)
        rate = api.replay("replays", RATE)
        quiet = api.replay("replays/suppression", SUPPRESSION)
    took = {name: one["result"]["took_s"] for name, one in zip(NAMES, (waves, rate, quiet), strict=True)}
    more: dict[str, object] = {**took, "reclaims": waves["result"]["reclaims"]}
    return AtMost(max(took.values()), "s", MOST_SECONDS, more)


NAMES = ("waves_s", "rate_s", "suppression_s")


class Api:
    """A program of the sample fleet's origin that may ask for replays."""

    def __init__(self, console: WholeConsole) -> None:
        made = console.manage(
            "token", "create", "bench", "--scope", "read", "--scope", "manage", "--origin", "sample"
        )
        self.url, self.secret = console.url, made.split()[-1]

    def replay(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Asked for, and waited for."""
        row = self._call(path, body)
        while row["state"] not in ("done", "failed"):
            time.sleep(0.2)
            row = self._call(f"replays/{row['id']}")
        if row["state"] == "failed":
            raise RuntimeError(row["error"])
        return row

    def _call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
        return answer
