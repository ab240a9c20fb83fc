"""The first steps of a new console, worked out from what is there: nothing to tick by hand."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse

from console.accounts.models import Invitation, Role, User
from console.accounts.permissions import signed_in
from console.feeds.models import Feed
from console.fleet.models import UNATTRIBUTED, Service
from console.lib.origin import Origin

COOKIE = "first-steps"
DISMISSED_FOR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str
    url: str
    label: str
    role: Role
    is_done: bool
    may_do: bool


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What is left to do, in order; `templates/feeds/_first_steps.html` draws it as `first_steps`."""

    steps: list[Step]

    @property
    def done_count(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def next(self) -> Step | None:
        return next((step for step in self.steps if not step.is_done), None)


def first_steps(request: HttpRequest) -> FirstSteps | None:
    """None once all are done, or this browser does not want to see them any more."""
    if request.COOKIES.get(COOKIE) == "dismissed":
        return None
    user = signed_in(request)
    steps = [_step(user, *facts) for facts in _facts()]
    return None if all(step.is_done for step in steps) else FirstSteps(steps)


def _step(user: User, title: str, text: str, url: str, label: str, role: Role, is_done: bool) -> Step:
    return Step(title, text, url, label, role, is_done, user.may(role))


def _facts() -> list[tuple[str, str, str, str, Role, bool]]:
    live = Feed.objects.of_origin(Origin.LIVE)
    tested = Feed.objects.filter(test_of=OuterRef("pk")).exclude(last_accepted_at=None)
    newest = live.order_by("-pk").first()
    connect = reverse("feeds:feed_connect", args=[newest.slug]) if newest else reverse("feeds:feed_new")
    is_heard = live.exclude(last_accepted_at=None).exists() or live.filter(Exists(tested)).exists()
    has_service = Service.objects.filter(origin=Origin.LIVE).exclude(slug=UNATTRIBUTED).exists()
    has_people = User.objects.real().count() > 1 or Invitation.objects.exists()
    return [
        ("Connect a feed", "An AWS account, or a node that can run curl. Five minutes.",
         reverse("feeds:feed_new"), "Connect a feed", Role.MANAGER, newest is not None),
        ("Send a test message", "It takes the whole way in, marked as test.",
         connect, "Open the guide", Role.MANAGER, is_heard),
        ("Add your services", "So that a reclaim says who is hit, and whose it is.",
         "/services/", "Add a service", Role.MANAGER, has_service),
        ("Invite people", "Responders act, viewers read, managers set up.",
         reverse("accounts:invitation_list"), "Invite", Role.ADMIN, has_people),
    ]  # fmt: skip
