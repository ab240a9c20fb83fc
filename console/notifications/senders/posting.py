"""Posting JSON to a provider, and what its answer means to the outbox."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from console.lib.outgoing import Answer, CannotPost, check_url, post
from console.notifications.models import AttemptOutcome
from console.notifications.senders.sender import AnswerLost, BadSetting, SendFailed, Taken

MAY_PASS = frozenset({408, 423, 425, 429, 500, 503})
"""Refused for now. Every other status above 399, but for a gateway that lost its answer, is for good."""
GATEWAY_LOST_IT = frozenset({502, 504})
LONGEST_WAIT = 900.0
USER_AGENT = "spot-console"


def post_json(
    url: str,
    body: dict[str, Any],
    *,
    headers: Mapping[str, str] | None = None,
    allowed_hosts: Collection[str],
    delivered: bool = False,
) -> Taken:
    """`delivered`: a 2xx of this provider means that the recipient has it."""
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return post_body(url, raw, headers=headers, allowed_hosts=allowed_hosts, delivered=delivered)


def post_body(
    url: str,
    raw: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    allowed_hosts: Collection[str],
    delivered: bool = False,
) -> Taken:
    sent = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **(headers or {})}
    try:
        answer = post(url, raw, headers=sent, allowed_hosts=allowed_hosts)
    except CannotPost as error:
        if error.may_have_arrived:
            raise AnswerLost(str(error)) from error
        raise SendFailed(str(error), permanent=error.is_forbidden) from error
    return _understood(answer, delivered=delivered)


def _understood(answer: Answer, *, delivered: bool) -> Taken:
    words = f"{answer.status} {' '.join(answer.text.split())}".strip()
    if 200 <= answer.status < 300:
        outcome = AttemptOutcome.DELIVERED if delivered else AttemptOutcome.HANDED_OVER
        return Taken(words, outcome)
    if answer.status in GATEWAY_LOST_IT:
        raise AnswerLost(words)
    if 300 <= answer.status < 400:
        raise SendFailed(f"{words}: a redirect is not followed", permanent=True)
    is_for_good = answer.status < 500 and answer.status not in MAY_PASS
    raise SendFailed(words, permanent=is_for_good, retry_after=retry_after(answer.headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from a number or a date; bounded."""
    told = headers.get("retry-after", "").strip()
    if told.isdigit():
        return min(float(told), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, min((until - datetime.now(UTC)).total_seconds(), LONGEST_WAIT))


def read_url(
    values: Mapping[str, str], allowed_hosts: Collection[str], *, name: str = "url", beginning: str = ""
) -> str:
    """An address that may be called, from what was filled in."""
    url = values.get(name, "").strip()
    if not url:
        raise BadSetting(name, "Write the address.")
    try:
        check_url(url, allowed_hosts=allowed_hosts)
    except CannotPost as error:
        raise BadSetting(name, f"{error}.") from error
    return url


def read_word(values: Mapping[str, str], name: str, text: str) -> str:
    """Something that has to be there."""
    if value := values.get(name, "").strip():
        return value
    raise BadSetting(name, text)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def host_of(url: str) -> str:
    """Host and the last characters: enough to tell two addresses apart, too little to use one."""
    rest = url.partition("://")[2]
    host, _, path = rest.partition("/")
    return f"{host}/…{path[-4:]}" if len(path) > 8 else host
