"""`make certify-op` for FAPI 2.0: a pushed request, a bound token, and a call of the API."""

import base64
import secrets
import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from certify.people import PASSWORD
from tests.conformance.listener import Listener
from tests.journeys.test_certify import Certified, certified, pressed, suite
from tests.support.prover import Prover
from tests.support.spec import spec

pytestmark = pytest.mark.journey
__all__ = ["certified", "suite"]

VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def proves(certified: Certified, client: dict[str, Any], auth: str) -> dict[str, str]:
    """Who the client is: by an assertion, or by its certificate alone."""
    client_id = client["client_id"]
    if auth == "mtls":
        return {"client_id": client_id}
    key, now = RSAKey.import_key(client["jwks"]["keys"][0]), int(time.time())
    said = {"iss": client_id, "sub": client_id, "aud": certified.issuer, "iat": now}
    said |= {"exp": now + 60, "jti": secrets.token_urlsafe()}
    head = {"alg": "PS256", "kid": key.kid}
    signed = jwt.encode(head, said, key, algorithms=["PS256"])
    return {"client_assertion_type": JWT_BEARER, "client_assertion": signed}


@spec("FAPI 2.0 Security Profile section 5.3.2", "conformance C.6")
@pytest.mark.parametrize(
    ("auth", "constraint"), [("private_key_jwt", "dpop"), ("mtls", "mtls"), ("mtls", "dpop")]
)
def test_a_client_of_the_profile_goes_all_the_way(
    certified: Certified, suite: Listener, auth: str, constraint: str
) -> None:
    callback = f"{suite.url}/test/a/idp/callback"
    told = certified.told(f"fapi2-{auth}.{constraint}")
    client, phone = told["client"], Prover()
    asked = {
        "redirect_uri": callback,
        "response_type": "code",
        "scope": client["scope"],
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }

    def proof(method: str, url: str, token: str | None = None) -> dict[str, str]:
        if constraint != "dpop":
            return {}
        return {"DPoP": phone.proof(method, url, datetime.now(UTC), token=token)}

    with httpx.Client(verify=certified.trusting("client")) as calls:
        at = calls.get(told["server"]["discoveryUrl"]).json()
        at |= at["mtls_endpoint_aliases"] if "mtls" in (auth, constraint) else {}
        pushed = calls.post(
            at["pushed_authorization_request_endpoint"],
            data=asked | proves(certified, client, auth),
        )
        assert pushed.status_code == 201, pushed.text
        name = {"client_id": client["client_id"], "request_uri": pushed.json()["request_uri"]}
        with httpx.Client(base_url=certified.issuer, verify=certified.trusting()) as browser:
            page = browser.get("/authorize", params=name, follow_redirects=True)
            page = pressed(browser, page, "login-submit", username="foo", password=PASSWORD)
            back = pressed(browser, page, "consent-allow")
        said = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
        form = {"grant_type": "authorization_code", "code": said["code"]}
        form |= {"redirect_uri": callback, "code_verifier": VERIFIER}
        endpoint = at["token_endpoint"]
        given = calls.post(
            endpoint, data=form | proves(certified, client, auth), headers=proof("POST", endpoint)
        ).json()
        token, api = given["access_token"], told["resource"]["resourceUrl"]
        scheme = {"Authorization": f"{given['token_type']} {token}"}
        seen = calls.get(api, headers=scheme | proof("GET", api, token))
    with httpx.Client(verify=certified.trusting("client2")) as thief:
        stolen = thief.get(api, headers=scheme)

    assert seen.status_code == 200, seen.text
    assert "accounts" in seen.json()["scope"].split()
    assert stolen.status_code == 401
