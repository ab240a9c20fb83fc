"""A page that failed is not silent: the place that it should have reached becomes a group."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console.alerts.models import AlertGroup
from console.alerts.unreached_findings import watch_outbox
from console.notifications.destinations import give_settings
from console.notifications.models import AllowedHost, Channel, ChannelKind
from tests.make_notifications import make_channel, queue
from tests.notifications.outbox_hands import send_due
from tests.notifications.sinks import webhook_sink

pytestmark = pytest.mark.django_db


def make_room(url: str) -> Channel:
    AllowedHost.objects.create(host="127.0.0.1")
    channel = make_channel(name="Ops room", kind=ChannelKind.SLACK)
    give_settings(channel, {"url": url})
    channel.save()
    return channel


def test_a_channel_that_refuses_messages_is_one_group_until_one_comes_through() -> None:
    with webhook_sink() as sink:
        room = make_room(sink.url)
        sink.answers = [(404, {}, "no_service"), (404, {}, "no_service")]
        for _ in range(2):
            queue(channel_id=room.pk)
            send_due()
            watch_outbox(now=timezone.now())
        group = AlertGroup.objects.get()
        opened = (group.title, group.impact[:15], group.status)

        queue(channel_id=room.pk)
        send_due()
        watch_outbox(now=timezone.now())

    group.refresh_from_db()
    assert opened == ("Messages do not reach Ops room", "404 no_service.", "triggered")
    assert group.status == "resolved"


def test_what_was_not_tried_for_an_hour_closes() -> None:
    with webhook_sink() as sink:
        sink.answers = [(404, {}, "gone")]
        queue(channel_id=make_room(sink.url).pk)
        send_due()
        watch_outbox(now=timezone.now())

    watch_outbox(now=timezone.now() + timedelta(minutes=61))

    assert AlertGroup.objects.get().status == "resolved"
