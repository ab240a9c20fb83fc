"""Programs at the API's door: a bearer token with the scope the call needs."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import HttpError
from ninja.security import HttpBearer

from console.accounts.models import ApiToken, Scope, hash_secret


class TokenAuth(HttpBearer):
    """`auth=TokenAuth(Scope.READ)`: 401 without a usable token, 403 when it lacks the scope."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        now = timezone.now()
        known = ApiToken.objects.usable(now=now).filter(secret_hash=hash_secret(token.strip())).first()
        if known is None:
            return None
        if self.scope not in known.scopes:
            raise HttpError(403, f"The token {known.name} lacks the scope {self.scope.value}.")
        known.note_use(now=now)
        return known


def token_of(request: HttpRequest) -> ApiToken:
    """The token this call came with; its origin is the one the call reads and writes."""
    token = getattr(request, "auth", None)
    if not isinstance(token, ApiToken):
        raise LookupError("The call was not let in by a token.")
    return token
