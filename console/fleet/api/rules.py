"""Attribution rules for programs: one ordered list, read and replaced as a whole."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.fleet.models import AttributionRule
from console.fleet.rule_changes import CONDITION_FIELDS, BadRule, Draft, replace_rules
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem

router = Router(tags=["attribution rules"])


class RuleIn(Schema, extra="forbid"):
    """Machines that fit every condition given belong to the service; the first rule that fits wins."""

    service: str = Field(max_length=64)
    provider: str = Field("", max_length=16)
    account: str = Field("", max_length=128)
    region: str = Field("", max_length=64)
    namespace: str = Field("", max_length=128)
    node_pool: str = Field("", max_length=128)
    tags: dict[str, str] = {}


class RuleOut(Schema):
    """A rule and its place."""

    position: int
    service: str
    provider: str
    account: str
    region: str
    namespace: str
    node_pool: str
    tags: dict[str, str]


class RulesReplaced(Schema):
    """How many rules stand now, and how many machines belong to another service than before."""

    rules: int
    moved: int


@router.get("/attribution-rules", response=Listing[RuleOut], auth=TokenAuth(Scope.READ))
def rule_list(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any] | StreamingHttpResponse:
    """Rules in the order in which they are asked."""
    rules = AttributionRule.objects.filter(origin=token_of(request).origin).select_related("service")
    order = ["position", "pk"]
    return list_rows(request, queryset=rules, order=order, paging=paging, row=RuleOut, shape=_shape)


def _shape(rules: list[AttributionRule]) -> list[RuleOut]:
    return [
        RuleOut(
            position=rule.position,
            service=rule.service.slug,
            tags=rule.tags,
            **{name: getattr(rule, name) for name in CONDITION_FIELDS},
        )
        for rule in rules
    ]


@router.put("/attribution-rules", response=RulesReplaced, auth=TokenAuth(Scope.MANAGE))
def rule_replace(request: HttpRequest, payload: list[RuleIn]) -> dict[str, int]:
    """Put this list in place of the one there is; machines are attributed anew."""
    drafts = [Draft(**rule.model_dump()) for rule in payload]
    try:
        moved = replace_rules(
            drafts, origin=token_of(request).origin, actor=Actor.of(request), now=timezone.now()
        )
    except BadRule as error:
        raise Problem(422, code="invalid", detail=str(error)) from error
    return {"rules": len(drafts), "moved": len(moved)}
