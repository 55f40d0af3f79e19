"""What the soak notices, without a service."""

import pytest
from benchmarks.load import Load, Request
from benchmarks.load_run import Run
from benchmarks.soak import Checked, Seen


class Transport:
    """Takes what is written, and sends it nowhere."""

    def write(self, data: bytes) -> None:
        self.written = data


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def clients(seen: Seen) -> tuple[Checked, Checked]:
    run = Run(Load(port=1, requests=[Request("/")], clients=2, seconds=1))
    run.go()
    one, other = Checked(run, 0, seen), Checked(run, 1, seen)
    for client in (one, other):
        client.connection_made(Transport())  # type: ignore[arg-type]
    return one, other


def released(release: str, body: str = "{}") -> bytes:
    return f"HTTP/1.1 200 OK\r\nX-Release: {release}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_an_answer_of_an_older_release_than_was_seen_before_it_was_asked_for_is_stale(
    clients: tuple[Checked, Checked], seen: Seen
) -> None:
    one, other = clients
    one.data_received(released("0002-aa"))
    other.data_received(released("0001-aa"))  # it was asked for before anybody had seen the second
    assert not seen.stale
    other.data_received(released("0001-aa"))
    assert seen.stale.total() == 1


def test_a_figure_that_goes_back_is_stale(clients: tuple[Checked, Checked], seen: Seen) -> None:
    for value in ("140.31", "140.31", "140.30"):
        clients[0].data_received(released("0001-aa", f'{{"base_year":2013,"index":{value}}}'))
    assert seen.newest["figure"] == 14031
    assert seen.stale.total() == 1


async def test_a_change_that_nobody_answers_from_is_an_error(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.soak._FOLLOWED_WITHIN", 0.0)
    seen.newest["release"] = 2
    await seen.follows("release", 2)
    with pytest.raises(RuntimeError, match="3 was not followed: 2 is answered"):
        await seen.follows("release", 3)
