"""The settings in force: where each comes from, and no password of any of them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.doctor.findings import Outcome
from entrypoints.doctor.in_force import settings_findings, settings_in_force, without_password
from entrypoints.settings import Settings, load_settings


def shown(folder: Path, environ: dict[str, str], dotenv: str = "") -> dict[str, tuple[str, str]]:
    """Value and origin of every setting, by its name."""
    file = folder / ".env"
    file.write_text(dotenv)
    settings = load_settings(environ, file)
    return {each.name: (each.value, each.origin) for each in settings_in_force(settings, environ, file)}


def test_each_setting_says_where_it_comes_from(tmp_path: Path) -> None:
    dotenv = "PORT=6000\nHOST=0.0.0.0\nLOG_LEVEL=debug\nMETRICS_PORT=7000\nRUN_SEEDER=\n"
    found = shown(tmp_path, {"HOST": "127.0.0.2", "LOG_LEVEL": "debug", "METRICS_PORT": "", "CORS_ORIGINS": ""}, dotenv)
    assert found["PORT"] == ("6000", ".env")
    assert found["HOST"] == ("127.0.0.2", "environment, over .env")
    assert found["LOG_LEVEL"] == ("debug", "environment")
    assert found["METRICS_PORT"] == ("", "default")  # an empty value in the environment takes that of the file away
    assert found["CORS_ORIGINS"] == ("", "environment")
    assert found["RUN_SEEDER"] == ("true", "default")
    assert len(found) == len(Settings.__struct_fields__)


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("postgresql://belref:hidden@db:5432/belref", "postgresql://belref:***@db:5432/belref"),
        ("postgresql://belref:hid@den@db/belref", "postgresql://belref:***@db/belref"),
        ("postgresql://belref:hid/den@db/belref", "***"),
        ("postgresql://belref:hid#den@db/belref", "***"),
        ("postgresql://belref@db/belref", "postgresql://***@db/belref"),
        ("postgresql://db/belref?password=hidden&user=u", "postgresql://db/belref?***"),
        ("host=db user=belref password=hidden", "***"),
        ("password='hidden' host=db", "***"),
        ("redis://:hidden@cache:6379/0", "redis://:***@cache:6379/0"),
        ("redis://hidden@cache", "redis://***@cache"),
        ("unix://user:hidden@/run/redis.sock?db=1", "unix://user:***@/run/redis.sock?***"),
        ("redis://[hidden", "***"),
    ],
)
def test_no_address_shows_a_password(address: str, safe: str) -> None:
    assert without_password(address) == safe


@given(password=st.text(min_size=6).filter(lambda text: text.strip("*:") == text and text not in "postgresql://u***"))
def test_a_password_of_any_form_is_never_shown(password: str) -> None:
    for address in (f"postgresql://u:{password}@h/b", f"host=h password={password}", f"redis://:{password}@h"):
        assert password not in without_password(address)


def test_no_setting_shows_a_password(tmp_path: Path) -> None:
    secrets = {
        "DB_DSN": "postgresql://u:hidden@db/belref",
        "MIGRATION_DSN": "host=db password=hidden",
        "REDIS_URL": "redis://:hidden@cache",
        "STATBEL_OPEN_DATA_URL": "https://hidden:hidden@mirror.example/file.zip",
        "STATBEL_VIEW_URLS": "https://one.example/1,https://hidden@two.example/2",
    }
    found = shown(tmp_path, secrets)
    assert not [name for name, (value, _) in found.items() if "hidden" in value]
    assert found["STATBEL_VIEW_URLS"][0] == "https://one.example/1,https://***@two.example/2"


def test_a_slip_in_the_file_is_a_warning_that_names_what_is_meant(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROT=5001\nSOMETHING_ELSE=1\n")
    [found] = settings_findings(Settings(), tmp_path / ".env")
    assert (found.outcome, found.line) == (
        Outcome.WARNING,
        "settings: PROT in .env is no setting, and has no effect. Write PORT, if that is meant",
    )


def test_settings_without_an_effect_are_named(tmp_path: Path) -> None:
    both = Settings(db_dsn="postgresql://db/belref", data_dir=tmp_path)
    assert "DATA_DIR has no effect" in settings_findings(both, tmp_path / ".env")[0].line
    alone = Settings(storage_fallback=True)
    assert "STORAGE_FALLBACK has no effect" in settings_findings(alone, tmp_path / ".env")[0].line
    assert [each.outcome for each in settings_findings(Settings(), tmp_path / ".env")] == [Outcome.OK]
