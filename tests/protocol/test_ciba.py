"""Asking without a browser at our endpoints (OpenID CIBA Core), for clients that do not sign."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.store import db
from tests.support.ciba import CIBA, POLL, Caller, answers, caller
from tests.support.holder import Holder
from tests.support.prover import Prover
from tests.support.spec import spec
from tests.support.world import API, Browser, World, make_world

KEY = ECKey.generate_key("P-256", {"kid": "k1"})
SIGNER = {"jwks": {"keys": [KEY.as_dict(private=False)]}}


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One provider for all of these."""
    made = make_world(Path(tmp_path_factory.mktemp("ciba")))
    made.person("alice", name="Alice")
    made.person("bob@example.com")
    made.api(API, **{"notes:read": "Read your notes"})
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def alice(op: World) -> Browser:
    """Her browser, signed in, and nothing that waits for her."""
    op.clock.advance(minutes=11)
    browser = op.browser()
    browser.sign_in()
    return browser


@spec("CIBA Core section 7.3", "CIBA Core section 10.1")
def test_an_app_waits_until_the_person_has_said_yes(op: World, alice: Browser) -> None:
    app = caller(op).asks(scope="openid profile")

    before = app.hears()
    answers(alice, "allow")
    given = app.polls()

    assert before == "authorization_pending"
    assert given.status_code == 200
    assert op.userinfo(given.json["access_token"]).json["name"] == "Alice"
    assert app.rp.refresh(given.json["refresh_token"]).status_code == 200
    assert app.hears() == "invalid_grant"


@spec("CIBA Core section 11")
def test_a_no_is_told_to_the_app(op: World, alice: Browser) -> None:
    app = caller(op).asks()

    answers(alice, "deny")

    assert app.hears() == "access_denied"


@spec("CIBA Core section 7.1")
@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"login_hint": "alice", "id_token_hint": "x"}, "invalid_request"),
        ({"login_hint": "nobody"}, "unknown_user_id"),
        ({"login_hint": "a" * 300}, "unknown_user_id"),
        ({"login_hint": "alice", "scope": None}, "invalid_scope"),
        ({"login_hint": "alice", "scope": "profile"}, "invalid_scope"),
        ({"login_hint": "alice", "scope": "openid nobody:knows"}, "invalid_scope"),
        ({"login_hint": "alice", "resource": "https://nobody.test"}, "invalid_target"),
        ({"login_hint": "alice", "binding_message": "x" * 65}, "invalid_binding_message"),
        ({"login_hint": "alice", "binding_message": "\U0001f600"}, "invalid_binding_message"),
        ({"login_hint": "alice", "requested_expiry": "0"}, "invalid_request"),
        ({"login_hint": "alice", "requested_expiry": "-5"}, "invalid_request"),
        ({"login_hint": "alice", "requested_expiry": "soon"}, "invalid_request"),
        ({"login_hint": "alice", "user_code": "1234"}, "invalid_request"),
        ({"login_hint": "alice", "request": "a.b.c"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"login_hint_token": "a.b.c"}, "invalid_request"),
    ],
)
def test_a_request_that_is_wrong_is_refused_by_its_name(
    op: World, form: dict[str, Any], error: str
) -> None:
    answer = caller(op).request(**form)

    assert answer.status_code == 400
    assert answer.json["error"] == error


@spec("CIBA Core section 7.1")
def test_an_umlaut_can_be_shown_and_an_expiry_is_never_longer_than_ours(op: World) -> None:
    answer = caller(op).request(
        login_hint="alice", binding_message="Grün 12", requested_expiry="99999"
    )

    assert answer.status_code == 200
    assert answer.json["expires_in"] == 600


@spec("CIBA Core section 7.1", "SES-07")
def test_somebody_who_is_disabled_is_nobody(op: World) -> None:
    op.person("carol")
    app = caller(op).asks("carol")
    with op.app.app_context():
        row = op.op.accounts.find_by_username("carol")
        assert row is not None
        op.op.accounts.disable(row, op.clock.now)
        db.session.commit()

    assert app.hears() == "invalid_grant"
    assert app.request(login_hint="carol").json["error"] == "unknown_user_id"


@spec("CIBA Core section 7.1")
def test_an_id_token_hint_names_whom_it_was_given_for_however_old(
    op: World, alice: Browser
) -> None:
    app, other = caller(op).asks(), caller(op)
    answers(alice, "allow")
    hint = app.polls().json["id_token"]
    op.clock.advance(days=2)

    assert app.request(id_token_hint=hint).status_code == 200
    assert other.request(id_token_hint=hint).json["error"] == "invalid_request"


def hint_token(op: World, app: Caller, sub_id: object, **claims: Any) -> str:
    now = int(op.clock.now.timestamp())
    said = {
        "iss": app.rp.client_id,
        "aud": "https://op.test",
        "iat": now,
        "exp": now + 60,
        "sub_id": sub_id,
    } | claims
    return jwt.encode({"alg": "ES256", "kid": "k1"}, said, KEY)


@spec("CIBA Core section 7.1", "RFC 9493 section 3.2")
@pytest.mark.parametrize(
    ("sub_id", "claims", "error"),
    [
        ({"format": "email", "email": "bob@example.com"}, {}, None),
        ({"format": "email", "email": "eve@example.com"}, {}, "unknown_user_id"),
        ({"format": "opaque", "id": "nobody"}, {}, "unknown_user_id"),
        ({"format": "iss_sub", "iss": "https://else.test", "sub": "x"}, {}, "unknown_user_id"),
        ({"format": "iss_sub", "iss": "https://op.test", "sub": "x"}, {}, "unknown_user_id"),
        ({"format": "phone_number", "phone_number": "+49"}, {}, "unknown_user_id"),
        ("bob", {}, "invalid_request"),
        ({"format": "email", "email": "bob@example.com"}, {"iss": "x"}, "invalid_request"),
        ({"format": "email", "email": "bob@example.com"}, {"aud": "x"}, "invalid_request"),
        ({"format": "email", "email": "bob@example.com"}, {"exp": 9}, "expired_login_hint_token"),
    ],
)
def test_a_login_hint_token_is_signed_by_the_client(
    op: World, sub_id: object, claims: dict[str, Any], error: str | None
) -> None:
    app = caller(op, **SIGNER)

    answer = app.request(login_hint_token=hint_token(op, app, sub_id, **claims))

    assert answer.json.get("error") == error


@spec("RFC 9493 section 3.2")
def test_a_login_hint_token_may_name_the_sub(op: World) -> None:
    sub, app = op.person("dave"), caller(op, **SIGNER)

    for sub_id in (
        {"format": "opaque", "id": sub},
        {"format": "iss_sub", "iss": "https://op.test", "sub": sub},
    ):
        token = hint_token(op, app, sub_id)
        assert app.request(login_hint_token=token).status_code == 200


@spec("CIBA Core section 7", "CLA-01")
def test_only_a_client_with_the_grant_that_can_authenticate_may_ask(op: World) -> None:
    stranger = Caller(op.rp())
    app = caller(op)

    nameless = op.http().post("/bc-authorize", data={"client_id": app.rp.client_id})
    wrong = op.http().post("/bc-authorize", data={}, auth=(app.rp.client_id, "wrong"))

    assert stranger.request(login_hint="alice").json["error"] == "unauthorized_client"
    assert [nameless.status_code, wrong.status_code] == [401, 401]


@spec("CIBA Core section 4")
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"token_endpoint_auth_method": "none"}, "authenticate"),
        ({"backchannel_token_delivery_mode": None}, "backchannel_token_delivery_mode"),
        ({"backchannel_token_delivery_mode": "push"}, "backchannel_token_delivery_mode"),
        (
            {"backchannel_token_delivery_mode": "ping"},
            "backchannel_client_notification_endpoint",
        ),
        ({"backchannel_user_code_parameter": True}, "backchannel_user_code_parameter"),
        ({"backchannel_authentication_request_signing_alg": "RS256"}, "signing_alg"),
        ({"backchannel_authentication_request_signing_alg": "PS256"}, "jwks"),
    ],
)
def test_what_cannot_be_done_cannot_be_registered(
    op: World, changed: dict[str, Any], why: str
) -> None:
    body = {name: v for name, v in (POLL | changed).items() if v is not None}

    answer = op.http().post("/register", json={"client_name": "Bank"} | body)

    assert answer.status_code == 400
    assert why in answer.json["error_description"]


@spec("RFC 9449 section 5")
def test_the_tokens_of_an_app_that_proves_a_key_are_bound(op: World, alice: Browser) -> None:
    app = caller(op, dpop_bound_access_tokens=True)
    app.asks()
    answers(alice, "allow")
    plain = app.hears()
    app.rp = Holder.of(app.rp, Prover())

    given = app.polls().json

    assert plain == "invalid_dpop_proof"
    assert given["token_type"] == "DPoP"
    assert app.rp.userinfo(given["access_token"]).status_code == 200
    assert op.userinfo(given["access_token"]).status_code == 401


@spec("P7", "PWD-09", "CVE-2026-9798")
def test_one_app_cannot_bury_a_person_in_requests(op: World) -> None:
    op.person("erin")
    app, other = caller(op), caller(op)

    statuses = [app.request(login_hint="erin").status_code for _ in range(26)]

    assert statuses == [200] * 25 + [429]
    assert other.request(login_hint="erin").status_code == 200


@spec("CIBA Core section 7.1.1")
def test_a_signed_request_counts_once_and_stands_alone(op: World, alice: Browser) -> None:
    app = caller(op, **SIGNER, backchannel_authentication_request_signing_alg="ES256")
    now = int(op.clock.now.timestamp())
    said = {"iss": app.rp.client_id, "aud": "https://op.test", "iat": now, "nbf": now}
    said |= {"exp": now + 60, "jti": "once", "scope": "openid", "login_hint": "alice"}

    def signed(typ: str = "oauth-authz-req+jwt", **changed: Any) -> str:
        header = {"alg": "ES256", "kid": "k1", "typ": typ}
        return jwt.encode(header, said | changed, KEY)

    first = app.rp.post("/bc-authorize", request=signed())
    again = app.rp.post("/bc-authorize", request=signed())
    beside = app.rp.post("/bc-authorize", request=signed(jti="b"), login_hint="alice")
    kinds = [signed(typ="logout+jwt", jti="c"), signed(jti=7), signed(jti=""), signed(jti="d", x=1)]
    typed = [app.rp.post("/bc-authorize", request=token).status_code for token in kinds]
    wrong = app.rp.post("/bc-authorize", request=signed(jti="e", binding_message=7))

    assert first.status_code == 200
    assert [again.json["error"], beside.json["error"]] == ["invalid_request"] * 2
    assert typed == [400, 400, 400, 200]
    assert wrong.json["error"] == "invalid_request"


@spec("CIBA Core section 7.1.1")
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["soon", True, -1, 1e30, None])
def test_a_signed_request_with_a_date_that_is_none_is_refused(
    op: World, name: str, value: object
) -> None:
    app = caller(op, **SIGNER, backchannel_authentication_request_signing_alg="ES256")
    now = int(op.clock.now.timestamp())
    said: dict[str, Any] = {"iss": app.rp.client_id, "aud": "https://op.test", "jti": "j"}
    said |= {"iat": now, "nbf": now, "exp": now + 60, "scope": "openid", "login_hint": "alice"}
    token = Prover(KEY).signed({"alg": "ES256", "kid": "k1"}, said | {name: value})

    answer = app.rp.post("/bc-authorize", request=token)

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_request"


def test_the_grant_type_is_the_registered_one(op: World) -> None:
    said = op.http().get("/.well-known/openid-configuration").json

    assert CIBA in said["grant_types_supported"]
    assert said["backchannel_authentication_endpoint"] == "https://op.test/bc-authorize"
