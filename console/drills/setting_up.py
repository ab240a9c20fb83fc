"""Making room for the sample fleet: teams, services, rules, feeds and a token, all of origin sample."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from django.db import transaction

from console.accounts.audit import Actor
from console.accounts.models import ApiToken, Scope, User, hash_secret
from console.accounts.tokens import TokenOrder, issue
from console.drills.sample.company import SERVICES, TEAMS
from console.drills.sample.lanes import (
    ALERTS,
    AWS,
    CLUSTER,
    GRID,
    METADATA,
    NODES,
    PUBSUB,
    RELAY,
    SCHEDULED,
    SNS,
)
from console.drills.sample.progress import SEED, FeedAddress, Progress, read_progress, write_progress
from console.drills.sample.responding import NAME
from console.drills.sample_objectives import make_objectives
from console.drills.sample_policies import make_policies, make_quiet
from console.drills.sample_rotations import make_rotations
from console.drills.sample_runbooks import RUNBOOKS, RunbookPlan
from console.feeds.connecting import FeedOrder, connect
from console.feeds.models import Feed, FeedKind, FeedToken
from console.fleet.models import AttributionRule, Service
from console.fleet.rule_changes import Draft, replace_rules
from console.fleet.service_changes import ServiceRow, save_services, save_team
from console.lib.origin import Origin
from console.runbooks.attaching import attach
from console.runbooks.editing import create, publish, to_edit
from console.runbooks.models import Runbook

ACTOR = Actor.console("sample fleet")
FLEET = "Sample fleet"


def _order(name: str, slug: str, kind: FeedKind, *, minutes: int = 0) -> FeedOrder:
    """A feed of the sample fleet; `minutes` where it speaks so often that silence means something."""
    return FeedOrder(
        name=f"Sample: {name}",
        slug=f"sample-{slug}",
        kind=kind,
        origin=Origin.SAMPLE,
        expects_within=timedelta(minutes=minutes) if minutes else None,
    )


ORDERS = {
    AWS: _order("AWS EventBridge", "aws", FeedKind.AWS_EVENTBRIDGE, minutes=15),
    SNS: _order("AWS SNS", "sns", FeedKind.AWS_SNS),
    PUBSUB: _order("GCP Pub/Sub", "gcp-pubsub", FeedKind.GCP_PUBSUB),
    METADATA: _order("GCP metadata", "gcp-metadata", FeedKind.GCP_METADATA, minutes=5),
    SCHEDULED: _order("Azure Scheduled Events", "azure-events", FeedKind.AZURE_SCHEDULED_EVENTS, minutes=5),
    GRID: _order("Azure Event Grid", "azure-grid", FeedKind.AZURE_EVENTGRID),
    CLUSTER: _order("cluster events", "clusters", FeedKind.KUBERNETES),
    ALERTS: _order("Alertmanager", "alerts", FeedKind.ALERTMANAGER, minutes=5),
    RELAY: _order("CloudEvents relay", "relay", FeedKind.CLOUDEVENTS),
    NODES: _order("node watchers", "nodes", FeedKind.NODE_REPORT, minutes=3),
}
LINKS = {
    "log_url": "https://logs.example.com/?q={{ instance_id }}&since={{ started_at }}",
    "trace_url": "https://traces.example.com/?service={{ service }}&interruption={{ interruption_key }}",
    "metric_url": "https://metrics.example.com/d/nodes?var-instance={{ instance_id }}",
}


class NotSetUp(Exception):
    """The sample fleet cannot be made; the message says why."""


def is_untouched() -> bool:
    """Nobody has connected a feed or come in besides the first administrator."""
    return not Feed.objects.exists() and User.objects.real().count() <= 1


def is_set_up(var: Path, *, now: datetime) -> bool:
    """The player's secrets open what they should."""
    progress = read_progress(var)
    if progress is None or set(progress.feeds) != set(ORDERS):
        return False
    tokens = [hash_secret(progress.token), hash_secret(progress.responder)]
    known = ApiToken.objects.usable(now=now).filter(secret_hash__in=tokens)
    secrets = [hash_secret(feed.secret) for feed in progress.feeds.values()]
    usable = FeedToken.objects.usable(now=now).filter(feed__origin=Origin.SAMPLE, secret_hash__in=secrets)
    return known.count() == len(tokens) and usable.count() == len(ORDERS)


@transaction.atomic
def set_up(var: Path, *, now: datetime, seed: int = SEED) -> bool:
    """True where it is new. Once more changes nothing; lost secrets are made anew."""
    _teams_and_services(now=now)
    _runbooks(now=now)
    make_rotations(actor=ACTOR, now=now)
    make_policies(actor=ACTOR, now=now)
    make_quiet(actor=ACTOR, now=now)
    make_objectives(actor=ACTOR, now=now)
    if is_set_up(var, now=now):
        return False
    _take_old_keys()
    feeds = {lane: _feed(order, now=now) for lane, order in ORDERS.items()}
    token = _token(FLEET, [Scope.FACTS], now=now)
    responder = _token(NAME, [Scope.READ, Scope.ACT], now=now)
    told = read_progress(var) or Progress(seed=seed, feeds={}, token="")
    write_progress(msgspec.structs.replace(told, feeds=feeds, token=token, responder=responder), var=var)
    return True


def _teams_and_services(*, now: datetime) -> None:
    origin = Origin.SAMPLE
    for slug, name in TEAMS.items():
        save_team(slug, name=name, origin=origin, actor=ACTOR, now=now)
    rows = [
        ServiceRow(
            slug=plan.slug,
            name=plan.name,
            team=plan.team,
            kind=plan.kind,  # type: ignore[arg-type]
            criticality=plan.criticality,  # type: ignore[arg-type]
            statefulness=plan.statefulness,  # type: ignore[arg-type]
            replicas_wanted=plan.wanted,
            description=plan.about,
            **LINKS,
        )
        for plan in SERVICES
    ]
    save_services(rows, origin=origin, actor=ACTOR, now=now)
    if not AttributionRule.objects.filter(origin=origin).exists():
        drafts = [Draft(plan.slug, tags={"app": plan.slug}) for plan in SERVICES]
        replace_rules(drafts, origin=origin, actor=ACTOR, now=now)


def _runbooks(*, now: datetime) -> None:
    """Once: what people changed about them stays."""
    if Runbook.objects.filter(origin=Origin.SAMPLE).exists():
        return
    for plan in RUNBOOKS:
        _runbook(plan, now=now)


def _runbook(plan: RunbookPlan, *, now: datetime) -> None:
    made = create(plan.name, summary=plan.summary, origin=Origin.SAMPLE, by=ACTOR, now=now)
    wording = replace(to_edit(made), steps=plan.steps)
    publish(made, wording, change_note="The first version.", by=ACTOR, now=now)
    for service in Service.objects.filter(origin=Origin.SAMPLE, slug__in=plan.services).order_by("pk"):
        attach(made, service=service, by=ACTOR, now=now)


def _take_old_keys() -> None:
    """Keys whose secrets are lost open nothing any more."""
    FeedToken.objects.filter(feed__origin=Origin.SAMPLE).delete()
    ApiToken.objects.filter(origin=Origin.SAMPLE, name__in=[FLEET, NAME]).delete()


def _token(name: str, scopes: list[Scope], *, now: datetime) -> str:
    order = TokenOrder(name=name, scopes=scopes, origin=Origin.SAMPLE)
    return issue(order, actor=ACTOR, now=now)[1]


def _feed(order: FeedOrder, *, now: datetime) -> FeedAddress:
    there = Feed.objects.filter(slug=order.wanted_slug).first()
    if there is not None and there.origin != Origin.SAMPLE:
        raise NotSetUp(f"The address {order.wanted_slug} belongs to another feed. Rename it first.")
    if there is not None:
        _, secret = FeedToken.issue(there, created_at=now)
        return FeedAddress(slug=there.slug, secret=secret)
    made = connect(order, by=ACTOR, now=now)
    return FeedAddress(slug=made.feed.slug, secret=made.secret)


def show_sample_to_everybody() -> None:
    """On a fresh console that is its first administrator."""
    User.objects.real().update(shown_origin=Origin.SAMPLE)
