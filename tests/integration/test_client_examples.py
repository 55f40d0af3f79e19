"""The examples of docs/clients.md, run as they stand there, print what the page says that they print."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.integration.service import running_service

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATIENCE = 60.0  # seconds; reached only when something is broken
_OLDEST = {"curl": (7, 76), "node": (18, 0), "javac": (17, 0)}
_SENT_ON = ("accept", "if-none-match")
_SENT_BACK = ("etag", "content-type", "retry-after", "cache-control")

# Stands in for what Google Sheets gives a script: curl in place of Google's machines.
_SHEETS = """
import { execFileSync } from "node:child_process";
const UrlFetchApp = { fetch: (url, { headers }) => {
  const content = execFileSync("curl", ["--silent", "--fail", "--header", `Accept: ${headers.Accept}`, url]);
  return { getContentText: () => content.toString() };
} };
const Utilities = { parseCsv: (text) => text.trim().split("\\r\\n").map((row) => row.split(",")) };
"""


def example(section: str) -> tuple[str, str]:
    """The program of a section of the page, and what the page says of its output."""
    _, _, rest = PAGE.read_text("utf-8").partition(f"# {section}\n")
    (_, program), (language, printed) = _BLOCK.findall(rest)[:2]
    assert language == "text", f"what {section} prints does not stand below it"
    return program, printed


class Reluctant:
    """A proxy in front of the service that refuses each question once, with a 503 and `Retry-After`."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self.statuses: list[int] = []

    def forget(self) -> None:
        self._seen, self.statuses = set(), []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            first = handler.path not in self._seen
            self._seen.add(handler.path)
        if first:
            status, headers, body = 503, {"retry-after": "0"}, b'{"status": 503}'
        else:
            asked = {name: value for name in _SENT_ON if (value := handler.headers.get(name)) is not None}
            reply = self._client.get(handler.path, headers=asked)
            status, body = reply.status_code, reply.content
            headers = {name: reply.headers[name] for name in _SENT_BACK if name in reply.headers}
        self.statuses.append(status)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if status != 304:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


class _Server(ThreadingHTTPServer):
    proxy: Reluctant


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.server.proxy.answer(self)

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - as the standard library calls it
        pass


@contextmanager
def reluctant_proxy(client: httpx2.Client) -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = Reluctant(client)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Server]:
    folder = tmp_path_factory.mktemp("client-examples")
    with running_service(folder, HEALTH_INDEX_SOURCE="snapshot") as service, reluctant_proxy(service.client) as server:
        yield server


@pytest.fixture
def proxy(server: _Server) -> Reluctant:
    server.proxy.forget()
    return server.proxy


def of_proxy(server: _Server, program: str) -> str:
    """The program, asking the proxy in place of the address on the page."""
    address = f"http://127.0.0.1:{server.server_port}"
    assert "http://localhost:5000" in program or "https://belref.example.org" in program
    return program.replace("http://localhost:5000", address).replace("https://belref.example.org", address)


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(
            f"there is no {' and no '.join(missing)} on the PATH, which an example of docs/clients.md is run by"
        )


@pytest.mark.parametrize(
    ("section", "file", "command"),
    [
        ("curl", "example.sh", ["bash"]),
        ("Python", "example.py", [sys.executable]),
        ("JavaScript and TypeScript", "example.mjs", ["node"]),
        ("Java", "Example.java", ["java", "-XX:TieredStopAtLevel=1"]),
    ],
    ids=["curl", "python", "javascript", "java"],
)
def test_an_example_waits_when_told_to_asks_with_its_etag_and_prints_what_the_page_says(
    server: _Server, proxy: Reluctant, tmp_path: Path, section: str, file: str, command: list[str]
) -> None:
    needs(
        command[0], *{"curl": ["curl"], "Java": ["javac"]}.get(section, [])
    )  # a java without a compiler runs no source
    program, printed = example(section)
    (tmp_path / file).write_text(of_proxy(server, program), "utf-8")
    assert run(tmp_path, *command, file) == printed
    assert proxy.statuses == [503, 200, 304]


def test_typescript_accepts_the_types_of_the_javascript_example(tmp_path: Path) -> None:
    needs("tsc")
    (tmp_path / "example.mjs").write_text(example("JavaScript and TypeScript")[0], "utf-8")
    options = ["--noEmit", "--strict", "--allowJs", "--checkJs", "--target", "es2022", "--lib", "es2022,dom"]
    run(tmp_path, "tsc", *options, "--module", "nodenext", "example.mjs")


def test_what_power_query_asks_gives_the_table_of_the_page(server: _Server) -> None:
    program, table = example("Excel and Power BI")
    found = {name: re.search(rf'\b{name} = "(.*?)"', program) for name in ("RelativePath", "Accept")}
    path, accepted = (match.group(1) for match in found.values() if match)
    (query,) = re.findall(r"Query = \[(.*?)\]", program)
    asked = dict(re.findall(r'(\w+) = "(.*?)"', query))
    (address,) = re.findall(r'Web\.Contents\("(.*?)"', of_proxy(server, program))
    for _ in range(2):  # Power Query repeats a 503 by itself
        reply = httpx2.get(f"{address}/{path}", params=asked, headers={"Accept": accepted})
    assert reply.text.replace("\r\n", "\n") == table
    named = re.findall(r'\{"(\w+)", ', program)
    assert named
    assert set(named) <= set(table.splitlines()[0].split(","))


def test_the_function_for_google_sheets_gives_the_rows_of_the_page(server: _Server, tmp_path: Path) -> None:
    needs("node", "curl")
    program, rows = example("Google Sheets")
    (formula,) = re.findall(r'^`=(BELREF\(".*"\))`$', PAGE.read_text("utf-8"), re.MULTILINE)
    printing = f"const rows = {formula};\nfor (const row of rows) console.log(row.join(' '));\n"
    numbers = "if (typeof rows[1][4] !== 'number' || typeof rows[1][0] !== 'string') throw new Error(rows[1]);\n"
    (tmp_path / "sheet.mjs").write_text(_SHEETS + of_proxy(server, program) + printing + numbers, "utf-8")
    httpx2.get(f"http://127.0.0.1:{server.server_port}{formula[8:-2]}")  # refused; a script of Google's gives up there
    assert run(tmp_path, "node", "sheet.mjs") == rows


def test_the_engine_of_javascript_gives_back_every_cent_of_an_amount(tmp_path: Path) -> None:
    needs("node")
    cents = [0, 1, 10**15 - 1, *(pow(7, number, 10**15) % 10 ** (1 + number % 15) for number in range(20_000))]
    texts = [f"{each // 100}.{each % 100:02}" for each in cents]
    (tmp_path / "answer.json").write_text(f"[{','.join(texts)}]")
    (tmp_path / "read.mjs").write_text(
        'import { readFileSync } from "node:fs";\n'
        'const read = JSON.parse(readFileSync("answer.json", "utf-8"));\n'
        "const toCents = (euro) => Math.round(euro * 100);\n"
        "const toText = (cents) => (cents / 100).toFixed(2);\n"
        "const all = read.map((value) => [value.toFixed(2), toCents(value), toText(toCents(value))]);\n"
        "console.log(JSON.stringify(all));\n"
    )
    expected = [[text, each, text] for text, each in zip(texts, cents, strict=True)]
    assert json.loads(run(tmp_path, "node", "read.mjs")) == expected
