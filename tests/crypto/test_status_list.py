"""A list of bits, held against the examples of the draft and against what swells up."""

import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto.compact import encoded
from idp.crypto.status_list import Reference, Unverifiable, pack, reference_in, unpack
from tests.support.spec import spec

NOW = datetime(2031, 5, 4, 12, 0, tzinfo=UTC)
URI = "https://op.test/status-lists/1"
DRAFT = "draft-ietf-oauth-status-list"


def said(**more: Any) -> dict[str, Any]:
    claims = {
        "sub": URI,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
        "ttl": 30,
        "status_list": pack(16, [0, 3, 4, 5, 7, 8, 9, 13, 15]),
    }
    return {name: value for name, value in (claims | more).items() if value is not None}


@spec(f"{DRAFT} section 4.1", f"{DRAFT} section 4.2")
def test_the_first_token_is_the_lowest_bit_of_the_first_byte() -> None:
    found = unpack(said(), URI, NOW)

    assert found.bits == bytes([0xB9, 0xA3])  # the example of the draft
    assert [idx for idx in range(16) if not found.valid(idx)] == [0, 3, 4, 5, 7, 8, 9, 13, 15]


@spec(f"{DRAFT} section 4.2")
def test_the_list_of_the_draft_is_read_as_the_draft_reads_it() -> None:
    lst = {"bits": 1, "lst": "eNrbuRgAAhcBXQ"}

    assert unpack(said(status_list=lst), URI, NOW).bits == bytes([0xB9, 0xA3])


@given(taken=st.sets(st.integers(0, 1023)))
def test_what_was_packed_is_read_again(taken: set[int]) -> None:
    found = unpack(said(status_list=pack(1024, taken)), URI, NOW)

    assert {idx for idx in range(1024) if not found.valid(idx)} == taken


@spec(f"{DRAFT} section 8.3")
@pytest.mark.parametrize(
    "wrong",
    [
        {"sub": "https://op.test/status-lists/2"},
        {"sub": None},
        {"exp": int(NOW.timestamp())},
        {"exp": None},
        {"ttl": 0},
        {"ttl": None},
        {"ttl": True},
        {"iat": int(NOW.timestamp()) + 3600},
        {"status_list": None},
        {"status_list": {"bits": 2, "lst": "eNrbuRgAAhcBXQ"}},
        {"status_list": {"bits": 1}},
        {"status_list": {"bits": 1, "lst": "%%%"}},
        {"status_list": {"bits": 1, "lst": encoded(b"not compressed")}},
        {"status_list": {"bits": 1, "lst": encoded(zlib.compress(bytes(99))[:-2])}},
        {"status_list": {"bits": 1, "lst": encoded(zlib.compress(bytes(2**22)))}},
    ],
)
def test_a_list_that_is_none_is_not_believed(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unverifiable):
        unpack(said(**wrong), URI, NOW)


@spec(f"{DRAFT} section 8.3")
def test_a_place_the_list_does_not_have_says_nothing() -> None:
    found = unpack(said(), URI, NOW)

    for idx in (-1, 16):
        with pytest.raises(Unverifiable):
            found.valid(idx)


@spec(f"{DRAFT} section 6.2")
def test_a_token_says_where_its_status_stands() -> None:
    place = Reference(URI, 7)

    assert reference_in({"status": place.claim}) == place
    assert reference_in({}) is None


@pytest.mark.parametrize(
    "status",
    [
        "valid",
        {},
        {"status_list": []},
        {"status_list": {"idx": 1}},
        {"status_list": {"idx": -1, "uri": URI}},
        {"status_list": {"idx": True, "uri": URI}},
        {"status_list": {"idx": "1", "uri": URI}},
        {"status_list": {"idx": 1, "uri": ""}},
        {"status_list": {"idx": 2**60, "uri": URI}},
    ],
)
@spec(f"{DRAFT} section 6.2")
def test_a_status_we_cannot_check_is_refused(status: object) -> None:
    with pytest.raises(Unverifiable):
        reference_in({"status": status})
