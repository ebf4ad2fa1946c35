"""The pages on the way to an app: sign in, choose an account, consent, and tabs left open."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.spec import spec
from tests.support.world import API, PASSWORD, Browser, Rp, World, hidden, returned

STRANGER = {"name": "Photos", "trusted": False}


def page_of(browser: Browser, rp: Rp, **more: Any) -> TestResponse:
    """Go to /authorize, and on to the page it leads to."""
    return browser.http.get(browser.authorize(rp, **more).headers["Location"])


def consent_page(browser: Browser, rp: Rp, who: str = "alice", **more: Any) -> TestResponse:
    """Sign in by password as asked, and go on to the consent page."""
    answer = browser.submit(
        page_of(browser, rp, **more), "/sign-in", username=who, password=PASSWORD
    )
    on = browser.http.get(answer.headers["Location"])
    return browser.http.get(on.headers["Location"])


def without_tokens(page: TestResponse) -> str:
    """A page without what is different each time."""
    return re.sub(r'(csrf[-_]token"[^>]*(?:content|value)=)"\w+"', r"\1", page.text)


@spec("OID-11")
def test_the_sign_in_page_names_the_app_and_where_it_lives(world: World) -> None:
    rp = world.rp(**STRANGER, logo_uri="https://evil.test/logo.png")

    page = page_of(world.browser(), rp)

    assert "Photos" in page.text
    assert "rp.test" in page.text
    assert "evil.test" not in page.text


@spec("BRW-06", "CVE-2026-33525")
def test_what_an_app_calls_itself_is_text_and_nothing_else(world: World) -> None:
    rp = world.rp("<script>alert(1)</script>", trusted=False)

    page = page_of(world.browser(), rp, login_hint='"><img src=x>')

    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "&lt;script&gt;" in page.text


@spec("OpenID Connect Core section 3.1.2.1")
def test_a_login_hint_is_filled_in_and_can_be_written_over(
    world: World, alice: str, rp: Rp
) -> None:
    world.person("bob")
    browser = world.browser()
    page = page_of(browser, rp, login_hint="bob")

    answer = browser.submit(page, "/sign-in", username="alice", password=PASSWORD)

    assert 'name="username" value="bob"' in page.text
    assert answer.status_code == 303


@spec("PWD-05", "V6.3.8")
def test_a_wrong_password_and_an_unknown_name_look_alike(world: World, alice: str) -> None:
    browser = world.browser()
    page = browser.http.get("/sign-in")

    wrong = browser.submit(page, "/sign-in", username="alice", password="not this one")
    unknown = browser.submit(page, "/sign-in", username="alicf", password="not this one")

    assert wrong.status_code == unknown.status_code == 400
    assert "do not fit together" in wrong.text
    assert without_tokens(wrong) == without_tokens(unknown).replace("alicf", "alice")
    assert sorted(wrong.headers.keys()) == sorted(unknown.headers.keys())


@spec("PWD-05", "PWD-07")
def test_who_tries_too_often_is_told_how_long_to_wait_known_or_not(
    world: World, alice: str
) -> None:
    answers = {}
    for name in ("alice", "nobody"):
        browser = world.browser()
        page = browser.http.get("/sign-in")
        for _ in range(10):
            browser.submit(page, "/sign-in", username=name, password="wrong wrong")
        world.clock.advance(minutes=1)
        browser.submit(page, "/sign-in", username=name, password="wrong wrong")
        world.clock.advance(seconds=1)
        answers[name] = browser.submit(page, "/sign-in", username=name, password=PASSWORD)

    assert {answer.status_code for answer in answers.values()} == {429}
    assert {answer.headers["Retry-After"] for answer in answers.values()} == {"119"}
    assert all("Wait 2 minutes" in answer.text for answer in answers.values())


@spec("RED-22")
def test_after_a_sign_in_the_browser_is_sent_on_with_303(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()

    answer = browser.submit(page_of(browser, rp), "/sign-in", username="alice", password=PASSWORD)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/authorize/continue?tx=")


@spec("RED-18", "CVE-2022-39222")
def test_another_browser_cannot_go_on_with_a_transaction(world: World, alice: str, rp: Rp) -> None:
    address = world.browser().authorize(rp).headers["Location"]

    page = world.browser().http.get(address)

    assert page.status_code == 400
    assert "This sign-in is over" in page.text


@spec("KC#24595")
def test_a_tab_left_open_too_long_leads_back_to_the_app(world: World, alice: str) -> None:
    rp = world.rp("Notes", initiate_login_uri="https://rp.test/start?from=op")
    browser = world.browser()
    page = page_of(browser, rp)
    world.clock.advance(minutes=31)

    late = browser.submit(page, "/sign-in", username="alice", password=PASSWORD)

    assert late.status_code == 400
    assert "This sign-in is over" in late.text
    found = re.search(r'id="back-to-app" href="([^"]+)"', late.text)
    assert found is not None
    assert unescape(found[1]) == "https://rp.test/start?from=op&iss=https%3A%2F%2Fop.test"


@spec("KC#24595")
@pytest.mark.parametrize(
    ("details", "address"),
    [({"client_uri": "https://rp.test/home"}, "https://rp.test/home"), ({}, "https://rp.test/")],
)
def test_an_app_that_cannot_start_a_sign_in_is_led_back_to_where_it_lives(
    world: World, details: dict[str, str], address: str
) -> None:
    rp = world.rp("Notes", **details)

    page = world.http().get(f"/sign-in?tx=tx_gone&client_id={rp.client_id}")

    assert f'href="{address}"' in page.text


@spec("BRW-04")
def test_a_stale_page_leads_to_no_address_that_is_not_registered(world: World) -> None:
    page = world.http().get(
        "/sign-in?tx=tx_gone&client_id=https://evil.test/&initiate_login_uri=https://evil.test/"
    )

    assert page.status_code == 400
    assert "back-to-app" not in page.text
    assert 'href="/sign-in"' in page.text


def test_a_page_that_is_already_answered_elsewhere_goes_on_by_itself(
    world: World, alice: str, rp: Rp
) -> None:
    browser = world.browser()
    first = browser.authorize(rp).headers["Location"]
    browser.sign_in()

    again = browser.http.get(first)

    assert again.headers["Location"].startswith("/authorize/continue?tx=")


@spec("RED-20", "V2.3.1")
def test_a_form_that_is_sent_twice_signs_in_and_gives_one_code(
    world: World, alice: str, rp: Rp
) -> None:
    browser = world.browser()
    page = page_of(browser, rp)

    first = browser.submit(page, "/sign-in", username="alice", password=PASSWORD)
    second = browser.submit(page, "/sign-in", username="alice", password=PASSWORD)
    done = browser.http.get(second.headers["Location"])
    late = browser.http.get(first.headers["Location"])

    assert "code" in returned(done)
    assert late.status_code == 400
    assert "This sign-in is over" in late.text


@spec("SES-05")
def test_two_tabs_at_once_each_get_their_own_answer(world: World, alice: str) -> None:
    notes, photos = world.rp("Notes"), world.rp("Photos", redirect_uris=["https://b.test/cb"])
    browser = world.browser()
    first, second = page_of(browser, notes, state="one"), page_of(browser, photos, state="two")

    later = browser.follow(browser.submit(second, "/sign-in", username="alice", password=PASSWORD))
    sooner = browser.follow(browser.http.get(hidden_tx(first)))

    assert returned(later)["state"] == "two"
    assert returned(sooner)["state"] == "one"


def hidden_tx(page: TestResponse) -> str:
    return f"/sign-in?tx={hidden(page.text, '/sign-in')['tx']}"


@spec("OpenID Connect Core section 3.1.2.1")
def test_select_account_offers_the_account_at_hand_without_a_password(
    world: World, alice: str, rp: Rp
) -> None:
    browser = world.browser()
    browser.sign_in()
    world.clock.advance(minutes=1)

    page = page_of(browser, rp, prompt="select_account")
    answer = browser.follow(browser.submit(page, "/sign-in/switch"))

    assert "Continue as alice" in page.text
    assert "code" in returned(answer)


def test_select_account_lets_another_account_in(world: World, alice: str, rp: Rp) -> None:
    bob = world.person("bob")
    browser = world.browser()
    browser.sign_in()
    world.clock.advance(minutes=1)
    page = page_of(browser, rp, prompt="select_account")
    (other,) = re.findall(r'id="account-other" href="([^"]+)"', page.text)

    form = browser.http.get(unescape(other))
    answer = browser.follow(
        browser.submit(form, "/sign-in", username="bob", password=PASSWORD), "bob"
    )
    tokens = rp.redeem(returned(answer)["code"], browser.verifier).json

    assert 'name="username" value=""' in form.text
    assert world.userinfo(tokens["access_token"]).json["sub"] == bob


@spec("CSR-02")
def test_staying_counts_only_for_the_person_who_was_shown(world: World, alice: str, rp: Rp) -> None:
    world.person("bob")
    browser = world.browser()
    browser.sign_in()
    world.clock.advance(minutes=1)
    page = page_of(browser, rp, prompt="select_account")
    browser.sign_in("bob")
    world.clock.advance(minutes=1)

    answer = browser.submit(page, "/sign-in/switch")

    assert answer.headers["Location"].startswith("/sign-in?tx=")


@spec("OID-11", "V10.7.1")
def test_the_consent_page_says_all_that_is_asked_in_plain_words(world: World, alice: str) -> None:
    world.api(API, **{"notes:read": "Read your notes"})
    rp = world.rp(**STRANGER)

    page = consent_page(
        world.browser(),
        rp,
        scope="openid email notes:read offline_access",
        prompt="consent",
        resource=API,
        claims='{"userinfo":{"birthdate":null,"email":null}}',
    )

    words = [
        "Photos",
        "rp.test",
        "Know that it is you",
        "alice@example.com",
        "See your birthday",
        "Read your notes",
        "Stay connected when you are signed out",
        "You can remove it at any time",
    ]
    assert [text for text in words if text not in page.text] == []
    assert page.text.count("See your e-mail address") == 1


def test_allow_and_deny_have_equal_weight(world: World, alice: str) -> None:
    page = consent_page(world.browser(), world.rp(**STRANGER))

    looks = re.findall(r'<button id="consent-(?:deny|allow)"[^>]*class="([^"]*)"', page.text)

    assert looks == ["quiet", "quiet"]


def test_a_no_goes_back_to_the_app_and_is_not_remembered(world: World, alice: str) -> None:
    rp = world.rp(**STRANGER)
    browser = world.browser()
    page = consent_page(browser, rp)

    answer = browser.follow(browser.submit(page, "/consent", answer="deny"))

    assert returned(answer)["error"] == "access_denied"
    assert returned(answer)["state"] == "st4te"
    assert 'id="consent-allow"' in page_of(browser, rp).text


def test_a_yes_is_remembered(world: World, alice: str) -> None:
    rp = world.rp(**STRANGER)
    browser = world.browser()
    browser.code(rp)

    answer = browser.authorize(rp)

    assert "code" in returned(answer)


@spec("RED-20", "CVE-2026-49443")
@pytest.mark.parametrize("answer", ["", "yes", "ALLOW"])
def test_no_answer_is_no_answer(world: World, alice: str, answer: str) -> None:
    rp = world.rp(**STRANGER)
    browser = world.browser()
    page = consent_page(browser, rp)

    said = browser.submit(page, "/consent", answer=answer)

    assert said.status_code == 400
    assert 'id="consent-allow"' in said.text
    assert grants(world, alice) == []


@spec("CSR-02")
def test_a_yes_counts_only_for_the_person_who_was_asked(world: World, alice: str) -> None:
    bob = world.person("bob")
    rp = world.rp(**STRANGER)
    browser = world.browser()
    page = consent_page(browser, rp)
    browser.sign_in("bob")

    said = browser.submit(page, "/consent", answer="allow")

    assert "Somebody else has signed in" in said.text
    assert grants(world, alice) == grants(world, bob) == []


@spec("CSR-02")
def test_a_yes_of_one_person_does_not_speak_for_the_next(world: World, alice: str) -> None:
    bob = world.person("bob")
    rp = world.rp(**STRANGER)
    browser = world.browser()
    page = consent_page(browser, rp)
    allowed = browser.submit(page, "/consent", answer="allow")
    browser.sign_in("bob")

    on = browser.http.get(allowed.headers["Location"])

    assert on.headers["Location"].startswith("/consent?tx=")
    assert grants(world, bob) == []


@spec("CSR-02", "RED-19")
def test_a_yes_cannot_be_moved_to_another_transaction(world: World, alice: str) -> None:
    world.api(API, **{"notes:read": "Read your notes"})
    rp = world.rp(**STRANGER)
    browser = world.browser()
    small = hidden(consent_page(browser, rp).text, "/consent")
    large = page_of(browser, rp, scope="openid notes:read", resource=API)

    said = browser.submit(large, "/consent", about=small["about"], answer="allow")

    assert "Somebody else has signed in" in said.text
    assert grants(world, alice) == []


@spec("RED-20")
def test_consent_before_signing_in_leads_to_signing_in(world: World, rp: Rp) -> None:
    browser = world.browser()
    tx = browser.authorize(rp).headers["Location"].partition("?")[2]

    page = browser.http.get(f"/consent?{tx}")

    assert page.status_code == 303
    assert page.headers["Location"].startswith("/sign-in?tx=")


@spec("CSR-01", "SES-10", "LGO-06", "V3.5.1")
@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/sign-in/switch",
        "/consent",
        "/language",
        "/end_session/confirm",
        "/account/profile",
        "/account/password",
        "/account/passkeys/1/rename",
        "/account/passkeys/1/remove",
        "/account/sessions/end",
        "/account/apps/remove",
    ],
)
def test_no_form_works_without_its_token_or_from_another_site(
    world: World, alice: str, path: str
) -> None:
    browser = world.browser()
    browser.sign_in()
    token = hidden(browser.http.get("/sign-in").text, "/sign-in")["csrf_token"]

    bare = browser.http.post(path, data={"what": "everywhere"})
    foreign = browser.http.post(
        path,
        data={"what": "everywhere", "csrf_token": token},
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert (bare.status_code, foreign.status_code) == (403, 403)
    assert browser.http.get("/account").status_code == 200


@spec("SES-02", "CVE-2022-25896")
def test_signing_in_as_somebody_else_ends_the_first_and_leaves_a_receipt(
    world: World, alice: str
) -> None:
    world.person("bob")
    browser = world.browser()
    browser.sign_in()
    before = browser.http.get_cookie("__Host-idp_session")

    browser.sign_in("bob")

    assert before is not None
    stranger = world.browser()
    stranger.http.set_cookie("__Host-idp_session", before.value)
    assert stranger.http.get("/account").status_code == 303
    with world.app.app_context():
        (receipt,) = world.op.sign_outs.receipts.of_account(alice)
        assert receipt.reason == "other_account"


@spec("PWD-13", "V7.4.3")
def test_a_sign_in_for_an_account_page_lands_there_and_nowhere_else(
    world: World, alice: str
) -> None:
    browser = world.browser()

    asked = browser.http.get("/account/security")
    answer = browser.submit(
        browser.http.get(asked.headers["Location"]),
        "/sign-in",
        username="alice",
        password=PASSWORD,
    )
    forged = browser.submit(
        browser.http.get("/sign-in?for=//evil.test"),
        "/sign-in",
        username="alice",
        password=PASSWORD,
        **{"for": "//evil.test"},
    )

    assert answer.headers["Location"] == "/account/security"
    assert forged.headers["Location"] == "/account"


def grants(world: World, account_id: str) -> list[object]:
    with world.app.app_context():
        return list(world.op.grants.of_account(account_id))


def test_a_session_that_ran_out_meanwhile_asks_again(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    browser.sign_in()
    world.clock.now += timedelta(days=8)

    page = page_of(browser, rp)

    assert 'id="login-submit"' in page.text
    assert "You are signed in as" not in page.text
