"""What is signed well may still say anything: request objects, assertions, proofs, streams."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.store import db
from tests.conformance.checks import words
from tests.fuzz.test_doors import JSON, PARAMETERS, VALUES, bounded, is_answered
from tests.support.prover import Prover
from tests.support.spec import spec
from tests.support.world import CALLBACK, Rp, World, make_world

KEY = ECKey.generate_key("P-256", {"kid": "k", "use": "sig", "alg": "ES256"})
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TIMES = st.integers(-(2**40), 2**40) | st.floats() | JSON


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("signed"), IDP_REGISTRATION__QUOTA="100000")
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def signer(house: World) -> Rp:
    """A client whose request objects and assertions are signed with KEY."""
    return house.rp(
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [KEY.as_dict(private=False)]},
        request_object_signing_alg="ES256",
    )


@pytest.fixture(scope="module")
def token(house: World) -> str:
    """A token for streams of signals."""
    client = house.machine(grant_types=["client_credentials"], scope="ssf.read ssf.manage")
    form = {"grant_type": "client_credentials", "scope": "ssf.read ssf.manage"}
    return str(client.post("/token", **form).json["access_token"])


def signed(claims: dict[str, Any], **header: Any) -> str:
    return jwt.encode({"alg": "ES256", "kid": "k"} | header, claims, KEY)


def honest(house: World, signer: Rp) -> dict[str, Any]:
    now = int(house.clock.now.timestamp())
    said = {"iss": signer.client_id, "sub": signer.client_id, "aud": "https://op.test"}
    return said | {"iat": now, "nbf": now, "exp": now + 60, "jti": str(now)}


@spec("RFC 9101 section 6", "EDG-03")
@bounded
@given(
    sent=st.dictionaries(st.sampled_from(sorted(PARAMETERS)), JSON, max_size=4),
    odd=st.dictionaries(st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "jti"]), TIMES),
)
def test_a_request_object_of_any_shape(
    house: World, signer: Rp, sent: dict[str, Any], odd: dict[str, Any]
) -> None:
    asked = {
        "client_id": signer.client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
    }
    try:
        request = signed(honest(house, signer) | asked | sent | odd)
    except ValueError:  # numbers that JSON has no word for
        return

    is_answered(house.http().get("/authorize", query_string=asked | {"request": request}))
    proof = {"client_assertion": signed(honest(house, signer)), "client_assertion_type": TYPE}
    is_answered(house.http().post("/par", data=proof | {"request": request}))


@spec("CLA-04", "RFC 7523 section 3")
@bounded
@given(
    odd=st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]), TIMES)
)
def test_a_client_assertion_of_any_shape(house: World, signer: Rp, odd: dict[str, Any]) -> None:
    try:
        assertion = signed(honest(house, signer) | odd)
    except ValueError:
        return
    form = {"client_assertion": assertion, "client_assertion_type": TYPE}

    is_answered(house.http().post("/token", data=form | {"grant_type": "client_credentials"}))


@spec("DPO-01")
@bounded
@given(odd=st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce"]), TIMES))
def test_a_proof_of_any_shape(house: World, odd: dict[str, Any]) -> None:
    prover = Prover()
    proof = prover.proof("POST", "https://op.test/token", house.clock.now, **odd)

    is_answered(house.http().post("/token", data={"grant_type": "x"}, headers={"DPoP": proof}))


@spec("OpenID Shared Signals Framework 1.0 section 8.1")
@bounded
@given(
    path=st.sampled_from(
        [
            "/ssf/streams",
            "/ssf/status",
            "/ssf/subjects/add",
            "/ssf/subjects/remove",
            "/ssf/verify",
            "/ssf/poll/x",
        ]
    ),
    method=st.sampled_from(["POST", "PATCH", "PUT", "GET", "DELETE"]),
    said=st.dictionaries(
        st.sampled_from(
            sorted(
                words(
                    "stream_id events_requested delivery description status reason subject "
                    "verified state ack maxEvents setErrs"
                )
            )
        ),
        JSON,
        max_size=4,
    ),
    asked=st.dictionaries(st.just("stream_id"), VALUES),
)
def test_a_call_about_streams_of_any_shape(
    house: World,
    token: str,
    path: str,
    method: str,
    said: dict[str, Any],
    asked: dict[str, str],
) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    http = house.http()

    is_answered(http.open(path, method=method, json=said, query_string=asked, headers=bearer))


@spec("EDG-03")
@bounded
@given(st.text(max_size=30), st.sampled_from(["/status-lists/", "/register/", "/ssf/poll/", "/"]))
def test_an_address_of_any_shape(house: World, tail: str, folder: str) -> None:
    is_answered(house.http().get(folder + base64.b16encode(tail.encode()).decode()))
    is_answered(house.http().get(folder, query_string={"x": tail}))
