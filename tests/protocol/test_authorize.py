"""/authorize: which requests are refused, how, and where the answer goes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.spec import spec
from tests.support.world import CALLBACK, PASSWORD, Rp, World, hidden, returned

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@spec("RFC 9700 section 2.1", "RED-01", "RED-02", "CVE-2026-3872", "CVE-2024-52289")
@pytest.mark.parametrize(
    "uri",
    [
        CALLBACK + "/",
        CALLBACK + "?x=1",
        CALLBACK.replace("callback", "Callback"),
        CALLBACK.replace("callback", "%63allback"),
        CALLBACK + ";a",
        "https://rp.test/../callback",
        "https://rp.test/callback/..;/evil",
        "https://rp.test:8443/callback",
        "https://rp.test@evil.test/callback",
        "https://rp.test.evil.test/callback",
        "https://evil.test\\@rp.test/callback",
        "//rp.test/callback",
        CALLBACK + "\t",
        CALLBACK + "\n",
        "https://rpxtest/callback",
        "javascript:alert(1)",
    ],
)
def test_a_redirect_uri_that_is_not_the_registered_one_gets_a_page(
    world: World, rp: Rp, uri: str
) -> None:
    answer = world.browser().authorize(rp, redirect_uri=uri)

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "Sign-in error" in answer.text
    assert "evil" not in answer.text


@spec("RFC 9700 section 4.11", "RED-09", "CVE-2026-44681")
@pytest.mark.parametrize(
    "more",
    [
        {"response_type": "nonsense"},
        {"scope": "nonsense"},
        {"prompt": "none login"},
        {"request": "x"},
        {"max_age": "x"},
        {"scope": None},
    ],
)
@pytest.mark.parametrize("broken", ["client", "uri"])
def test_nothing_redirects_to_an_address_that_was_not_validated(
    world: World, rp: Rp, more: dict[str, str], broken: str
) -> None:
    wrong = {"client_id": "nobody"} if broken == "client" else {"redirect_uri": "https://evil.test"}

    answer = world.browser().authorize(rp, **{**more, **wrong})

    assert answer.status_code == 400
    assert "Location" not in answer.headers


@spec("RFC 6749 section 4.1.2.1", "RFC 9207", "RED-10", "RED-13", "RED-21", "PKC-01", "PKC-02")
@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"scope": "openid nonsense"}, "invalid_scope"),
        ({"resource": "https://nobody.test"}, "invalid_target"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "x"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"id_token_hint": "x.y.z"}, "invalid_request"),
        ({"response_mode": "fragment", "prompt": "none"}, "login_required"),
        ({"response_mode": "query.jwe"}, "invalid_request"),
        ({"nonce": "n" * 2000}, "invalid_request"),
    ],
)
def test_other_refusals_go_back_with_state_and_issuer(
    world: World, rp: Rp, more: dict[str, str], error: str
) -> None:
    answer = world.browser().authorize(rp, **more)

    assert answer.status_code == 303
    tokens = "token" in (more.get("response_type") or "")
    channel = "#" if tokens or more.get("response_mode") == "fragment" else "?"
    assert answer.headers["Location"].startswith(CALLBACK + channel)
    said = returned(answer)
    assert (said["error"], said["state"], said["iss"]) == (error, "st4te", "https://op.test")
    assert "code" not in said


@spec("RFC 7636 section 4.4.1", "PKC-01")
def test_a_public_client_must_bring_a_challenge(world: World) -> None:
    app = world.rp(token_endpoint_auth_method="none")

    answer = world.browser().authorize(app, code_challenge=None, code_challenge_method=None)

    assert returned(answer)["error"] == "invalid_request"


@spec("RFC 6749 section 3.1", "RED-15")
@pytest.mark.parametrize("name", ["scope", "state", "nonce", "prompt", "code_challenge", "max_age"])
def test_a_parameter_that_is_there_twice_is_refused(world: World, rp: Rp, name: str) -> None:
    value = {"scope": "openid", "code_challenge": CHALLENGE}.get(name, "1")

    answer = world.browser().authorize(rp, **{name: [value, value]})

    assert returned(answer)["error"] == "invalid_request"


@spec("RED-16")
def test_a_post_does_not_mix_its_body_with_its_address(world: World, rp: Rp) -> None:
    http = world.browser().http

    answer = http.post("/authorize?scope=openid", data={"client_id": rp.client_id})

    assert answer.status_code == 400
    assert "Location" not in answer.headers


@spec("OpenID Connect Core section 3.1.2.1", "R-AZ-1")
def test_a_post_from_another_site_is_answered_like_a_get(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    form = {
        "client_id": rp.client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "unknown": "ignored",
    }

    answer = browser.http.post("/authorize", data=form, headers={"Sec-Fetch-Site": "cross-site"})

    assert returned(browser.follow(answer))["code"]


@spec("RED-11")
def test_a_state_full_of_tricks_comes_back_unchanged(world: World, rp: Rp) -> None:
    state = '"><script>\r\n é ' + "s" * 900

    answer = world.browser().authorize(rp, state=state, prompt="none")

    assert returned(answer)["state"] == state


@spec("OAuth 2.0 Form Post Response Mode", "RED-12", "CVE-2024-21637")
def test_form_post_posts_itself_to_the_registered_address_only(
    world: World, alice: str, rp: Rp
) -> None:
    browser = world.browser()
    state = 'a b&"<'

    page = browser.follow(browser.authorize(rp, response_mode="form_post", state=state))

    assert page.status_code == 200
    fields = hidden(page.text, CALLBACK)
    assert set(fields) == {"code", "state", "session_state", "iss"}
    assert fields["state"] == "a b&amp;&#34;&lt;"
    assert page.headers["Cache-Control"] == "no-store"
    assert "form-action 'self' https://rp.test" in page.headers["Content-Security-Policy"]


@spec("RED-18", "CVE-2022-39222", "CVE-2026-7507")
def test_a_sign_in_cannot_be_finished_in_another_browser(world: World, alice: str, rp: Rp) -> None:
    mine, thief = world.browser(), world.browser()
    page = mine.authorize(rp).headers["Location"]
    mine.http.get(page)
    thief.sign_in()

    answer = thief.http.get(page.replace("/sign-in", "/authorize/continue"))

    assert answer.status_code == 400
    assert "This sign-in is over" in answer.text


@spec("RED-19", "RED-20", "CVE-2026-49443")
def test_a_step_cannot_be_skipped_or_repeated(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    page = browser.authorize(rp, prompt="consent").headers["Location"]
    handle = page.partition("tx=")[2]

    skipped = browser.http.get(f"/authorize/continue?tx={handle}")
    done = browser.follow(browser.http.get(page))
    again = browser.http.get(f"/authorize/continue?tx={handle}")

    assert skipped.headers["Location"] == page
    assert returned(done)["code"]
    assert again.status_code == 400


@spec("OpenID Connect Core section 3.1.2.1", "OID-04")
@pytest.mark.parametrize("more", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_fresh_sign_in_is_asked_for_and_cannot_be_talked_away(
    world: World, alice: str, rp: Rp, more: dict[str, str]
) -> None:
    browser = world.browser()
    browser.tokens(rp)
    world.clock.advance(seconds=5)

    page = browser.authorize(rp, **more)
    skipped = browser.http.get(page.headers["Location"].replace("/sign-in", "/authorize/continue"))
    done = browser.follow(page)

    assert page.headers["Location"].startswith("/sign-in")
    assert skipped.headers["Location"].startswith("/sign-in")
    assert returned(done)["code"]


@spec("OpenID Connect Core section 3.1.2.6", "OID-03")
def test_prompt_none_is_silent_or_an_error(world: World, alice: str) -> None:
    app = world.rp(trusted=False)
    browser = world.browser()
    browser.sign_in()

    before = returned(browser.authorize(app, prompt="none"))
    browser.tokens(app)
    after = returned(browser.authorize(app, prompt="none"))

    assert before["error"] == "consent_required"
    assert after["code"]


@spec("OpenID Connect Core section 3.1.2.1", "OID-05")
def test_a_hint_about_somebody_else_needs_a_sign_in(world: World, alice: str, rp: Rp) -> None:
    world.person("bob")
    hers = world.browser().tokens(rp)["id_token"]
    bob = world.browser()
    bob.sign_in("bob")

    answer = bob.authorize(rp, prompt="none", id_token_hint=hers)

    assert returned(answer)["error"] == "login_required"


@spec("OID-11", "CSR-01", "CSR-02")
def test_a_no_goes_back_as_access_denied(world: World, alice: str) -> None:
    app = world.rp(trusted=False)
    browser = world.browser()
    browser.sign_in()
    page = browser.http.get(browser.authorize(app).headers["Location"])

    forged = browser.http.post("/consent", data={"answer": "allow"})
    answer = browser.follow(browser.submit(page, "/consent", answer="deny"))

    assert forged.status_code == 403
    assert returned(answer)["error"] == "access_denied"


@spec("RFC 8252 section 7.3", "RED-05", "RED-07", "CVE-2024-8883")
@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("http://127.0.0.1:5123/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:5123/other", False),
        ("http://127.0.0.1:80@evil.test/cb", False),
        ("http://127.0.0.1.evil.test/cb", False),
        ("http://127.1/cb", False),
        ("http://2130706433/cb", False),
        ("http://localhost:5123/cb", False),
    ],
)
def test_a_native_app_may_choose_its_port_and_nothing_else(
    world: World, uri: str, good: bool
) -> None:
    app = world.rp(
        redirect_uris=["http://127.0.0.1/cb"],
        application_type="native",
        token_endpoint_auth_method="none",
    )

    answer = world.browser().authorize(app, redirect_uri=uri, prompt="none")

    assert (answer.status_code == 303) is good


@spec("RED-22", "RFC 9700 section 4.12")
def test_after_a_password_the_browser_is_sent_on_with_303(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    page = browser.http.get(browser.authorize(rp).headers["Location"])

    answer = browser.submit(page, "/sign-in", username="alice", password=PASSWORD)

    assert answer.status_code == 303


@spec("EDG-08", "RED-09")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(
        ["redirect_uri", "scope", "state", "nonce", "claims", "prompt", "max_age", "acr_values"]
    ),
    value=st.text(min_size=1, max_size=60),
)
def test_no_text_makes_a_fault_or_leads_elsewhere(
    world: World, rp: Rp, name: str, value: str
) -> None:
    answer = world.browser().authorize(rp, **{name: value.encode("utf-8", "replace").decode()})

    assert answer.status_code in (303, 400)
    location = answer.headers.get("Location", "/")
    assert location.startswith(("/sign-in", CALLBACK + "?", "/"))
