"""Holds the manifests of `deploy/kubernetes` against the schemas of Kubernetes, which a development package brings.

Stricter than the cluster: a field that no schema knows is a fault, and so are a kind without a schema and a key that is
there twice. Where `kubectl` or `kustomize` is installed, what they make of each kustomization is checked as well. No
cluster is asked.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import yaml

FOLDER = Path(__file__).parents[1] / "deploy" / "kubernetes"
OLDEST = "1.30"
"""From this version on `preStop.sleep` is there without being switched on."""
_KUSTOMIZATION = "Kustomization"

Manifest = dict[str, Any]


class ManifestError(Exception):
    """Where a manifest is wrong, and how, in one line."""


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice; PyYAML by itself takes the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise ManifestError(f"line {node.start_mark.line + 1}: {twice} is there twice")
        return super().construct_mapping(node, deep)


def documents(text: str) -> Iterator[Manifest]:
    """The objects in a file of YAML.

    :raises ManifestError: for what is no YAML, no object, or has a key twice
    """
    try:
        for document in yaml.load_all(text, _Loader):
            if not isinstance(document, dict) or not {"apiVersion", "kind"} <= document.keys():
                raise ManifestError("it has an object without apiVersion or kind")
            yield document
    except yaml.YAMLError as error:
        raise ManifestError(str(error).replace("\n", " ")) from error


def read(folder: Path = FOLDER) -> dict[str, list[Manifest]]:
    """The objects of every file, by its path below the folder.

    :raises ManifestError: as `documents` does, with the file
    """
    found = {}
    for file in sorted(folder.rglob("*.yaml")):
        name = file.relative_to(folder).as_posix()
        try:
            found[name] = list(documents(file.read_text("utf-8")))
        except ManifestError as error:
            raise ManifestError(f"{name}: {error}") from error
    return found


def check(manifest: Manifest, version: str) -> None:
    """Hold one object against the schema of a version such as `1.30`.

    :raises ManifestError: for what that schema does not allow, and for a kind that it does not have
    """
    name = f"{manifest['kind']} {(manifest.get('metadata') or {}).get('name', 'without a name')}"
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        place = ".".join(map(str, error.path)) or "at the top"
        raise ManifestError(f"{name}, {place}: {error.message} (Kubernetes {version})") from None
    except kubernetes_validate.SchemaNotFoundError as error:
        raise ManifestError(f"{name}: {error.message}") from None


def versions() -> tuple[str, str]:
    """The oldest version that the manifests are for, and the newest one whose schemas are there."""
    newest = kubernetes_validate.latest_version().rsplit(".", 1)[0]
    return OLDEST, newest


def rendered(folder: Path) -> Iterator[tuple[str, list[Manifest]]]:
    """What each kustomization below the folder comes to; nothing where neither tool is installed.

    :raises ManifestError: when the tool refuses it
    """
    tool = _tool()
    for file in sorted(folder.rglob("kustomization.yaml")) if tool else ():
        name = file.parent.relative_to(folder.parent).as_posix()
        done = subprocess.run([*tool, file.parent], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise ManifestError(f"{name}: {done.stderr.strip()}")
        yield f"{name} as {Path(tool[0]).name} renders it", list(documents(done.stdout))


def _tool() -> Sequence[str]:
    for words in (["kubectl", "kustomize"], ["kustomize", "build"]):
        program = shutil.which(words[0])
        if program:
            return [program, *words[1:]]
    return ()


def main(folder: Path = FOLDER) -> int:
    """Print each fault; 1 when there is one."""
    checked, faults = 0, 0
    try:
        sources = [*read(folder).items(), *rendered(folder)]
    except ManifestError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for source, manifests in sources:
        for manifest in manifests:
            if manifest["kind"] == _KUSTOMIZATION:  # no object of the cluster's
                continue
            checked += 1
            for version in versions():
                try:
                    check(manifest, version)
                except ManifestError as error:
                    faults += 1
                    sys.stderr.write(f"{source}: {error}\n")
    how = "rendered as well" if _tool() else "not rendered: there is neither kubectl nor kustomize"
    sys.stdout.write(f"{checked} objects, Kubernetes {' and '.join(versions())}, {how}: {faults} faults\n")
    return 1 if faults or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
