"""That no file descriptor is left is said in the log, and not once for each attempt."""

import asyncio
import errno
import os
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from entrypoints.descriptors import DescriptorWatch, descriptors_watched


class World:
    """A process that may have no descriptor left, and a clock."""

    def __init__(self) -> None:
        self.now, self.error = 0.0, 0

    def open_one(self) -> None:
        if self.error:
            raise OSError(self.error, os.strerror(self.error))

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def watch(world: World) -> DescriptorWatch:
    return DescriptorWatch(world.open_one, world.monotonic)


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def test_nothing_is_said_while_there_are_some(watch: DescriptorWatch, lines: list[Any]) -> None:
    watch.look()
    assert lines == []


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE])
def test_it_is_said_once_a_minute_for_as_long_as_it_lasts(
    watch: DescriptorWatch, world: World, lines: list[Any], error: int
) -> None:
    world.error = error
    for world.now in (0, 5, 30, 59):
        watch.look()
    assert [line["log_level"] for line in lines] == ["error"]
    assert "ulimit -n" in lines[0]["event"]
    world.now = 60
    watch.look()
    assert len(lines) == 2


def test_another_error_is_no_such_thing(watch: DescriptorWatch, world: World, lines: list[Any]) -> None:
    world.error = errno.EACCES
    watch.look()
    assert lines == []


async def test_what_the_loop_complains_of_is_counted_in_and_the_rest_goes_its_way(
    watch: DescriptorWatch, lines: list[Any]
) -> None:
    loop = asyncio.get_running_loop()
    others: list[dict[str, Any]] = []
    loop.default_exception_handler = others.append  # type: ignore[method-assign,assignment]
    for _ in range(3):
        watch.hear(loop, {"message": "accept", "exception": OSError(errno.EMFILE, "none left")})
    watch.hear(loop, {"message": "another", "exception": ValueError()})
    watch.hear(loop, {"message": "none"})
    assert len(lines) == 1
    assert [context["message"] for context in others] == ["another", "none"]


async def test_it_is_watched_for_as_long_as_the_service_runs() -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    async with descriptors_watched():
        assert loop.get_exception_handler() is not before
    assert loop.get_exception_handler() is None
