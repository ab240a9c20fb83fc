"""Links out to a service's logs, traces and metrics: templates filled with what a reclaim is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

VARIABLES = {
    "interruption_key": "the key of the interruption",
    "instance_id": "the provider's id of the machine",
    "service": "the slug of the service",
    "node_name": "the node's name",
    "started_at": "the start, ISO 8601 UTC",
    "ended_at": "the end (now, while it lasts), ISO 8601 UTC",
    "started_at_ms": "the start in milliseconds since 1970",
    "ended_at_ms": "the end in milliseconds since 1970",
}
"""What a template may name, and what each stands for."""

_PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class BadTemplate(ValueError):
    """The template cannot be used; the message says what to change."""


def check(template: str) -> None:
    """Refuse what could not be filled, or would lead anywhere but to a web page."""
    unknown = [name for name in _PLACE.findall(template) if name not in VARIABLES]
    if unknown:
        raise BadTemplate(f"{{{{ {unknown[0]} }}}} is not known. Use one of {', '.join(VARIABLES)}.")
    if "{{" in (rest := _PLACE.sub("", template)) or "}}" in rest:
        raise BadTemplate("A {{ or }} has no partner.")
    if any(sign.isspace() or ord(sign) < 32 for sign in rest):
        raise BadTemplate("A link holds no spaces; write %20.")
    parts = urlsplit(_PLACE.sub("x", template))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadTemplate("A link starts with https:// or http:// and a host.")
    if parts.username is not None or parts.password is not None:
        raise BadTemplate("A link must hold no user name or password.")
    if _PLACE.search(template.split("://", 1)[1].split("/", 1)[0].split("?", 1)[0]):
        raise BadTemplate("The host is fixed; variables come after it.")


def fill(template: str, values: Mapping[str, str]) -> str:
    """The address, each value percent-encoded. What is not known is left empty."""
    return _PLACE.sub(lambda place: quote(values.get(place.group(1), ""), safe=""), template)


def values_of(
    *,
    service: str,
    started_at: datetime,
    ended_at: datetime,
    interruption_key: str = "",
    instance_id: str = "",
    node_name: str = "",
) -> dict[str, str]:
    """Everything a template may name."""
    return {
        "interruption_key": interruption_key,
        "instance_id": instance_id,
        "service": service,
        "node_name": node_name,
        "started_at": _iso(started_at),
        "ended_at": _iso(ended_at),
        "started_at_ms": str(int(started_at.timestamp() * 1000)),
        "ended_at_ms": str(int(ended_at.timestamp() * 1000)),
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Link:
    """A link ready to be drawn."""

    label: str
    icon: str
    url: str


def links_of(*, log_url: str, trace_url: str, metric_url: str, values: Mapping[str, str]) -> Iterator[Link]:
    """The links a service has, filled."""
    for label, icon, template in (
        ("Logs", "scroll-text", log_url),
        ("Traces", "route", trace_url),
        ("Metrics", "chart-line", metric_url),
    ):
        if template:
            yield Link(label, icon, fill(template, values))
