"""What may be kept of the answers of the application, and what becomes of the id of the request."""

import pytest

from entrypoints.http.edge.answers import Answer, Headers

LENGTH = (b"content-length", b"2")
PROBLEM = b'{"type":"urn:problem-type:belref:noRiskFactor","instance":"urn:uuid:ID"}'


@pytest.mark.parametrize(
    ("headers", "offered", "kept"),
    [
        ([LENGTH], (), True),
        ([], (), False),  # the server would frame it by itself
        ([LENGTH, (b"transfer-encoding", b"chunked")], (), False),
        ([LENGTH, (b"set-cookie", b"a=b")], (), False),
        ([LENGTH, (b"x", b"a\r\nb: c")], (), False),
        ([LENGTH, (b"vary", b"Accept-Encoding, Origin")], (), True),
        ([LENGTH, (b"vary", b"Accept")], (), False),
        ([LENGTH, (b"vary", b"Accept, accept-encoding")], ("a", "b"), True),
        ([LENGTH, (b"vary", b"Accept, Accept-Language")], ("a", "b"), False),
        ([LENGTH, (b"vary", b"*")], ("a", "b"), False),
    ],
)
def test_an_answer_is_kept_only_where_what_it_varies_by_is_part_of_the_key(
    headers: Headers, offered: tuple[str, ...], *, kept: bool
) -> None:
    assert Answer(200, tuple(headers), b"{}").can_be_kept(offered) == kept


@pytest.mark.parametrize(
    ("status", "body", "kept"),
    [(404, PROBLEM, True), (404, b"{}", False), (400, PROBLEM, False), (503, b"{}", False), (206, b"{}", False)],
)
def test_refusals_and_failures_are_not_kept(status: int, body: bytes, *, kept: bool) -> None:
    assert Answer(status, (LENGTH,), body).can_be_kept(()) == kept


def test_the_id_is_taken_out_of_a_problem_that_holds_it_once() -> None:
    found = Answer(404, (), PROBLEM).without_identity("ID")
    assert found is not None
    assert found.body + b"ID" + (found.rest or b"") == PROBLEM
    assert Answer(404, (), PROBLEM + b"ID").without_identity("ID") is None
    assert Answer(404, (), b"{}").without_identity("ID") is None
