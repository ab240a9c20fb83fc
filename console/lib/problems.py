"""Errors as RFC 9457 problem JSON: what is wrong, in a code for programs and a sentence for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import JsonResponse

CONTENT_TYPE = "application/problem+json"


def problem(
    status: int, *, code: str, detail: str, headers: dict[str, str] | None = None, **more: object
) -> JsonResponse:
    """`{"type", "title", "status", "code", "detail", …}`. `detail` says what to do; `more` adds members."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {"code": code, "detail": detail, **more}
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)


class Problem(Exception):
    """Raised where the API cannot do what was asked; answered as problem JSON."""

    def __init__(self, status: int, *, code: str, detail: str, **more: Any) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.more = more

    def response(self) -> JsonResponse:
        return problem(self.status, code=self.code, detail=self.detail, **self.more)
