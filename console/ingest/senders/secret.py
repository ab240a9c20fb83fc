"""The secret a request carries, which opens one feed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import parse_qs


def secret_of(headers: Mapping[str, str], query: str) -> str:
    """Bearer, `X-Api-Key`, the password of Basic, or `?token=`."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            _, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:  # neither base64 nor UTF-8
            return ""
        return password
    if "x-api-key" in headers:
        return headers["x-api-key"].strip()
    return parse_qs(query).get("token", [""])[0] if "token=" in query else ""
