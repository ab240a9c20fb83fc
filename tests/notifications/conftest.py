"""Sinks, and channels that lead to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from console.notifications.destinations import give_settings
from console.notifications.models import AllowedHost, Channel, ChannelKind
from tests.browsing import chromium, console_port, sit
from tests.make_notifications import make_channel
from tests.notifications.sinks import Mailbox, Sink, smtp_sink, webhook_sink

__all__ = ["chromium", "console_port", "sit"]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with webhook_sink() as opened:
        yield opened


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    """A real SMTP server, and the console set to it."""
    with smtp_sink() as opened:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", opened.port
        yield opened


@pytest.fixture
def channel_to(sink: Sink) -> Callable[..., Channel]:
    """A channel of a kind that leads to the sink, whose host is allowed."""

    def make(kind: ChannelKind = ChannelKind.WEBHOOK, **values: str) -> Channel:
        AllowedHost.objects.get_or_create(host="127.0.0.1")
        plain: dict[str, Any] = {
            ChannelKind.WEBHOOK: {"url": sink.url, "secret": "a-secret-of-sixteen"},
            ChannelKind.SLACK: {"url": sink.url},
            ChannelKind.TEAMS: {"url": sink.url},
            ChannelKind.PAGERDUTY: {"routing_key": "R" * 32, "base": f"http://127.0.0.1:{sink.port}"},
            ChannelKind.OPSGENIE: {"api_key": "key", "base": f"http://127.0.0.1:{sink.port}"},
            ChannelKind.GATEWAY: {"url": f"jsons://127.0.0.1:{sink.port}/"},
        }.get(kind, {})
        channel = make_channel(kind=kind)
        give_settings(channel, plain | values)
        channel.save()
        return channel

    return make
