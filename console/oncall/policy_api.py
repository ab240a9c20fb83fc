"""Escalation policies for programs: reading them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.lib.cursor import Listing, Paging, list_rows
from console.oncall.models import EscalationPolicy
from console.oncall.policies import freeze

router = Router(tags=["schedules"])
READ = TokenAuth(Scope.READ)
ORDER = ("slug", "pk")


class TargetOut(Schema):
    kind: str
    name: str


class LevelOut(Schema):
    wait_minutes: int
    """How long this level has before the next one is told."""
    targets: list[TargetOut]


class PolicyOut(Schema):
    """One escalation policy that is in use, and what it holds for."""

    slug: str
    name: str
    version: int
    team: str | None
    repeats: int
    acknowledged_minutes: int
    levels: list[LevelOut]
    services: list[str]
    teams: list[str]
    is_default: bool


@router.get("/escalation-policies", response=Listing[PolicyOut], auth=READ)
def policy_list(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any] | StreamingHttpResponse:
    """Policies by slug."""
    rows = EscalationPolicy.objects.in_use().filter(origin=token_of(request).origin).select_related("team")
    return list_rows(
        request,
        queryset=rows.prefetch_related("uses__service", "uses__team"),
        order=ORDER,
        paging=paging,
        row=PolicyOut,
        shape=_shape,
    )


def _shape(policies: Sequence[EscalationPolicy]) -> list[PolicyOut]:
    frozen = freeze([policy.pk for policy in policies])
    return [_out(policy, frozen[policy.pk].as_json["levels"]) for policy in policies]


def _out(policy: EscalationPolicy, levels: list[dict[str, Any]]) -> PolicyOut:
    uses = list(policy.uses.all())
    return PolicyOut(
        slug=policy.slug,
        name=policy.name,
        version=policy.version,
        team=policy.team.slug if policy.team else None,
        repeats=policy.repeats,
        acknowledged_minutes=policy.acknowledged_minutes,
        levels=[LevelOut(**level) for level in levels],
        services=sorted(use.service.slug for use in uses if use.service),
        teams=sorted(use.team.slug for use in uses if use.team),
        is_default=any(use.service is None and use.team is None for use in uses),
    )
