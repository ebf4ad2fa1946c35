"""Base64url has one spelling here, whatever other readers are content with."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto.compact import Unverifiable, decoded, encoded
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
