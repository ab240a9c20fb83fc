"""Alert groups for programs: reading them, and doing what a person can do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Q
from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope, User
from console.alerts import handling
from console.alerts.handling import By, NotPossible, StillFiring
from console.alerts.models import AlertGroup, GroupKind, Receipt, Regrouping, RegroupingAct, Severity
from console.alerts.queries import ORDER, Filters
from console.alerts.regrouping import acts
from console.alerts.regrouping.taking_back import take_back
from console.lib.asked import BIGGEST_ID, Span
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem

router = Router(tags=["alert groups"])
READ, ACT = TokenAuth(Scope.READ), TokenAuth(Scope.ACT)


class GroupOut(Schema):
    """One alert group."""

    id: int
    origin: str
    key: str
    kind: GroupKind
    parent: int | None
    """The wave that it stands under."""
    merged_into: int | None
    """The group that its machines were put into."""
    service: str | None
    team: str | None
    """Whose it is: the service's team, or the platform's."""
    title: str
    impact: str
    severity: str
    status: str
    resolution: str | None
    triggered_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    silenced_until: datetime | None
    """Where it is resolved: so long it would stay silent, should it open again."""
    suppressed_until: datetime | None
    suppressed_by: int | None
    members: int
    running_out: int
    earliest_deadline_at: datetime | None
    last_news_at: datetime

    @classmethod
    def of(cls, group: AlertGroup) -> GroupOut:
        """From a row with service, team and acknowledged_by selected along."""
        return cls(
            id=group.pk,
            origin=group.origin,
            key=group.key,
            kind=group.kind,
            parent=group.parent_id,
            merged_into=group.merged_into_id,
            service=group.service.slug if group.service else None,
            team=group.team.slug if group.team else None,
            title=group.title,
            impact=group.impact,
            severity=group.severity,
            status=group.status,
            resolution=group.resolution or None,
            triggered_at=group.triggered_at,
            acknowledged_at=group.acknowledged_at,
            acknowledged_by=(
                group.acknowledged_by.email if group.acknowledged_by else group.acknowledged_by_label or None
            ),
            resolved_at=group.resolved_at,
            silenced_until=group.silenced_until,
            suppressed_until=group.suppressed_until,
            suppressed_by=group.suppressed_by_id,
            members=group.member_count,
            running_out=group.running_out_count,
            earliest_deadline_at=group.earliest_deadline_at,
            last_news_at=group.last_news_at,
        )


class ReceiptOut(Schema):
    """One decision, with all that it looked at."""

    id: int
    group: int
    at: datetime
    trigger: str
    decision: str
    severity: str
    reason: str
    rule: str
    rule_version: int | None
    """Null: decided before there were rules, or by none."""
    inputs: dict[str, Any]
    windows: dict[str, Any]
    suppressions: list[dict[str, Any]]
    roster: dict[str, Any]

    @classmethod
    def of(cls, receipt: Receipt) -> ReceiptOut:
        same = {n: getattr(receipt, n) for n in cls.model_fields if n not in ("group", "rule_version")}
        version = receipt.rule_version
        return cls(**same, group=receipt.group_id, rule_version=version.number if version else None)


class GroupQuery(Span):
    """The filters of the list of groups, which were triggered at or after `since` and before `until`."""

    status: Literal["all", "open", "triggered", "acknowledged", "resolved"] = "all"
    kind: GroupKind | None = Field(
        None, description="About a service, a wave over services, or the console itself."
    )
    service: str = Field("", description="Slug of a service.")
    team: str = Field("", description="Slug of a team; `unattributed` for services without one.")
    severity: Severity | None = None
    interruption: int | None = Field(None, ge=1, le=BIGGEST_ID, description="Id of a member.")
    q: str = Field("", max_length=100, description="In title or impact; the past is searched for 30 days.")


class ActionIn(Schema):
    """What to do with a group. `minutes` for silence, `sure` to resolve what still fires, `text` for note and page,
    and the reason of whatever arranges groups.
    """

    minutes: int | None = Field(None, ge=1, le=7 * 24 * 60)
    text: str = Field("", max_length=4000)
    sure: bool = False
    person: str = Field("", max_length=254, description="E-mail address of whom to page, or to give it to.")
    into: int | None = Field(
        None, ge=1, le=BIGGEST_ID, description="Group to merge or move into, or wave to put it under."
    )
    interruptions: list[int] = Field(
        default_factory=list, max_length=10_000, description="Ids of the members to move or split off."
    )
    regrouping: int | None = Field(
        None, ge=1, le=BIGGEST_ID, description="Which merge, move, split, attach or detach to take back."
    )


@router.get("/alert-groups", response=Listing[GroupOut], auth=READ)
def group_list(
    request: HttpRequest, query: Query[GroupQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Groups, the newest first."""
    filters = Filters(**query.model_dump(exclude_none=True))
    rows = filters.narrow(AlertGroup.objects.of_origin(token_of(request).origin), now=timezone.now())
    return list_rows(
        request,
        queryset=rows.select_related("service", "team", "acknowledged_by"),
        order=ORDER,
        paging=paging,
        row=GroupOut,
        shape=lambda groups: [GroupOut.of(group) for group in groups],
    )


@router.get("/alert-groups/{int:pk}", response=GroupOut, auth=READ)
def group_get(request: HttpRequest, pk: int) -> GroupOut:
    """One group."""
    return GroupOut.of(_group(request, pk))


@router.get("/alert-groups/{int:pk}/receipts", response=Listing[ReceiptOut], auth=READ)
def group_receipts(
    request: HttpRequest, pk: int, paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Every decision about one group, the newest first: who was told, or why nobody was."""
    rows = Receipt.objects.filter(group=_group(request, pk)).select_related("rule_version")
    return list_rows(
        request,
        queryset=rows,
        order=("-pk",),
        paging=paging,
        row=ReceiptOut,
        shape=lambda receipts: [ReceiptOut.of(receipt) for receipt in receipts],
    )


class RegroupingOut(Schema):
    """What was arranged about a group by hand."""

    id: int
    act: RegroupingAct
    source: int
    """Where the machines were; of attach and detach the group itself."""
    target: int
    """Where they are now; of attach and detach the wave."""
    at: datetime
    by: str
    reason: str
    interruptions: list[int]
    taken_back_at: datetime | None

    @classmethod
    def of(cls, one: Regrouping) -> RegroupingOut:
        return cls(
            id=one.pk,
            act=RegroupingAct(one.act),
            source=one.source_id,
            target=one.target_id,
            at=one.at,
            by=one.who,
            reason=one.reason,
            interruptions=[member[0] for member in one.members],
            taken_back_at=one.taken_back_at,
        )


@router.get("/alert-groups/{int:pk}/regroupings", response=Listing[RegroupingOut], auth=READ)
def group_regroupings(
    request: HttpRequest, pk: int, paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """What was arranged about one group by hand, the newest first."""
    group = _group(request, pk)
    rows = Regrouping.objects.filter(Q(source=group) | Q(target=group)).select_related("by")
    return list_rows(
        request,
        queryset=rows,
        order=("-pk",),
        paging=paging,
        row=RegroupingOut,
        shape=lambda acts: [RegroupingOut.of(one) for one in acts],
    )


@router.post("/alert-groups/{int:pk}/{verb}", response=GroupOut, auth=ACT)
def group_act(request: HttpRequest, pk: int, verb: str, given: ActionIn) -> GroupOut:
    """acknowledge, assign, keep, unacknowledge, escalate, page, resolve, reopen, silence, unsilence, note,
    merge, move, split, attach, detach or take-back.

    Twice is harmless.
    """
    _group(request, pk)
    by, now = By(user=None, actor=Actor.of(request)), timezone.now()
    try:
        if not _arrange(verb, pk, given, by=by, now=now):
            _do(verb, pk, given, by=by, now=now)
    except StillFiring as firing:
        raise Problem(
            409, code="still_firing", detail=f"{firing} Say `sure` to resolve all the same."
        ) from firing
    except NotPossible as refusal:
        raise Problem(409, code="not_possible", detail=str(refusal)) from refusal
    return GroupOut.of(_group(request, pk))


def _arrange(verb: str, pk: int, given: ActionIn, *, by: By, now: datetime) -> bool:
    """What `regrouping` does. False: it is none of these, or what it needs is not given."""
    asked: dict[str, Any] = {"reason": given.text, "by": by, "now": now}
    match verb:
        case "merge" if given.into is not None:
            acts.merge(pk, given.into, **asked)
        case "move" if given.into is not None:
            acts.move_members(pk, given.into, given.interruptions, **asked)
        case "split":
            acts.split(pk, given.interruptions, **asked)
        case "attach" if given.into is not None:
            acts.attach(pk, given.into, **asked)
        case "detach":
            acts.detach(pk, **asked)
        case "take-back" if given.regrouping is not None:
            found = Regrouping.objects.filter(Q(source=pk) | Q(target=pk), pk=given.regrouping).first()
            if found is None:
                raise NotPossible("Nothing of that number was arranged about this group.")
            take_back(found.pk, by=by, now=now)
        case _:
            return False
    return True


def _do(verb: str, pk: int, given: ActionIn, *, by: By, now: datetime) -> None:
    match verb:
        case "acknowledge":
            handling.acknowledge(pk, by=by, now=now)
        case "unacknowledge":
            handling.unacknowledge(pk, by=by, now=now)
        case "resolve":
            handling.resolve(pk, by=by, now=now, is_sure=given.sure)
        case "reopen":
            handling.reopen(pk, by=by, now=now)
        case "silence" if given.minutes is not None:
            handling.silence(pk, until=now + timedelta(minutes=given.minutes), by=by, now=now)
        case "unsilence":
            handling.unsilence(pk, by=by, now=now)
        case "note":
            handling.add_note(pk, given.text, by=by, now=now)
        case "keep":
            handling.keep(pk, by=by, now=now)
        case "escalate":
            handling.escalate(pk, by=by, now=now)
        case "page" if given.person:
            person = User.objects.filter(email=given.person.lower(), is_active=True).first()
            handling.page(pk, person.pk if person else 0, text=given.text, by=by, now=now)
        case "assign" if given.person:
            person = User.objects.filter(email=given.person.lower(), is_active=True).first()
            handling.assign(pk, person.pk if person else 0, by=by, now=now)
        case _:
            detail = (
                "Use acknowledge, keep, unacknowledge, escalate, page and assign (with person), resolve, reopen,"
                " silence (with minutes), unsilence, note, merge and attach (with into), move (with into and"
                " interruptions), split (with interruptions), detach or take-back (with regrouping)."
            )
            raise Problem(422, code="unknown_action", detail=detail)


def _group(request: HttpRequest, pk: int) -> AlertGroup:
    rows = AlertGroup.objects.of_origin(token_of(request).origin).select_related(
        "service", "team", "acknowledged_by"
    )
    return get_object_or_404(rows, pk=pk)
