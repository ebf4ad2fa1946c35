"""Self-service: profile, how one signs in, where one is signed in, apps, receipts."""

import re
from datetime import timedelta
from html import unescape

import pytest
from werkzeug.test import TestResponse

from idp.domain.accounts import Credential
from idp.domain.login import Proof
from idp.store import db
from tests.support.spec import spec
from tests.support.world import PASSWORD, Browser, Rp, World, hidden, returned

NEW_PASSWORD = "another four words nobody knows"
PAGES = ("", "/profile", "/security", "/sessions", "/apps", "/receipts")
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0"


@pytest.fixture
def browser(world: World, alice: str) -> Browser:
    """Alice, signed in at the provider itself."""
    made = world.browser()
    made.sign_in()
    return made


def passkey(world: World, account_id: str, name: str = "Laptop", *, synced: bool = True) -> int:
    """A passkey row; returns its number."""
    with world.app.app_context():
        row = Credential(
            account_id=account_id,
            credential_id=name.encode() + b"-" * 32,
            public_key=b"public",
            sign_count=0,
            aaguid="00000000-0000-0000-0000-000000000000",
            backup_eligible=synced,
            backed_up=synced,
            transports=[],
            name=name,
            created_at=world.clock.now,
        )
        world.op.accounts.add_credential(row)
        db.session.commit()
        return row.id


def names(world: World, account_id: str) -> list[str]:
    with world.app.app_context():
        return [row.name for row in world.op.accounts.credentials(account_id)]


def forms(page: TestResponse, path: str) -> list[dict[str, str]]:
    """The hidden fields of every form that posts to a path."""
    found = re.findall(rf'<form[^>]*action="{re.escape(path)}".*?</form>', page.text, re.S)
    return [hidden(form, path) for form in found]


def end(browser: Browser, **wanted: str) -> TestResponse:
    """Press the button of "where I am signed in" whose form says this."""
    page = browser.http.get("/account/sessions")
    (form,) = [
        form for form in forms(page, "/account/sessions/end") if wanted.items() <= form.items()
    ]
    return browser.http.post("/account/sessions/end", data=form)


def signed_in(browser: Browser) -> bool:
    return browser.http.get("/account").status_code == 200


def session_of(world: World, browser: Browser) -> str:
    cookie = browser.http.get_cookie("__Host-idp_session")
    assert cookie is not None
    with world.app.app_context():
        found = world.op.sessions.find(cookie.value, world.clock.now)
        assert found is not None
        return found.id


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_an_account_page_without_signing_in(world: World, page: str) -> None:
    answer = world.http().get(f"/account{page}")

    assert answer.status_code == 303
    assert answer.headers["Location"] == ("/sign-in?for=" + page[1:]).removesuffix("?for=")


@spec("BRW-01", "LGO-05")
@pytest.mark.parametrize("page", PAGES)
def test_every_account_page_keeps_to_itself(browser: Browser, page: str) -> None:
    answer = browser.http.get(f"/account{page}")

    assert answer.status_code == 200
    assert answer.text.count("<h1>") == 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_the_overview_says_what_happened_lately(world: World, browser: Browser, rp: Rp) -> None:
    browser.code(world.rp("Photos", trusted=False))
    end(browser, what="browser")
    browser.sign_in()

    page = browser.http.get("/account")

    assert "Hello, Alice" in page.text
    assert "App allowed" in page.text
    assert "Photos" in page.text
    assert re.search(r'Signed out <span class="small">one browser, you signed out', page.text)


# The profile


@spec("OID-10")
def test_what_a_person_says_of_themselves_reaches_the_app_that_may_know(
    world: World, browser: Browser, rp: Rp
) -> None:
    page = browser.http.get("/account/profile")

    answer = browser.submit(
        page,
        "/account/profile",
        name="Alice Liddell",
        email="new@example.com",
        birthdate="1852-05-04",
        zoneinfo="Europe/London",
        **{"address.locality": "Oxford"},
    )
    tokens = browser.tokens(rp, scope="openid profile email address")
    told = world.userinfo(tokens["access_token"]).json

    assert answer.headers["Location"] == "/account/profile?done=profile"
    assert told["name"] == "Alice Liddell"
    assert told["birthdate"] == "1852-05-04"
    assert told["zoneinfo"] == "Europe/London"
    assert told["address"] == {"locality": "Oxford"}
    assert told["email"] == "new@example.com"
    assert told.get("email_verified", False) is False


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("email", "not an address", "This should look like ann@example.com"),
        ("birthdate", "4 May", "This should look like 1990-12-31"),
        ("website", "javascript:alert(1)", "This should look like https://example.com/"),
        ("zoneinfo", "Mars/Olympus", "This should look like Europe/Berlin"),
        ("name", "a" * 1001, "This is too long, or has odd characters in it."),
        ("address.locality", "a\x07b", "This is too long, or has odd characters in it."),
    ],
)
def test_what_cannot_be_right_is_said_at_its_place_and_nothing_is_saved(
    world: World, browser: Browser, alice: str, field: str, value: str, fault: str
) -> None:
    page = browser.http.get("/account/profile")

    answer = browser.submit(page, "/account/profile", **{"nickname": "Al", field: value})

    assert answer.status_code == 400
    assert re.search(rf'id="fault-{re.escape(field)}">{re.escape(fault)}<', answer.text)
    assert 'name="nickname" type="text" value="Al"' in answer.text
    with world.app.app_context():
        assert "nickname" not in world.op.accounts.claims_for(alice)


@spec("OID-12", "CVE-2024-29892")
def test_a_profile_cannot_say_what_the_protocol_says(
    world: World, browser: Browser, alice: str
) -> None:
    page = browser.http.get("/account/profile")

    browser.submit(
        page,
        "/account/profile",
        email="alice@example.com",
        email_verified="true",
        sub="u_somebody",
        acr="phr",
        preferred_username="root",
    )

    with world.app.app_context():
        claims = world.op.accounts.claims_for(alice)
    assert "sub" not in claims
    assert "acr" not in claims
    assert "email_verified" not in claims
    assert claims["preferred_username"] == "alice"


# The password


def change(browser: Browser, present: str = PASSWORD, new: str = NEW_PASSWORD) -> TestResponse:
    page = browser.http.get("/account/security")
    return browser.submit(page, "/account/password", password=present, new_password=new, others="1")


@spec("PWD-13", "V7.4.3")
def test_a_new_password_signs_out_the_others_and_not_this_browser(
    world: World, browser: Browser
) -> None:
    elsewhere = world.browser()
    elsewhere.sign_in()

    answer = change(browser)
    done = browser.http.get(answer.headers["Location"])

    assert answer.status_code == 303
    assert "Your password was changed." in done.text
    assert "See what was signed out" in done.text
    assert signed_in(browser)
    assert not signed_in(elsewhere)
    assert world.browser().sign_in().status_code == 400


@spec("V7.4.3")
def test_the_others_stay_if_the_person_says_so(world: World, browser: Browser) -> None:
    elsewhere = world.browser()
    elsewhere.sign_in()
    page = browser.http.get("/account/security")

    browser.submit(page, "/account/password", password=PASSWORD, new_password=NEW_PASSWORD)

    assert 'name="others" value="1" checked' in page.text
    assert signed_in(elsewhere)


@spec("PWD-13")
def test_a_new_password_needs_the_present_one(world: World, browser: Browser) -> None:
    answer = change(browser, present="a guess of somebody else")

    assert answer.status_code == 400
    assert "The present password is not right." in answer.text
    assert world.browser().sign_in().status_code == 303


@spec("PWD-02", "PWD-03")
@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        ("short", "Use at least 8 characters."),
        ("password1", "That password is among those thieves try first."),
        ("a" * 1025, "That password is too long."),
        ("alice-x7k9", "Do not use your own name or address."),
    ],
)
def test_a_weak_password_is_refused_with_a_sentence(
    browser: Browser, new: str, sentence: str
) -> None:
    answer = change(browser, new=new)

    assert answer.status_code == 400
    assert sentence in unescape(answer.text)


@spec("PWD-07", "PWD-09")
def test_the_present_password_cannot_be_guessed_here_either(browser: Browser) -> None:
    for number in range(10):
        change(browser, present=f"guess number {number}")

    answer = change(browser)

    assert answer.status_code == 400
    assert "Too many tries." in answer.text


@spec("PWD-13", "TOT-07")
def test_what_opens_the_account_is_changed_only_after_a_fresh_sign_in(
    world: World, browser: Browser, alice: str
) -> None:
    number = passkey(world, alice)
    page = browser.http.get("/account/security")
    world.clock.advance(minutes=11)

    late = [
        browser.submit(page, path, name="x", password=PASSWORD, new_password=NEW_PASSWORD)
        for path in (
            "/account/password",
            f"/account/passkeys/{number}/rename",
            f"/account/passkeys/{number}/remove",
        )
    ]
    shown = browser.http.get("/account/security")

    assert {answer.headers["Location"] for answer in late} == {"/sign-in?for=security"}
    assert names(world, alice) == ["Laptop"]
    assert "Confirm that it is you" in shown.text
    assert 'name="new_password"' not in shown.text


@spec("PWD-13")
def test_confirming_that_it_is_oneself_opens_the_security_page_again(
    world: World, browser: Browser
) -> None:
    world.clock.advance(minutes=11)
    again = browser.http.get("/sign-in?for=security")

    answer = browser.submit(again, "/sign-in", username="alice", password=PASSWORD)
    page = browser.http.get(answer.headers["Location"])

    assert "You are signed in as <strong>alice</strong>" in again.text
    assert answer.headers["Location"] == "/account/security"
    assert 'name="new_password"' in page.text


# Passkeys


def test_passkeys_are_shown_with_their_names_and_what_they_are(
    world: World, browser: Browser, alice: str
) -> None:
    passkey(world, alice, "My laptop", synced=True)
    passkey(world, alice, "Key in the drawer", synced=False)

    page = browser.http.get("/account/security")

    shown = re.findall(r'<strong>([^<]+)</strong> <span class="tag">([^<]+)</span>', page.text)
    assert shown == [("My laptop", "synced"), ("Key in the drawer", "on one device")]
    assert page.text.count("never used") == 2


def test_a_passkey_is_renamed(world: World, browser: Browser, alice: str) -> None:
    number = passkey(world, alice)
    page = browser.http.get("/account/security")

    answer = browser.submit(page, f"/account/passkeys/{number}/rename", name="Old laptop")

    assert answer.headers["Location"] == "/account/security?done=passkey-renamed"
    assert names(world, alice) == ["Old laptop"]


@spec("BCL-08")
def test_removing_a_passkey_signs_out_the_others(
    world: World, browser: Browser, alice: str
) -> None:
    number = passkey(world, alice)
    elsewhere = world.browser()
    elsewhere.sign_in()
    page = browser.http.get("/account/security")

    browser.submit(page, f"/account/passkeys/{number}/remove")

    assert names(world, alice) == []
    assert signed_in(browser)
    assert not signed_in(elsewhere)


def test_the_last_way_to_sign_in_is_never_removed(world: World) -> None:
    pat, browser = by_passkey_only(world)
    numbers = [passkey(world, pat, "One"), passkey(world, pat, "Two")]
    page = browser.http.get("/account/security")

    first = browser.submit(page, f"/account/passkeys/{numbers[0]}/remove")
    second = browser.submit(page, f"/account/passkeys/{numbers[1]}/remove")

    assert first.status_code == 303
    assert second.status_code == 400
    assert "This is your only way to sign in." in second.text
    assert names(world, pat) == ["Two"]


def test_a_person_with_passkeys_only_can_set_a_password(world: World) -> None:
    pat, browser = by_passkey_only(world)
    passkey(world, pat)
    page = browser.http.get("/account/security")

    answer = browser.submit(page, "/account/password", new_password=NEW_PASSWORD)

    assert "Set a password" in page.text
    assert 'name="password"' not in page.text
    assert answer.headers["Location"] == "/account/security?done=password"
    assert world.browser().sign_in("pat", NEW_PASSWORD).status_code == 303


def by_passkey_only(world: World) -> tuple[str, Browser]:
    """Somebody who has no password, signed in by a passkey."""
    now = world.clock.now
    with world.app.app_context():
        row = world.op.accounts.create("pat", None, {}, now)
        proof = Proof(row.id, ("pop", "user", "mfa", "swk"), "phr", now)
        _, cookie = world.op.sessions.open(proof, user_agent="", address="", now=now)
        db.session.commit()
        browser = world.browser()
        browser.http.set_cookie("__Host-idp_session", cookie)
        return row.id, browser


@spec("V8.3.1")
def test_another_persons_passkey_cannot_be_touched(
    world: World, browser: Browser, alice: str
) -> None:
    bob = world.person("bob")
    theirs, mine = passkey(world, bob, "Bob's"), passkey(world, alice, "Mine")
    page = browser.http.get("/account/security")
    token = hidden(page.text, f"/account/passkeys/{mine}/remove")

    browser.http.post(f"/account/passkeys/{theirs}/remove", data=token)
    browser.http.post(f"/account/passkeys/{theirs}/rename", data=token | {"name": "x"})

    assert names(world, bob) == ["Bob's"]


# Where I am signed in


@spec("SES-06", "V7.5.2")
def test_each_browser_is_shown_with_its_apps_and_this_one_is_marked(
    world: World, browser: Browser, rp: Rp
) -> None:
    elsewhere = world.browser()
    elsewhere.http.environ_base["HTTP_USER_AGENT"] = FIREFOX
    elsewhere.tokens(rp)

    page = browser.http.get("/account/sessions")

    cards = re.findall(r"<section[^>]*aria-labelledby.*?</section>", page.text, re.S)
    firefox, this = sorted(cards, key=lambda card: "this browser" in card)
    assert "Firefox 145 on Windows" in firefox
    assert "Notes" in firefox
    assert "127.0.0.1" in firefox
    assert "with a password" in firefox
    assert "this browser" in this
    assert "No app is in it." in this


@spec("SES-06", "RFT-12")
def test_another_browser_is_signed_out_from_here(world: World, browser: Browser, rp: Rp) -> None:
    elsewhere = world.browser()
    tokens = elsewhere.tokens(rp)

    answer = end(browser, what="browser", session=session_of(world, elsewhere))

    assert answer.headers["Location"].startswith("/receipts/")
    assert not signed_in(elsewhere)
    assert signed_in(browser)
    assert rp.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_signing_out_of_one_app_leaves_the_other_and_the_session(world: World, alice: str) -> None:
    notes, photos = world.rp("Notes"), world.rp("Photos")
    browser = world.browser()
    first, second = browser.tokens(notes), browser.tokens(photos)

    end(browser, what="app", client=notes.client_id)

    assert notes.refresh(first["refresh_token"]).status_code == 400
    assert photos.refresh(second["refresh_token"]).status_code == 200
    assert signed_in(browser)


def test_everywhere_but_here_leaves_this_browser(world: World, browser: Browser, rp: Rp) -> None:
    here = browser.tokens(rp)
    elsewhere = world.browser()
    there = elsewhere.tokens(rp)

    end(browser, what="elsewhere")

    assert signed_in(browser)
    assert not signed_in(elsewhere)
    assert rp.refresh(here["refresh_token"]).status_code == 200
    assert rp.refresh(there["refresh_token"]).status_code == 400


@spec("LGO-05", "LGO-07", "V7.4.1")
def test_everywhere_ends_all_of_it_offline_access_too(world: World, browser: Browser) -> None:
    rp = world.rp("Mail", trusted=False)
    offline = browser.tokens(rp, scope="openid offline_access", prompt="consent")
    elsewhere = world.browser()
    elsewhere.sign_in()
    cookie = browser.http.get_cookie("__Host-idp_session")

    answer = end(browser, what="everywhere")

    assert "You are signed out" in answer.text
    assert not signed_in(browser)
    assert not signed_in(elsewhere)
    assert rp.refresh(offline["refresh_token"]).status_code == 400
    assert cookie is not None
    thief = world.browser()
    thief.http.set_cookie("__Host-idp_session", cookie.value)
    assert not signed_in(thief)


@spec("V8.3.1", "SES-06")
def test_nobody_signs_another_person_out(world: World, browser: Browser, rp: Rp) -> None:
    world.person("bob")
    bob = world.browser()
    bob.sign_in("bob")
    token = hidden(browser.http.get("/account/sessions").text, "/account/sessions/end")
    target = {"session": session_of(world, bob)}

    for what in ("browser", "app"):
        form = token | target | {"what": what, "client": rp.client_id}
        answer = browser.http.post("/account/sessions/end", data=form)
        assert answer.headers["Location"] == "/account/sessions?done=nothing"

    assert signed_in(bob)


def test_a_sign_out_nobody_knows_ends_nothing(browser: Browser) -> None:
    page = browser.http.get("/account/sessions")

    answer = browser.submit(page, "/account/sessions/end", what="the world")

    assert answer.status_code == 400
    assert signed_in(browser)


@spec("LGO-08")
def test_a_second_press_ends_nothing_more(world: World, browser: Browser) -> None:
    elsewhere = world.browser()
    elsewhere.sign_in()
    form = {"what": "browser", "session": session_of(world, elsewhere)}
    page = browser.http.get("/account/sessions")

    first = browser.submit(page, "/account/sessions/end", **form)
    second = browser.submit(page, "/account/sessions/end", **form)

    assert first.headers["Location"].startswith("/receipts/")
    assert second.headers["Location"] == "/account/sessions?done=nothing"
    assert "nothing left to end" in browser.http.get(second.headers["Location"]).text


@spec("design section 6")
def test_the_preview_names_what_the_receipt_names(world: World, browser: Browser) -> None:
    mail = world.rp("Mail", trusted=False)
    browser.tokens(world.rp("Notes"))
    browser.tokens(mail, scope="openid offline_access", prompt="consent")
    page = browser.http.get("/account/sessions")
    preview = re.search(r'id="preview-everywhere".*?<ul>(.*?)</ul>', page.text, re.S)

    receipt = end(browser, what="everywhere").text

    assert preview is not None
    assert sorted(re.findall(r"<li>(.*?)</li>", preview[1])) == [
        "Mail is signed out; it cannot be told",
        "Mail no longer stays connected",
        "Notes can no longer renew its access",
        "Notes is signed out; it cannot be told",
        "The sign-in: A browser we do not know",
    ]
    assert re.findall(r"<strong>(.*?)</strong>", receipt) == [
        "Sign-in: A browser we do not know",
        "Notes",
        "Mail",
    ]


# Apps


@spec("OID-11", "V10.7.3")
def test_an_app_that_is_removed_is_signed_out_and_must_ask_again(
    world: World, browser: Browser
) -> None:
    rp = world.rp("Mail", trusted=False)
    offline = browser.tokens(rp, scope="openid email offline_access", prompt="consent")
    page = browser.http.get("/account/apps")

    browser.submit(page, "/account/apps/remove")

    for words in ("Mail", "rp.test", "See your e-mail address", "stays connected"):
        assert words in page.text
    assert rp.refresh(offline["refresh_token"]).status_code == 400
    assert "No app has access" in browser.http.get("/account/apps").text
    assert returned(browser.authorize(rp, prompt="none"))["error"] == "consent_required"


# Receipts


@spec("design P8", "V8.3.1")
def test_a_receipt_is_seen_by_its_owner_only(world: World, browser: Browser) -> None:
    world.person("bob")
    elsewhere = world.browser()
    elsewhere.sign_in()
    address = end(browser, what="elsewhere").headers["Location"]
    bob = world.browser()
    bob.sign_in("bob")

    assert "everywhere but one browser" in browser.http.get(address).text
    assert address in browser.http.get("/account/receipts").text
    assert bob.http.get(address).status_code == 404
    assert world.http().get(address).headers["Location"] == "/sign-in?for=receipts"


@spec("design P8")
def test_a_receipt_says_how_long_a_token_lives_and_later_that_it_ran_out(
    world: World, browser: Browser, rp: Rp
) -> None:
    browser.tokens(rp)
    address = end(browser, what="app", client=rp.client_id).headers["Location"]
    until = (world.clock.now + timedelta(minutes=5)).isoformat()

    before = browser.http.get(address).text
    world.clock.advance(minutes=6)
    after = browser.http.get(address).text

    assert re.search(rf'lives until <time datetime="{re.escape(until)}"', before)
    assert "has run out at" in after


@spec("design P8", "BCL-05")
def test_a_receipt_waits_while_an_app_is_told_and_then_says_what_came_of_it(
    world: World, browser: Browser
) -> None:
    rp = world.rp("Notes", backchannel_logout_uri="https://rp.test/logout")
    browser.tokens(rp)
    address = end(browser, what="app", client=rp.client_id).headers["Location"]
    telling = browser.http.get(address).text

    with world.app.app_context():
        world.app.extensions["idp.courier"].run_once()
    retrying = browser.http.get(address).text

    assert "Is being told …" in telling
    assert "data-waiting" in telling
    assert "Did not answer yet. The next try is at <time" in retrying
    assert "data-waiting" in retrying
