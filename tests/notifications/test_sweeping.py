"""A page waits neither for a report nor for a broker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.notifications import sweeping
from console.notifications.models import Channel
from tests.make_notifications import queue
from tests.notifications.outbox_hands import states
from tests.notifications.sinks import Sink

pytestmark = pytest.mark.django_db(transaction=True)


def test_without_a_bell_or_a_free_worker_the_sweep_sends_what_is_due(
    channel_to: Callable[..., Channel], sink: Sink
) -> None:
    queue(channel_id=channel_to().pk)

    sweeping.sweep()

    assert (len(sink.heard), states()) == (1, ["delivered"])


def test_a_sweep_that_fails_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    swept = []

    def fail() -> None:
        swept.append(1)
        raise RuntimeError("a fault of ours")

    def stop(seconds: float) -> None:
        if len(swept) == 3:
            raise SystemExit

    monkeypatch.setattr(sweeping, "send", fail)
    monkeypatch.setattr(sweeping.time, "sleep", stop)
    with pytest.raises(SystemExit):
        sweeping.sweep_forever()

    assert len(swept) == 3
