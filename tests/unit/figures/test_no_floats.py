"""No binary fraction comes near an index figure or an amount of money: not in the code, and not when it runs."""

import ast
from collections.abc import Iterator
from decimal import Context, Decimal, FloatOperation, localcontext
from pathlib import Path

import httpx2
import pytest

SOURCES = Path(__file__).parents[3] / "src"
CARRIERS = (
    *sorted(path.relative_to(SOURCES).as_posix() for path in (SOURCES / "domain").rglob("*.py")),
    "adapters/bundled.py",
    "adapters/caching/health_index.py",
    "adapters/postgres/figures.py",
    "adapters/statbel/formats.py",
    "adapters/statbel/provider.py",
    "entrypoints/http/health_index/bodies.py",
    "entrypoints/http/health_index/figures.py",
    "entrypoints/http/health_index/indexations.py",
    "entrypoints/http/health_index/receipts.py",
    "entrypoints/http/legacy.py",
    "entrypoints/http/reading.py",
    "entrypoints/http/rents/cases.py",
    "entrypoints/http/rents/indexations.py",
    "entrypoints/http/rents/receipts.py",
    "entrypoints/http/rents/schedules.py",
    "entrypoints/http/representation.py",
    *sorted(path.relative_to(SOURCES).as_posix() for path in (SOURCES / "entrypoints" / "mcp").rglob("*.py")),
)
"""Where figures and money pass. Elsewhere a float is a number of seconds."""

SECONDS = {
    "adapters/postgres/figures.py": {"float"},
    "adapters/statbel/provider.py": {"float", "0.5", "5.0"},
    "entrypoints/mcp/api.py": {"float", "10.0"},
    "entrypoints/mcp/serving.py": {"float"},
}
"""Time-outs beside the figures."""

RENTS, LEASE = "/v1/rent-indexations", "rent=812.34&signed_on=2019-02-15&starts_on=2019-03-01"

_INTEGERS = {"int", "len", "ord"}


def offences(source: str) -> Iterator[str]:
    """What in a module makes a float, or may make a decimal of one, each as it is written there.

    Decimals and fractions may be divided; whole numbers may not.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.Constant(value=float() | complex())
                | ast.Name(id="float" | "complex" | "round")
                | ast.Call(func=ast.Name(id="float" | "complex" | "round"))
                | ast.Attribute(attr="from_float" | "__round__" | "__float__")
                | ast.ImportFrom(module="math" | "cmath" | "statistics" | "random")
            ):
                yield ast.unparse(node)
            case ast.Import(names=names) if {"math", "cmath", "statistics", "random"} & {each.name for each in names}:
                yield ast.unparse(node)
            case ast.BinOp(op=ast.Div(), left=left) if _is_whole(left):
                yield ast.unparse(node)
            case ast.Call(func=ast.Name(id="Decimal" | "Fraction"), args=[ast.BinOp(op=ast.Div()), *_]):
                yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="json"), attr="loads" | "load"), keywords=given) if (
                "parse_float" not in {each.arg for each in given}
            ):
                yield ast.unparse(node)


def _is_whole(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=int()):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _INTEGERS
        case ast.BinOp(left=left, right=right):
            return _is_whole(left) and _is_whole(right)
    return False


@pytest.mark.parametrize("name", CARRIERS)
def test_no_module_on_the_path_makes_a_float(name: str) -> None:
    found = set(offences((SOURCES / name).read_text("utf-8")))
    assert found <= SECONDS.get(name, set())


def test_nothing_is_allowed_that_is_not_there() -> None:
    for name, allowed in SECONDS.items():
        assert allowed <= set(offences((SOURCES / name).read_text("utf-8")))


@pytest.mark.parametrize(
    "sample",
    [
        *[
            "value = 0.98",
            "value = 1e2",
            "value = 2j",
            "value = float(text)",
            "def f(value: float): ...",
            "round(value)",
        ],
        *["list(map(float, texts))", "import math", "from math import floor", "from statistics import mean"],
        *["Decimal.from_float(value)", "json.loads(text)", "json.load(file, strict=False)", "value.__round__(2)"],
        *["98 / 100", "len(values) / 4", "(1 + len(values)) / 4", "Decimal(cents / hundred)", "Fraction(one / other)"],
    ],
)
def test_each_way_to_a_float_is_found(sample: str) -> None:
    assert list(offences(sample))


@pytest.mark.parametrize(
    "sample",
    [
        *['value = Decimal("0.98")', "value = 98", "value // 100", "sum(values, Decimal()) * factor / len(values)"],
        *["Fraction(one) / Fraction(other)", "after.value / before.value - 1", 'folder / "health_index.csv"'],
        *["json.loads(text, parse_float=Decimal)", "value.quantize(CENT, ROUND_HALF_UP)", '"0.98"', "rounding = 1"],
    ],
)
def test_decimals_fractions_and_whole_numbers_are_not(sample: str) -> None:
    assert not list(offences(sample))


def test_every_module_of_the_domain_is_on_the_path() -> None:
    money = (
        "health_index/figures",
        "health_index/table",
        "health_index/indexation",
        "health_index/verification",
        "leases/rent",
    )
    assert {f"domain/{name}.py" for name in money} <= set(CARRIERS)


async def test_no_decimal_meets_a_float_while_a_request_is_answered(client: httpx2.AsyncClient) -> None:
    with localcontext(Context(prec=28, traps=[FloatOperation])):
        with pytest.raises(FloatOperation):
            Decimal(0.1)  # noqa: RUF032 - the trap works
        for path in (
            "/index?year=2004",
            "/v1/health-index/latest",
            "/v1/health-index/2025-06",
            "/v1/health-index?base_year=2004",
            "/v1/health-index?base_year=1988&as_of=2010-03-01",
            "/v1/indexations?amount=999999999.99&from=2010-06&to=2025-08&index=smoothed",
            "/v1/rent-indexations?rent=812.34&region=flanders&signed_on=2019-02-15&starts_on=2019-03-01&on=2025-03-01",
            *(f"{RENTS}?{LEASE}&region={region}&energy_label=D&on=2025-03-01" for region in ("flanders", "wallonia")),
            f"{RENTS}/schedule?{LEASE}&region=wallonia&energy_label=E&until=2026-08-01",
        ):
            assert (await client.get(path)).status_code == 200, path
        body = '{"items":[{"amount":812.34,"from":"2010-06","to":"2025-08"}]}'
        answer = await client.post("/v1/indexations", content=body, headers={"Content-Type": "application/json"})
        assert '"amount":812.34,' in answer.text
