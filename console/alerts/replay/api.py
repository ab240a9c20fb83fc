"""Replays for programs: ask for one, watch its bar, read what would have been different."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from console.accounts.api_auth import TokenAuth, token_of
from console.accounts.audit import Actor
from console.accounts.models import Scope
from console.alerts import rule_editing
from console.alerts.handling import By
from console.alerts.models import Replay, ReplayEpisode, Rule, Severity
from console.alerts.replay import asking, queries
from console.alerts.replay.asking import Refused
from console.alerts.rule_editing import NotPublishable, Wording
from console.alerts.suppression.api import SuppressionIn, draft_of
from console.alerts.suppression.draft import Refused as SuppressionRefused
from console.lib.cursor import Listing, Paging, list_rows
from console.lib.problems import Problem

router = Router(tags=["replays"])
READ, MANAGE = TokenAuth(Scope.READ), TokenAuth(Scope.MANAGE)


class ReplayOut(Schema):
    """One replay. `result` is empty until it is done: totals on record, by the rules in force and by the draft."""

    id: int
    kind: str
    rule: str | None
    compared_with: int | None
    days: int
    since: datetime
    until: datetime
    state: str
    progress: int
    doing: str
    draft: dict[str, Any]
    sentence: str | None
    result: dict[str, Any]
    error: str | None
    created_at: datetime
    created_by: str
    finished_at: datetime | None
    published_version: int | None

    @classmethod
    def of(cls, row: Replay) -> ReplayOut:
        """From a row with rule, compared_with, created_by and published_version selected along."""
        names = ("kind", "days", "since", "until", "state", "progress", "doing", "draft", "result")
        return cls(
            **{name: getattr(row, name) for name in names},
            id=row.pk,
            rule=row.rule.slug if row.rule else None,
            compared_with=row.compared_with.number if row.compared_with else None,
            sentence=queries.sentence_of(row) if row.result else None,
            error=row.error or None,
            created_at=row.created_at,
            created_by=row.maker,
            finished_at=row.finished_at,
            published_version=row.published_version.number if row.published_version else None,
        )


class EpisodeOut(Schema):
    """One group of which somebody is told, under the rules in force (`now_…`) or under the draft (`draft_…`)."""

    key: str
    title: str
    service: str | None
    severity: str
    opened_at: datetime
    difference: str
    is_missed: bool
    now_decision: str | None
    now_at: datetime | None
    now_pages: int
    now_people: list[str]
    now_reason: str
    draft_decision: str | None
    draft_at: datetime | None
    draft_pages: int
    draft_people: list[str]
    draft_reason: str
    minutes: int | None
    group: int | None
    recorded: str | None

    @classmethod
    def of(cls, row: ReplayEpisode) -> EpisodeOut:
        """From a row with its service selected along."""
        names = ("key", "title", "severity", "opened_at", "difference", "is_missed", "minutes")
        sides = [
            f"{side}_{name}" for side in ("now", "draft") for name in ("at", "pages", "people", "reason")
        ]
        return cls(
            **{name: getattr(row, name) for name in (*names, *sides)},
            service=row.service.slug if row.service else None,
            now_decision=row.now_decision or None,
            draft_decision=row.draft_decision or None,
            group=row.group_id,
            recorded=row.recorded or None,
        )


class ReplayIn(Schema):
    """A draft of a rule: what is given replaces what its draft, or its version in force, says."""

    rule: str = Field(..., description="Slug of the rule.")
    days: Literal[30, 90] = 30
    is_enabled: bool | None = None
    scope: dict[str, str] | None = None
    thresholds: dict[str, float] = Field(default_factory=dict)
    table: dict[str, dict[str, str]] = Field(default_factory=dict)
    severity: Severity | None = None
    evaluations: int | None = Field(None, ge=1, le=60)
    resolve_after_s: float | None = Field(None, ge=0, le=1e9)
    cooldown_s: float | None = Field(None, ge=0, le=1e9)
    group_by: str | None = None


class SuppressionReplayIn(SuppressionIn):
    """A suppression as it would be planned, and the days to lay it over."""

    days: Literal[30, 90] = 30


class EpisodeQuery(Schema):
    """Filters; all that are given must hold."""

    difference: str = Field("", description="`any`: what differs; or one of the differences.")
    decision: Literal["", "page", "ticket"] = Field("", description="Under the rules in force or the draft.")
    q: str = Field("", max_length=100, description="Words of the title, or a service's slug.")
    missed: bool = False


@router.get("/replays", auth=READ, response=Listing[ReplayOut])
def replay_list(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any] | StreamingHttpResponse:
    """Every replay of the token's data origin, the newest first."""
    return list_rows(
        request,
        queryset=_rows(request),
        order=("-created_at", "-pk"),
        paging=paging,
        row=ReplayOut,
        shape=lambda rows: [ReplayOut.of(row) for row in rows],
    )


@router.post("/replays", auth=MANAGE, response={202: ReplayOut})
def replay_ask(request: HttpRequest, given: ReplayIn) -> tuple[int, ReplayOut]:
    """Ask for one; a worker begins within seconds. Nothing is told to anybody, and no rule changes."""
    rule = get_object_or_404(Rule, slug=given.rule)
    version = rule_editing.draft_of(rule) or rule_editing.newest(rule)
    if version is None:
        raise Problem(409, code="no_version", detail="The rule has no version to begin with.")
    by = By(user=None, actor=Actor.of(request))
    try:
        row = asking.ask_for_rule(
            rule,
            _wording(Wording.of(version), given),
            days=given.days,
            origin=token_of(request).origin,
            by=by,
            now=timezone.now(),
        )
    except (Refused, NotPublishable) as error:
        raise Problem(422, code="cannot_replay", detail=str(error)) from error
    return 202, ReplayOut.of(_rows(request).get(pk=row.pk))


@router.post("/replays/suppression", auth=MANAGE, response={202: ReplayOut})
def replay_ask_suppression(request: HttpRequest, given: SuppressionReplayIn) -> tuple[int, ReplayOut]:
    """The same of a suppression that is not made yet; the body is that of `POST /suppressions`, and `days`."""
    now, by = timezone.now(), By(user=None, actor=Actor.of(request))
    try:
        row = asking.ask_for_suppression(draft_of(request, given, now=now), days=given.days, by=by, now=now)
    except (Refused, SuppressionRefused) as error:
        raise Problem(422, code="cannot_replay", detail=str(error)) from error
    return 202, ReplayOut.of(_rows(request).get(pk=row.pk))


@router.get("/replays/{int:pk}", auth=READ, response=ReplayOut)
def replay_get(request: HttpRequest, pk: int) -> ReplayOut:
    """One replay: ask again until its state is `done`."""
    return ReplayOut.of(get_object_or_404(_rows(request), pk=pk))


@router.post("/replays/{int:pk}/cancel", auth=MANAGE, response=ReplayOut)
def replay_cancel(request: HttpRequest, pk: int) -> ReplayOut:
    """Stop it. One that is over already stays as it is."""
    asking.cancel(get_object_or_404(_rows(request), pk=pk), by=Actor.of(request), now=timezone.now())
    return ReplayOut.of(_rows(request).get(pk=pk))


@router.get("/replays/{int:pk}/episodes", auth=READ, response=Listing[EpisodeOut])
def episode_list(
    request: HttpRequest, pk: int, query: Query[EpisodeQuery], paging: Query[Paging]
) -> dict[str, Any] | StreamingHttpResponse:
    """Episode by episode, the newest first."""
    replay = get_object_or_404(_rows(request), pk=pk)
    filters = queries.Filters(query.difference, query.decision, query.q.strip(), query.missed)
    return list_rows(
        request,
        queryset=filters.narrow(replay.episodes.select_related("service")),
        order=("-opened_at", "-pk"),
        paging=paging,
        row=EpisodeOut,
        shape=lambda rows: [EpisodeOut.of(row) for row in rows],
    )


def _rows(request: HttpRequest) -> Any:
    rows = Replay.objects.of_origin(token_of(request).origin)
    return rows.select_related("rule", "compared_with", "created_by", "published_version")


def _wording(wording: Wording, given: ReplayIn) -> Wording:
    changed: dict[str, Any] = {
        name: value
        for name in ("is_enabled", "scope", "severity", "evaluations", "group_by")
        if (value := getattr(given, name)) is not None
    }
    for name in ("resolve_after", "cooldown"):
        if (seconds := getattr(given, f"{name}_s")) is not None:
            changed[name] = timedelta(seconds=seconds)
    names = Wording.__dataclass_fields__
    said = {name: getattr(wording, name) for name in names} | changed
    said["thresholds"] = {**wording.thresholds, **given.thresholds}
    said["table"] = {**wording.table, **given.table}
    return Wording(**said)
