"""The modules about asking the person, or not asking: one test for each (conformance B.1)."""

from tests.support.spec import spec
from tests.support.suite import Module

NOT_SIGNED_IN = {
    "login_required",
    "interaction_required",
    "account_selection_required",
    "consent_required",
}


@spec("conformance oidcc-prompt-login")
def test_prompt_login(module: Module) -> None:
    _, first = module.signs_in()
    module.world.clock.advance(seconds=1)

    page = module.browser.http.get(module.goes(prompt="login").headers["Location"])
    assert 'name="password"' in page.text
    back = module.comes_back(module.browser.follow(page, "foo"))
    second = module.identity(module.tokens(back["code"])["id_token"])

    assert second["auth_time"] > first["auth_time"]
    assert second["sub"] == first["sub"]


@spec("conformance oidcc-prompt-none-not-logged-in", "R-AZ-3")
def test_prompt_none_not_logged_in(module: Module) -> None:
    said = module.comes_back(module.goes(prompt="none"))

    assert said["error"] in NOT_SIGNED_IN
    assert len(said["state"]) == 128


@spec("conformance oidcc-prompt-none-logged-in", "R-UX-1")
def test_prompt_none_logged_in(module: Module) -> None:
    _, first = module.signs_in()

    said = module.comes_back(module.goes(prompt="none"))

    second = module.identity(module.tokens(said["code"])["id_token"])
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])


@spec("conformance oidcc-id-token-hint")
def test_id_token_hint(module: Module) -> None:
    given, first = module.signs_in()

    said = module.comes_back(module.goes(prompt="none", id_token_hint=given["id_token"]))

    second = module.identity(module.tokens(said["code"])["id_token"])
    assert second["sub"] == first["sub"]


@spec("conformance oidcc-max-age-1")
def test_max_age_1(module: Module) -> None:
    _, first = module.signs_in()
    module.world.clock.advance(seconds=2)

    page = module.browser.http.get(module.goes(max_age="1").headers["Location"])
    assert 'name="password"' in page.text
    back = module.comes_back(module.browser.follow(page, "foo"))
    second = module.identity(module.tokens(back["code"])["id_token"])

    assert second["auth_time"] > first["auth_time"]


@spec("conformance oidcc-max-age-10000")
def test_max_age_10000(module: Module) -> None:
    _, first = module.signs_in(max_age="15000")
    module.world.clock.advance(seconds=2)

    said = module.comes_back(module.goes(max_age="10000"))

    second = module.identity(module.tokens(said["code"])["id_token"])
    assert second["auth_time"] == first["auth_time"]
