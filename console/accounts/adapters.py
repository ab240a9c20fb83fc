"""How the console bends django-allauth: nobody signs up by themselves, groups decide about roles."""

from __future__ import annotations

import logging
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from console.accounts.audit import Actor, address_of, record
from console.accounts.models import User
from console.accounts.sign_on import GroupRoles, described_by, follow_groups, is_proven, merged_claims
from console.lib.sealing import seal, unseal

logger = logging.getLogger(__name__)

# What allauth reports about a person's own account, in the words of the audit trail.
OWN_CHANGES = {
    "account/email/password_changed": "user.password",
    "account/email/password_reset": "user.password_reset",
    "account/email/password_set": "user.password",
    "mfa/email/totp_activated": "user.totp_add",
    "mfa/email/totp_deactivated": "user.totp_remove",
    "mfa/email/recovery_codes_generated": "user.recovery_codes",
    "mfa/email/webauthn_added": "user.passkey_add",
    "mfa/email/webauthn_removed": "user.passkey_remove",
    "socialaccount/email/account_connected": "user.sign_on_connect",
    "socialaccount/email/account_disconnected": "user.sign_on_disconnect",
}


class InvitationOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The sign-up page stays closed: `console.accounts.invitations` is the way in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def post_login(self, request: HttpRequest, user: User, **known: Any) -> HttpResponse:
        record(
            Actor.person(user, address=address_of(request)),
            action="session.start",
            subject=user,
            now=timezone.now(),
        )
        return cast(HttpResponse, super().post_login(request, user, **known))

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """allauth calls this after each change to a person's own account, so the trail is kept here."""
        record(
            Actor.person(user, address=address_of(self.request)),
            action=OWN_CHANGES.get(template_prefix, f"user.{template_prefix.rpartition('/')[2]}"),
            subject=user,
            now=timezone.now(),
        )
        super().send_notification_mail(template_prefix, user, context, email)


class GroupRoleAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The identity provider says who a person is and, through groups, what they may do."""

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """An account is linked to the address only when the provider has proven the address."""
        if not is_proven(described_by(sociallogin.account.extra_data)):
            return None
        return super().authenticate_by_email(sociallogin)  # type: ignore[no-any-return]

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        user.email = user.email.lower()
        user.name = data.get("name") or " ".join(
            filter(None, [data.get("first_name"), data.get("last_name")])
        )
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.state.get("process") == "connect":
            return
        role = GroupRoles.configured().role_of(merged_claims(sociallogin.account.extra_data))
        actor = Actor.sign_on(sociallogin.provider.name, request)
        if not sociallogin.is_existing:
            self._admit(request, sociallogin, has_role=role is not None)
            sociallogin.user.role = role
        elif role is not None:
            follow_groups(sociallogin.user, role=role, actor=actor, now=timezone.now())
        elif GroupRoles.configured().roles:
            _refuse(request, "no_group")

    def _admit(self, request: HttpRequest, sociallogin: SocialLogin, *, has_role: bool) -> None:
        if not has_role:
            _refuse(request, "no_group")
        if not sociallogin.user.email:
            _refuse(request, "no_address")
        if User.objects.filter(email=sociallogin.user.email).exists():
            _refuse(request, "unproven_address")

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **known: Any
    ) -> None:
        logger.warning(
            "sign_on.failed", exc_info=exception, extra={"provider": str(provider.name), "error": str(error)}
        )

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever gets as far as this has been admitted by `pre_social_login`."""
        return True

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        record(
            Actor.sign_on(sociallogin.provider.name, request),
            action="user.create",
            subject=user,
            after={"role": user.role, "name": user.name},
            now=timezone.now(),
        )
        return user


class SealedSecretsAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The secrets of authenticator apps and recovery codes are unreadable in a copy of the database."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Spot console"}


def _refuse(request: HttpRequest, reason: str) -> None:
    page = render(request, "accounts/sign_on_refused.html", {"reason": reason}, status=403)
    raise ImmediateHttpResponse(page)
