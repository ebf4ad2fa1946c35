"""Two ways to read base64url, one of them an extra: what they read and refuse is the same."""

import binascii

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.crypto import compact
from tests.support.spec import spec

SPELLED = st.text(alphabet="AQgwz09-_+/= \n.é\0", max_size=24)
WAYS = (compact._decoded, compact._decoded_fast)


@spec("JOS-01", "RFC 7515 section 2")
@given(part=SPELLED | st.binary(max_size=48).map(compact.encoded) | st.text(max_size=8))
@example(part="ab+/")
@example(part="YQ==")
@example(part="YQ=")
@example(part="YR")
@example(part="Y")
@example(part=" YQ")
@example(part="Y Q")
@example(part="YQ\n")
def test_native_code_reads_and_refuses_the_same(part: str) -> None:
    found = []
    for way in WAYS:
        try:
            found.append(way(part, len(part) % 4))
        except (binascii.Error, ValueError):
            found.append(None)

    assert found[0] == found[1]


@spec("JOS-01", "RFC 7515 section 2")
@given(raw=st.binary(max_size=64))
def test_what_is_spelled_is_read_again(raw: bytes) -> None:
    assert compact.decoded(compact.encoded(raw)) == raw


@spec("JOS-01", "RFC 7515 section 2")
@pytest.mark.parametrize("part", ["ab+/", "YQ==", "YR", "Y", "Y Q", "YQ\n", "YQé", "Y\0"])
def test_another_spelling_is_refused(part: str) -> None:
    with pytest.raises(compact.Unverifiable):
        compact.decoded(part)
