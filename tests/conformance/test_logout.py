"""The plans for RP-initiated and back-channel logout (conformance B.5, B.7)."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey
from werkzeug.test import TestResponse

from idp.store import db
from tests.conformance.listener import Listener, listener
from tests.support.spec import spec
from tests.support.suite import AFTER_LOGOUT, BASE, KEY, Module, unsigned
from tests.support.world import World, make_world

EVENT = "http://schemas.openid.net/event/backchannel-logout"
STATE = "s" * 128


def logs_out(module: Module, **asked: str | None) -> TestResponse:
    """Send the browser to the end session endpoint; confirm if the person is asked."""
    sent = {name: value for name, value in asked.items() if value is not None}
    answer = module.browser.http.get("/end_session", query_string=sent)
    if 'id="logout-confirm"' in answer.text:
        answer = module.browser.submit(answer, "/end_session/confirm")
    return answer


def is_over(module: Module) -> bool:
    said = module.comes_back(module.goes(prompt="none"))
    return said.get("error") == "login_required"


def stays_here(answer: TestResponse) -> bool:
    return not answer.headers.get("Location", "/").startswith(BASE)


@spec("conformance oidcc-rp-initiated-logout", "R-UX-3")
def test_rp_initiated_logout(module: Module) -> None:
    given, _ = module.signs_in()

    answer = logs_out(
        module,
        id_token_hint=given["id_token"],
        post_logout_redirect_uri=AFTER_LOGOUT,
        state=STATE,
    )

    assert answer.status_code in (302, 303)
    assert answer.headers["Location"] == f"{AFTER_LOGOUT}?state={STATE}"
    assert is_over(module)


@spec("conformance oidcc-rp-initiated-logout-no-state")
def test_rp_initiated_logout_no_state(module: Module) -> None:
    given, _ = module.signs_in()

    answer = logs_out(
        module, id_token_hint=given["id_token"], post_logout_redirect_uri=AFTER_LOGOUT
    )

    assert answer.headers["Location"] == AFTER_LOGOUT
    assert is_over(module)


@spec("conformance oidcc-rp-initiated-logout-bad-post-logout-redirect-uri")
@spec("conformance oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri")
@pytest.mark.parametrize("added", ["/else", "?foo=bar"])
def test_rp_initiated_logout_bad_post_logout_redirect_uri(module: Module, added: str) -> None:
    given, _ = module.signs_in()

    answer = module.browser.http.get(
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


@spec("conformance oidcc-rp-initiated-logout-modified-id-token-hint", "JOS-01")
def test_rp_initiated_logout_modified_id_token_hint(module: Module) -> None:
    given, _ = module.signs_in()

    answer = logs_out_badly(module, unsigned(given["id_token"]))

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert not is_over(module)


@spec("conformance oidcc-rp-initiated-logout-bad-id-token-hint", "LGO-02", "JOS-02")
@pytest.mark.parametrize("how", ["the client's own key", "the client's secret", "swapped"])
def test_rp_initiated_logout_bad_id_token_hint(module: Module, how: str) -> None:
    given, said = module.signs_in()
    header = {"alg": "RS256"}
    key: object = KEY
    if how == "the client's secret":
        header, key = {"alg": "HS256"}, OctKey.import_key(module.client["client_secret"])
    if how == "swapped":
        said |= {"iss": said["aud"], "aud": said["iss"]}

    answer = logs_out_badly(module, jwt.encode(header, said, key))  # type: ignore[arg-type]

    assert given["id_token"]
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert not is_over(module)


@spec("conformance oidcc-rp-initiated-logout-no-id-token-hint")
def test_rp_initiated_logout_no_id_token_hint(module: Module) -> None:
    module.signs_in()

    answer = logs_out(module, post_logout_redirect_uri=AFTER_LOGOUT, state=STATE)

    assert stays_here(answer)


@spec("conformance oidcc-rp-initiated-logout-no-params")
@spec("conformance oidcc-rp-initiated-logout-only-state")
@pytest.mark.parametrize("state", [None, STATE])
def test_rp_initiated_logout_no_params(module: Module, state: str | None) -> None:
    module.signs_in()

    answer = logs_out(module, state=state)

    assert answer.status_code == 200
    assert "You are signed out" in answer.text
    assert is_over(module)


@spec("conformance oidcc-rp-initiated-logout-no-post-logout-redirect-uri")
def test_rp_initiated_logout_no_post_logout_redirect_uri(module: Module) -> None:
    given, _ = module.signs_in()

    answer = logs_out(module, id_token_hint=given["id_token"])

    assert answer.status_code == 200
    assert "You are signed out" in answer.text
    assert is_over(module)


@spec("conformance oidcc-rp-initiated-logout", "LGO-02")
def test_an_expired_hint_still_brings_the_person_back(module: Module) -> None:
    given, _ = module.signs_in()
    module.world.clock.advance(hours=2)
    module.signs_in()

    answer = logs_out(
        module,
        id_token_hint=given["id_token"],
        post_logout_redirect_uri=AFTER_LOGOUT,
        state=STATE,
    )

    assert answer.headers["Location"] == f"{AFTER_LOGOUT}?state={STATE}"


@pytest.fixture(scope="module")
def suite() -> Iterator[Listener]:
    with listener() as made:
        yield made


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory, suite: Listener) -> Iterator[World]:
    made = make_world(
        tmp_path_factory.mktemp("near"),
        IDP_ISSUER="http://localhost:9000",
        IDP_OUTBOUND__ALLOWED=suite.place,
    )
    made.person("foo")
    yield made
    with made.app.app_context():
        db.engine.dispose()


@spec("conformance oidcc-backchannel-rp-initiated-logout", "BCL-01")
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_backchannel_rp_initiated_logout(near: World, suite: Listener, alg: str) -> None:
    module = Module(
        near,
        {
            "backchannel_logout_uri": f"{suite.url}/backchannel_logout",
            "backchannel_logout_session_required": True,
            "id_token_signed_response_alg": alg,
        },
    )
    given, identity = module.signs_in()
    suite.told.clear()
    suite.kinds.clear()

    answer = logs_out(
        module,
        id_token_hint=given["id_token"],
        post_logout_redirect_uri=AFTER_LOGOUT,
        state=STATE,
    )
    with near.app.app_context():
        near.app.extensions["idp.courier"].run_once()

    assert answer.headers["Location"] == f"{AFTER_LOGOUT}?state={STATE}"
    assert is_over(module)
    assert suite.kinds == ["application/x-www-form-urlencoded"]
    [[(name, token)]] = suite.told
    assert name == "logout_token"
    keys = KeySet.import_key_set(near.http().get("/jwks.json").json)
    read = jwt.decode(token, keys, algorithms=[alg])
    said = read.claims
    assert read.header["typ"] == "logout+jwt"
    assert said["iss"] == module.issuer
    assert said["aud"] == module.client["client_id"]
    assert said["iat"] <= near.clock.now.timestamp() < said["exp"]
    assert said["jti"]
    assert said["events"] == {EVENT: {}}
    assert (said["sub"], said["sid"]) == (identity["sub"], identity["sid"])
    assert "nonce" not in said


def logs_out_badly(module: Module, hint: str) -> TestResponse:
    """With a forged hint; whatever page comes, nobody says yes to it."""
    query = {
        "id_token_hint": hint,
        "post_logout_redirect_uri": AFTER_LOGOUT,
        "state": STATE,
    }
    assert dict(parse_qsl(urlsplit(AFTER_LOGOUT).query)) == {}
    return module.browser.http.get("/end_session", query_string=query)
