"""Single sign-on: what the identity provider's claims mean for a person's role here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from console.accounts.audit import Actor, record
from console.accounts.models import Role, User
from console.accounts.people import LastAdministrator, change_role


@dataclass(frozen=True, slots=True)
class GroupRoles:
    """Which group gives which role, and the role of those whom no group names."""

    claim: str
    roles: Mapping[str, Role]
    default: Role | None

    @classmethod
    def configured(cls) -> GroupRoles:
        roles = {group: Role(role) for group, role in settings.OIDC_GROUP_ROLES.items()}
        default = Role(settings.OIDC_DEFAULT_ROLE) if settings.OIDC_DEFAULT_ROLE else None
        return cls(settings.OIDC_GROUPS_CLAIM, roles, default)

    def role_of(self, claims: Mapping[str, Any]) -> Role | None:
        """The highest role that a group gives, else the default, else none."""
        given = [self.roles[group] for group in groups_in(claims, self.claim) if group in self.roles]
        return max(given, key=list(Role).index) if given else self.default


def groups_in(claims: Mapping[str, Any], claim: str) -> list[str]:
    """The groups named by a claim. `realm_access.roles` reaches into nested claims."""
    value: Any = claims.get(claim)
    if value is None:
        value = claims
        for step in claim.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return [value]
    return [str(group) for group in value] if isinstance(value, Iterable) else []


def merged_claims(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the provider said in both places. The signed token has the last word."""
    return {**(data.get("userinfo") or {}), **(data.get("id_token") or {})}


def described_by(data: Mapping[str, Any]) -> dict[str, Any]:
    """The one source that allauth takes the address from: its proof must come from the same."""
    return data.get("userinfo") or data.get("id_token") or {}


def is_proven(claims: Mapping[str, Any]) -> bool:
    """Whether the provider vouches for the address. Some send the word instead of the truth value."""
    return claims.get("email_verified") in (True, "true")


def follow_groups(user: User, *, role: Role, actor: Actor, now: datetime) -> None:
    """Give the role that the groups say. The last administrator stays one, and the trail says why."""
    try:
        change_role(user, role=role, by=actor, now=now)
    except LastAdministrator as error:
        record(
            actor,
            action="user.role_kept",
            subject=user,
            before={"role": user.role},
            after={"role": user.role, "groups_say": role, "why": str(error)},
            now=now,
        )
