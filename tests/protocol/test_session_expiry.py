"""`session_expiry` in the ID token: for who asks, and never later than the session's end."""

import json
from datetime import timedelta
from typing import Any

import pytest

from idp.crypto.jose import claims_of
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World

ASKED = json.dumps({"id_token": {"session_expiry": None}})


@pytest.fixture
def keen(world: World) -> Rp:
    """A client that has registered that it wants to know."""
    return world.rp("Keen", session_expiry=True)


def in_seconds(world: World, **ahead: float) -> int:
    return int((world.clock.now + timedelta(**ahead)).timestamp())


def said(given: dict[str, Any]) -> dict[str, Any]:
    return claims_of(given["id_token"])


@spec("Enterprise Extensions 1.0", "IPSIE SL1")
def test_it_is_the_sooner_end_of_the_session(world: World, alice: str, keen: Rp) -> None:
    given = world.browser().tokens(keen)

    assert said(given)["session_expiry"] == in_seconds(world, hours=12)


@spec("Enterprise Extensions 1.0", "R-ID-4")
def test_who_does_not_ask_is_not_told(world: World, alice: str, rp: Rp) -> None:
    assert "session_expiry" not in said(world.browser().tokens(rp))


@spec("OpenID Connect Core section 5.5")
def test_it_can_be_asked_for_by_the_claims_parameter_and_nobody_must_agree_to_it(
    world: World, alice: str
) -> None:
    rp = world.rp("Mail", trusted=False)
    browser = world.browser()
    browser.tokens(rp)

    page = browser.authorize(rp, claims=ASKED, prompt="none")
    given = browser.tokens(rp, claims=ASKED)

    assert "code=" in page.headers["Location"]
    assert said(given)["session_expiry"] == in_seconds(world, hours=12)


def test_it_moves_with_a_session_in_use_up_to_its_absolute_end(
    world: World, alice: str, keen: Rp
) -> None:
    browser = world.browser()
    first = browser.tokens(keen)
    world.clock.advance(hours=6)
    browser.tokens(keen)

    again = keen.refresh(first["refresh_token"]).json

    assert said(again)["session_expiry"] == in_seconds(world, hours=12)
    for _ in range(14):
        world.clock.advance(hours=11)
        last = _visit(browser, keen)
    assert said(last)["session_expiry"] == in_seconds(world, hours=7 * 24 - 6 - 14 * 11)


def test_a_session_that_is_over_has_none(world: World, alice: str, keen: Rp) -> None:
    browser = world.browser()
    given = browser.tokens(keen, scope="openid offline_access", prompt="consent")
    browser.submit(browser.http.get("/end_session"), "/end_session/confirm")

    again = keen.refresh(given["refresh_token"])

    assert again.status_code == 200
    assert "session_expiry" not in said(again.json)


def _visit(browser: Browser, rp: Rp) -> dict[str, Any]:
    return browser.tokens(rp, prompt="none")
