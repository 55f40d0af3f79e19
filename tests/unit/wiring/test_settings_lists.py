"""Settings that are lists, names in `.env` that look like a slip, and addresses of databases that are none."""

from pathlib import Path

import pytest

from entrypoints.settings import InvalidSettingsError, load_settings, misspelt, split

NOWHERE = Path("/nonexistent/.env")


@pytest.mark.parametrize("name", ["STATBEL_VIEW_URLS", "CORS_ORIGINS"])
def test_an_empty_list_is_a_list_of_nothing(name: str) -> None:
    assert split(getattr(load_settings({name: ""}, NOWHERE), name.lower())) == []
    assert split(getattr(load_settings({}, NOWHERE), name.lower())) != []


def test_an_empty_list_in_the_environment_wins_over_a_full_one_in_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("STATBEL_VIEW_URLS=https://views.example/one\n")
    assert load_settings({}, dotenv).statbel_view_urls == "https://views.example/one"
    assert load_settings({"STATBEL_VIEW_URLS": ""}, dotenv).statbel_view_urls == ""


@pytest.mark.parametrize("name", ["PORT", "DB_DSN", "DATA_DIR", "STATBEL_OPEN_DATA_URL"])
def test_an_empty_value_of_any_other_setting_counts_as_absent(name: str) -> None:
    assert load_settings({name: ""}, NOWHERE) == load_settings({}, NOWHERE)


def test_names_that_look_like_a_slip_are_told_with_what_is_meant(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PROT=5001\nport=5002\nDATADIR=data\nREDISURL=\nPORT=5003\n")
    assert misspelt(dotenv) == {"PROT": "PORT", "port": "PORT", "DATADIR": "DATA_DIR", "REDISURL": "REDIS_URL"}


def test_names_of_other_programs_are_no_slips(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    names = ["BELREF_DB_PASSWORD", "POSTGRES_PASSWORD", "SCALE", "REVISION", "TZ", "HTTPS_PROXY", "BELREF_OPERATOR"]
    dotenv.write_text("".join(f"{name}=1\n" for name in names))
    assert misspelt(dotenv) == {}
    assert misspelt(NOWHERE) == {}


@pytest.mark.parametrize("name", ["DB_DSN", "MIGRATION_DSN"])
@pytest.mark.parametrize(
    ("value", "given"), [("mysql://u:hunter2@db/x", "'mysql://...'"), ("hunter2", "what is given"), ("://", "'://...'")]
)
def test_a_dsn_of_something_else_is_refused_without_its_password(name: str, value: str, given: str) -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        load_settings({name: value}, NOWHERE)
    wanted = "write postgresql://user:password@host:port/database"
    assert str(caught.value) == f"{name}: {given} does not name a Postgres database: {wanted}"


@pytest.mark.parametrize("value", ["postgresql://db/x", "postgres://db/x", "host=db dbname=x", " service = belref"])
def test_every_form_of_a_dsn_of_postgres_is_taken(value: str) -> None:
    assert load_settings({"DB_DSN": value}, NOWHERE).db_dsn == value


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ENVIRONMENT", "foo", "ENVIRONMENT: 'foo' is none of development, production"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL: 'loud' is none of debug, error, info, warning"),
        ("DB_WAIT_SECONDS", "-1", "DB_WAIT_SECONDS: '-1' is not a number from 0 to 3600"),
        ("DB_TIMEOUT_SECONDS", "61", "DB_TIMEOUT_SECONDS: '61' is not a number above 0 and up to 60"),
        ("DB_POOL_SIZE", "0", "DB_POOL_SIZE: '0' is not a whole number from 1 to 100"),
    ],
)
def test_a_value_that_is_refused_is_told_what_would_be_right(name: str, value: str, message: str) -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        load_settings({name: value}, NOWHERE)
    assert str(caught.value) == message
