"""One baseline in a uvicorn process of its own, with the settings of the service."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.processes import ServerProcess, read_order, serve
from benchmarks.recording import Answer

# Each imports what it needs and no more, as what is imported is part of its memory and of its start.


def bare(scenarios: Mapping[str, Mapping[str, Answer]]) -> ServerProcess:
    """See `benchmarks.baselines.bare`; `tell` it which scenario to play."""
    plain = {
        name: {target: answer.plain() for target, answer in answers.items()} for name, answers in scenarios.items()
    }
    return _process("bare", scenarios=plain)


def litestar() -> ServerProcess:
    """See `benchmarks.baselines.in_process`."""
    return _process("litestar")


def fastapi() -> ServerProcess:
    """See `benchmarks.baselines.in_process`."""
    return _process("fastapi")


def pooled(dsn: str, headers: Sequence[tuple[str, str]]) -> ServerProcess:
    """See `benchmarks.baselines.pooled`."""
    return _process("pooled", dsn=dsn, headers=headers)


def _process(baseline: str, **options: Any) -> ServerProcess:
    order = {"baseline": baseline, "options": options}
    return ServerProcess("benchmarks.baselines.server", order, f"the baseline {baseline}")


def _serve(baseline: str, options: Mapping[str, Any]) -> None:
    if baseline == "bare":
        from benchmarks.baselines.bare import Bare  # noqa: PLC0415 - see above

        recorded = {
            name: {target: Answer.of_plain(plain) for target, plain in answers.items()}
            for name, answers in options["scenarios"].items()
        }
        application = Bare(recorded)
        serve(application, lifespan=False, hear=application.play)
    elif baseline == "pooled":
        from benchmarks.baselines.pooled import Pooled  # noqa: PLC0415 - see above

        serve(Pooled(**options))
    else:
        from benchmarks.baselines import in_process  # noqa: PLC0415 - see above

        serve({"litestar": in_process.litestar, "fastapi": in_process.fastapi}[baseline]())


if __name__ == "__main__":
    _serve(**read_order())
