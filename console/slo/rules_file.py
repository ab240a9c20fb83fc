"""Recording and alerting rules for those who alert in Prometheus: the same queries, windows and limits as here.

Format: Prometheus recording and alerting rules (`groups`, `rules`; `keep_firing_for` needs 2.42 or later). Only
objectives that Prometheus counts can be written; of the others, and of what differs, the file itself says so. Scalars
are written as JSON, which YAML reads as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from console.fleet.models import Criticality
from console.slo.budget import Counted
from console.slo.burn import LEAST_BAD, RULES, WINDOWS, Burning, BurnRule
from console.slo.models import Objective, Source

TOTAL, GOOD, BURN = "slo:requests:increase1m", "slo:requests_good:increase1m", "slo:error_budget_burn:ratio"
PAGED = frozenset({Criticality.CRITICAL.value, Criticality.USER_FACING.value})
KEEPS_FIRING = "15m"
HEAD = """\
# Written by Spot console from its objectives. Load it with rule_files, and check it with: promtool check rules
# The windows, limits and least failures are those of the console. What differs: Prometheus knows nothing of reclaims,
# so the eviction rule is always a ticket here; an alert is over {keeps} after it stopped holding, not after half of it.
"""


def rules_file(objectives: Iterable[Objective]) -> str:
    """The whole file. Without an objective that Prometheus counts it holds no group, which is a valid file."""
    rows = list(objectives)
    asked = [one for one in rows if one.source == Source.PROMETHEUS]
    pushed = [one for one in rows if one.source == Source.PUSHED]
    lines = [HEAD.format(keeps=KEEPS_FIRING).rstrip()]
    lines += [f"# Left out, its counts are pushed to the console: {_plain(str(one))}" for one in pushed]
    lines.append("groups:" if asked else "groups: []")
    for one in asked:
        lines += _group(one)
    return "\n".join([*lines, ""])


def _plain(text: str) -> str:
    """For a comment: on one line."""
    return " ".join(text.split())


def _group(one: Objective) -> Iterator[str]:
    labels = {"service": one.service.slug, "slo": one.slug}
    yield f"  - name: {_quoted(f'spot-console-slo-{one.service.slug}-{one.slug}')}"
    yield "    interval: 1m"
    yield "    rules:"
    yield from _record(TOTAL, one.total_query, labels)
    yield from _record(GOOD, one.good_query, labels)
    for window in WINDOWS:
        yield from _record(f"{BURN}{_short(window)}", _burn(one, window), labels)
    for rule in RULES:
        yield from _alert(one, rule, labels)


def _record(name: str, expression: str, labels: dict[str, str]) -> Iterator[str]:
    yield f"      - record: {name}"
    yield f"        expr: {_quoted(expression)}"
    yield from _labels(labels)


def _labels(labels: dict[str, str]) -> Iterator[str]:
    yield "        labels:"
    yield from (f"          {name}: {_quoted(value)}" for name, value in labels.items())


def _alert(one: Objective, rule: BurnRule, labels: dict[str, str]) -> Iterator[str]:
    limit = rule.limit(one.planned_burn)
    if not Burning(rule, limit, Counted(), Counted(), one.allowed).is_reachable:
        yield f"      # The {rule.name} rule is left out: at {one.target_text} it could never fire."
        return
    conditions = [f"{BURN}{_short(window)}{_of(one)} >= {limit:g}" for window in (rule.long, rule.short)]
    if _is_page(one, rule):
        conditions.append(f"({_bad(one, rule.long)}) >= {LEAST_BAD}")
    yield f"      - alert: {_quoted(f'ErrorBudgetBurn{rule.name.capitalize()}')}"
    yield f"        expr: {_quoted(' and '.join(conditions))}"
    yield "        for: 1m"
    yield f"        keep_firing_for: {KEEPS_FIRING}"
    yield from _labels(labels | {"severity": "page" if _is_page(one, rule) else "ticket"})
    yield "        annotations:"
    summary = f"{one.service.name} burns its error budget: {one.name}"
    yield f"          summary: {_quoted(summary)}"
    told = (
        f'{{{{ $value | printf "%.1f" }}}} times as fast as {one.target_text} allows, over {_short(rule.long)} and'
        f" {_short(rule.short)}; the limit is {limit:g}."
    )
    yield f"          description: {_quoted(told)}"


def _is_page(one: Objective, rule: BurnRule) -> bool:
    return rule.name in ("fast", "medium") and one.objective_class in PAGED


def _of(one: Objective) -> str:
    return f"{{service={_quoted(one.service.slug)},slo={_quoted(one.slug)}}}"


def _bad(one: Objective, window: timedelta) -> str:
    return f"{_sum(TOTAL, one, window)} - {_sum(GOOD, one, window)}"


def _burn(one: Objective, window: timedelta) -> str:
    """(bad/total)/(1 − SLO), of the minutes that are there."""
    return f"({_bad(one, window)}) / {_sum(TOTAL, one, window)} / {one.allowed:.10g}"


def _sum(name: str, one: Objective, window: timedelta) -> str:
    """A second short: Prometheus 2 takes both ends of a range, and would add a minute."""
    return f"sum_over_time({name}{_of(one)}[{window.total_seconds() - 1:.0f}s])"


def _short(window: timedelta) -> str:
    minutes = round(window.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 1440 else f"{minutes // 1440}d"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def of_origin(origin: str) -> Sequence[Objective]:
    """Those in force, by service."""
    found = Objective.objects.of_origin(origin).active().select_related("service")
    return list(found.order_by("service__slug", "created_at", "pk"))
