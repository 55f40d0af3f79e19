import re
from pathlib import Path
from typing import Any

import pytest

from entrypoints.settings import Environment, InvalidSettingsError, Settings, Store, load_settings

EXAMPLE = Path(__file__).parents[3] / ".env.example"
NOWHERE = Path("/nonexistent/.env")


def test_every_setting_is_documented_with_its_default() -> None:
    documented = dict(re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE.read_text("utf-8"), re.MULTILINE))
    assert set(documented) == {name.upper() for name in Settings.__struct_fields__}
    assert load_settings(documented, NOWHERE) == Settings()


def test_nothing_set_is_the_defaults() -> None:
    assert load_settings({}, NOWHERE) == Settings()


def test_values_are_read_as_what_they_stand_for(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.touch()
    settings = load_settings(
        {"PORT": "8080", "RUN_SEEDER": "false", "ENVIRONMENT": "development", "RISK_TABLE_FILE": str(table)}, NOWHERE
    )
    assert settings == Settings(port=8080, run_seeder=False, environment=Environment.DEVELOPMENT, risk_table_file=table)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=6000\nLOG_LEVEL=debug\n")
    settings = load_settings({"PORT": "7000"}, dotenv)
    assert (settings.port, settings.log_level) == (7000, "debug")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "abc", "PORT: 'abc' is not a whole number from 0 to 65535"),
        ("PORT", "65536", "PORT: '65536' is not a whole number from 0 to 65535"),
        ("RUN_SEEDER", "maybe", "RUN_SEEDER: 'maybe' is neither true nor false"),
        ("ENVIRONMENT", "prod", "ENVIRONMENT: 'prod' is none of development, production"),
        ("HEALTH_INDEX_SOURCE", "web", "HEALTH_INDEX_SOURCE: 'web' is none of snapshot, statbel"),
        ("RISK_TABLE_FILE", "/nonexistent.csv", "RISK_TABLE_FILE: there is no file /nonexistent.csv"),
        ("STATBEL_TIMEOUT_SECONDS", "0", "STATBEL_TIMEOUT_SECONDS: '0' is not a number above 0 and up to 300"),
        (
            "STATBEL_OPEN_DATA_URL",
            "ftp://statbel.example/x",
            "STATBEL_OPEN_DATA_URL: 'ftp://statbel.example/x' is not an address of http or https",
        ),
        ("STATBEL_VIEW_URLS", "http://a:b/c", "STATBEL_VIEW_URLS: 'http://a:b/c' is not an address of http or https"),
        ("STATBEL_VIEW_URLS", "http://[::1/c", "STATBEL_VIEW_URLS: 'http://[::1/c' is not an address of http or https"),
        ("STATBEL_VIEW_URLS", "http://a.example/,b", "STATBEL_VIEW_URLS: 'b' is not an address of http or https"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_setting(name: str, value: str, message: str) -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        load_settings({name: value}, NOWHERE)
    assert str(caught.value) == message


def test_secrets_are_not_shown() -> None:
    settings = Settings(db_dsn="postgresql://u:hunter2@db/x", redis_url="redis://:hunter2@cache/0")
    assert "hunter2" not in f"{settings!r} {settings}"
    assert "port=5000" in repr(settings)


@pytest.mark.parametrize(
    ("given", "store"),
    [
        ({}, Store.MEMORY),
        ({"data_dir": Path("data")}, Store.FOLDER),
        ({"db_dsn": "postgresql://db/belref"}, Store.POSTGRES),
        ({"db_dsn": "postgresql://db/belref", "data_dir": Path("data")}, Store.POSTGRES),
    ],
)
def test_the_store_follows_from_what_is_named(given: dict[str, Any], store: Store) -> None:
    settings = Settings(**given)
    assert settings.store is store
    assert settings.holds_table is (store is not Store.MEMORY)
    assert not Settings(**given, risk_table_cache=False).holds_table
