"""The one who is on call in the sample fleet: what she does, as the console's API takes it."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from console.alerts.models import AlertGroup, EventKind
from console.drills.sample.posting import Address, Console, Door
from console.drills.sample.progress import read_progress
from console.drills.sample.responding import NAME, NOTE, Responder
from console.drills.setting_up import set_up
from console.fleet.models import Service
from console.runbooks.checklist import progress, start

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


class Wire:
    """Hands what a door sends to the console under test."""

    def ask(self, body: bytes | None, *, at: Address, gone: object) -> tuple[int, bytes]:
        headers: dict[str, Any] = {"Authorization": f"Bearer {at.secret}"}
        answer = Client().generic(
            at.method, at.path, body or b"", content_type="application/json", headers=headers
        )
        return answer.status_code, answer.content


@pytest.fixture
def mara(tmp_path: Path) -> Responder:
    set_up(tmp_path, now=NOW)
    return make_mara(tmp_path)


def make_mara(var: Path) -> Responder:
    held = read_progress(var)
    assert held is not None
    never = threading.Event()
    made = Responder(
        Console("http://127.0.0.1", "http://127.0.0.1"),
        held.responder,
        is_busy=lambda: True,
        on_cleared=never.set,
        stop=never,
    )
    made._door = Wire()  # type: ignore[assignment]
    return made


def make_group(slug: str) -> AlertGroup:
    service = Service.objects.get(origin="sample", slug=slug)
    return AlertGroup.objects.create(
        origin="sample",
        key=f"service:{service.pk}",
        service=service,
        title=f"Reclaims of {service.name}",
        triggered_at=NOW,
        last_news_at=NOW,
        execution=start(service, origin="sample", now=NOW),
    )


def look(mara: Responder, *seconds: int) -> None:
    for after in seconds:
        mara._look(NOW + timedelta(seconds=after))


def test_she_takes_a_group_up_ticks_two_steps_and_leaves_a_note(mara: Responder) -> None:
    group = make_group("recommender-training")
    look(mara, 5)
    group.refresh_from_db()
    assert group.holder == ""
    look(mara, 15, 25, 35, 55, 60)
    group.refresh_from_db()
    assert (group.status, group.holder) == ("acknowledged", NAME)
    note = group.events.get(kind=EventKind.NOTE)
    assert (note.text, note.who) == (NOTE, NAME)
    assert group.execution is not None
    assert group.execution.version.runbook.slug == "save-a-training-run"
    assert progress([group.execution.pk])[group.execution.pk].settled == 2


def test_what_hits_other_services_is_left_to_whoever_looks(mara: Responder) -> None:
    group = make_group("checkout-workers")
    look(mara, 15, 25, 35, 55)
    group.refresh_from_db()
    assert group.holder == ""


def test_after_a_restart_she_does_nothing_twice(mara: Responder, tmp_path: Path) -> None:
    group = make_group("recommender-training")
    look(mara, 15, 25, 35)
    again = make_mara(tmp_path)
    look(again, 40, 45, 55, 60, 65)
    assert group.events.filter(kind=EventKind.NOTE).count() == 1
    assert group.events.filter(kind=EventKind.ACKNOWLEDGED).count() == 1


def test_a_door_is_asked_elsewhere_over_the_same_connection() -> None:
    stopped = threading.Event()
    stopped.set()
    door = Door(Console("http://127.0.0.1:9", ""), Address("GET", "/", "s"), stop=stopped)
    assert door.ask(None, at=Address("POST", "/x", "s")) == (0, b"")
