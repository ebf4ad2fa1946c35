"""Being told of a sign-out, and what is under way while it comes."""

import time
from typing import Any

import pytest

from tests.demo.conftest import App, flask_of
from tests.support.hostile import (
    ACCESS_TOKEN,
    EC,
    EVENT,
    RSA,
    STRANGER,
    Hostile,
    secret_key,
    unsigned,
)
from tests.support.spec import spec


@spec("BCL-07", "Back-Channel Logout 1.0 section 2.8")
@pytest.mark.parametrize("left_out", [{}, {"sub": None}, {"sid": None}])
def test_a_logout_token_ends_the_visit_it_names(
    app: App, op: Hostile, left_out: dict[str, Any]
) -> None:
    app.signs_in()

    answer = app.is_told(op.logout_token(**left_out))

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert not app.is_signed_in()


@spec("BCL-07", "Back-Channel Logout 1.0 section 2.7")
def test_a_session_id_ends_that_session_and_a_subject_ends_all(app: App, op: Hostile) -> None:
    laptop, phone = app.browser(), app.browser()
    app.signs_in(browser=laptop)
    op.sid = "another session"
    app.signs_in(browser=phone)

    app.is_told(op.logout_token())

    assert app.is_signed_in(laptop)
    assert not app.is_signed_in(phone)
    app.is_told(op.logout_token(sid=None))
    assert not app.is_signed_in(laptop)


@spec("BCL-07")
def test_nobody_else_is_signed_out(app: App, op: Hostile) -> None:
    app.signs_in()

    app.is_told(op.logout_token(sid="somebody's", sub="somebody"))
    app.is_told(op.logout_token(sid=None, sub="somebody"))

    assert app.is_signed_in()


@spec("BCL-07", "V10.5.5")
def test_a_sign_out_of_nobody_we_know_is_fine(app: App, op: Hostile) -> None:
    answer = app.is_told(op.logout_token())

    assert answer.status_code == 200


@spec("BCL-07", "Back-Channel Logout 1.0 section 2.6")
def test_a_logout_token_works_once(app: App, op: Hostile) -> None:
    token = op.logout_token(iat=int(time.time()) - 5)
    app.is_told(token)
    app.signs_in()

    again = app.is_told(token)

    assert again.status_code == 400
    assert again.headers["Cache-Control"] == "no-store"
    assert app.is_signed_in()


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "no issuer": {"iss": None},
    "another issuer": {"iss": "https://else.test"},
    "no audience": {"aud": None},
    "another audience": {"aud": "another-app"},
    "a second audience": {"aud": ["the-app", "another-app"]},
    "no beginning": {"iat": None},
    "stale": {"iat": int(time.time()) - 3600},
    "from tomorrow": {"iat": int(time.time()) + 86400},
    "no end": {"exp": None},
    "over": {"exp": int(time.time()) - 120},
    "no name": {"jti": None},
    "an empty name": {"jti": ""},
    "a number as name": {"jti": 7},
    "no events": {"events": None},
    "events in a list": {"events": [EVENT]},
    "another event": {"events": {"http://schemas.openid.net/event/else": {}}},
    "an event without a body": {"events": {EVENT: "yes"}},
    "a nonce": {"nonce": "n"},
    "an empty nonce": {"nonce": ""},
    "nobody": {"sid": None, "sub": None},
    "an empty session": {"sid": ""},
    "a number as session": {"sid": 7},
    "a number as subject": {"sub": 7},
}


@spec("BCL-07", "RPD-04")
@pytest.mark.parametrize("wrong", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_logout_token_that_says_the_wrong_thing_signs_nobody_out(
    app: App, op: Hostile, wrong: dict[str, Any]
) -> None:
    app.signs_in()

    answer = app.is_told(op.logout_token(**wrong))

    assert answer.status_code == 400
    assert answer.headers["Cache-Control"] == "no-store"
    assert app.is_signed_in()


WRONG_SIGNATURES: dict[str, dict[str, Any]] = {
    "a stranger's key": {"key": STRANGER},
    "another algorithm": {"key": EC},
    "the secret as key": {"key": secret_key("the app's secret, made longer")},
    "an unknown key": {"header": {"kid": "unknown"}},
    "an ID token's kind": {"header": {"typ": "JWT"}},
    "no kind": {"header": {"typ": None}},
    "another event's kind": {"header": {"typ": "secevent+jwt"}},
}


@spec("BCL-07", "JOS-01", "JOS-02")
@pytest.mark.parametrize("how", WRONG_SIGNATURES.values(), ids=WRONG_SIGNATURES)
def test_a_logout_token_signed_the_wrong_way_signs_nobody_out(
    app: App, op: Hostile, how: dict[str, Any]
) -> None:
    app.signs_in()
    op.key, op.header = how.get("key", RSA), how.get("header", {})

    answer = app.is_told(op.logout_token())

    assert answer.status_code == 400
    assert app.is_signed_in()


@spec("BCL-07", "JOS-01")
def test_an_unsigned_logout_token_signs_nobody_out(app: App, op: Hostile) -> None:
    app.signs_in()
    now = int(time.time())
    claims = {"iss": op.url, "aud": "the-app", "iat": now, "exp": now + 60, "jti": "j"}

    answer = app.is_told(unsigned(claims | {"sub": op.sub, "events": {EVENT: {}}}, "logout+jwt"))

    assert answer.status_code == 400
    assert app.is_signed_in()


@spec("BCL-07")
@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c", "ä.ö.ü"])
def test_what_is_no_token_at_all_is_a_bad_request(app: App, token: str) -> None:
    assert app.is_told(token).status_code == 400


@spec("BCL-07")
def test_a_logout_token_is_posted(app: App, op: Hostile) -> None:
    app.signs_in()

    answer = app.http.get("/backchannel-logout", query_string={"logout_token": op.logout_token()})

    assert answer.status_code == 405
    assert app.is_signed_in()


@spec("BCL-07", "BCL-03")
def test_an_app_that_cannot_get_the_keys_asks_for_another_try(op: Hostile) -> None:
    op.metadata = {"jwks_uri": f"{op.url}/nowhere"}

    answer = App(op, flask_of(op)).is_told(op.logout_token())

    assert answer.status_code == 503
    assert answer.headers["Cache-Control"] == "no-store"


@spec("BCL-07")
def test_a_flood_of_tokens_with_unknown_keys_does_not_reach_the_provider(op: Hostile) -> None:
    app = App(op, flask_of(op))
    op.header = {"kid": "unknown"}

    for _ in range(10):
        assert app.is_told(op.logout_token()).status_code == 400

    assert op.jwks_asked == 1


@spec("RPD-04", "BCL-07")
def test_a_refresh_that_ends_after_the_sign_out_does_not_revive_the_visit(
    app: App, op: Hostile
) -> None:
    app.has_expired_token()
    op.before_answer = lambda: _expect(app.is_told(op.logout_token()).status_code, 200)
    op.tokens = {"access_token": "revived", "refresh_token": "revived"}

    called = app.http.get("/api").json

    assert op.asked[-1]["grant_type"] == "refresh_token"
    assert called["signed_in"] is False
    assert not app.is_signed_in()
    op.before_answer = lambda: None
    app.http.get("/api")
    assert len(op.asked) == 2
    assert op.presented == [ACCESS_TOKEN, ACCESS_TOKEN]


@spec("RPD-04")
def test_a_refresh_that_ends_after_ones_own_sign_out_does_not_revive_the_visit(
    app: App, op: Hostile
) -> None:
    app.has_expired_token()
    cookie = app.http.get_cookie("demo_notes")
    tab = app.browser()
    tab.set_cookie("demo_notes", cookie.value if cookie else "")
    op.before_answer = lambda: _expect(tab.post("/logout").status_code, 303)
    op.tokens = {"access_token": "revived", "refresh_token": "revived"}

    app.http.get("/api")

    assert op.asked[-1]["grant_type"] == "refresh_token"
    assert op.presented == [ACCESS_TOKEN]
    assert not app.is_signed_in()


@spec("RPD-04", "BCL-07")
@pytest.mark.parametrize("left_out", [{"sub": None}, {"sid": None}])
def test_a_sign_in_that_a_sign_out_overtakes_signs_nobody_in(
    app: App, op: Hostile, left_out: dict[str, Any]
) -> None:
    ahead = int(time.time()) + 5
    op.before_answer = lambda: _expect(
        app.is_told(op.logout_token(iat=ahead, **left_out)).status_code, 200
    )

    answer = app.signs_in()

    assert answer.status_code == 400
    assert "You signed out while" in answer.text
    assert not app.is_signed_in()


@spec("BCL-07")
def test_a_later_sign_in_is_welcome_again(app: App, op: Hostile) -> None:
    app.signs_in()
    app.is_told(op.logout_token(iat=int(time.time()) - 1))

    app.signs_in()

    assert app.is_signed_in()


@spec("RFT-03", "RPD-04")
def test_a_grant_that_is_over_ends_the_visit(app: App, op: Hostile) -> None:
    app.has_expired_token()
    op.status, op.tokens = 400, {"error": "invalid_grant"}

    app.http.get("/api")

    assert not app.is_signed_in()


@spec("RPD-04")
@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_provider_in_trouble_ends_nothing(app: App, op: Hostile, status: int) -> None:
    app.has_expired_token()
    op.status, op.tokens = status, {"error": "temporarily_unavailable"}

    app.http.get("/api")

    assert app.is_signed_in()


@spec("RFT-01", "RPD-04")
def test_a_refreshed_token_replaces_the_old_one(app: App, op: Hostile) -> None:
    app.has_expired_token()
    op.tokens = {"refresh_token": "the next one", "expires_in": 1}

    app.http.get("/api")
    app.http.get("/api")

    assert [asked.get("refresh_token") for asked in op.asked[-1:]] == ["the next one"]
    assert app.is_signed_in()


@spec("Core section 12.2", "RPD-03")
@pytest.mark.parametrize("wrong", [{"sub": "mallory"}, {"nonce": "another"}, {"aud": "another"}])
def test_a_refresh_cannot_make_somebody_else_of_the_visitor(
    app: App, op: Hostile, wrong: dict[str, Any]
) -> None:
    app.has_expired_token()
    op.tokens = {"id_token": op.id_token(**wrong)}

    app.http.get("/api")

    assert not app.is_signed_in()


@spec("LGO-03", "RPD-04")
def test_signing_out_goes_on_to_the_provider(app: App, op: Hostile) -> None:
    app.signs_in()

    answer = app.http.post("/logout")

    location = answer.headers["Location"]
    assert answer.status_code == 303
    assert location.startswith(f"{op.url}/end_session?")
    assert "id_token_hint=ey" in location
    assert not app.is_signed_in()


@spec("BRW-01", "RPD-04")
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_sign_the_visitor_out(app: App, site: str) -> None:
    app.signs_in()

    answer = app.http.post("/logout", headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert app.http.get("/logout").status_code == 405
    assert app.is_signed_in()


def _expect(found: int, wanted: int) -> None:
    assert found == wanted
