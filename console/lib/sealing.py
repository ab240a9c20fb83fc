"""Secrets that must be read back: encrypted at rest, with a key that may be rotated.

What was sealed with an earlier SECRET_KEY opens as long as that stands in SECRET_KEY_FALLBACKS.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotUnseal(Exception):
    """It was sealed with a key that is not known any more."""


def seal(text: str) -> str:
    """Encrypted with the newest key."""
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotUnseal(
            "This secret was sealed with another SECRET_KEY. Put that one into SECRET_KEY_FALLBACKS, or enter"
            " the secret again."
        ) from error


def resealed(sealed: str) -> str:
    """The same secret under the newest key."""
    return seal(unseal(sealed))


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in settings.SECRETS_KEYS])
