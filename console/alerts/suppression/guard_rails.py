"""What a suppression must not hide, whatever it covers: pure over what is known of the group.

- A capacity change mutes the interruption rate (M1), reschedule latency (M3), cost spikes (M10), reclaims and
  cascades, and nothing else; so never a burn rate.
- A critical burn rate is never hidden.
- A group that takes more than `share` percent of a service's running spot machines (three machines at least) is
  never hidden. Where no inventory says how many run, ten machines are too many.

The last two hold until a second person signs.
"""

from __future__ import annotations

from collections.abc import Mapping

from console.alerts.detectors.cascade import LARGE, LEAST
from console.alerts.models import AlertGroup, Severity, Suppression, SuppressionKind

UNSIGNED = "that is never hidden unless a second person signs"
BURN = "burn"
"""Keys of burn-rate groups begin so: `burn:…`, `burn_fast:…`."""
MUTED_BY_CAPACITY_CHANGE = frozenset(
    {"service", "wave", "cascade", "interruption_rate", "slow_reschedule", "cost_spike"}
)
"""What stands before the colon of a group's key."""


def subject_of(group: AlertGroup) -> str:
    """What a group's key says it is about: `service`, `wave`, or the detector's name."""
    return group.key.partition(":")[0]


def is_burn(group: AlertGroup) -> bool:
    return subject_of(group).startswith(BURN)


def why_not(
    suppression: Suppression,
    group: AlertGroup,
    *,
    lost: Mapping[int, int],
    running: Mapping[int, int],
) -> str:
    """Why it must not hide this group although it covers it; empty: it may. Both figures are by service."""
    if (
        suppression.kind == SuppressionKind.CAPACITY_CHANGE
        and subject_of(group) not in MUTED_BY_CAPACITY_CHANGE
    ):
        return "a capacity change mutes rates, latencies, costs and cascades alone"
    if suppression.is_signed:
        return ""
    if is_burn(group) and group.severity == Severity.CRITICAL:
        return f"it is a critical burn rate; {UNSIGNED}"
    for service, count in lost.items():
        if is_too_much(count, running.get(service, 0), share=suppression.share):
            return _too_much(count, running.get(service, 0), suppression.share)
    return ""


def is_too_much(lost: int, running: int, *, share: int) -> bool:
    if not running:
        return lost >= LARGE
    return lost >= LEAST and lost * 100 > share * running


def _too_much(lost: int, running: int, share: int) -> str:
    if not running:
        return f"it takes {lost} machines and no inventory says of how many; {UNSIGNED}"
    return f"it takes {lost} of {running} spot machines of a service, more than {share} %; {UNSIGNED}"
