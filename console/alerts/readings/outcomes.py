"""How often hooks of a service ended in one way: the judgement that failed and partial hooks share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.alerts.detecting import Given, Judge, Judged, counted, over
from console.alerts.readings.hooks import WINDOW, HookRow
from console.alerts.readings.sorting import by_service


def outcomes_judge(outcome: str, *, verb: str, title: str) -> Judge:
    """Holds from `least` such hooks on that are `share` of all hooks of the service."""

    def judge(rows: Iterable[HookRow], given: Given) -> Iterator[Judged]:
        least, share = given.limits["least"], given.limits["share"]
        for service, hooks in by_service(rows, given):
            count = sum(hook.outcome == outcome for hook in hooks)
            yield Judged(
                scope=service.slug,
                origin=service.origin,
                service_id=service.id,
                title=title.format(name=service.name),
                text=f"{service.name}: {count} of {counted(len(hooks), 'hook')} {verb} in 24 h.",
                is_true=count >= least and count / len(hooks) >= share,
                value=float(count),
                limit=least,
                inputs={"hooks": len(hooks), outcome: count},
                windows=over(WINDOW, given, value=count),
            )

    return judge
