"""The modules of the basic plan: one test for each, named after it (conformance B.1)."""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest

from tests.conformance.checks import Json, jose_header
from tests.conformance.conftest import Registers
from tests.conformance.marks import module
from tests.conformance.party import RelyingParty
from tests.conformance.registration import CALLBACK
from tests.support.spec import spec

REFUSALS = {
    "request_not_supported",
    "request_uri_not_supported",
    "invalid_request_object",
    "invalid_request_uri",
}


@module("oidcc-server")
@spec("R-ID-4", "R-TK-1")
def test_server(rp: RelyingParty) -> None:
    given, said = rp.signs_in()

    assert rp.told(given, said)["sub"] == said["sub"]
    assert "scope" not in given or "openid" in given["scope"].split()


@module("oidcc-server-client-secret-post")
@spec("R-TK-5")
def test_server_client_secret_post(registers: Registers) -> None:
    rp = registers(token_endpoint_auth_method="client_secret_post")

    _, said = rp.signs_in()

    assert said["sub"]


@module("oidcc-alternate-happy-flow")
@spec("R-AZ-1")
def test_alternate_happy_flow(rp: RelyingParty) -> None:
    first, said = rp.signs_in(scope="email openid")

    second, again = rp.signs_in(scope="openid email")

    assert again["sub"] == said["sub"]
    for given, identity in ((first, said), (second, again)):
        assert rp.told(given, identity)["email"] == "foo@example.com"


@module("oidcc-response-type-missing")
@spec("R-AZ-5")
def test_response_type_missing(rp: RelyingParty) -> None:
    rp.errs(rp.goes(response_type=None), "unsupported_response_type", "invalid_request")


@module("oidcc-idtoken-signature")
@spec("R-ID-1")
def test_idtoken_signature(rp: RelyingParty) -> None:
    given, _ = rp.signs_in()

    header = jose_header(given["id_token"])

    keys = {key["kid"]: key for key in rp.world.http().get("/jwks.json").json["keys"]}
    assert header["alg"] == "RS256"
    assert keys[header["kid"]]["kty"] == "RSA"
    assert keys[header["kid"]]["use"] == "sig"


@module("oidcc-idtoken-unsigned", skip="discovery does not name the algorithm none")
@spec("JOS-01")
def test_idtoken_unsigned(rp: RelyingParty) -> None:
    """And it is refused."""
    assert "none" not in rp.document["id_token_signing_alg_values_supported"]
    rp.metadata = {"id_token_signed_response_alg": "none"}

    assert rp.registration().json["error"] == "invalid_client_metadata"


@module("oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
def test_ensure_request_without_nonce_succeeds_for_code_flow(rp: RelyingParty) -> None:
    _, said = rp.signs_in(nonce=None)

    assert "nonce" not in said


@module("oidcc-ensure-request-without-nonce-fails")
@spec("R-AZ-4")
def test_ensure_request_without_nonce_fails(rp: RelyingParty) -> None:
    rp.errs(rp.goes(nonce=None), "invalid_request")


@module("oidcc-display-page")
@module("oidcc-display-popup")
@pytest.mark.parametrize("display", ["page", "popup"])
def test_display(rp: RelyingParty, display: str) -> None:
    _, said = rp.signs_in(display=display)

    assert said["sub"]


@module("oidcc-ensure-request-with-unknown-parameter-succeeds")
@spec("R-AZ-1")
def test_ensure_request_with_unknown_parameter_succeeds(rp: RelyingParty) -> None:
    assert rp.signs_in(extra="foobar")[1]["sub"]


@module("oidcc-login-hint")
def test_login_hint(rp: RelyingParty) -> None:
    page = rp.shown(rp.goes(login_hint="buffy@op.test"))

    assert page.status_code == 200
    assert rp.brings(rp.comes_back(rp.follows(page)))[1]["sub"]


@module("oidcc-ui-locales")
@module("oidcc-claims-locales")
@pytest.mark.parametrize("name", ["ui_locales", "claims_locales"])
def test_locales(rp: RelyingParty, name: str) -> None:
    assert rp.signs_in(**{name: "se"})[1]["sub"]


@module("oidcc-ensure-request-with-acr-values-succeeds")
def test_ensure_request_with_acr_values_succeeds(rp: RelyingParty) -> None:
    values = rp.document["acr_values_supported"]

    _, said = rp.signs_in(acr_values=" ".join(values))

    assert said["acr"] in values


@module("oidcc-codereuse")
@spec("R-TK-3")
def test_codereuse(rp: RelyingParty) -> None:
    code = rp.authorizes()["code"]
    rp.tokens(code)

    again = rp.redeems(code)

    rp.refused(again, "invalid_grant")


@module("oidcc-codereuse-30seconds")
@spec("R-TK-3")
def test_codereuse_30seconds(rp: RelyingParty) -> None:
    code = rp.authorizes()["code"]
    given = rp.tokens(code)
    rp.world.clock.advance(seconds=30)

    again = rp.redeems(code)

    rp.refused(again, "invalid_grant")
    assert 400 <= rp.userinfo(given["access_token"]).status_code < 500


@module("oidcc-ensure-registered-redirect-uri")
@spec("R-AZ-8", "R-UX-4")
def test_ensure_registered_redirect_uri(rp: RelyingParty) -> None:
    page = rp.goes(redirect_uri=f"{CALLBACK}/{secrets.token_urlsafe(6)}")

    rp.refuses(page)
    assert "Sign-in error" in page.text


@module("oidcc-ensure-post-request-succeeds")
@spec("R-AZ-1")
def test_ensure_post_request_succeeds(rp: RelyingParty) -> None:
    assert rp.brings(rp.authorizes("POST"))[1]["sub"]


UNSIGNED = "eyJhbGciOiJub25lIn0.e30."
NO_NONE = "request objects without a signature are not supported, and discovery says so"


@module(
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", skip=NO_NONE
)
@module("oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", skip=NO_NONE)
@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"request": UNSIGNED}, "request_parameter_supported"),
        ({"request_uri": "https://suite.test/ro.jwt#hash"}, "request_uri_parameter_supported"),
    ],
)
def test_unsigned_request_objects_are_refused(rp: RelyingParty, sent: Json, says: str) -> None:
    rp.signs_in()

    said = rp.comes_back(rp.goes(**sent))

    assert said["error"] in REFUSALS
    signed = rp.document.get("request_object_signing_alg_values_supported", ["none"])
    assert rp.document[says] is False or "none" not in signed


@module("oidcc-ensure-request-object-with-redirect-uri", skip=NO_NONE)
def test_ensure_request_object_with_redirect_uri(rp: RelyingParty) -> None:
    rp.refuses(rp.goes(redirect_uri="https://suite.test/else", request=UNSIGNED))


@module("oidcc-ensure-request-with-valid-pkce-succeeds")
@spec("R-TK-4")
def test_ensure_request_with_valid_pkce_succeeds(rp: RelyingParty) -> None:
    verifier = secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
    other = rp.authorizes(**pkce)["code"]
    rp.refused(rp.redeems(other), "invalid_grant")

    code = rp.authorizes(**pkce)["code"]

    assert rp.tokens(code, code_verifier=verifier)["access_token"]
