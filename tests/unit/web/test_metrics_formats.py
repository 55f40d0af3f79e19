"""In which format, on which port, and to whom figures about the service are shown."""

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from tests.worlds import Application, make_app, make_client
from tests.worlds.asgi import ask

from entrypoints.http.app import add_edge, build_framework
from entrypoints.http.cors import Cors
from entrypoints.metrics import Metrics
from entrypoints.metrics_port import make_metrics_app

OPEN = "application/openmetrics-text; version=1.0.0"
SCRAPE = f"{OPEN},application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
REQUESTS = "belref_request_seconds"


def families(body: bytes) -> set[str]:
    return {family.name for family in open_metrics(body.decode())}  # type: ignore[no-untyped-call]


@pytest.fixture
async def app() -> Application:
    app = make_app()
    async with make_client(app) as client:
        await client.get("/index")
    return app


async def test_who_asks_for_openmetrics_gets_it(app: Application) -> None:
    for accept in (OPEN, SCRAPE):
        answer = await ask(app, "/metrics", headers=[("Accept", accept)])
        assert (answer.header("content-type") or "").startswith("application/openmetrics-text; version=1.0.0")
        assert REQUESTS in families(answer.body)
        assert answer.body.endswith(b"# EOF\n")


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "text/html", "application/openmetrics-text; version=abc"])
async def test_everybody_else_gets_the_text_of_prometheus(app: Application, accept: str) -> None:
    answer = await ask(app, "/metrics", headers=[("Accept", accept)])
    assert (answer.header("content-type") or "").startswith("text/plain; version=0.0.4")
    assert answer.header("vary") == "Accept"
    assert REQUESTS in {family.name for family in prometheus(answer.body.decode())}


async def test_they_are_in_the_description(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/schema/openapi.json")).json()
    content = document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"text/plain"}


async def test_where_they_have_a_port_of_their_own_clients_do_not_see_them() -> None:
    given, cors = make_app().given, Cors(("*",))
    app = add_edge(build_framework(lambda: given, cors, show_metrics=False), given.metrics, cors)
    assert (await ask(app, "/metrics")).status == 404
    assert b"/metrics" not in (await ask(app, "/schema/openapi.json")).body


async def test_that_port_answers_with_them_and_with_nothing_else() -> None:
    metrics = Metrics()
    metrics.series("GET", "/index", 200).observe(0.01)
    app = make_metrics_app(metrics)
    answer = await ask(app, "/metrics", headers=[("Accept", OPEN)])
    assert (answer.status, answer.header("cache-control")) == (200, "no-store")
    assert REQUESTS in families(answer.body)
    head = await ask(app, "/metrics", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    for target, method in (("/", "GET"), ("/index", "GET"), ("/metrics", "POST")):
        assert (await ask(app, target, method=method)).status == 404
