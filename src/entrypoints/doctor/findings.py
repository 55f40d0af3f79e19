"""What the doctor says of one thing: how it stands, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """`warning`: the service runs, and somebody should look. `failed`: what the settings name cannot be used so."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands. `advice` says what to do, where there is something to do."""

    name: str
    outcome: Outcome
    detail: str
    advice: str = ""

    @property
    def line(self) -> str:
        """All of it but the outcome, on one line."""
        text = f"{self.name}: {self.detail}"
        if self.advice:
            text += f"{'' if text.endswith(('.', '?')) else '.'} {self.advice[:1].upper()}{self.advice[1:]}"
        return " ".join(text.split())


def ok(name: str, detail: str) -> Finding:
    return Finding(name, Outcome.OK, detail)


def warning(name: str, detail: str, advice: str) -> Finding:
    return Finding(name, Outcome.WARNING, detail, advice)


def failed(name: str, detail: str, advice: str) -> Finding:
    return Finding(name, Outcome.FAILED, detail, advice)


def skipped(name: str, detail: str) -> Finding:
    return Finding(name, Outcome.SKIPPED, detail)
