"""Carries out the stages of a Dockerfile without an engine: in a folder, on a copy of a Python of this machine.

What it cannot know is the base image: instead of musl and BusyBox there are this machine's own libc and tools.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.dockerfile import Dockerfile, Instruction, Stage

_BASE_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
_PASSED_ON = re.compile("(PIP|SSL|CURL|REQUESTS)_.*|.*_proxy|HOME|TMPDIR", re.IGNORECASE)
"""How this machine reaches its package index; an engine has means of its own."""

_DESCRIBE = """
import ctypes, ensurepip, json, ssl, sys, sysconfig, venv, zlib
print(json.dumps({
    "version": sysconfig.get_python_version(),
    "prefix": sys.base_prefix,
    "library": sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}),
    "executable": sys._base_executable,
    "shared": sysconfig.get_config_var("LIBDIR") if sysconfig.get_config_var("Py_ENABLE_SHARED") else None,
}))
"""
_LEFT_OUT = ("test", "tests", "idle_test", "__pycache__", "config-*", "site-packages", "dist-packages", "EXTERNALLY*")
"""What the official images do not have either, and what was installed on this machine."""


class RecipeError(Exception):
    """A step of the recipe failed; the message says which, and how."""


@dataclass(frozen=True)
class Interpreter:
    """A CPython of this machine that can stand for the one of the base image."""

    version: str
    prefix: Path
    library: Path
    executable: Path
    shared: Path | None
    """Where its shared library lies, if it has one."""

    @classmethod
    def find(cls, version: str) -> "Interpreter":
        """The CPython of this version, else the one that runs this.

        :raises RecipeError: when neither can make virtual environments
        """
        # The variable lets a shim of pyenv find a version that is installed and not selected.
        found = cls._described(f"python{version}", {"PYENV_VERSION": version}) or cls._described(sys.executable, {})
        if found is None:
            raise RecipeError(f"neither python{version} nor {sys.executable} has ssl, venv and ensurepip")
        return found

    @classmethod
    def _described(cls, python: str, environment: Mapping[str, str]) -> "Interpreter | None":
        try:
            done = subprocess.run(
                [python, "-I", "-c", _DESCRIBE], env={**os.environ, **environment}, capture_output=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        said = json.loads(done.stdout)
        paths = {name: Path(said[name]) for name in ("prefix", "library", "executable")}
        return cls(said["version"], shared=Path(said["shared"]) if said["shared"] else None, **paths)

    def install(self, root: Path) -> Path:
        """Copy it to where the base image has it, without tests and bytecode; its library."""
        local, name = root / "usr" / "local", f"python{self.version}"
        (local / "bin").mkdir(parents=True)
        shutil.copy(self.executable, local / "bin" / name)
        for alias in ("python3", "python"):
            (local / "bin" / alias).symlink_to(name)
        library = local / self.library.relative_to(self.prefix)
        shutil.copytree(self.library, library, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        for shared in self.shared.glob("libpython*.so*") if self.shared else ():
            shutil.copy(shared, local / "lib", follow_symlinks=False)
        return library


class Rehearsal:
    """Builds the image in `folder`; what is / in the image is `root` there, in every stage."""

    def __init__(self, context: Path, folder: Path, version: str = "") -> None:
        """`version` stands for the build argument PYTHON_VERSION; empty, it is the default of the Dockerfile."""
        os.umask(0o022)
        self.dockerfile = Dockerfile.parse((context / "Dockerfile").read_text("utf-8"))
        self.interpreter = Interpreter.find(version or self.dockerfile.arguments["PYTHON_VERSION"])
        self.root = folder / "root"
        self._context = context
        self._folder = folder
        self._workdir = Path("/")

    def build(self) -> None:
        """Run every stage; what remains in `root` is the image.

        :raises RecipeError: when a step fails, with what it said
        """
        base = self._folder / "base"
        self._install_pip(self.interpreter.install(self.root))
        shutil.copytree(self.root, base, symlinks=True)
        for stage in self.dockerfile.stages:
            if not self.root.exists():
                shutil.copytree(base, self.root, symlinks=True)
            self._carry_out(stage)
            if stage is not self.dockerfile.image:
                self.root.rename(self._folder / f"stage-{stage.name}")

    def container_environment(self) -> dict[str, str]:
        """What a process of the image finds in its environment, and nothing of this machine's."""
        return self.environment(self.dockerfile.image.environment(_BASE_ENVIRONMENT)) | {"HOME": "/"}

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The same variables, with the paths of the image moved into `root`."""
        moved = {name: self.moved(value) for name, value in variables.items()}
        if self.interpreter.shared:
            moved["LD_LIBRARY_PATH"] = f"{self.root}/usr/local/lib"
        return moved

    def moved(self, text: str) -> str:
        """The text with every absolute path of the image moved into `root`."""
        return re.sub(r"(?<![\w./$}*-])/(?=\w)", f"{self.root}/", text)

    def _carry_out(self, stage: Stage) -> None:
        environment, self._workdir = dict(_BASE_ENVIRONMENT), Path("/")
        for instruction in stage.instructions:
            if instruction.name == "ENV":
                upto = Stage(stage.base, stage.name, stage.instructions[: stage.instructions.index(instruction) + 1])
                environment = upto.environment(_BASE_ENVIRONMENT)
            elif instruction.name == "WORKDIR":
                self._workdir /= instruction.value
                self._here().mkdir(parents=True, exist_ok=True)
            elif instruction.name == "COPY":
                self._copy(instruction)
            elif instruction.name == "RUN":
                passed_on = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
                variables = passed_on | self.environment(environment)
                variables["PATH"] += f":{_BASE_ENVIRONMENT['PATH']}"  # the shell and its tools are this machine's
                what = f"line {instruction.line}: RUN {instruction.value}"
                self._run(["/bin/sh", "-c", self.moved(instruction.value)], variables, what)

    def _copy(self, instruction: Instruction) -> None:
        *sources, destination = shlex.split(instruction.value)
        to = self._here() / self.moved(destination)
        stage = instruction.flag("--from")
        for source in sources:
            if stage:
                self._copy_from(self._folder / f"stage-{stage}" / source.lstrip("/"), to)
                continue
            chosen = [path for path in context_files(self._context) if path.is_relative_to(source)]
            if not chosen:
                raise RecipeError(f"line {instruction.line}: COPY {source}: not there, or in .dockerignore")
            for path in chosen:
                inside = to / path.relative_to(source) if path != Path(source) else to / path.name
                inside.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self._context / path, inside)

    def _copy_from(self, source: Path, to: Path) -> None:
        (to if source.is_dir() else to.parent).mkdir(parents=True, exist_ok=True)
        words = ["cp", "-a", f"{source}/." if source.is_dir() else str(source), str(to)]
        self._run(words, dict(os.environ), f"COPY {source}")

    def _install_pip(self, library: Path) -> None:
        """Unpack the pip that the interpreter carries with it; ensurepip would take its time to compile all of it."""
        wheels = (library / "ensurepip" / "_bundled", Path("/usr/share/python-wheels"))  # the latter on Debian
        wheel = next((wheel for folder in wheels for wheel in folder.glob("pip-*.whl")), None)
        if wheel is None:
            raise RecipeError(f"there is no pip in {wheels[0]}")
        packages = library / "site-packages"
        shutil.unpack_archive(wheel, packages, "zip")
        ask = ["python", "-c", "import site; print(*site.getsitepackages(), sep='\\n')"]
        looked_in = self._run(ask, self.environment(_BASE_ENVIRONMENT), "python").splitlines()
        if str(packages) not in looked_in:  # Debian's Python looks elsewhere, the official one does not
            Path(looked_in[0]).mkdir(parents=True)
            Path(looked_in[0], "here-too.pth").write_text(f"{packages}\n", "utf-8")
        script = self.root / "usr" / "local" / "bin" / "pip"
        script.write_text('#!/bin/sh\nexec python -m pip "$@"\n', "utf-8")
        script.chmod(0o755)

    def _here(self) -> Path:
        return self.root / str(self._workdir).lstrip("/")

    def _run(self, words: list[str], environment: Mapping[str, str], what: str) -> str:
        done = subprocess.run(
            words, cwd=self._here(), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        said = done.stdout.decode(errors="replace")
        if done.returncode:
            raise RecipeError(f"{what}\nended with {done.returncode}:\n{said[-3000:]}")
        return said


def context_files(context: Path) -> Iterator[Path]:
    """The files that .dockerignore lets into the build, relative to its folder; the last pattern that fits counts.

    :raises RecipeError: when it does not begin with leaving everything out
    """
    lines = (context / ".dockerignore").read_text("utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if patterns[0] != "*":
        raise RecipeError(".dockerignore does not begin with *, so that everything would be sent to the engine")
    rules = [(_pattern(line.removeprefix("!")), line.startswith("!")) for line in patterns]
    top = {line.removeprefix("!").split("/")[0] for line in patterns if line.startswith("!")}
    for path in sorted(path for name in top for path in ((context / name), *(context / name).rglob("*"))):
        relative = path.relative_to(context)
        parts = ["/".join(relative.parts[: depth + 1]) for depth in range(len(relative.parts))]
        kept = True
        for pattern, keeps in rules:
            kept = keeps if any(pattern.fullmatch(part) for part in parts) else kept
        if kept and path.is_file():
            yield relative


def _pattern(line: str) -> re.Pattern[str]:
    escaped = re.escape(line.strip("/"))
    return re.compile(escaped.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*"))
