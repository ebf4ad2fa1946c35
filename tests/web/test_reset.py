"""A lost password: an operator makes a link, the person chooses, and everything ends."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from idp.cli import idp
from tests.cli.conftest import Operator, at
from tests.support.spec import spec
from tests.support.world import PASSWORD, Browser

NEW = "quite another phrase of words"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    made = at(tmp_path)
    made.world.person("alice")
    return made


def link(operator: Operator) -> str:
    found = str(operator.reads("account", "reset-password", "alice")["link"])
    assert found.startswith("https://op.test/reset?code=rs_")
    return found.removeprefix("https://op.test")


def chooses(browser: Browser, path: str, password: str = NEW) -> int:
    page = browser.http.get(path)
    if page.status_code != 200:
        return page.status_code
    return browser.submit(page, "/reset", new_password=password).status_code


def can_sign_in(operator: Operator, password: str) -> bool:
    browser = operator.world.browser()
    return browser.sign_in("alice", password).status_code == 303


@spec("PWD-12", "ADM-05", "V6.4.1", "V6.4.6")
def test_the_person_chooses_and_the_link_is_used_up(operator: Operator) -> None:
    path, browser = link(operator), operator.world.browser()

    first = chooses(browser, path)
    again = chooses(operator.world.browser(), path, "and a third one of words")

    assert (first, again) == (303, 400)
    assert can_sign_in(operator, NEW)
    assert not can_sign_in(operator, PASSWORD)


@spec("PWD-12", "RFT-12", "V6.4.3")
def test_everything_ends_and_nobody_is_signed_in_by_it(operator: Operator) -> None:
    world, thief = operator.world, operator.world.browser()
    thief.sign_in("alice")
    rp = world.rp()
    tokens = thief.tokens(rp)
    browser = world.browser()

    chooses(browser, link(operator))

    assert browser.http.get("/account").status_code == 303
    assert thief.http.get("/account").status_code == 303
    assert rp.refresh(tokens["refresh_token"]).status_code == 400


@spec("PWD-12")
@pytest.mark.parametrize("minutes", [14.9, 15.1])
def test_it_is_good_for_a_quarter_of_an_hour(operator: Operator, minutes: float) -> None:
    path = link(operator)
    operator.world.clock.advance(minutes=minutes)

    assert chooses(operator.world.browser(), path) == (303 if minutes < 15 else 400)


@spec("PWD-12", "COD-07", "CVE-2026-4325", "CVE-2026-18963")
def test_nothing_else_does_in_its_place(operator: Operator) -> None:
    other = operator.world.browser().code(operator.world.rp())
    tries = ["", "rs_", "rs_x", other, "rs_" + other[3:], "\0", "é" * 3]

    answers = [operator.world.http().get("/reset", query_string={"code": c}) for c in tries]
    bare = operator.world.browser().http.post("/reset", data={"new_password": NEW})

    assert {answer.status_code for answer in answers} == {400}
    assert bare.status_code in (400, 403)
    assert can_sign_in(operator, PASSWORD)


@spec("PWD-12")
def test_a_link_is_over_when_the_password_changes_or_the_person_is_disabled(
    operator: Operator,
) -> None:
    first, second = link(operator), link(operator)
    operator.world.clock.advance(seconds=1)

    used = chooses(operator.world.browser(), first)
    other = chooses(operator.world.browser(), second)
    third = link(operator)
    operator.reads("account", "disable", "alice")

    assert (used, other) == (303, 400)
    assert chooses(operator.world.browser(), third) == 400
    assert operator.types("account", "reset-password", "alice").exit_code == 1


@spec("PWD-12", "PWD-02")
def test_a_weak_password_does_not_use_it_up(operator: Operator) -> None:
    path, browser = link(operator), operator.world.browser()

    assert chooses(browser, path, "short") == 400
    assert chooses(browser, path, "x" * 5000) == 400
    assert chooses(browser, path) == 303


@spec("PWD-12", "EDG-01", "CVE-2025-64101", "CSR-01")
def test_the_link_leads_to_the_configured_address_and_the_form_is_ours(operator: Operator) -> None:
    path, browser = link(operator), operator.world.browser()
    page = browser.http.get(path, headers={"Host": "evil.test", "X-Forwarded-Host": "evil.test"})
    secret = path.partition("=")[2]

    forged = browser.http.post("/reset", data={"code": secret, "new_password": NEW})

    assert "evil.test" not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert forged.status_code == 403
    assert can_sign_in(operator, PASSWORD)


@spec("PWD-12", "CON-01", "P3")
def test_of_many_who_use_it_at_once_one_wins(operator: Operator) -> None:
    path, world = link(operator), operator.world
    browsers = [world.browser() for _ in range(8)]
    pages = [browser.http.get(path) for browser in browsers]

    def use(number: int) -> int:
        page = pages[number]
        return browsers[number].submit(page, "/reset", new_password=f"{NEW} {number}").status_code

    with ThreadPoolExecutor(8) as racers:
        answers = list(racers.map(use, range(8)))

    assert sorted(answers) == [303] + [400] * 7
    assert sum(can_sign_in(operator, f"{NEW} {number}") for number in range(8)) == 1


@spec("ADM-05", "V6.4.6")
def test_no_command_chooses_the_password_of_somebody_who_has_an_account() -> None:
    for name in ("reset-password", "enable", "disable", "sign-out", "sessions", "list"):
        said = CliRunner().invoke(idp, ["account", name, "--help"]).stdout
        assert not re.search(r"--(new-)?password\b|--password-stdin", said)
