"""An operator takes a second factor away from somebody who has lost phone and paper."""

from pathlib import Path

import pytest

from tests.cli.conftest import Operator, at
from tests.support.phone import Owner, at_home, lately
from tests.support.spec import spec


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return at(tmp_path)


@spec("ADM-05", "V16.3", "design section 6")
def test_it_goes_everything_ends_and_the_person_is_told(operator: Operator) -> None:
    owner, browser = Owner.enrolled(operator.world), operator.world.browser()
    owner.signs_in(browser)

    receipt = operator.reads("account", "remove-second-factor", owner.name)
    after = at_home(browser)
    back = browser.sign_in(owner.name)

    assert receipt["scope"] == "everywhere"
    assert not after
    assert back.headers["Location"] == "/account"
    assert "An administrator took your authenticator app away" in lately(browser)


@spec("TOT-06")
def test_the_codes_on_paper_go_with_it(operator: Operator) -> None:
    owner = Owner.enrolled(operator.world)

    operator.reads("account", "remove-second-factor", owner.name)

    with operator.world.app.app_context():
        factors = operator.world.op.accounts.second_factors
        assert not factors.enrolled(owner.sub)
        assert factors.recovery_codes(owner.sub) == []


def test_who_has_none_keeps_what_they_are_signed_in_to(operator: Operator) -> None:
    owner, browser = Owner.of(operator.world), operator.world.browser()
    browser.sign_in(owner.name)

    said = operator.types("account", "remove-second-factor", owner.name)

    assert said.exit_code == 1
    assert "has no second factor" in said.output
    assert at_home(browser)
