"""Names that mean something in one sector only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto.pairwise import Sector
from tests.support.spec import spec

KEY = b"k" * 32
HERE, THERE = Sector("here.test", KEY), Sector("there.test", KEY)


@spec("OpenID Connect Core section 8.1", "OID-09")
@given(account=st.text(max_size=64).filter(lambda t: t.isascii()))
def test_a_person_has_one_name_in_each_sector_and_it_leads_back(account: str) -> None:
    name = HERE.name_of(account)

    assert HERE.name_of(account) == name
    assert HERE.account_of(name) == account
    assert THERE.name_of(account) != name
    assert THERE.account_of(name) is None
    assert Sector("here.test", b"x" * 32).account_of(name) is None
    assert len(name) <= 255


@spec("OpenID Connect Core section 8.1")
@pytest.mark.parametrize("name", ["", "a", "ann", "=" * 40, "é" * 30, "A" * 300, "AAAA" * 20, "\0"])
def test_what_is_no_name_of_ours_means_nobody(name: str) -> None:
    assert HERE.account_of(name) is None


@spec("JOS-11")
def test_a_name_has_one_spelling() -> None:
    name = HERE.name_of("u_ann")

    assert HERE.account_of(name + "=") is None
    assert HERE.account_of(name + "\n") is None
    assert HERE.account_of(name.swapcase()) is None
    assert "KEY" not in repr(HERE)
    assert "kkkk" not in repr(HERE)
