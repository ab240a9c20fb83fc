"""F2: hooks that use almost all of the window they have; the next slow disk loses work (`metrics.md` F2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.alerts.detecting import Detector, Given, Judged, Threshold, counted, one_condition, over
from console.alerts.readings.hooks import WINDOW, HookRow, read_hooks
from console.alerts.readings.sorting import by_service


def judge_durations(rows: Iterable[HookRow], given: Given) -> Iterator[Judged]:
    used, share, least = (given.limits[name] for name in ("used", "share", "least"))
    for service, hooks in by_service(rows, given):
        shares = [one.share for one in hooks if one.share is not None]
        if not shares:
            continue
        slow = sum(one > used for one in shares)
        value = slow / len(shares)
        yield Judged(
            scope=service.slug,
            origin=service.origin,
            service_id=service.id,
            title=f"Shutdowns of {service.name} take too long",
            text=f"{service.name}: {slow} of {counted(len(shares), 'hook')} in 24 h used more than {used:.0%} "
            f"of their window; the longest {max(shares):.0%}.",
            is_true=len(shares) >= least and slow > 0 and value >= share,
            value=value,
            limit=share,
            inputs={"hooks": len(shares), "slow": slow, "longest": round(max(shares), 3)},
            windows=over(WINDOW, given, value=round(value, 4)),
        )


DETECTOR = Detector(
    name="long_shutdown",
    title="Long shutdowns",
    about="Many of a service's hooks used most of the time between notice and deadline (F2, 24 h). Where no deadline "
    "is stated the provider's usual notice counts: 120 s on AWS, 30 s on Google Cloud and Azure.",
    thresholds=(
        Threshold(
            "used", "Window used", 0.8, "share", least=0.01, most=10, help="Over 1: past the deadline."
        ),
        Threshold("share", "Share of hooks", 0.5, "share", least=0.01, most=1),
        Threshold("least", "At least", 3, "hooks", least=1, most=1e6, is_whole=True),
    ),
    conditions=one_condition("Hooks use too much of their window"),
    read=read_hooks,
    judge=judge_durations,
)
