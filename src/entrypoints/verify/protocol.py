"""Checks of what holds for every answer: errors, conditions, caches, pages of other origins, the description."""

import re

from entrypoints.verify.checks import SkippedError, expect, promise, same, succeeded
from entrypoints.verify.deployment import Deployment

_ZIPCODE = "/v1/zipcodes/9000"
_LATEST, _SERIES = "/v1/health-index/latest", "/v1/health-index?base_year=2013"
_ORIGIN = "https://page.example"
_BELGIF, _BELREF = "urn:problem-type:belgif:", "urn:problem-type:belref:"

PROBLEMS = {
    "/v1/zipcodes/99": (400, f"{_BELREF}invalidZipcode"),
    "/v1/zipcodes/9000?zip=1": (400, f"{_BELGIF}badRequest"),
    "/v1/zipcodes?page=1&page=2": (400, f"{_BELGIF}badRequest"),
    "/v1/zipcodes?risk_factor=D": (400, f"{_BELGIF}badRequest"),
    "/v1/health-index/2022-13": (400, f"{_BELGIF}badRequest"),
    "/v1/health-index/1993-12": (404, f"{_BELREF}beforeFirstMonth"),
    "/v1/health-index/2999-01": (404, f"{_BELREF}notYetPublished"),
    "/v1/health-index/2022-04?base_year=2005": (400, f"{_BELREF}unknownBaseYear"),
    "/v1/indexations?amount=-5&from=2010-06&to=2019-08": (400, f"{_BELREF}invalidAmount"),
    "/v1/nothing": (404, f"{_BELGIF}resourceNotFound"),
    "/index?year=2020": (404, f"{_BELGIF}resourceNotFound"),
    "/zipcodes/999": (404, f"{_BELGIF}resourceNotFound"),
}
"""What each of these is answered with: a status and a type of problem."""

LANGUAGES = ("nl", "fr", "de", "en")


@promise("problems", "each refusal is a problem of its type, named as in the log, and nobody keeps it")
def problems(at: Deployment) -> None:
    for target, (status, kind) in PROBLEMS.items():
        reply = at.get(target)
        same((reply.status, reply.body.get("type")), (status, kind), reply, "status and type")
        same(reply.body["status"], status, reply, "the status in the body")
        same(reply.header("Content-Type").partition(";")[0], "application/problem+json", reply, "Content-Type")
        expect(reply.body["title"] and reply.body["detail"], reply, "it has no title or no detail")
        same(reply.body["instance"], f"urn:uuid:{reply.header('X-Request-ID')}", reply, "the instance")
    other = at.ask("POST", _ZIPCODE)
    same((other.status, other.body["type"]), (405, f"{_BELGIF}methodNotAllowed"), other, "status and type")
    odd = at.get(_SERIES, Accept="image/png")
    same((odd.status, odd.body["type"]), (406, f"{_BELGIF}notAcceptable"), odd, "status and type")


@promise("no-store", "nobody keeps an error")
def no_store(at: Deployment) -> None:
    for target in PROBLEMS:
        reply = at.get(target)
        expect("no-store" in reply.directives("Cache-Control"), reply, "Cache-Control is not no-store")


@promise("etag", "data carry an ETag")
def etag(at: Deployment) -> None:
    for target in (_ZIPCODE, _LATEST, _SERIES, "/index", "/v1/risk-ranges"):
        reply = succeeded(at.get(target))
        expect(re.fullmatch(r'(W/)?"[^"]+"', reply.header("ETag")), reply, f"the ETag is {reply.header('ETag')!r}")


@promise("not-modified", "an answer that has not changed is a 304 without a body")
def not_modified(at: Deployment) -> None:
    for target in (_ZIPCODE, _LATEST, _SERIES):
        tag = succeeded(at.get(target)).header("ETag")
        expect(tag, at.get(target), "there is no ETag")
        reply = at.get(target, If_None_Match=tag)
        same(reply.status, 304, reply, "the status")
        expect(not reply.content, reply, "it has a body")
        same(reply.header("ETag"), tag, reply, "the ETag")
        fresh = at.get(target, If_None_Match='"another"')
        same(fresh.status, 200, fresh, "the status for another tag")


@promise("head", "HEAD is GET without the body")
def head(at: Deployment) -> None:
    for target in (_ZIPCODE, _LATEST):
        get, reply = succeeded(at.get(target)), at.ask("HEAD", target)
        same(reply.status, 200, reply, "the status")
        expect(not reply.content, reply, "it has a body")
        for name in ("ETag", "Content-Type", "Cache-Control"):
            same(reply.header(name), get.header(name), reply, name)


@promise("lifetime", "data may be kept for a while, and what is latest not beyond the next publication")
def lifetime(at: Deployment) -> None:
    for target, most in ((_ZIPCODE, 60), (_LATEST, 300), ("/v1/health-index/2020-01", 86_400)):
        reply = succeeded(at.get(target))
        found = re.search(r"max-age=([0-9]+)", reply.header("Cache-Control"))
        expect(found and 0 < int(found[1]) <= most, reply, f"Cache-Control is {reply.header('Cache-Control')!r}")
        expect("public" in reply.directives("Cache-Control"), reply, "it is not public")


@promise("vary", "what depends on a header of the request says so")
def vary(at: Deployment) -> None:
    for media in ("application/json", "text/csv"):
        reply = succeeded(at.get(_SERIES, Accept=media))
        same(reply.header("Content-Type").partition(";")[0], media, reply, "Content-Type")
        expect({"accept", "accept-encoding"} <= reply.directives("Vary"), reply, f"Vary is {reply.header('Vary')!r}")


@promise("compression", "a compressed answer unpacks to the same body")
def compression(at: Deployment) -> None:
    plain, packed = (succeeded(at.get(_SERIES, Accept_Encoding=coding)) for coding in ("identity", "gzip"))
    same(packed.header("Content-Encoding"), "gzip", packed, "Content-Encoding")
    expect(plain.content == packed.content, packed, "it unpacks to another body")


@promise("cors", "pages of other origins may read answers and errors alike")
def cors(at: Deployment) -> None:
    for target in (_ZIPCODE, _LATEST, "/v1/zipcodes/99", "/v1/nothing"):
        reply = at.get(target, Origin=_ORIGIN)
        allowed = reply.header("Access-Control-Allow-Origin")
        if allowed == "*":
            expect("etag" in reply.directives("Access-Control-Expose-Headers"), reply, "the ETag is not exposed")
        else:  # named origins: another one is not let in, and caches are told
            expect(allowed in {"", _ORIGIN} and "origin" in reply.directives("Vary"), reply, f"it allows {allowed!r}")


@promise("request-id", "a request has an id: the client's own where that is a UUID")
def request_id(at: Deployment) -> None:
    mine = "6e9c1f0a-7f7e-4f1c-9d8e-2f6b7a0f6a11"
    reply = at.get(_ZIPCODE, X_Request_ID=mine)
    same(reply.header("X-Request-ID"), mine, reply, "X-Request-ID")
    other = at.get(_ZIPCODE)
    expect(re.fullmatch(r"[0-9a-f-]{36}", other.header("X-Request-ID")), other, "there is no id")


@promise("health", "the service says that it lives, and that it has data")
def health(at: Deployment) -> None:
    reply = at.get("/health")
    expect(reply.status == 200 and reply.body["status"] in {"UP", "DEGRADED"}, reply, f"it is {reply.status}")
    for target in ("/health/live", "/health/ready"):
        same(succeeded(at.get(target)).body["status"], "UP", reply, target)


@promise("metrics", "Prometheus reads requests by route template")
def metrics(at: Deployment) -> None:
    succeeded(at.get(_ZIPCODE))
    reply = at.get("/metrics", Accept="text/plain")
    if reply.status == 404:
        raise SkippedError("/metrics is not shown here: switched off, on a port of its own, or kept back by a proxy")
    succeeded(reply)
    expect(b'route="/v1/zipcodes/{zipcode}"' in reply.content, reply, "no request for a zipcode is counted")
    expect(b"9000" not in re.sub(rb" [0-9.e+-]+\n", b"\n", reply.content), reply, "a label is a zipcode")


@promise("description", "the OpenAPI document is valid, and answers are as it describes them")
def description(at: Deployment) -> None:
    document = succeeded(at.get("/schema/openapi.json")).body
    try:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - an extra
        from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415 - an extra
    except ImportError:
        raise SkippedError("install openapi-spec-validator to have the description validated") from None
    reply = at.get("/schema/openapi.json")
    faults = [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]
    expect(not faults, reply, f"the document is not valid: {faults[:1]}")
    for path, target in (
        ("/v1/zipcodes/{zipcode}", _ZIPCODE),
        ("/v1/health-index/latest", _LATEST),
        ("/index", "/index"),
    ):
        answer = succeeded(at.get(target))
        described = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**described, "components": document["components"]})
        wrong = [error.message for error in validator.iter_errors(answer.body)]
        expect(not wrong, answer, f"it is not as described: {wrong[:1]}")


@promise("page", "people find a page in four languages, which loads nothing from elsewhere")
def page(at: Deployment) -> None:
    for language in LANGUAGES:
        reply = succeeded(at.get(f"/?lang={language}", Accept="text/html"))
        same(reply.header("Content-Language"), language, reply, "Content-Language")
        expect(f'lang="{language}"'.encode() in reply.content, reply, "the page is in another language")
        policy = reply.header("Content-Security-Policy")
        expect("default-src" in policy and "unsafe-inline" not in policy, reply, f"the policy is {policy!r}")
        outside = re.findall(rb'(?:src|href)="https?://[^"]+\.(?:js|css|png|svg|woff2?)"', reply.content)
        expect(not outside, reply, f"it loads {outside[:1]}")
    index = succeeded(at.get("/"))
    same(index.body["name"], "belref", index, "the name")


PROMISES = (
    problems,
    no_store,
    etag,
    not_modified,
    head,
    lifetime,
    vary,
    compression,
    cors,
    request_id,
    health,
    metrics,
    description,
    page,
)
