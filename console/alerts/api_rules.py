"""Rules for programs: what is watched for, in which version, and where it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.db.models import Q
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.models import Scope
from console.alerts.models import Rule, RuleState, RuleVersion
from console.alerts.registry import known
from console.alerts.rule_queries import RuleRow, rule_rows
from console.lib.cursor import Listing, Paging, list_rows

router = Router(tags=["rules"])
READ = TokenAuth(Scope.READ)


class VersionOut(Schema):
    """One published version: frozen."""

    number: int
    is_enabled: bool
    scope: dict[str, str]
    thresholds: dict[str, float]
    table: dict[str, dict[str, str]]
    severity: str
    evaluations: int
    resolve_after_s: float
    cooldown_s: float
    group_by: str
    change_note: str
    published_at: datetime
    published_by: str | None

    @classmethod
    def of(cls, version: RuleVersion) -> VersionOut:
        names = (
            "number",
            "is_enabled",
            "scope",
            "thresholds",
            "table",
            "severity",
            "evaluations",
            "group_by",
        )
        by = version.published_by
        return cls(
            **{name: getattr(version, name) for name in names},
            resolve_after_s=version.resolve_after.total_seconds(),
            cooldown_s=version.cooldown.total_seconds(),
            change_note=version.change_note,
            published_at=version.published_at or version.saved_at,
            published_by=by.email if by else None,
        )


class RuleOut(Schema):
    """A rule. `version` is the newest published one; `firing` and `told_30d` are of the token's data origin."""

    slug: str
    name: str
    detector: str
    kind: Literal["sampled", "event"]
    team: str | None
    runbook: str | None
    state: str
    firing: int
    pending: int
    told_30d: dict[str, int]
    last_told_at: datetime | None
    evaluated_at: datetime | None
    version: VersionOut | None

    @classmethod
    def of(cls, row: RuleRow) -> RuleOut:
        rule = row.rule
        return cls(
            slug=rule.slug,
            name=rule.name,
            detector=rule.detector,
            kind=row.detector.kind.value,
            team=rule.team.slug if rule.team else None,
            runbook=rule.runbook.slug if rule.runbook else None,
            state=row.state,
            firing=row.firing,
            pending=row.pending,
            told_30d=dict(row.told),
            last_told_at=row.last_told_at,
            evaluated_at=rule.evaluated_at,
            version=VersionOut.of(row.version) if row.version else None,
        )


class StateOut(Schema):
    """Where a sampled rule stands with one scope."""

    rule: str
    scope: str
    standing: str
    severity: str
    value: float | None
    limit: float | None
    text: str
    in_a_row: int
    true_since: datetime
    fired_at: datetime | None
    evaluated_at: datetime
    group: int | None


class RuleQuery(Schema):
    """Filters; all that are given must hold."""

    detector: str = Field("", description="Name of a detector.")
    service: str = Field("", description="Slug of a service that the rule's scope names.")


@router.get("/rules", auth=READ, response=Listing[RuleOut])
def rule_list(
    request: HttpRequest, query: Query[RuleQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Every rule, by slug."""
    rows = Rule.objects.filter(detector__in=[query.detector] if query.detector else list(known()))
    if query.service:
        rows = rows.filter(versions__scope__service=query.service).distinct()
    shown = {row.rule.pk: row for row in rule_rows(origin=token_of(request).origin, now=timezone.now())}
    return list_rows(
        request,
        queryset=rows,
        order=("slug", "pk"),
        paging=paging,
        row=RuleOut,
        shape=lambda rules: [RuleOut.of(shown[rule.pk]) for rule in rules],
    )


@router.get("/rules/{slug}", auth=READ, response=RuleOut)
def rule_get(request: HttpRequest, slug: str) -> RuleOut:
    """One rule."""
    for row in rule_rows(origin=token_of(request).origin, now=timezone.now()):
        if row.rule.slug == slug:
            return RuleOut.of(row)
    raise Http404


@router.get("/rules/{slug}/versions", auth=READ, response=Listing[VersionOut])
def version_list(
    request: HttpRequest, slug: str, paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Its published versions, the newest first."""
    rows = RuleVersion.objects.published().filter(rule=_rule(slug)).select_related("published_by")
    return list_rows(
        request,
        queryset=rows,
        order=("-number", "-pk"),
        paging=paging,
        row=VersionOut,
        shape=lambda versions: [VersionOut.of(version) for version in versions],
    )


@router.get("/rules/{slug}/states", auth=READ, response=Listing[StateOut])
def state_list(
    request: HttpRequest, slug: str, paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Where it stands, scope by scope. What does not hold has no row."""
    rows = RuleState.objects.filter(Q(rule=_rule(slug)), origin=token_of(request).origin).select_related(
        "rule"
    )
    return list_rows(
        request,
        queryset=rows,
        order=("scope", "pk"),
        paging=paging,
        row=StateOut,
        shape=lambda states: [_state(state) for state in states],
    )


def _rule(slug: str) -> Rule:
    rule = Rule.objects.filter(slug=slug).first()
    if rule is None:
        raise Http404
    return rule


def _state(state: RuleState) -> StateOut:
    names = (
        "scope",
        "standing",
        "severity",
        "value",
        "limit",
        "text",
        "true_since",
        "fired_at",
        "evaluated_at",
    )
    return StateOut(
        **{name: getattr(state, name) for name in names},
        rule=state.rule.slug,
        in_a_row=state.true_count,
        group=state.group_id,
    )
