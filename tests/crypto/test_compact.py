"""Base64url has one spelling here, whatever other readers are content with."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto.compact import Unverifiable, decoded, encoded, json_object, json_value
from tests.support.spec import spec


@spec("RFC 7515 section 2", "REV-06")
@given(st.binary(max_size=40))
def test_what_is_encoded_is_decoded(raw: bytes) -> None:
    assert decoded(encoded(raw)) == raw


@spec("RFC 7515 section 2", "REV-06")
@pytest.mark.parametrize(
    "part",
    [
        "QUJD=",
        "QUJD====",
        "QUI=",
        "QQ==",
        "QR",
        "QUJ",
        "Q",
        "+/+/",
        "QU JD",
        "QUJD\n",
        "é",
        "=",
        "Q=Q=",
    ],
)
def test_another_spelling_is_refused(part: str) -> None:
    with pytest.raises(Unverifiable):
        decoded(part)


@spec("RFC 7515 section 2", "REV-06")
@given(st.text(alphabet="AQg_-wz09+/= \n", max_size=12))
def test_it_reads_what_a_careful_reader_reads_and_nothing_else(part: str) -> None:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = None
    canonical = raw is not None and base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == part

    try:
        ours = decoded(part)
    except Unverifiable:
        ours = None

    assert ours == (raw if canonical else None)


def read_by(reader: Callable[[bytes], Any], raw: bytes) -> str:
    """What it says, with 1, 1.0 and True told apart."""
    try:
        return repr(reader(raw))
    except Unverifiable:
        return "refused"


NUMBERS = ("1", "1.0", "-0", "1e5", "1E400", "18446744073709551616", "0.1", "NaN")
TEXTS = ('"x"', '"\\u0000"', '"\\ud800"', '"\\n"')
OTHERS = ("true", "null", '{"a":1,"a":2}', "[1,2]", "[ ]")
MEMBERS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "\\u0061", "\\u0000", "é"]),
        st.sampled_from([":", " :", ": "]),
        st.sampled_from([*NUMBERS, *TEXTS, *OTHERS]),
    ),
    max_size=4,
)


@spec("RFC 7519 section 4", "RFC 8725 section 2.6")
@given(MEMBERS)
def test_native_code_reads_what_the_strict_reader_reads_and_nothing_else(
    members: list[tuple[str, str, str]],
) -> None:
    raw = (
        "{" + ",".join(f'"{name}"{colon}{value}' for name, value, colon in members) + "}"
    ).encode()

    assert read_by(json_object, raw) == read_by(json_value, raw)


@given(
    st.binary(max_size=30) | st.text(alphabet='{}[]":,\\u0123eE.-tru ', max_size=20).map(str.encode)
)
def test_so_it_is_with_what_is_hardly_json(raw: bytes) -> None:
    strict = read_by(json_value, raw)

    assert read_by(json_object, raw) == (strict if strict.startswith("{") else "refused")


@spec("RFC 8725 section 2.6")
def test_a_member_that_is_there_twice_is_refused_by_either() -> None:
    with pytest.raises(Unverifiable):
        json_object(b'{"aud":"a","aud":"b"}')
    assert json_object(json.dumps({"aud": "a"}, separators=(",", ":")).encode()) == {"aud": "a"}
