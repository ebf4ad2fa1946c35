"""Whatever comes in at a door: an answer, no fault, and no way to a stranger's address."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from idp.domain.metadata.members import CHECKS
from idp.store import db
from tests.conformance.checks import words
from tests.support.spec import spec
from tests.support.world import CALLBACK, Rp, World, make_world

PARAMETERS = words(
    "client_id redirect_uri response_type response_mode scope state nonce prompt max_age claims "
    "acr_values login_hint id_token_hint ui_locales claims_locales display resource request "
    "request_uri code_challenge code_challenge_method dpop_jkt authorization_details"
)
FORM = words(
    "grant_type code refresh_token code_verifier redirect_uri scope resource client_id audience "
    "client_secret client_assertion client_assertion_type assertion device_code auth_req_id "
    "subject_token subject_token_type actor_token actor_token_type requested_token_type token "
    "token_type_hint"
)
ODD = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "%00",
        '"',
        "\\",
        "null",
        "[]",
        "{}",
        "-1",
        "9" * 400,
        "é",
        "\u202e",
        "a" * 3000,
    ]
)
VALUES = st.text(max_size=40) | ODD
ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(VALUES, inner, max_size=3),
    max_leaves=8,
)
bounded = settings(max_examples=60, deadline=2000, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("doors"), IDP_REGISTRATION__QUOTA="100000")
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def client(house: World) -> Rp:
    return house.rp()


def is_answered(answer: TestResponse) -> None:
    """Not a fault, and not a way out of the house except to the client."""
    assert answer.status_code < 500, answer.text
    location = answer.headers.get("Location", "/")
    own = location.startswith("/") and not location.startswith(("//", "/\\"))
    assert own or location.startswith(CALLBACK), location


@spec("RFC 9700 section 4.11", "EDG-03")
@bounded
@given(
    sent=st.dictionaries(st.sampled_from(sorted(PARAMETERS)), VALUES, max_size=4),
    twice=st.sampled_from([(), *((name,) for name in sorted(PARAMETERS))]),
    method=st.sampled_from(["GET", "POST"]),
)
def test_an_authorization_request_of_any_shape(
    house: World, client: Rp, sent: dict[str, str], twice: tuple[str, ...], method: str
) -> None:
    asked = {
        "client_id": client.client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
    } | sent
    pairs = [*asked.items(), *((name, asked.get(name, "x")) for name in twice)]
    http = house.http()

    if method == "GET":
        answer = http.get("/authorize?" + urlencode(pairs))
    else:
        form = "application/x-www-form-urlencoded"
        answer = http.post("/authorize", data=urlencode(pairs), content_type=form)

    is_answered(answer)


@spec("EDG-03")
@bounded
@given(
    path=st.sampled_from(
        [
            "/token",
            "/par",
            "/introspect",
            "/revoke",
            "/device_authorization",
            "/bc-authorize",
            "/global-token-revocation",
        ]
    ),
    grant=st.sampled_from(["authorization_code", "refresh_token", "client_credentials", "x"]),
    sent=st.dictionaries(st.sampled_from(sorted(FORM | PARAMETERS)), VALUES, max_size=5),
)
def test_a_form_from_a_client_of_any_shape(
    house: World, client: Rp, path: str, grant: str, sent: dict[str, str]
) -> None:
    form = {"grant_type": grant} | {n: v for n, v in sent.items() if n != "client_id"}

    is_answered(house.http().post(path, data=form, **client.auth()))


@spec("EDG-03", "DCR-04")
@bounded
@given(sent=st.dictionaries(st.sampled_from([*CHECKS, "jwks", "client_name#de"]), JSON, max_size=4))
def test_a_registration_of_any_shape(house: World, sent: dict[str, Any]) -> None:
    answer = house.http().post("/register", json={"redirect_uris": [CALLBACK]} | sent)

    is_answered(answer)
    assert answer.status_code in (201, 400)


@spec("CLA-04", "CVE-2026-0707", "DPO-01", "SES-09")
@bounded
@given(
    path=st.sampled_from(["/userinfo", "/token", "/introspect", "/authorize", "/account", "/par"]),
    headers=st.dictionaries(
        st.sampled_from(
            ["Authorization", "DPoP", "Cookie", "Accept-Language", "Client-Cert", "Accept"]
        ),
        ASCII
        | ASCII.map("Basic {}".format)
        | ASCII.map("Bearer {}".format)
        | ASCII.map("DPoP {}".format)
        | ASCII.map("__Host-idp_session={}; idp_device=x; =; __Host-=y".format),
        min_size=1,
        max_size=3,
    ),
    method=st.sampled_from(["GET", "POST"]),
)
def test_headers_and_cookies_of_any_shape(
    house: World, path: str, headers: dict[str, str], method: str
) -> None:
    is_answered(house.http().open(path, method=method, headers=headers))


@spec("RP-Initiated Logout 1.0 section 2")
@bounded
@given(
    sent=st.dictionaries(
        st.sampled_from(
            ["id_token_hint", "post_logout_redirect_uri", "state", "client_id", "logout_hint"]
        ),
        VALUES | st.sampled_from(["https://evil.test/", "//evil.test", "/\\evil.test"]),
    )
)
def test_a_sign_out_of_any_shape(house: World, sent: dict[str, str]) -> None:
    is_answered(house.http().get("/end_session", query_string=sent))


@spec("EDG-03")
@bounded
@given(
    path=st.sampled_from(["/register", "/token", "/authorize"]),
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/x", ""]
    ),
)
def test_a_body_of_any_bytes(house: World, path: str, body: bytes, kind: str) -> None:
    is_answered(house.http().post(path, data=body, content_type=kind))
