"""The modules of the basic plan: one test for each, named after it (conformance B.1)."""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlsplit

import pytest

from tests.support.spec import spec
from tests.support.suite import CALLBACK, Json, Module
from tests.support.world import World


@spec("conformance oidcc-server", "R-ID-4", "R-TK-1")
def test_server(module: Module) -> None:
    given, said = module.signs_in()

    answer = module.userinfo(given["access_token"])

    assert answer.json["sub"] == said["sub"]
    assert "scope" not in given or "openid" in given["scope"].split()


@spec("conformance oidcc-server-client-secret-post", "R-TK-5")
def test_server_client_secret_post(op: World) -> None:
    module = Module(op, {"token_endpoint_auth_method": "client_secret_post"})

    _, said = module.signs_in()

    assert said["sub"]


@spec("conformance oidcc-alternate-happy-flow", "R-AZ-1")
def test_alternate_happy_flow(module: Module) -> None:
    first, said = module.signs_in(scope="email openid")

    second, again = module.signs_in(scope="openid email")

    assert again["sub"] == said["sub"]
    for given in (first, second):
        assert module.userinfo(given["access_token"]).json["email"] == "foo@example.com"


@spec("conformance oidcc-response-type-missing", "R-AZ-5")
def test_response_type_missing(module: Module) -> None:
    page = module.goes(response_type=None)

    assert page.status_code == 400
    assert "Location" not in page.headers
    assert "response_type" in page.text


@spec("conformance oidcc-idtoken-signature", "R-ID-1")
def test_idtoken_signature(module: Module) -> None:
    given, _ = module.signs_in()

    header = jose_header(given["id_token"])

    keys = {key["kid"]: key for key in module.world.http().get("/jwks.json").json["keys"]}
    assert header["alg"] == "RS256"
    assert keys[header["kid"]]["kty"] == "RSA"
    assert keys[header["kid"]]["use"] == "sig"


@spec("conformance oidcc-idtoken-unsigned", "JOS-01")
def test_idtoken_unsigned(module: Module) -> None:
    """Skipped by the suite, because discovery does not name `none`; and it is refused."""
    document = module.world.http().get("/.well-known/openid-configuration").json
    assert "none" not in document["id_token_signing_alg_values_supported"]
    module.metadata = {"id_token_signed_response_alg": "none"}

    assert module.registration().json["error"] == "invalid_client_metadata"


@spec("conformance oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
def test_ensure_request_without_nonce_succeeds_for_code_flow(module: Module) -> None:
    _, said = module.signs_in(nonce=None)

    assert "nonce" not in said


@spec("conformance oidcc-display-page")
@spec("conformance oidcc-display-popup")
@pytest.mark.parametrize("display", ["page", "popup"])
def test_display(module: Module, display: str) -> None:
    _, said = module.signs_in(display=display)

    assert said["sub"]


@spec("conformance oidcc-ensure-request-with-unknown-parameter-succeeds", "R-AZ-1")
def test_ensure_request_with_unknown_parameter_succeeds(module: Module) -> None:
    assert module.authorizes(extra="foobar")["code"]


@spec("conformance oidcc-login-hint")
def test_login_hint(module: Module) -> None:
    page = module.browser.http.get(module.goes(login_hint="buffy@op.test").headers["Location"])
    assert page.status_code == 200

    assert module.comes_back(module.browser.follow(page, "foo"))["code"]


@spec("conformance oidcc-ui-locales")
@spec("conformance oidcc-claims-locales")
@pytest.mark.parametrize("name", ["ui_locales", "claims_locales"])
def test_locales(module: Module, name: str) -> None:
    assert module.authorizes(**{name: "se"})["code"]


@spec("conformance oidcc-ensure-request-with-acr-values-succeeds")
def test_ensure_request_with_acr_values_succeeds(module: Module) -> None:
    document = module.world.http().get("/.well-known/openid-configuration").json
    values = document["acr_values_supported"]

    _, said = module.signs_in(acr_values=" ".join(values))

    assert said["acr"] in values


@spec("conformance oidcc-codereuse", "R-TK-3")
def test_codereuse(module: Module) -> None:
    code = module.authorizes()["code"]
    module.tokens(code)

    again = module.redeems(code)

    assert again.status_code == 400
    assert again.mimetype == "application/json"
    assert again.json["error"] == "invalid_grant"


@spec("conformance oidcc-codereuse-30seconds", "R-TK-3")
def test_codereuse_30seconds(module: Module) -> None:
    code = module.authorizes()["code"]
    given = module.tokens(code)
    module.world.clock.advance(seconds=30)

    again = module.redeems(code)

    assert (again.status_code, again.json["error"]) == (400, "invalid_grant")
    assert 400 <= module.userinfo(given["access_token"]).status_code < 500


@spec("conformance oidcc-ensure-registered-redirect-uri", "R-AZ-8", "R-UX-4")
def test_ensure_registered_redirect_uri(module: Module) -> None:
    page = module.goes(redirect_uri=f"{CALLBACK}/{secrets.token_urlsafe(6)}")

    assert page.status_code == 400
    assert "Location" not in page.headers
    assert "Sign-in error" in page.text


@spec("conformance oidcc-ensure-post-request-succeeds", "R-AZ-1")
def test_ensure_post_request_succeeds(module: Module) -> None:
    assert module.authorizes("POST")["code"]


@spec("conformance oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported")
@spec("conformance oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported")
@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://suite.test/ro.jwt#hash"}, "request_uri_not_supported"),
    ],
)
def test_request_objects_are_rejected_as_unsupported(
    module: Module, sent: Json, error: str
) -> None:
    """The suite skips the rest on either of the two errors."""
    document = module.world.http().get("/.well-known/openid-configuration").json
    module.signs_in()

    said = module.comes_back(module.goes(**sent))

    assert said["error"] == error
    assert document["request_parameter_supported"] is False
    assert document["request_uri_parameter_supported"] is False


@spec("conformance oidcc-ensure-request-object-with-redirect-uri")
def test_ensure_request_object_with_redirect_uri(module: Module) -> None:
    page = module.goes(redirect_uri="https://suite.test/else", request="eyJhbGciOiJub25lIn0.e30.")

    assert page.status_code == 400
    assert "Location" not in page.headers


@spec("conformance oidcc-ensure-request-with-valid-pkce-succeeds", "R-TK-4")
def test_ensure_request_with_valid_pkce_succeeds(module: Module) -> None:
    verifier = secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
    code = module.authorizes(**pkce)["code"]
    other = module.authorizes(**pkce)["code"]

    assert module.redeems(other).json["error"] == "invalid_grant"
    assert module.tokens(code, code_verifier=verifier)["access_token"]


@spec("R-AZ-4", "conformance oidcc-formpost-basic-certification-test-plan")
@pytest.mark.parametrize("prompt", [None, "none"])
def test_form_post_carries_codes_and_errors(module: Module, prompt: str | None) -> None:
    page = module.goes(response_mode="form_post", prompt=prompt)

    page = module.browser.follow(page, "foo")

    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert f'action="{CALLBACK}"' in page.text
    assert f'name="{"error" if prompt else "code"}"' in page.text
    assert f'name="state" value="{module.sent["state"]}"' in page.text
    assert "Location" not in page.headers


def jose_header(token: str) -> Json:
    import base64
    import json

    part = token.partition(".")[0]
    found: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert urlsplit(found.get("jku", "")).netloc == ""
    return found
