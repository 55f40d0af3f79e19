"""Two deployments side by side, answer by answer."""

import re
from collections.abc import Iterator

from entrypoints.verify.checks import Outcome, Result
from entrypoints.verify.deployment import Deployment, Reply
from entrypoints.verify.figures import GOLDEN, INDEX, LEASES, RENTS
from entrypoints.verify.protocol import PROBLEMS

TARGETS = (
    *(f"{INDEX}/{month}?base_year={base}" for base, month in GOLDEN),
    *(f"{INDEX}?base_year={base}" for base in sorted({base for base, _ in GOLDEN})),
    *(f"{RENTS}?{query}" for query, _ in LEASES.values()),
    f"{INDEX}/latest",
    "/index",
    "/v1/indexations?amount=500&from=2010-06&to=2019-08",
    "/v1/zipcodes?risk_factor=A&risk_factor=B",
    "/v1/zipcodes/9000",
    "/v1/risk-ranges",
    "/v1/places/1040",
    *PROBLEMS,
)
"""What both are asked."""


def compare(one: Deployment, other: Deployment) -> Iterator[Result]:
    """Each question to both, and in what their answers differ.

    :raises UnreachableError: when one of them does not answer
    """
    for target in TARGETS:
        found = differences(one.get(target), other.get(target))
        outcome = Outcome.FAILED if found else Outcome.OK
        yield Result(target, f"the same answer from {other.url}", outcome, "; ".join(found))


def differences(one: Reply, other: Reply) -> list[str]:
    """In what two answers to the same question differ; when they were made, and their ids, do not count."""
    found = []
    for what, mine, theirs in (
        ("status", one.status, other.status),
        ("Content-Type", one.header("Content-Type"), other.header("Content-Type")),
        ("ETag", one.header("ETag"), other.header("ETag")),
    ):
        if mine != theirs:
            found.append(f"{what}: {mine} and {theirs}")
    if _timeless(one.content) != _timeless(other.content):
        found.append("the body")
    return found


def _timeless(content: bytes) -> bytes:
    return re.sub(rb'"(instance|as_of|created_at|activated_at|permalink)":"[^"]*"', b'"\\1":""', content)
