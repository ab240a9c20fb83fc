"""How the console bends django-allauth: nobody signs up by themselves, and groups decide about roles."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest


class InvitationOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The sign-up page stays closed: `console.accounts.invitations` is the way in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class GroupRoleAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Single sign-on."""
