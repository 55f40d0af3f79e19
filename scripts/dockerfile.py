"""Reads a Dockerfile, as far as this project writes one, so that what is tried is what is written there."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})")
_FLAG = re.compile(r"(--[a-z-]+)(?:=(\S+))?\s+")


@dataclass(frozen=True)
class Instruction:
    """One instruction; its continuation lines are one line."""

    name: str
    flags: tuple[tuple[str, str], ...]
    value: str
    line: int
    """The number of its first line, from 1."""

    def flag(self, name: str) -> str | None:
        return dict(self.flags).get(name)

    def arguments(self) -> list[str]:
        """The words of its exec form.

        :raises ValueError: for the shell form
        """
        words = json.loads(self.value) if self.value.startswith("[") else None
        if not words or not all(isinstance(word, str) for word in words):
            raise ValueError(f"line {self.line}: {self.name} is not in exec form")
        return list(words)

    def pairs(self) -> dict[str, str]:
        """What ENV, LABEL and ARG set, quotes removed; an ARG without a default is empty."""
        words = (word.partition("=") for word in shlex.split(self.value))
        return {name: value for name, _, value in words}


@dataclass
class Stage:
    """What follows one FROM."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.name == name]

    def last(self, name: str) -> Instruction:
        """The one that counts.

        :raises ValueError: where there is none
        """
        found = self.all(name)
        if not found:
            raise ValueError(f"the stage {self.name or 'of the image'} has no {name}")
        return found[-1]

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """The ENV of a container, on top of that of the base image."""
        environment = dict(base)
        for instruction in self.all("ENV"):
            known = dict(environment)
            environment |= {name: expand(value, known) for name, value in instruction.pairs().items()}
        return environment

    def labels(self) -> dict[str, str]:
        return {name: value for instruction in self.all("LABEL") for name, value in instruction.pairs().items()}

    def user(self) -> tuple[int, int]:
        """The numbers of user and group.

        :raises ValueError: for names, which only a running container could look up
        """
        instruction = self.last("USER")
        numbers = re.fullmatch(r"(\d+):(\d+)", instruction.value)
        if not numbers:
            raise ValueError(f"line {instruction.line}: USER {instruction.value} is not two numbers")
        return int(numbers[1]), int(numbers[2])

    def healthcheck(self) -> list[str]:
        """The words of its command.

        :raises ValueError: for anything but CMD in exec form
        """
        instruction = self.last("HEALTHCHECK")
        kind, _, value = instruction.value.partition(" ")
        if kind != "CMD":
            raise ValueError(f"line {instruction.line}: HEALTHCHECK {kind}")
        return Instruction("HEALTHCHECK", (), value.strip(), instruction.line).arguments()


@dataclass(frozen=True)
class Dockerfile:
    """The defaults of its ARGs before the first FROM, and its stages; the last one is the image."""

    arguments: Mapping[str, str]
    stages: tuple[Stage, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        arguments: dict[str, str] = {}
        stages: list[Stage] = []
        for instruction in _instructions(text):
            if instruction.name == "FROM":
                base, *alias = expand(instruction.value, arguments).split()
                stages.append(Stage(base, alias[1] if alias else ""))
            elif stages:
                stages[-1].instructions.append(instruction)
            else:
                arguments |= instruction.pairs()
        return cls(arguments, tuple(stages))

    @property
    def image(self) -> Stage:
        return self.stages[-1]


def expand(value: str, variables: Mapping[str, str]) -> str:
    """Put variables in; `:-` gives a default, and what is not known is empty."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2]) or found[3] or "", value)


def _instructions(text: str) -> Iterator[Instruction]:
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole = line.strip()
        while whole.endswith("\\"):
            following = next(lines)[1].strip()
            if not following.startswith("#"):
                whole = whole[:-1] + following
        name, _, rest = whole.partition(" ")
        flags = []
        rest = rest.lstrip()
        while found := _FLAG.match(rest):
            flags.append((found[1], found[2] or ""))
            rest = rest[found.end() :].lstrip()
        yield Instruction(name.upper(), tuple(flags), rest, number)
