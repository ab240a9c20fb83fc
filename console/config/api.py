"""The API at `/api/v1/`: one `NinjaAPI`, one router a room, every error as problem JSON.

There is no interactive page: those of the libraries load scripts from elsewhere, which the content
security policy forbids. `/api/v1/openapi.json` describes everything.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from ninja import Router
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from ninja.parser import Parser

from console.accounts.api import router as accounts
from console.accounts.api_saved_views import router as saved_views
from console.alerts.api import router as alerts
from console.alerts.api_rules import router as rules
from console.alerts.escalation.api import router as escalations
from console.alerts.replay.api import router as replays
from console.alerts.suppression.api import router as suppressions
from console.alerts.tickets.api import router as tickets
from console.config.api_description import DESCRIPTION, ConsoleApi
from console.feeds.api_changes import router as feeds
from console.feeds.api_deliveries import router as deliveries
from console.fleet.api import router as fleet
from console.ingest.api import router as ingest
from console.interruptions.api import router as interruptions
from console.interruptions.api_facts import router as samples
from console.interruptions.api_measures import router as measures
from console.interruptions.api_warnings import router as warnings
from console.lib.asked import only_known
from console.lib.problems import Problem, problem
from console.notifications.api import router as notifications
from console.oncall.api import router as oncall
from console.oncall.policy_api import router as policies
from console.runbooks.api import router as runbooks
from console.slo.api import router as objectives
from console.slo.api_facts import router as requests
from console.slo.api_measures import router as slo_measures

logger = logging.getLogger(__name__)

MAX_BODY_MIB = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20
RETRY_AFTER = {"Retry-After": "5"}
CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "body_too_large",
    422: "invalid",
    429: "too_many_requests",
    501: "not_available",
    503: "unavailable",
}
WORDS = {
    "int_parsing": "Write a whole number.",
    "bool_parsing": "Write true or false.",
    "extra_forbidden": "Unknown field; leave it out.",
    "missing": "It is needed.",
}


class JsonParser(Parser):
    """Strict and fast: no NaN, no endless nesting."""

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        """An empty parameter is one that was left out, as a form sends it."""
        given = super().parse_querydict(data, list_fields, request)
        return {name: value for name, value in given.items() if value not in ("", [])}

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        try:
            return msgspec.json.decode(request.body)  # type: ignore[no-any-return]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise HttpError(400, f"The body is not JSON: {error}.") from error


api = ConsoleApi(
    title="Spot console",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    openapi_url="/openapi.json",
    docs_url=None,
    parser=JsonParser(),
)
nowhere = Router()


@nowhere.api_operation(
    ["GET", "POST", "PUT", "PATCH", "DELETE"], "/{path:rest}", include_in_schema=False, auth=None
)
def no_such_address(request: HttpRequest, rest: str) -> HttpResponse:
    detail = f"There is no /api/v1/{rest}. /api/v1/openapi.json lists what there is."
    return problem(404, code="not_found", detail=detail)


ROOMS = (
    accounts,
    saved_views,
    fleet,
    feeds,
    deliveries,
    notifications,
    runbooks,
    oncall,
    interruptions,
    samples,
    requests,
    objectives,
    slo_measures,  # before the measures below, whose address would take its own
    measures,
    escalations,  # before the verbs of groups, whose address would take its one
    warnings,
    alerts,
    rules,
    replays,
    tickets,
    policies,
    suppressions,
    ingest,
)
for router in ROOMS:
    router.add_decorator(only_known)
for router in (*ROOMS, nowhere):  # the catch-all stays last
    api.add_router("", router)


@api.exception_handler(Problem)
def on_problem(request: HttpRequest, exc: Problem) -> HttpResponse:
    return exc.response()


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    errors = [{"field": _field(error["loc"]), "detail": _in_words(error)} for error in exc.errors]
    first = f"{errors[0]['field']}: {errors[0]['detail']}" if errors else "The request is not valid."
    return problem(422, code="invalid", detail=first, errors=errors)


def _in_words(error: dict[str, Any]) -> str:
    """What to do, where the library's own words only say what is wrong."""
    return WORDS.get(error["type"], str(error["msg"]).removeprefix("Value error, "))


def _field(location: tuple[str | int, ...]) -> str:
    """`body.payload.name` as the caller wrote it: without the place and the parameter's own name."""
    parts = [str(part) for part in location]
    return ".".join(parts[2:] or parts[1:] or parts)


@api.exception_handler(Http404)
def on_missing(request: HttpRequest, exc: Http404) -> HttpResponse:
    return problem(404, code="not_found", detail="There is nothing by that name in this data origin.")


@api.exception_handler(AuthenticationError)
def on_stranger(request: HttpRequest, exc: AuthenticationError) -> HttpResponse:
    detail = "Send “Authorization: Bearer <token>” with a token that is neither expired nor revoked."
    return problem(401, code="unauthenticated", detail=detail, headers={"WWW-Authenticate": "Bearer"})


@api.exception_handler(PermissionDenied)
def on_forbidden(request: HttpRequest, exc: PermissionDenied) -> HttpResponse:
    return problem(403, code="forbidden", detail=str(exc) or "The token may not do this.")


@api.exception_handler(Throttled)
def on_too_many(request: HttpRequest, exc: Throttled) -> HttpResponse:
    wait = str(exc.wait or 1)
    return problem(
        429, code="too_many_requests", detail=f"Try again in {wait} s.", headers={"Retry-After": wait}
    )


@api.exception_handler(RequestDataTooBig)
def on_too_large(request: HttpRequest, exc: RequestDataTooBig) -> HttpResponse:
    detail = f"A body may be {MAX_BODY_MIB} MiB; send the rows in several requests."
    return problem(413, code="body_too_large", detail=detail, limit="body")


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, exc: HttpError) -> HttpResponse:
    told = exc.__cause__ if isinstance(exc.__cause__, HttpError) else exc  # what `JsonParser` said
    return problem(exc.status_code, code=CODES.get(exc.status_code, "error"), detail=str(told))


@api.exception_handler(DataError)
def on_impossible_value(request: HttpRequest, exc: DataError) -> HttpResponse:
    detail = "A value holds a NUL byte or is too large to be stored or looked for."
    return problem(422, code="invalid", detail=detail)


@api.exception_handler(OperationalError)
def on_no_database(request: HttpRequest, exc: OperationalError) -> HttpResponse:
    logger.warning("api.database_unavailable", exc_info=exc)
    detail = "The database did not answer. Nothing was stored; send it again."
    return problem(503, code="unavailable", detail=detail, headers=RETRY_AFTER)


@api.exception_handler(Exception)
def on_failure(request: HttpRequest, exc: Exception) -> HttpResponse:
    logger.error("api.failed", exc_info=exc, extra={"path": request.path})
    return problem(500, code="failed", detail="The console failed here. Its log says why.")
