"""Whom Meridian wakes, in which order, and what it keeps quiet on purpose."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from console.accounts.audit import Actor
from console.alerts.handling import By
from console.alerts.models import Suppression, SuppressionKind
from console.alerts.suppression import making
from console.alerts.suppression.draft import Draft as Quiet
from console.alerts.suppression.recurrence import Rule
from console.alerts.suppression.scoping import parse_scopes
from console.fleet.models import Team
from console.lib.origin import Origin
from console.oncall import policy_editing
from console.oncall.models import EscalationPolicy, Rotation
from console.oncall.policy_editing import Draft, LevelDraft

PLATFORM = "platform"
ITS_OWN = (("checkout", 5), ("search", 10), ("media", 10), ("edge", 5))
"""Teams with a policy of their own: their rotation, and after so many minutes the platform's."""


def make_policies(*, actor: Actor, now: datetime) -> None:
    """Once, after the rotations: what people changed about them stays."""
    if EscalationPolicy.objects.filter(origin=Origin.SAMPLE).exists():
        return
    teams = {team.slug: team for team in Team.objects.filter(origin=Origin.SAMPLE)}
    turns = {turn.team.slug: turn for turn in Rotation.objects.filter(origin=Origin.SAMPLE).select_related("team")
             if turn.team}  # fmt: skip
    platform = LevelDraft(15, (("rotation", turns[PLATFORM].pk), ("team", teams[PLATFORM].pk)))
    first = LevelDraft(10, (("rotation", turns[PLATFORM].pk),))
    everyone = Draft(name="Platform first", slug="sample-platform", team_id=teams[PLATFORM].pk,
                     levels=(first, platform))  # fmt: skip
    default = policy_editing.create(everyone, origin=Origin.SAMPLE, by=actor, now=now)
    policy_editing.use(default, by=actor, now=now)
    for slug, minutes in ITS_OWN:
        team = teams[slug]
        levels = (LevelDraft(minutes, (("rotation", turns[slug].pk),)), first, platform)
        draft = Draft(
            name=f"{team.name}, then platform", slug=f"sample-{slug}", team_id=team.pk, levels=levels
        )
        policy = policy_editing.create(draft, origin=Origin.SAMPLE, by=actor, now=now)
        policy_editing.use(policy, team=team, by=actor, now=now)


def make_quiet(*, actor: Actor, now: datetime) -> None:
    """A window that comes every week: nodes of the batch services are replaced on Tuesday nights."""
    if Suppression.objects.filter(origin=Origin.SAMPLE).exists():
        return
    tuesday = now.astimezone(UTC).date() + timedelta(days=(1 - now.weekday()) % 7 or 7)
    draft = Quiet(
        origin=Origin.SAMPLE,
        kind=SuppressionKind.MAINTENANCE,
        name="Weekly node image",
        reason="The nodes of the batch services are replaced one after the other",
        scopes=parse_scopes(("service:search-indexer", "service:clickstream-etl"), origin=Origin.SAMPLE),
        starts_at=datetime.combine(tuesday, time(1), tzinfo=UTC),
        duration=timedelta(hours=2),
        rule=Rule.parse("FREQ=WEEKLY;BYDAY=TU"),
        time_zone="Europe/Berlin",
    )
    making.make(draft, by=By(None, actor), now=now)
