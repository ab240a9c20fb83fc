"""Channels and what was sent, for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.accounts.models import Scope
from console.ingest.metrics import registry
from console.lib.sealing import seal
from tests.make_accounts import make_token, make_user
from tests.make_notifications import make_channel, queue
from tests.notifications.outbox_hands import send_due

pytestmark = pytest.mark.django_db


def ask(path: str, *scopes: Scope, **fields: Any) -> Any:
    _, secret = make_token(*scopes, **fields)
    return Client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {secret}"})


def test_a_program_reads_what_was_sent_by_state_and_subject_but_never_an_address_or_a_code() -> None:
    channel = make_channel(name="Ops", sealed_settings=seal('{"url": "a-secret"}'))
    queue(channel_id=channel.pk, subject="group:7")
    queue(channel_id=channel.pk, title="123456 is your code", data={"is_confidential": True})
    send_due()
    queue(channel_id=channel.pk)

    (row,) = ask("notifications?state=delivered&subject=group:7").json()["items"]
    page = ask("notifications?format=csv").getvalue().decode()
    (told,) = ask("channels").json()["items"]

    assert (row["channel"], row["attempts"], row["note"]) == ("Ops", 1, "Nobody is told by this channel")
    assert page.count("\n") == 4
    assert "123456" not in page
    assert "secret" not in str(told)


def test_a_program_sees_one_origin_and_needs_its_scope() -> None:
    queue(person_id=make_user("alice").pk, origin="sample")

    assert ask("notifications").json()["items"] == []
    assert len(ask("notifications", origin="sample").json()["items"]) == 1
    assert ask("notifications", Scope.FACTS).status_code == 403
    assert ask("notifications?status=failed").status_code == 422


def test_the_figures_tell_how_the_outbox_stands() -> None:
    figures = registry(now=timezone.now()).get_sample_value
    assert figures("spot_console_outbox_due") == 0
    queue(channel_id=make_channel().pk, now=timezone.now() - timedelta(seconds=90))

    figures = registry(now=timezone.now()).get_sample_value
    assert figures("spot_console_outbox_due") == 1
    assert (figures("spot_console_outbox_oldest_due_seconds") or 0) >= 90
    assert figures("spot_console_outbox_ended_badly", {"state": "failed"}) == 0
