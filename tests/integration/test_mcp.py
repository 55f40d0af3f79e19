"""The MCP server as its users run it: a process of its own before a running belref, by the package's own client."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from mcp import StdioServerParameters
from tests.integration.service import BELREF, Service, environment, running_service, wait_until
from tests.worlds.assistants import Assistant, assistant

LEASE = {
    "rent": "550",
    "region": "brussels",
    "signed_on": "2019-09-01",
    "starts_on": "2019-11-01",
    "on": "2023-11-01",
    "energy_label": "E",
}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
JSON = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def belref(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("belref"), HEALTH_INDEX_SOURCE="snapshot") as service:
        yield service


def address(service: Service) -> str:
    return str(service.client.base_url).rstrip("/")


@contextmanager
def listening(folder: Path, url: str, *options: str) -> Iterator[str]:
    """`belref mcp --http` on a free port; its address. Its log is in the folder."""
    log = folder / "mcp.log"

    def found() -> str | None:
        assert process.poll() is None, log.read_text()
        told = [line for line in log.read_text().splitlines() if "Uvicorn running on" in line]
        return json.loads(told[0])["event"].split("running on ")[1].split(" ")[0] if told else None

    with log.open("wb") as output:
        process = subprocess.Popen(
            [BELREF, "mcp", "--http", "--port", "0", *options],
            cwd=folder,
            env=environment(BELREF_URL=url),
            stdout=output,
            stderr=output,
        )
    try:
        yield wait_until(found, "the port it listens on")
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def over_http(belref: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening(tmp_path_factory.mktemp("mcp"), address(belref), "--allowed-host", "tools.example") as url:
        yield url


async def hold_to_the_golden_figures(tools: Assistant) -> None:
    listed = (await tools.client.list_tools()).tools
    assert len(listed) == 6
    index = await tools.ask("health_index", month="2022-04", base_year=2004)
    assert index["figures"][0]["value"] == "144.43"
    amount = await tools.ask("indexed_amount", amount=500, from_="2010-06", to="2019-08")
    assert amount["indexed"] == "584.18"
    assert (await tools.ask("indexed_rent", **LEASE))["indexed_rent"] == "611.62"
    assert (await tools.ask("zipcode", zipcode="9000"))["risk_factor"] == "B"
    assert (await tools.ask("freshness"))["figures"]["source"] == "snapshot"
    claim = await tools.ask("check_figure", claimed="646.97", rent=LEASE)
    assert (claim["right"], claim["correct"], claim["difference"]) == (False, "611.62", "35.35")
    for link in (index["permalink"], amount["permalink"]):
        assert httpx2.get(link).status_code == 200
    told = await tools.refused("health_index", month="1993-12")
    assert "1994-01" in told


async def test_a_client_asks_over_standard_input_and_output(belref: Service, tmp_path: Path) -> None:
    command = StdioServerParameters(
        command=str(BELREF), args=["mcp"], env=environment(BELREF_URL=address(belref)), cwd=str(tmp_path)
    )
    async with assistant(command) as tools:
        await hold_to_the_golden_figures(tools)


async def test_a_client_asks_over_http(over_http: str) -> None:
    async with assistant(f"{over_http}/mcp") as tools:
        await hold_to_the_golden_figures(tools)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "tools.example"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://tools.example"}, 200),
    ],
)
def test_a_host_or_an_origin_that_was_not_named_reaches_no_tool(
    over_http: str, headers: dict[str, str], status: int
) -> None:
    assert httpx2.post(f"{over_http}/mcp", json=PING, headers=JSON | headers).status_code == status


def test_a_request_larger_than_any_question_is_refused(over_http: str) -> None:
    assert httpx2.post(f"{over_http}/mcp", content=b" " * 65_537, headers=JSON).status_code == 413


@contextmanager
def piped(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`belref mcp` over pipes, asked with a protocol of before sessions went away."""
    with subprocess.Popen(
        [BELREF, "mcp", *options],
        cwd=folder,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def exchange(process: subprocess.Popen[str], *messages: object) -> list[dict[str, object]]:
    """Send messages, the last of which asks with id 1; the lines up to its answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("".join(json.dumps(each) + "\n" for each in messages))
    process.stdin.flush()
    lines: list[dict[str, object]] = []
    while not lines or lines[-1].get("id") != 1:
        lines.append(json.loads(process.stdout.readline()))
    return lines


def test_standard_output_carries_the_protocol_alone_and_no_password_is_logged(tmp_path: Path) -> None:
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
    messages = [
        "no message",
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": client},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "health_index", "arguments": {}}},
    ]
    with piped(tmp_path, "--url", "http://clerk:secret@127.0.0.1:9") as process:
        lines = exchange(process, *messages)
        rest, errors = process.communicate()
    assert (process.returncode, rest) == (0, "")
    assert all(each["jsonrpc"] == "2.0" for each in lines)
    assert "belref at http://127.0.0.1:9 does not answer" in json.dumps(lines)
    assert "secret" not in json.dumps(lines) + errors


def test_ctrl_c_ends_it_although_standard_input_stays_open(tmp_path: Path) -> None:
    with piped(tmp_path) as process:
        exchange(process, PING)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == -signal.SIGINT
        assert process.stderr is not None
        assert process.stderr.read() == ""
