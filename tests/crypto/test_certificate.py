"""Client certificates that cannot be read are none."""

import pytest

from idp.crypto.certificate import Unreadable, from_der
from tests.support import certified
from tests.support.spec import spec

VERSION_3, VERSION_2 = bytes.fromhex("a003020102"), bytes.fromhex("a003020101")


@spec("RFC 8705 section 2")
def test_a_certificate_of_another_version_is_unreadable_and_no_fault() -> None:
    der = certified.certificate().der
    assert VERSION_3 in der

    with pytest.raises(Unreadable):
        from_der(der.replace(VERSION_3, VERSION_2))
