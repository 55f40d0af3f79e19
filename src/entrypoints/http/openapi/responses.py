"""The answers of a route beside the expected one, for its description."""

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from entrypoints.http.openapi.examples import WITHDRAWN
from entrypoints.http.problems import INTERNAL_ERROR, METHOD_NOT_ALLOWED, NO_RISK_FACTOR, PROBLEM_JSON, Kind, Problem

NOT_MODIFIED = {304: ResponseSpec(None, description="Not modified since the ETag of If-None-Match was given")}


def documented(*kinds: Kind) -> dict[int, ResponseSpec]:
    """The error responses of a route for its description; a wrong method and an internal error are part of each."""
    by_status: dict[int, list[Kind]] = {}
    for kind in dict.fromkeys((*kinds, METHOD_NOT_ALLOWED, INTERNAL_ERROR)):
        by_status.setdefault(kind.status, []).append(kind)
    return {status: _response_spec(group) for status, group in by_status.items()}


def _response_spec(kinds: list[Kind]) -> ResponseSpec:
    examples = [
        Example(
            id=kind.type.rpartition(":")[2],
            summary=kind.title,
            value={
                "type": kind.type,
                "title": kind.title,
                "status": kind.status,
                "detail": kind.title,
                "instance": "urn:uuid:6e9c1f0a-7f7e-4f1c-9d8e-2f6b7a0f6a11",
                **(WITHDRAWN if kind is NO_RISK_FACTOR else {}),
            },
        )
        for kind in kinds
    ]
    return ResponseSpec(
        Problem,
        description=" or ".join(kind.title for kind in kinds),
        media_type=PROBLEM_JSON,
        generate_examples=False,
        examples=examples,
    )
