"""A group leads on to its service's logs, traces and metrics."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.alerts.models import AlertGroup
from console.alerts.queries import links_out
from tests.make_fleet import make_service

NOW = datetime(2026, 3, 11, 14, 31, 40, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def make_group(**fields: str) -> AlertGroup:
    service = make_service(**fields)
    return AlertGroup.objects.create(
        key=f"service:{service.pk}", service=service, title="Reclaims", triggered_at=NOW, last_news_at=NOW
    )


def test_a_group_links_to_what_its_service_names_filled_for_its_machine() -> None:
    group = make_group(slug="web", log_url="https://logs.example/?q={{ instance_id }}&s={{ service }}")
    (link,) = links_out(group, {"instance_id": "i-0 1"}, now=NOW)
    assert (link.label, link.url) == ("Logs", "https://logs.example/?q=i-0%201&s=web")


def test_a_group_of_a_service_without_templates_links_nowhere() -> None:
    assert links_out(make_group(slug="web"), {}, now=NOW) == []
