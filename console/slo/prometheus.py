"""Asking Prometheus, or what speaks its query API, for one series by the minute.

`POST <base>/api/v1/query_range` (Prometheus HTTP API, "Range queries"), a form with `query`, `start`, `end` and `step`.
Addresses that people gave are called by the house's rules for outgoing requests: https, no private host unless allowed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec

from console.lib.outgoing import Answer, CannotPost, post
from console.lib.sealing import CannotUnseal
from console.notifications.destinations import allowed_hosts
from console.slo.models import PrometheusServer

STEP = timedelta(minutes=1)
MOST_BYTES = 4 * 1024 * 1024
MOST_POINTS = 11_000
"""Prometheus refuses more a series."""
SHOWN = 300
_REFUSED: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "the bearer token is missing or not accepted",
    HTTPStatus.FORBIDDEN: "the bearer token may not ask this",
    HTTPStatus.NOT_FOUND: "there is no /api/v1/query_range under this address; give it up to where /api/v1/ begins",
    HTTPStatus.TOO_MANY_REQUESTS: "it is asked too often",
}


class CannotAsk(Exception):
    """There is no answer; the message says why and, where it can, what to do."""


def ask(server: PrometheusServer, query: str, *, since: datetime, until: datetime) -> dict[datetime, float]:
    """The one series of `query`, by the minute that each value is of, for the minutes in [since, until).

    A value at 14:32:00 counts the minute from 14:31:00. Minutes without a value, or with NaN, are left out. Blocks.
    """
    asked = {
        "query": query,
        "start": f"{(since + STEP).timestamp():.0f}",
        "end": f"{until.timestamp():.0f}",
        "step": f"{STEP.total_seconds():.0f}",
    }
    return _points(_answer(server, asked))


def _answer(server: PrometheusServer, asked: Mapping[str, str]) -> Any:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        if token := server.token:
            headers["Authorization"] = f"Bearer {token}"
        answer = post(
            f"{server.base_url.rstrip('/')}/api/v1/query_range",
            urlencode(asked).encode(),
            headers=headers,
            allowed_hosts=allowed_hosts(),
            most=MOST_BYTES + 1,
        )
    except CannotPost as error:
        raise CannotAsk(f"{error}.") from error
    except CannotUnseal as error:
        raise CannotAsk(str(error)) from error
    return _data(answer)


def _data(answer: Answer) -> Any:
    if len(answer.text) > MOST_BYTES:
        raise CannotAsk("It answered more than is taken; the query answers far more than one series.")
    try:
        told = msgspec.json.decode(answer.text)
    except msgspec.DecodeError:
        told = None
    said = told.get("error") if isinstance(told, dict) else None
    if answer.status != HTTPStatus.OK:
        why = said or _REFUSED.get(answer.status, "") or answer.text.strip() or "without a word"
        raise CannotAsk(f"It answered {answer.status}: {str(why)[:SHOWN]}.")
    if not isinstance(told, dict) or told.get("status") != "success":
        raise CannotAsk(f"It answered what no Prometheus does: {str(said or answer.text)[:SHOWN]}.")
    return told.get("data")


def _points(data: Any) -> dict[datetime, float]:
    kind = data.get("resultType") if isinstance(data, dict) else None
    series = data.get("result") if isinstance(data, dict) else None
    if kind != "matrix" or not isinstance(series, list):
        raise CannotAsk(f"It answered a {kind or 'thing'} where a range of values was asked for.")
    if len(series) > 1:
        raise CannotAsk(f"The query answers {len(series)} series; wrap it in sum(…), so that it answers one.")
    if not series:
        return {}
    try:
        values = [(float(at), float(value)) for at, value in series[0]["values"]]
    except (KeyError, TypeError, ValueError) as error:
        raise CannotAsk("Its series holds what are no numbers.") from error
    return {
        datetime.fromtimestamp(round(at), UTC) - STEP: value for at, value in values if math.isfinite(value)
    }
