"""Request objects by reference, as the dynamic plan asks for them (conformance B.3)."""

from typing import Any

import pytest
from joserfc import jwt

from tests.conformance.checks import Json, unsigned
from tests.conformance.conftest import Registers
from tests.conformance.listener import Listener
from tests.conformance.marks import module
from tests.conformance.party import RelyingParty
from tests.conformance.registration import KEY
from tests.support.spec import spec

NO_NONE = "request objects without a signature are not supported, and discovery says so"
PATH = "/requests/object.jwt"
HASH = "#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"


def request_object(rp: RelyingParty, **more: Any) -> str:
    """Every parameter of the request, signed with the key that has no name, as the suite does."""
    claims: Json = rp.asks() | {"aud": rp.issuer, "iss": rp.client["client_id"]} | more
    return jwt.encode({"alg": "RS256"}, claims, KEY)


@module("oidcc-request-uri-signed-rs256")
@spec("JAR-04", "OpenID Connect Core section 6.2")
@pytest.mark.parametrize("beside", [{}, {"scope": "openid", "response_type": "code"}])
def test_request_uri_signed_rs256(
    registers: Registers, suite: Listener, beside: dict[str, str]
) -> None:
    uri = suite.url + PATH + HASH
    rp = registers(request_object_signing_alg="RS256", request_uris=[uri])
    suite.documents[PATH] = request_object(rp)
    query = {"client_id": rp.client["client_id"], "request_uri": uri} | beside

    page = rp.browser.http.get(rp.at("authorization_endpoint"), query_string=query)

    assert rp.brings(rp.comes_back(rp.follows(page)))[1]["sub"]
    assert suite.fetched.count(PATH) == 1
    assert "RS256" in rp.document["request_object_signing_alg_values_supported"]
    assert rp.document["request_uri_parameter_supported"] is True


@module("oidcc-request-uri-unsigned", skip=NO_NONE)
@spec("JAR-02", "JAR-04")
def test_request_uri_unsigned(registers: Registers, suite: Listener) -> None:
    uri = suite.url + PATH + HASH
    rp = registers(request_uris=[uri])
    suite.documents[PATH] = unsigned(request_object(rp))

    page = rp.goes(request_uri=uri)

    rp.errs(page, "invalid_request_object")
    assert "none" not in rp.document["request_object_signing_alg_values_supported"]
