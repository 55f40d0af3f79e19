"""The manifests of Kubernetes against the code that they run, and against what the documents promise."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from dotenv import dotenv_values
from scripts import kubernetes
from scripts.dockerfile import Dockerfile
from scripts.kubernetes import FOLDER, Manifest

from entrypoints.http.health_index.indexations import LARGEST_BODY
from entrypoints.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
FILES = kubernetes.read()
IMAGE = Dockerfile.parse((ROOT / "Dockerfile").read_text("utf-8")).image
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
GIVEN = {name: value or "" for name, value in dotenv_values(FOLDER / "settings.env").items()}
SETTINGS = load_settings(GIVEN, FOLDER / "nothing.env")
POSTGRES_ALLOWS = 100 - 3
"""`max_connections` of Postgres by default, without those kept for superusers."""
BESIDE_THE_POOL = 3
"""Connections of a replica that listen to releases and to figures, and the one that has the turn."""


def the(kind: str, name: str = "belref") -> Manifest:
    """The one object of this kind and name."""
    objects = [manifest for manifests in FILES.values() for manifest in manifests]
    [found] = [item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name]
    return found


DEPLOYMENT, JOB = the("Deployment"), the("Job", "belref-migration")
PODS = {"the service": DEPLOYMENT["spec"]["template"], "the migration": JOB["spec"]["template"]}
SERVICE, POLICY = the("Service"), the("NetworkPolicy")
[API] = DEPLOYMENT["spec"]["template"]["spec"]["containers"]
[MIGRATION] = JOB["spec"]["template"]["spec"]["containers"]

every_pod = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)


def labels_of(pod: Manifest) -> dict[str, str]:
    return dict(pod["metadata"]["labels"])


def selects(selector: dict[str, str], pod: Manifest) -> bool:
    return selector.items() <= labels_of(pod).items()


def values_of(thing: object) -> Iterator[tuple[str, str]]:
    """Every string of a manifest, with the key that it stands under."""
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield from ((key, value),) if isinstance(value, str) else values_of(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from values_of(value)


class TestSettings:
    def test_every_variable_is_a_setting_with_a_value_that_it_takes(self) -> None:
        assert GIVEN
        assert set(GIVEN) <= {name.upper() for name in Settings.__struct_fields__}

    def test_what_may_hold_a_password_comes_from_a_secret_and_nothing_else_does(self) -> None:
        secret = {name.upper() for name in Settings.__struct_fields__ if name.endswith(("_dsn", "redis_url"))}
        variables = {item["name"]: item["valueFrom"]["secretKeyRef"] for item in API["env"] + MIGRATION["env"]}
        assert set(variables) == secret
        assert not secret & set(GIVEN)
        assert all(reference["key"] == name for name, reference in variables.items())

    def test_the_image_says_where_to_listen_and_the_settings_do_not(self) -> None:
        assert {"HOST", "PORT"} <= set(IMAGE.environment({}))
        assert not {"HOST", "PORT"} & set(GIVEN)

    def test_the_migration_logs_in_as_another_role_than_the_service_with_a_secret_of_its_own(self) -> None:
        [dsn] = [item for item in API["env"] if item["name"] == "DB_DSN"]
        [migration] = MIGRATION["env"]
        assert migration["name"] == "MIGRATION_DSN"
        assert migration["valueFrom"]["secretKeyRef"]["name"] != dsn["valueFrom"]["secretKeyRef"]["name"]
        assert "envFrom" not in MIGRATION
        users = [re.findall("//(.*?):", the("Secret", name)["stringData"][key]) for name, key in _secrets()]
        assert users == [["belref_api"], ["belref_owner"]]

    def test_the_service_can_start_without_redis_and_not_without_postgres(self) -> None:
        optional = {item["name"]: item["valueFrom"]["secretKeyRef"].get("optional", False) for item in API["env"]}
        assert optional == {"DB_DSN": False, "REDIS_URL": True}

    def test_no_service_of_the_namespace_becomes_a_variable(self) -> None:
        assert [pod["spec"]["enableServiceLinks"] for pod in PODS.values()] == [False, False]


def _secrets() -> list[tuple[str, str]]:
    return [("belref", "DB_DSN"), ("belref-migration", "MIGRATION_DSN")]


class TestSecrets:
    def test_the_example_has_a_word_where_the_password_goes(self) -> None:
        examples = FILES["secrets.example.yaml"]
        addresses = [value for secret in examples for value in secret["stringData"].values()]
        assert len(addresses) == 3
        assert {re.sub(".*:(.*)@.*", r"\1", address) for address in addresses} == {"PASSWORD"}
        assert not [secret for secret in examples if "data" in secret]

    def test_its_keys_are_those_that_are_asked_for(self) -> None:
        held = {(s["metadata"]["name"], key) for s in FILES["secrets.example.yaml"] for key in s["stringData"]}
        references = [item["valueFrom"]["secretKeyRef"] for item in API["env"] + MIGRATION["env"]]
        assert held == {(reference["name"], reference["key"]) for reference in references}

    def test_nothing_else_holds_anything_secret(self) -> None:
        for name, manifests in FILES.items():
            if name != "secrets.example.yaml":
                assert "Secret" not in [manifest["kind"] for manifest in manifests]
                assert not [value for key, value in values_of(manifests) if "://" in value or "password" in key.lower()]
        assert not [name for name, value in GIVEN.items() if "@" in value or "PASSWORD" in name]


class TestKustomizations:
    @pytest.mark.parametrize("folder", ["", "migration/"])
    def test_every_file_is_applied_except_for_examples_and_what_is_applied_once(self, folder: str) -> None:
        [kustomization] = FILES[f"{folder}kustomization.yaml"]
        there = {name.removeprefix(folder) for name in FILES if name.rpartition("/")[0] == folder.rstrip("/")}
        aside = {name for name in there if name in {"kustomization.yaml", "namespace.yaml"} or ".example." in name}
        assert sorted(kustomization["resources"]) == sorted(there - aside)
        assert kustomization["namespace"] == the("Namespace")["metadata"]["name"]

    def test_the_settings_are_the_config_map_that_the_service_reads(self) -> None:
        [generator] = FILES["kustomization.yaml"][0]["configMapGenerator"]
        assert generator["envs"] == ["settings.env"]
        assert API["envFrom"] == [{"configMapRef": {"name": generator["name"]}}]

    def test_the_image_is_of_this_version_and_the_same_for_service_and_migration(self) -> None:
        [image], [other] = (FILES[f"{folder}kustomization.yaml"][0]["images"] for folder in ("", "migration/"))
        assert image == other
        assert image["newTag"] == VERSION
        assert [API["image"], MIGRATION["image"]] == [image["name"]] * 2

    def test_no_image_is_whatever_is_latest(self) -> None:
        values = [value for _, value in values_of(list(FILES.values()))]
        assert not [value for value in values if value == "latest" or value.endswith(":latest")]


class TestPods:
    @every_pod
    def test_a_pod_has_no_right_that_it_does_not_need(self, pod: Manifest) -> None:
        context, [container] = pod["spec"]["securityContext"], pod["spec"]["containers"]
        assert context["runAsNonRoot"] is True
        assert (context["runAsUser"], context["runAsGroup"]) == IMAGE.user()
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not {"volumes", "hostNetwork", "hostPID", "hostIPC"} & set(pod["spec"])

    @every_pod
    def test_a_pod_has_nothing_to_ask_the_cluster_with(self, pod: Manifest) -> None:
        account = the("ServiceAccount", pod["spec"]["serviceAccountName"])
        assert [account["automountServiceAccountToken"], pod["spec"]["automountServiceAccountToken"]] == [False, False]

    @every_pod
    def test_a_pod_asks_for_what_it_needs_and_has_limits(self, pod: Manifest) -> None:
        [container] = pod["spec"]["containers"]
        assert set(container["resources"]["requests"]) == set(container["resources"]["limits"]) == {"cpu", "memory"}
        for name in ("cpu", "memory"):
            asked, limit = (_quantity(container["resources"][kind][name]) for kind in ("requests", "limits"))
            assert 0 < asked <= limit

    @every_pod
    def test_sigterm_ends_it_whenever_it_comes(self, pod: Manifest) -> None:
        assert pod["spec"]["shareProcessNamespace"] is True

    def test_the_cluster_holds_them_to_it(self) -> None:
        assert the("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"

    def test_the_service_runs_what_the_image_runs_and_the_migration_its_command(self) -> None:
        assert not {"command", "args"} & set(API)
        assert IMAGE.last("CMD").arguments() == ["belref", "serve"]
        assert MIGRATION["args"] == ["belref", "migrate"]

    def test_a_migration_ends(self) -> None:
        assert JOB["spec"]["template"]["spec"]["restartPolicy"] == "Never"
        assert {"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"} <= set(JOB["spec"])


def _quantity(text: str) -> float:
    """A number with or without one of the units that the manifests use."""
    found = re.fullmatch(r"(\d+)(m|Mi|)", text)
    assert found, text
    return int(found[1]) * {"m": 0.001, "Mi": 2**20, "": 1}[found[2]]


class TestLife:
    @pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
    async def test_a_probe_asks_a_route_that_says_it_is_well(self, client: httpx2.AsyncClient, probe: str) -> None:
        asked = API[probe]["httpGet"]
        assert asked["port"] == API["ports"][0]["name"]
        assert (await client.get(asked["path"])).json()["status"] == "UP"

    def test_only_readiness_depends_on_data(self) -> None:
        paths = {name: API[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert paths == {
            "startupProbe": "/health/live",
            "livenessProbe": "/health/live",
            "readinessProbe": "/health/ready",
        }

    def test_a_start_may_take_as_long_as_postgres_is_waited_for(self) -> None:
        probe = API["startupProbe"]
        allowed = probe["periodSeconds"] * probe["failureThreshold"]
        assert allowed >= SETTINGS.db_wait_seconds + SETTINGS.db_timeout_seconds + 10

    def test_requests_in_flight_are_finished_before_the_kubelet_kills(self) -> None:
        waits = API["lifecycle"]["preStop"]["sleep"]["seconds"]
        grace = DEPLOYMENT["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert waits >= 1
        assert waits + SETTINGS.shutdown_seconds < grace

    def test_a_new_replica_is_ready_before_an_old_one_goes(self) -> None:
        assert DEPLOYMENT["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


class TestScaling:
    autoscaler = the("HorizontalPodAutoscaler")["spec"]

    def test_the_autoscaler_alone_says_how_many(self) -> None:
        target = self.autoscaler["scaleTargetRef"]
        assert (target["apiVersion"], target["kind"]) == (DEPLOYMENT["apiVersion"], DEPLOYMENT["kind"])
        assert target["name"] == DEPLOYMENT["metadata"]["name"]
        assert "replicas" not in DEPLOYMENT["spec"]

    def test_one_replica_may_always_go(self) -> None:
        assert self.autoscaler["minReplicas"] >= 2
        budget = the("PodDisruptionBudget")["spec"]
        assert budget["maxUnavailable"] == 1
        assert selects(budget["selector"]["matchLabels"], PODS["the service"])

    def test_all_replicas_together_fit_into_postgres_while_a_version_is_rolled_out(self) -> None:
        replicas = self.autoscaler["maxReplicas"] + DEPLOYMENT["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        assert replicas * (SETTINGS.db_pool_size + BESIDE_THE_POOL) <= POSTGRES_ALLOWS

    def test_it_counts_in_shares_of_a_core_that_is_asked_for(self) -> None:
        [metric] = self.autoscaler["metrics"]
        assert metric["resource"]["name"] in API["resources"]["requests"]
        assert metric["resource"]["target"]["averageUtilization"] < 100

    def test_replicas_are_spread_over_zones_and_nodes(self) -> None:
        constraints = DEPLOYMENT["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert [item["topologyKey"] for item in constraints] == [
            "topology.kubernetes.io/zone",
            "kubernetes.io/hostname",
        ]
        assert all(selects(item["labelSelector"]["matchLabels"], PODS["the service"]) for item in constraints)


SELECTORS: dict[str, Any] = {
    "Deployment": DEPLOYMENT["spec"]["selector"]["matchLabels"],
    "Service": SERVICE["spec"]["selector"],
    "PodDisruptionBudget": the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    "NetworkPolicy": POLICY["spec"]["podSelector"]["matchLabels"],
}


class TestTheWayIn:
    @pytest.mark.parametrize("selector", SELECTORS.values(), ids=SELECTORS)
    def test_what_is_for_the_service_means_its_pods_and_not_the_migration(self, selector: dict[str, str]) -> None:
        assert selects(selector, PODS["the service"])
        assert not selects(selector, PODS["the migration"])

    def test_every_port_is_the_one_of_the_image(self) -> None:
        port = int(IMAGE.environment({})["PORT"])
        [container], [service] = API["ports"], SERVICE["spec"]["ports"]
        assert (container["containerPort"], service["port"]) == (port, port)
        assert service["targetPort"] == container["name"]
        assert DEPLOYMENT["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == str(port)
        assert [rule["ports"] for rule in POLICY["spec"]["ingress"]] == [[{"port": port, "protocol": "TCP"}]]

    def test_nobody_is_let_in_by_accident(self) -> None:
        for policy in (POLICY, the("NetworkPolicy", "belref-migration")):
            assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
            peers = [peer for rule in policy["spec"].get("ingress", []) for peer in rule["from"]]
            assert all(peer["namespaceSelector"]["matchLabels"] for peer in peers)
        assert "ingress" not in the("NetworkPolicy", "belref-migration")["spec"]

    def test_the_service_reaches_its_stores_names_and_statbel_and_the_migration_postgres_alone(self) -> None:
        def ports(policy: Manifest) -> list[int]:
            return sorted({port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]})

        assert ports(POLICY) == [53, 443, 5432, 6379]
        assert ports(the("NetworkPolicy", "belref-migration")) == [53, 5432]
        assert all(rule["to"] for rule in POLICY["spec"]["egress"])

    async def test_the_ingress_lets_every_documented_route_through_and_not_the_metrics(
        self, client: httpx2.AsyncClient
    ) -> None:
        [rule] = the("Ingress")["spec"]["rules"]
        prefixes = [path["path"] for path in rule["http"]["paths"]]
        [port] = SERVICE["spec"]["ports"]
        behind = {"service": {"name": SERVICE["metadata"]["name"], "port": {"name": port["name"]}}}
        assert all(path["backend"] == behind for path in rule["http"]["paths"])
        pages = ["/rent", "/amount", "/zipcode", "/assets", "/favicon.ico", "/robots.txt"]
        documented = {*(await client.get("/schema/openapi.json")).json()["paths"]} - {"/metrics"}
        routes = [*documented, "/schema/openapi.json", *pages]
        assert not [route for route in routes if not _under(route, prefixes)]
        assert not [prefix for prefix in prefixes if not any(_under(route, [prefix]) for route in routes)]
        assert (await client.get("/metrics")).status_code == 200
        assert not _under("/metrics", prefixes)

    def test_the_ingress_takes_the_largest_body_that_a_route_takes(self) -> None:
        allowed = the("Ingress")["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
        assert allowed == f"{LARGEST_BODY // 2**20}m"


def _under(route: str, prefixes: list[str]) -> bool:
    return any(f"{route}/".startswith(f"{prefix}/") for prefix in prefixes)
