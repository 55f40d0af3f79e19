"""The check of the manifests: it finds what it should find."""

from pathlib import Path

import pytest
import yaml
from scripts import kubernetes
from scripts.kubernetes import Manifest, ManifestError


def test_every_object_is_what_both_versions_of_kubernetes_know() -> None:
    for manifests in kubernetes.read().values():
        for manifest in manifests:
            if manifest["kind"] != "Kustomization":
                for version in kubernetes.versions():
                    kubernetes.check(manifest, version)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ({"metadata": {"name": "a"}, "spec": {"clusterIp": "None"}}, "Service a, spec: .*'clusterIp'"),
        ({"metadata": {"name": "a"}, "spec": {"ports": [{"port": "http"}]}}, r"Service a, spec\.ports\.0\.port: "),
        ({"kind": "Servise", "metadata": {"name": "a"}}, "Couldn't find schema"),
    ],
)
def test_a_fault_is_one_line_that_says_where(manifest: Manifest, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason) as caught:
        kubernetes.check({"apiVersion": "v1", "kind": "Service"} | manifest, kubernetes.OLDEST)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("apiVersion: v1\nkind: A\nkind: B\n", "line 1: kind is there twice"),
        ("apiVersion: v1\nkind: A\nspec: {a: 1, b: 2, a: 3}\n", "line 3: a is there twice"),
        ("kind: A\n", "without apiVersion or kind"),
        ("apiVersion: [\n", "expected"),
    ],
)
def test_a_file_that_is_not_what_it_seems_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        list(kubernetes.documents(text))


def test_a_folder_with_a_fault_fails_with_the_file_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    good = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
    (tmp_path / "good.yaml").write_text(yaml.safe_dump(good), "utf-8")
    assert kubernetes.main(tmp_path) == 0
    assert "1 objects" in capsys.readouterr().out
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(good | {"spek": {}}), "utf-8")
    assert kubernetes.main(tmp_path) == 1
    assert capsys.readouterr().err.startswith("bad.yaml: Namespace a, at the top: ")
    (tmp_path / "bad.yaml").write_text("kind: A\n", "utf-8")
    assert kubernetes.main(tmp_path) == 1
    assert capsys.readouterr().err.startswith("bad.yaml: ")


def test_nothing_to_check_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert kubernetes.main(tmp_path) == 1
