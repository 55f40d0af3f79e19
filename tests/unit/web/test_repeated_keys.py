"""An object of JSON that has a key twice is refused, whatever it holds, and without building what it holds."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.batches import decode, decode_cases

_ANYTHING = msgspec.json.Decoder(dict[str, Any])
_keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _keys,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.tuples(_keys, _values, st.booleans()), max_size=5), st.sampled_from(["", " ", "\n\t"]))
def test_an_object_is_refused_where_two_of_its_keys_are_the_same_text(
    members: Sequence[tuple[str, object, bool]], blank: str
) -> None:
    """However they are written: with escapes or without, and with blanks between them."""
    parts = [
        f"{blank}{json.dumps(key, ensure_ascii=escaped)}{blank}:{blank}{json.dumps(value)}{blank}"
        for key, value, escaped in members
    ]
    body = ("{" + ",".join(parts) + "}").encode()
    if len({key for key, _, _ in members}) < len(members):
        with pytest.raises(msgspec.DecodeError, match="more than once"):
            decode(_ANYTHING, body)
    else:
        assert decode(_ANYTHING, body) == {key: value for key, value, _ in members}


def test_what_a_case_holds_is_not_built_to_find_a_repeated_key() -> None:
    """The event loop waits meanwhile: 100,000 small objects must not be 100,000 calls."""
    body = b'{"items":[[' + b",".join([b'{"a":1}'] * 100_000) + b"]]}"
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        decode(decode_cases, body)
    finally:
        sys.setprofile(before)
    assert calls < 50
