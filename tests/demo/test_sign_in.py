"""Signing in at a demo app: whatever is wrong with the answer, nobody is signed in."""

import time
from typing import Any

import pytest

from tests.demo.conftest import HOME, App, flask_of
from tests.support.hostile import (
    ACCESS_TOKEN,
    EC,
    REFRESH_TOKEN,
    RSA,
    STRANGER,
    Hostile,
    secret_key,
    unsigned,
)
from tests.support.spec import spec


@spec("RPD-01", "V10.2.1")
def test_a_sign_in_takes_along_a_state_a_nonce_and_a_challenge(app: App) -> None:
    sent, again = app.leaves(), app.leaves()

    assert sent["response_type"] == "code"
    assert sent["code_challenge_method"] == "S256"
    assert sent["redirect_uri"] == f"{HOME}/callback"
    for name in ("state", "nonce", "code_challenge"):
        assert len(sent[name]) >= 43
        assert sent[name] != again[name]


@spec("RPD-01", "RPD-04")
def test_an_honest_answer_signs_in_and_the_tokens_stay_on_the_server(app: App, op: Hostile) -> None:
    answer = app.signs_in()

    page = app.http.get("/")
    assert answer.status_code == 303
    assert app.is_signed_in()
    assert op.asked[0]["code_verifier"] not in page.text
    for response in (answer, page):
        cookies = " ".join(response.headers.getlist("Set-Cookie"))
        for secret in (ACCESS_TOKEN, REFRESH_TOKEN, "eyJ"):
            assert secret not in cookies + response.text


@spec("RPD-01", "CVE-2025-68158", "CVE-2026-41425")
def test_a_sign_in_that_another_browser_began_is_refused(app: App, op: Hostile) -> None:
    sent = app.leaves()
    victim = app.browser()
    victim.get("/login")

    answer = app.returns(victim, state=sent["state"], iss=op.url, code="the attacker's")

    assert answer.status_code == 400
    assert not app.is_signed_in(victim)
    assert op.asked == []


@spec("RPD-01", "CVE-2025-68158")
def test_a_browser_without_a_cookie_cannot_come_back(app: App, op: Hostile) -> None:
    sent = app.leaves()

    answer = app.returns(app.browser(), state=sent["state"], iss=op.url, code="c0de")

    assert answer.status_code == 400
    assert op.asked == []


@spec("RPD-01")
@pytest.mark.parametrize("state", [None, "", "wrong", "Ünïcode", "None"])
def test_an_answer_with_another_state_is_refused(app: App, op: Hostile, state: str | None) -> None:
    app.leaves()

    answer = app.returns(state=state, iss=op.url, code="c0de")

    assert answer.status_code == 400
    assert op.asked == []


@spec("RPD-01")
def test_a_state_works_once(app: App, op: Hostile) -> None:
    sent = app.leaves()
    app.returns(state=sent["state"], iss=op.url, code="c0de")

    again = app.returns(state=sent["state"], iss=op.url, code="c0de")

    assert again.status_code == 400
    assert len(op.asked) == 1


@spec("RPD-01")
def test_a_refused_answer_spends_the_state_too(app: App, op: Hostile) -> None:
    sent = app.leaves()
    app.returns(state=sent["state"], iss="https://else.test", code="c0de")

    again = app.returns(state=sent["state"], iss=op.url, code="c0de")

    assert again.status_code == 400
    assert op.asked == []


@spec("RPD-01")
def test_two_tabs_can_sign_in_side_by_side(app: App, op: Hostile) -> None:
    first, second = app.leaves(), app.leaves()

    op.nonce = first["nonce"]
    assert app.returns(state=first["state"], iss=op.url, code="one").status_code == 303
    op.nonce = second["nonce"]
    assert app.returns(state=second["state"], iss=op.url, code="two").status_code == 303


@spec("RPD-01")
def test_the_verifier_is_that_of_the_challenge(app: App, op: Hostile) -> None:
    app.signs_in()

    asked = op.asked[0]
    assert asked["grant_type"] == "authorization_code"
    assert asked["code"] == "c0de"
    assert asked["redirect_uri"] == f"{HOME}/callback"
    assert len(asked["code_verifier"]) >= 43


@spec("RPD-02", "RFC 9207 section 2.4", "V10.2.2")
@pytest.mark.parametrize("said", [None, "", "{op}/", "https://else.test"])
def test_an_answer_must_name_the_issuer_that_was_asked(
    app: App, op: Hostile, said: str | None
) -> None:
    sent = app.leaves()
    iss = said.format(op=op.url) if said is not None else None

    answer = app.returns(state=sent["state"], iss=iss, code="c0de")

    assert answer.status_code == 400
    assert op.asked == []


@spec("RPD-02", "V10.2.2")
def test_a_code_of_the_honest_server_never_reaches_the_hostile_one(
    op: Hostile, other_op: Hostile
) -> None:
    at_hostile = App(other_op, flask_of(other_op))
    sent = at_hostile.leaves()

    answer = at_hostile.returns(state=sent["state"], iss=op.url, code="the honest server's")

    assert answer.status_code == 400
    assert other_op.asked == []


@spec("RPD-02", "V10.5.3")
def test_metadata_that_names_another_issuer_is_not_used(op: Hostile, other_op: Hostile) -> None:
    op.metadata = {"issuer": other_op.url}

    answer = flask_of(op).test_client().get("/login")

    assert answer.status_code == 503
    assert "Location" not in answer.headers


@spec("RPD-02", "RPD-03")
def test_an_id_token_of_the_other_server_is_nothing_here(
    app: App, op: Hostile, other_op: Hostile
) -> None:
    sent = app.leaves()
    other_op.nonce = sent["nonce"]
    op.tokens = {"id_token": other_op.id_token()}

    answer = app.returns(state=sent["state"], iss=op.url, code="c0de")

    assert answer.status_code == 400
    assert not app.is_signed_in()


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "no issuer": {"iss": None},
    "another issuer": {"iss": "https://else.test"},
    "nobody's audience": {"aud": None},
    "another audience": {"aud": "another-app"},
    "a second audience": {"aud": ["the-app", "another-app"]},
    "a second audience, given to us": {"aud": ["the-app", "another-app"], "azp": "the-app"},
    "given to another": {"azp": "another-app"},
    "no nonce": {"nonce": None},
    "another nonce": {"nonce": "another"},
    "no nonce, and an excuse": {"nonce": None, "nonce_supported": False},
    "another nonce, and an excuse": {"nonce": "another", "nonce_supported": False},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a number as subject": {"sub": 7},
    "a list as session": {"sid": ["s1"]},
    "no end": {"exp": None},
    "over": {"exp": int(time.time()) - 120},
    "an end in words": {"exp": "9999999999"},
    "no beginning": {"iat": None},
    "from tomorrow": {"iat": int(time.time()) + 86400},
    "another access token's": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@spec("RPD-03", "Core section 3.1.3.7", "CVE-2024-10318")
@pytest.mark.parametrize("wrong", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_an_id_token_that_says_the_wrong_thing_signs_nobody_in(
    app: App, op: Hostile, wrong: dict[str, Any]
) -> None:
    op.claims = wrong

    answer = app.signs_in()

    assert answer.status_code == 400
    assert not app.is_signed_in()


WRONG_SIGNATURES: dict[str, dict[str, Any]] = {
    "a stranger's key": {"key": STRANGER},
    "another algorithm": {"key": EC},
    "the secret as key": {"key": secret_key("the app's secret, made longer")},
    "an unknown key": {"header": {"kid": "unknown"}},
    "no key named": {"header": {"kid": None}},
    "its own key": {"key": STRANGER, "header": {"jwk": STRANGER.as_dict(private=False)}},
    "a logout token's kind": {"header": {"typ": "logout+jwt"}},
    "an access token's kind": {"header": {"typ": "at+jwt"}},
    "a demand we do not know": {"header": {"crit": ["exp"], "exp": 1}},
}


@spec("RPD-03", "JOS-01", "JOS-02", "CVE-2026-27962", "CVE-2025-59420", "CVE-2024-37568")
@pytest.mark.parametrize("how", WRONG_SIGNATURES.values(), ids=WRONG_SIGNATURES)
def test_an_id_token_signed_the_wrong_way_signs_nobody_in(
    app: App, op: Hostile, how: dict[str, Any]
) -> None:
    sent = app.leaves()
    op.key = how.get("key", RSA)
    op.header = how.get("header", {})
    if "crit" in op.header:
        op.header = {}
        op.tokens = {"id_token": _critical(op)}

    answer = app.returns(state=sent["state"], iss=op.url, code="c0de")

    assert len(op.asked) == 1
    assert answer.status_code == 400
    assert not app.is_signed_in()


@spec("RPD-03", "JOS-01", "CVE-2026-28802", "CVE-2021-44878")
def test_an_unsigned_id_token_signs_nobody_in(app: App, op: Hostile) -> None:
    sent = app.leaves()
    now = int(time.time())
    claims = {"iss": op.url, "aud": "the-app", "sub": "alice", "nonce": sent["nonce"]}
    op.tokens = {"id_token": unsigned(claims | {"iat": now, "exp": now + 300}, "JWT")}

    answer = app.returns(state=sent["state"], iss=op.url, code="c0de")

    assert answer.status_code == 400
    assert not app.is_signed_in()


WRONG_ANSWERS: dict[str, dict[str, Any]] = {
    "no ID token": {"tokens": {"id_token": None}},
    "no token at all": {"tokens": {"id_token": "not.a.token"}},
    "a kind of token we cannot use": {"tokens": {"token_type": "DPoP"}},
    "an error": {"tokens": {"error": "invalid_grant"}, "status": 400},
    "a fault": {"status": 500},
}


@spec("RPD-03", "RPD-01")
@pytest.mark.parametrize("how", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_a_token_endpoint_that_gives_rubbish_signs_nobody_in(
    app: App, op: Hostile, how: dict[str, Any]
) -> None:
    op.tokens, op.status = how.get("tokens", {}), how.get("status", 200)

    answer = app.signs_in()

    assert answer.status_code == 400
    assert "That did not work" in answer.text
    assert not app.is_signed_in()


@spec("Core section 5.3.2", "RPD-03")
def test_what_userinfo_says_of_somebody_else_is_not_shown(app: App, op: Hostile) -> None:
    op.userinfo = {"sub": "mallory", "name": "Mallory"}

    app.signs_in()

    page = app.http.get("/").text
    assert "Mallory" not in page
    assert op.sub in page


@spec("RPD-02")
def test_an_error_of_the_provider_signs_nobody_in_and_is_not_repeated(
    app: App, op: Hostile
) -> None:
    sent = app.leaves()

    answer = app.returns(state=sent["state"], iss=op.url, error="<b>hello</b>", code="c0de")

    assert answer.status_code == 400
    assert "hello" not in answer.text
    assert op.asked == []


@spec("RPD-04", "V7.2.4")
def test_the_visit_gets_a_new_name_when_somebody_signs_in(app: App) -> None:
    app.leaves()
    before = app.http.get_cookie("demo_notes")
    planted = app.browser()
    planted.set_cookie("demo_notes", before.value if before else "")

    app.signs_in()

    after = app.http.get_cookie("demo_notes")
    assert before is not None
    assert after is not None
    assert after.value != before.value
    assert not app.is_signed_in(planted)


@spec("RPD-04")
def test_a_name_the_visitor_made_up_is_not_taken(app: App) -> None:
    app.http.set_cookie("demo_notes", "chosen by the visitor")

    app.signs_in()

    cookie = app.http.get_cookie("demo_notes")
    assert cookie is not None
    assert cookie.value != "chosen by the visitor"
    assert cookie.http_only


TARGETS = {
    "/?tab=2": "/?tab=2",
    "//else.test": "/",
    "/\\else.test": "/",
    "\\\\else.test": "/",
    "/\t/else.test": "/",
    "/\n/else.test": "/",
    "https://else.test/": "/",
    "https:else.test": "/",
    "javascript:alert(1)": "/",
    "else.test": "/",
    "": "/",
}


@spec("RPD-04", "CVE-2026-44681")
@pytest.mark.parametrize(("wanted", "reached"), TARGETS.items(), ids=[repr(t) for t in TARGETS])
def test_a_sign_in_ends_on_a_page_of_this_very_app(app: App, wanted: str, reached: str) -> None:
    sent = app.leaves(f"/login?{_query(next=wanted)}")

    answer = app.returns(state=sent["state"], iss=app.op.url, code="c0de")

    assert answer.headers["Location"] == reached


@spec("JOS-05", "RPD-03")
def test_new_keys_are_looked_up_but_not_for_every_token(op: Hostile) -> None:
    app = App(op, flask_of(op))
    app.signs_in()
    op.header = {"kid": "unknown"}

    for _ in range(5):
        app.signs_in()

    assert op.jwks_asked == 1


def _query(**values: str) -> str:
    from urllib.parse import urlencode

    return urlencode(values)


def _critical(op: Hostile) -> str:
    """A good token whose header asks for something nobody knows."""
    import base64
    import json

    from joserfc.jws import JWSRegistry, serialize_compact
    from joserfc.registry import HeaderParameter

    header = {"alg": "RS256", "kid": "rsa", "typ": "JWT", "crit": ["demand"], "demand": True}
    registry = JWSRegistry(header_registry={"demand": HeaderParameter("d", "bool")})
    part = op.id_token().split(".")[1]
    payload = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    assert json.loads(payload)["nonce"] == op.nonce
    return serialize_compact(header, payload, RSA, algorithms=["RS256"], registry=registry)
