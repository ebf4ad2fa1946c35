"""The plans for RP-initiated and back-channel logout (conformance B.5, B.7)."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from werkzeug.test import TestResponse

from tests.conformance.checks import unsigned
from tests.conformance.conftest import Registers
from tests.conformance.listener import Listener
from tests.conformance.marks import module
from tests.conformance.pages import offers, press
from tests.conformance.party import RelyingParty
from tests.conformance.registration import AFTER_LOGOUT, BASE, KEY
from tests.support.spec import spec

EVENT = "http://schemas.openid.net/event/backchannel-logout"
STATE = "s" * 128


def logs_out(rp: RelyingParty, **asked: str | None) -> TestResponse:
    """Send the browser to the end session endpoint; confirm if the person is asked."""
    sent = {name: value for name, value in asked.items() if value is not None}
    answer = rp.browser.http.get("/end_session", query_string=sent)
    if offers(answer, "logout-confirm"):
        answer = press(rp.browser.http, answer, "logout-confirm")
    return answer


def is_over(rp: RelyingParty) -> bool:
    said = rp.comes_back(rp.goes(prompt="none"))
    return said.get("error") == "login_required"


def stays_here(answer: TestResponse) -> bool:
    return not answer.headers.get("Location", "/").startswith(BASE)


@module("oidcc-rp-initiated-logout")
@spec("R-UX-3")
def test_rp_initiated_logout(rp: RelyingParty) -> None:
    given, _ = rp.signs_in()

    answer = logs_out(
        rp,
        id_token_hint=given["id_token"],
        post_logout_redirect_uri=AFTER_LOGOUT,
        state=STATE,
    )

    assert answer.status_code in (302, 303)
    assert answer.headers["Location"] == f"{AFTER_LOGOUT}?state={STATE}"
    assert is_over(rp)


@module("oidcc-rp-initiated-logout-no-state")
def test_rp_initiated_logout_no_state(rp: RelyingParty) -> None:
    given, _ = rp.signs_in()

    answer = logs_out(rp, id_token_hint=given["id_token"], post_logout_redirect_uri=AFTER_LOGOUT)

    assert answer.headers["Location"] == AFTER_LOGOUT
    assert is_over(rp)


@module("oidcc-rp-initiated-logout-bad-post-logout-redirect-uri")
@module("oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri")
@pytest.mark.parametrize("added", ["/else", "?foo=bar"])
def test_rp_initiated_logout_bad_post_logout_redirect_uri(rp: RelyingParty, added: str) -> None:
    given, _ = rp.signs_in()

    answer = rp.browser.http.get(
        "/end_session",
        query_string={
            "id_token_hint": given["id_token"],
            "post_logout_redirect_uri": AFTER_LOGOUT + added,
            "state": STATE,
        },
    )

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "post_logout_redirect_uri" in answer.text


@module("oidcc-rp-initiated-logout-modified-id-token-hint")
@spec("JOS-01")
def test_rp_initiated_logout_modified_id_token_hint(rp: RelyingParty) -> None:
    given, _ = rp.signs_in()

    answer = logs_out_badly(rp, unsigned(given["id_token"]))

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert not is_over(rp)


@module("oidcc-rp-initiated-logout-bad-id-token-hint")
@spec("LGO-02", "JOS-02")
@pytest.mark.parametrize("how", ["the client's own key", "the client's secret", "swapped"])
def test_rp_initiated_logout_bad_id_token_hint(rp: RelyingParty, how: str) -> None:
    given, said = rp.signs_in()
    header = {"alg": "RS256"}
    key: object = KEY
    if how == "the client's secret":
        header, key = {"alg": "HS256"}, OctKey.import_key(rp.client["client_secret"])
    if how == "swapped":
        said |= {"iss": said["aud"], "aud": said["iss"]}

    answer = logs_out_badly(rp, jwt.encode(header, said, key))  # type: ignore[arg-type]

    assert given["id_token"]
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert not is_over(rp)


@module("oidcc-rp-initiated-logout-no-id-token-hint")
def test_rp_initiated_logout_no_id_token_hint(rp: RelyingParty) -> None:
    rp.signs_in()

    answer = logs_out(rp, post_logout_redirect_uri=AFTER_LOGOUT, state=STATE)

    assert stays_here(answer)


@module("oidcc-rp-initiated-logout-no-params")
@module("oidcc-rp-initiated-logout-only-state")
@pytest.mark.parametrize("state", [None, STATE])
def test_rp_initiated_logout_no_params(rp: RelyingParty, state: str | None) -> None:
    rp.signs_in()

    answer = logs_out(rp, state=state)

    assert answer.status_code == 200
    assert "You are signed out" in answer.text
    assert is_over(rp)


@module("oidcc-rp-initiated-logout-no-post-logout-redirect-uri")
def test_rp_initiated_logout_no_post_logout_redirect_uri(rp: RelyingParty) -> None:
    given, _ = rp.signs_in()

    answer = logs_out(rp, id_token_hint=given["id_token"])

    assert answer.status_code == 200
    assert "You are signed out" in answer.text
    assert is_over(rp)


@module("oidcc-rp-initiated-logout")
@spec("LGO-02")
def test_an_expired_hint_still_brings_the_person_back(rp: RelyingParty) -> None:
    given, _ = rp.signs_in()
    rp.world.clock.advance(hours=2)
    rp.signs_in()

    answer = logs_out(
        rp,
        id_token_hint=given["id_token"],
        post_logout_redirect_uri=AFTER_LOGOUT,
        state=STATE,
    )

    assert answer.headers["Location"] == f"{AFTER_LOGOUT}?state={STATE}"


@module("oidcc-backchannel-rp-initiated-logout")
@spec("BCL-01")
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_backchannel_rp_initiated_logout(registers: Registers, suite: Listener, alg: str) -> None:
    rp = registers(
        backchannel_logout_uri=f"{suite.url}/backchannel_logout",
        backchannel_logout_session_required=True,
        id_token_signed_response_alg=alg,
    )
    given, identity = rp.signs_in()

    answer = logs_out(
        rp,
        id_token_hint=given["id_token"],
        post_logout_redirect_uri=AFTER_LOGOUT,
        state=STATE,
    )
    with rp.world.app.app_context():
        rp.world.app.extensions["idp.courier"].run_once()

    assert answer.headers["Location"] == f"{AFTER_LOGOUT}?state={STATE}"
    assert is_over(rp)
    [told] = suite.told
    assert told.headers["Content-Type"] == "application/x-www-form-urlencoded"
    [(name, token)] = told.form
    assert name == "logout_token"
    read = jwt.decode(token, rp.keys, algorithms=[alg])
    said = read.claims
    assert read.header["typ"] == "logout+jwt"
    assert said["iss"] == rp.issuer
    assert said["aud"] == rp.client["client_id"]
    assert said["iat"] <= rp.world.clock.now.timestamp() < said["exp"]
    assert said["jti"]
    assert said["events"] == {EVENT: {}}
    assert (said["sub"], said["sid"]) == (identity["sub"], identity["sid"])
    assert "nonce" not in said


def logs_out_badly(rp: RelyingParty, hint: str) -> TestResponse:
    """With a forged hint; whatever page comes, nobody says yes to it."""
    query = {
        "id_token_hint": hint,
        "post_logout_redirect_uri": AFTER_LOGOUT,
        "state": STATE,
    }
    assert dict(parse_qsl(urlsplit(AFTER_LOGOUT).query)) == {}
    return rp.browser.http.get("/end_session", query_string=query)
