"""What EC2 says about one instance: warnings, recommendations, states and fulfilled requests."""

from __future__ import annotations

from datetime import timedelta

from console.feeds.normalised import Action, Cause, Kind, Reading, Rejected
from console.feeds.sources.aws.event import Event

NOTICE = timedelta(seconds=120)

_STATES = {
    "pending": Kind.STATE_CHANGE,
    "running": Kind.STATE_CHANGE,
    "stopping": Kind.STATE_CHANGE,
    "stopped": Kind.STATE_CHANGE,
    "shutting-down": Kind.SHUTDOWN_STARTED,
    "terminated": Kind.TERMINATED,
}


def spot_warning(event: Event) -> Reading:
    """Two minutes' notice; hibernation begins at once."""
    machine = event.machine("instance-id")
    action = _action(event)
    wait = timedelta(0) if action is Action.HIBERNATE else NOTICE
    return event.accept(
        event.statement(
            Kind.INTERRUPTION_NOTICE,
            machine=machine,
            deadline_at=event.occurred_at + wait,
            cause=Cause.SPOT,
            action=action,
            may_open=True,
        )
    )


def capacity_reservation_warning(event: Event) -> Reading:
    """The owner of the reservation takes the machine back; no deadline is stated."""
    machine = event.machine("instance-id")
    return event.accept(
        event.statement(
            Kind.INTERRUPTION_NOTICE,
            machine=machine,
            cause=Cause.CAPACITY_RESERVATION,
            action=_action(event),
            may_open=True,
        )
    )


def rebalance_recommendation(event: Event) -> Reading:
    machine = event.machine("instance-id")
    return event.accept(
        event.statement(Kind.REBALANCE_RECOMMENDATION, machine=machine, cause=Cause.SPOT, may_open=True)
    )


def state_change(event: Event) -> Reading:
    machine = event.machine("instance-id")
    state = event.text("state")
    if state is None:
        raise Rejected("invalid_field", "detail.state: missing")
    kind = _STATES.get(state)
    if kind is None:
        return event.unrecognised(f"unknown instance state {state[:60]!r}")
    return event.accept(event.statement(kind, machine=machine, state=state, is_restart=state == "running"))


def request_fulfilled(event: Event) -> Reading:
    """A spot request got its instance: a replacement, or the return of one that was stopped."""
    machine = event.machine("instance-id")
    return event.accept(event.statement(Kind.REPLACEMENT_LAUNCHED, machine=machine, is_restart=True))


def _action(event: Event) -> Action:
    written = event.text("instance-action")
    try:
        return Action(written or "")
    except ValueError:
        raise Rejected(
            "invalid_field",
            f"detail.instance-action: must be terminate, stop or hibernate, got {(written or '')[:40]!r}",
        ) from None
