"""FAPI 2.0 Security Profile: codes and refresh tokens at the token endpoint (B.9.1, B.9.2)."""

import pytest

from tests.conformance.checks import bits
from tests.conformance.fapi_party import Fapi
from tests.conformance.marks import module
from tests.support.prover import Prover
from tests.support.spec import spec

PREFIX = "fapi2-security-profile-final-"
UNPROVEN = ("invalid_request", "invalid_grant", "invalid_dpop_proof")


@module(f"{PREFIX}ensure-client-id-in-token-endpoint")
@spec("CLA-02")
def test_ensure_client_id_in_token_endpoint(one: Fapi, two: Fapi) -> None:
    """The identity of client 2 with the key or the certificate of client 1."""
    stranger = {"client_id": two.client["client_id"]}
    if not one.by_certificate:
        name = two.client["client_id"]
        stranger |= one.claims_to_be(sub=name, iss=name)

    answer = one.wants(credentials=stranger)

    one.refused(answer, "invalid_client", "invalid_grant", status=(400, 401))


@module(f"{PREFIX}ensure-holder-of-key-required")
@spec("FAPI 2.0 Security Profile section 5.3.2.1", "DPO-13", "RFC 8705 section 3")
def test_ensure_holder_of_key_required(one: Fapi) -> None:
    """Authenticated, where that is not by certificate, and without any proof of a key."""
    without = dict(one.pair.header) if one.dpop and one.by_certificate else {}
    codes = UNPROVEN if not one.by_certificate or one.dpop else ("invalid_client",)

    answer = one.wants(headers=without)

    one.refused(answer, *codes, status=(400, 401))


@module(f"{PREFIX}ensure-authorization-code-is-bound-to-client")
@spec("COD-03")
def test_ensure_authorization_code_is_bound_to_client(one: Fapi, two: Fapi) -> None:
    code = one.authorizes()["code"]
    two.sent, two.verifier = one.sent, one.verifier

    two.refused(two.redeems(code), "invalid_grant")
    assert one.redeems(code).status_code == 200


@module(f"{PREFIX}attempt-reuse-authorization-code-after-one-second")
@spec("COD-01")
def test_attempt_reuse_authorization_code_after_one_second(one: Fapi) -> None:
    code = one.authorizes()["code"]
    given = one.token_response(one.redeems(code))
    one.later(seconds=1)

    one.refused(one.redeems(code), "invalid_grant")

    assert not one.works(given["access_token"])


@module(f"{PREFIX}ensure-token-endpoint-fails-with-expired-auth-code")
@spec("COD-02", "FAPI 2.0 Security Profile section 5.3.2.1")
def test_ensure_token_endpoint_fails_with_expired_auth_code(one: Fapi) -> None:
    code = one.authorizes()["code"]
    one.later(seconds=62)

    one.refused(one.redeems(code), "invalid_grant")


@module(f"{PREFIX}ensure-pkce-code-verifier-required")
@module(f"{PREFIX}incorrect-pkce-code-verifier-rejected")
@spec("PKC-01")
@pytest.mark.parametrize("verifier", [None, "w" * 43])
def test_ensure_pkce_code_verifier(one: Fapi, verifier: str | None) -> None:
    code = one.authorizes()["code"]

    one.refused(one.redeems(code, code_verifier=verifier), "invalid_grant")


@module(f"{PREFIX}refresh-token")
@spec("FAPI 2.0 Security Profile section 5.3.2.1", "DPO-12")
def test_refresh_token(one: Fapi) -> None:
    given, said = one.signs_in()
    token = given["refresh_token"]
    one.later(seconds=1)
    one.prover = Prover()

    renewed = one.token_response(one.renews(token))

    assert bits(token) > 128
    assert "refresh_token" in one.document["grant_types_supported"]
    assert renewed["access_token"] != given["access_token"]
    assert one.works(renewed["access_token"])
    if one.openid:
        assert one.identity(renewed["id_token"], fresh=False)["sub"] == said["sub"]


@module(f"{PREFIX}refresh-token")
@spec("FAPI 2.0 Security Profile section 5.3.2.1")
def test_refresh_tokens_are_not_rotated(one: Fapi) -> None:
    token = one.obtains()["refresh_token"]

    renewed = one.token_response(one.renews(token))
    one.later(seconds=31)

    assert renewed["refresh_token"] == token
    assert one.renews(token).status_code == 200


@module(f"{PREFIX}refresh-token")
def test_refresh_token_without_the_client_or_its_key(one: Fapi, two: Fapi) -> None:
    mine, theirs = one.obtains(), two.obtains()
    bare = dict(one.pair.header) if one.dpop and one.by_certificate else {}

    nobody = one.renews(mine["refresh_token"], credentials={}, headers=_key_of(one))
    keyless = one.renews(mine["refresh_token"], headers=bare)
    stranger = one.renews(theirs["refresh_token"])

    one.refused(nobody, "invalid_client", "invalid_grant", "invalid_request", status=(400, 401))
    if one.by_certificate and not one.dpop:
        one.refused(keyless, "invalid_client", status=(400, 401))
    else:
        one.refused(keyless, *UNPROVEN)
    one.refused(stranger, "invalid_grant")
    assert one.visits(theirs["access_token"]).status_code == 401
    assert two.works(two.token_response(two.renews(theirs["refresh_token"]))["access_token"])


def _key_of(one: Fapi) -> dict[str, str]:
    return {"DPoP": one.proof()} if one.dpop else dict(one.pair.header)
