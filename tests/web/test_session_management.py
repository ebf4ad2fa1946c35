"""Session management: what an app is given to compare, and the frame that compares it."""

from hashlib import sha256

import pytest

from idp.protocol.session_management import origin_of, session_state
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World, make_world, returned

COOKIE = "__Host-idp_state"
RP = "https://rp.test"


def browser_state(browser: Browser) -> str:
    found = browser.http.get_cookie(COOKIE)
    return found.value if found is not None else ""


def answers(browser: Browser, rp: Rp, known: str, origin: str = RP) -> str:
    """What the frame says to a page that holds this value (section 3.2)."""
    salt = known.split(".")[1]
    said = f"{rp.client_id} {origin} {browser_state(browser)} {salt}"
    same = known == f"{sha256(said.encode()).hexdigest()}.{salt}"
    return "unchanged" if same else "changed"


@spec("Session Management 1.0 section 2", "R-AZ-7")
def test_an_answer_brings_a_state_that_is_the_same_until_the_person_signs_out(
    world: World, alice: str, rp: Rp
) -> None:
    browser = world.browser()

    first = returned(browser.follow(browser.authorize(rp)))["session_state"]
    second = returned(browser.authorize(rp))["session_state"]

    assert " " not in first
    assert first != second
    assert [answers(browser, rp, known) for known in (first, second)] == ["unchanged"] * 2
    browser.submit(browser.http.get("/end_session"), "/end_session/confirm")
    assert [answers(browser, rp, known) for known in (first, second)] == ["changed"] * 2


@spec("Session Management 1.0 section 2")
def test_a_refusal_says_the_state_of_nobody_which_is_another_when_somebody_signs_in(
    world: World, alice: str, rp: Rp
) -> None:
    browser = world.browser()

    said = returned(browser.authorize(rp, prompt="none"))
    before = answers(browser, rp, said["session_state"])
    browser.sign_in()

    assert said["error"] == "login_required"
    assert before == "unchanged"
    assert answers(browser, rp, said["session_state"]) == "changed"


@spec("Session Management 1.0 section 3.2")
def test_another_person_in_the_same_browser_is_a_change(world: World, alice: str, rp: Rp) -> None:
    world.person("bob")
    browser = world.browser()
    known = returned(browser.follow(browser.authorize(rp)))["session_state"]

    browser.sign_in("bob")

    assert answers(browser, rp, known) == "changed"


@spec("Session Management 1.0 section 3.2")
def test_proving_oneself_again_is_no_change(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    known = returned(browser.follow(browser.authorize(rp)))["session_state"]

    browser.follow(browser.authorize(rp, prompt="login"))

    assert answers(browser, rp, known) == "unchanged"


def test_a_session_that_ended_elsewhere_is_noticed_when_the_browser_comes_by(
    world: World, alice: str, rp: Rp
) -> None:
    browser, other = world.browser(), world.browser()
    known = returned(browser.follow(browser.authorize(rp)))["session_state"]
    other.sign_in()
    other.submit(other.http.get("/account/sessions"), "/account/sessions/end", what="everywhere")

    browser.authorize(rp, prompt="none")

    assert answers(browser, rp, known) == "changed"


@spec("SES-CHK-01", "CVE-2024-1249")
def test_a_state_is_good_for_one_client_on_one_origin(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    known = returned(browser.follow(browser.authorize(rp)))["session_state"]

    other = world.rp("Photos")

    assert answers(browser, rp, known, "https://evil.test") == "changed"
    assert answers(browser, other, known) == "changed"


@spec("Session Management 1.0 section 3.2", "SES-01")
def test_the_cookie_of_the_state_is_for_scripts_of_ours_and_opens_nothing(
    world: World, alice: str, rp: Rp
) -> None:
    browser = world.browser()

    answer = browser.submit(
        browser.http.get("/sign-in"), "/sign-in", username="alice",
        password="four words that nobody guesses",
    )  # fmt: skip

    (line,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith(COOKIE)]
    assert "HttpOnly" not in line
    assert "Secure" in line
    assert "SameSite=None" in line
    thief = world.browser()
    thief.http.set_cookie("__Host-idp_session", browser_state(browser))
    assert thief.http.get("/account").status_code == 303


def test_on_loopback_without_tls_the_cookie_is_one_that_browsers_take(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    near = make_world(tmp_path_factory.mktemp("near"), IDP_ISSUER="http://localhost:9000")
    near.person("alice")
    browser = near.browser()

    answer = browser.sign_in()

    (line,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith("idp_state=")]
    assert "Secure" not in line
    assert "SameSite=Lax" in line


@spec("Session Management 1.0 section 3.1", "BRW-01")
def test_the_frame_is_the_one_page_that_others_may_embed(world: World) -> None:
    said = world.http().get("/.well-known/openid-configuration").json

    frame = world.http().get("/check_session")
    others = [world.http().get(path) for path in ("/sign-in", "/signed-out", "/account")]

    assert said["check_session_iframe"] == "https://op.test/check_session"
    assert "frame-ancestors *" in frame.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in frame.headers
    assert "Set-Cookie" not in frame.headers
    for other in others:
        assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
        assert other.headers["X-Frame-Options"] == "DENY"


def test_plain_oauth_is_given_no_state(world: World, alice: str) -> None:
    world.api(scope="Read")
    rp = world.rp("Robot", scope="scope")
    browser = world.browser()

    said = returned(browser.follow(browser.authorize(rp, scope="scope")))

    assert "code" in said
    assert "session_state" not in said


@spec("RFC 6454 section 6.2")
@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://RP.test/callback?x=y", "https://rp.test"),
        ("https://rp.test:443/", "https://rp.test"),
        ("https://rp.test:8443/", "https://rp.test:8443"),
        ("http://[::1]:9001/cb", "http://[::1]:9001"),
        ("http://127.0.0.1:80/cb", "http://127.0.0.1"),
        ("com.example.app:/cb", None),
    ],
)
def test_an_origin_is_spelled_as_browsers_spell_it(address: str, origin: str | None) -> None:
    assert origin_of(address) == origin
    assert (session_state("c", address, "") is None) == (origin is None)
