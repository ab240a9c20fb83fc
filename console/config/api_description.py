"""What `/api/v1/openapi.json` says beyond the calls themselves: how every one of them refuses."""

from __future__ import annotations

from typing import Any

from ninja import Field, NinjaAPI, Schema
from ninja.openapi.schema import OpenAPISchema

from console.lib.problems import CONTENT_TYPE

DESCRIPTION = """\
Times are ISO 8601 UTC. Lists take `cursor`, `limit` and `format=csv`, and filters that must all hold. A filter that
is not known, is given twice or cannot hold answers 422 and says what to do; an empty one counts as left out.
Refusals are RFC 9457 problem JSON.
"""


class FieldProblem(Schema):
    """One parameter or field, and what to do about it."""

    field: str
    detail: str


class ProblemOut(Schema):
    """How the API refuses (RFC 9457). Some refusals carry further members."""

    type: str
    title: str
    status: int
    code: str = Field(description="A word for programs.")
    detail: str = Field(description="What is wrong and what to do, for people.")
    errors: list[FieldProblem] = Field([], description="Each parameter or field that was refused.")
    known: list[str] = Field([], description="The parameters that there are, where an unknown one was given.")


REFUSALS = {
    401: "No token, or one that is not usable any more.",
    403: "The token lacks the scope.",
    422: "A parameter or value that is not known or cannot be; `detail` says what to do.",
}


class ConsoleApi(NinjaAPI):
    """Describes with each call how it refuses."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        parts = schema["components"].setdefault("schemas", {})
        for model in (FieldProblem, ProblemOut):
            described = model.model_json_schema(ref_template="#/components/schemas/{model}")
            described.pop("$defs", None)
            parts[model.__name__] = described
        problem = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
        refusals = {status: {"description": text, "content": problem} for status, text in REFUSALS.items()}
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"] = operation["responses"] | refusals
        return schema
