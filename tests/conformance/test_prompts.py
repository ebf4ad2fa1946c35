"""The modules about asking the person, or not asking: one test for each (conformance B.1)."""

from tests.conformance.marks import module
from tests.conformance.pages import offers
from tests.conformance.party import RelyingParty
from tests.support.spec import spec

NOT_SIGNED_IN = {
    "login_required",
    "interaction_required",
    "account_selection_required",
    "consent_required",
}


@module("oidcc-prompt-login")
def test_prompt_login(rp: RelyingParty) -> None:
    _, first = rp.signs_in()
    rp.world.clock.advance(seconds=1)

    page = rp.shown(rp.goes(prompt="login"))
    assert offers(page, "login-submit")
    _, second = rp.brings(rp.comes_back(rp.follows(page)))

    assert second["auth_time"] > first["auth_time"]
    assert second["sub"] == first["sub"]


@module("oidcc-prompt-none-not-logged-in")
@spec("R-AZ-3")
def test_prompt_none_not_logged_in(rp: RelyingParty) -> None:
    said = rp.comes_back(rp.goes(prompt="none"))

    assert said["error"] in NOT_SIGNED_IN
    assert len(said["state"]) == 128


@module("oidcc-prompt-none-logged-in")
@spec("R-UX-1")
def test_prompt_none_logged_in(rp: RelyingParty) -> None:
    _, first = rp.signs_in()

    _, second = rp.brings(rp.comes_back(rp.goes(prompt="none")))

    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])


@module("oidcc-id-token-hint")
def test_id_token_hint(rp: RelyingParty) -> None:
    given, first = rp.signs_in()

    _, second = rp.brings(rp.comes_back(rp.goes(prompt="none", id_token_hint=given["id_token"])))

    assert second["sub"] == first["sub"]


@module("oidcc-max-age-1")
def test_max_age_1(rp: RelyingParty) -> None:
    _, first = rp.signs_in()
    rp.world.clock.advance(seconds=2)

    page = rp.shown(rp.goes(max_age="1"))
    assert offers(page, "login-submit")
    _, second = rp.brings(rp.comes_back(rp.follows(page)))

    assert second["auth_time"] > first["auth_time"]


@module("oidcc-max-age-10000")
def test_max_age_10000(rp: RelyingParty) -> None:
    _, first = rp.signs_in(max_age="15000")
    rp.world.clock.advance(seconds=2)

    _, second = rp.brings(rp.comes_back(rp.goes(max_age="10000")))

    assert second["auth_time"] == first["auth_time"]
