"""FAPI 2.0 Security Profile: proofs at the provider and at the API (B.9.1)."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from tests.conformance.fapi_party import Fapi
from tests.conformance.marks import module
from tests.support.prover import Prover
from tests.support.spec import spec

PREFIX = "fapi2-security-profile-final-"
Bad = Callable[[Fapi, str], str]


@module(f"{PREFIX}check-dpop-proof-nbf-exp")
def test_check_dpop_proof_nbf_exp(one: Fapi) -> None:
    now = int(one.world.clock.now.timestamp())
    more = {"nbf": now, "exp": now + 300}
    headers = one.headers("token_endpoint") | {"DPoP": one.proof(**more)}

    token = one.token_response(one.wants(headers=headers))["access_token"]

    proof = one.proof_at_api(token, **more)
    assert one.visits(token, more={"DPoP": proof}).status_code == 200


@module(f"{PREFIX}ensure-dpopproof-with-iat-10seconds-before-succeeds")
@module(f"{PREFIX}ensure-dpopproof-with-iat-10seconds-after-succeeds")
@spec("DPO-04")
@pytest.mark.parametrize("seconds", [-10, 8])
def test_ensure_dpopproof_with_iat_10seconds_off_succeeds(one: Fapi, seconds: int) -> None:
    then = one.world.clock.now + timedelta(seconds=seconds)
    headers = one.headers("token_endpoint") | {"DPoP": one.proof(now=then)}
    if not one.machine:
        pushed = one.proof("pushed_authorization_request_endpoint", now=then)
        assert one.pushes({"DPoP": pushed}).status_code == 201

    token = one.token_response(one.wants(headers=headers))["access_token"]

    proof = one.proof_at_api(token, now=then)
    assert one.visits(token, more={"DPoP": proof}).status_code == 200


def refused(answer: TestResponse) -> bool:
    return answer.status_code in (400, 401)


def part(raw: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(raw).encode()).rstrip(b"=").decode()


def unsigned(one: Fapi, token: str) -> str:
    top, body, _ = one.proof_at_api(token, header={"alg": "none"}).split(".")
    return f"{top}.{body}."


def badly_signed(one: Fapi, token: str) -> str:
    proof = one.proof_at_api(token)
    return proof[:-6] + ("AAAAAA" if proof[-6:] != "AAAAAA" else "BBBBBB")


def with_private_key(one: Fapi, token: str) -> str:
    jwk = one.prover.key.as_dict(private=True)
    return one.proof_at_api(token, header={"jwk": jwk})


def by_rs256(one: Fapi, token: str) -> str:
    rsa = Prover(RSAKey.generate_key(2048), "RS256")
    assert one.api is not None
    return rsa.proof("GET", one.api.url, one.world.clock.now, token=token)


def by_another_key(one: Fapi, token: str) -> str:
    assert one.api is not None
    return Prover().proof("GET", one.api.url, one.world.clock.now, token=token)


def said(**claims: Any) -> Bad:
    return lambda one, token: one.proof_at_api(token, **claims)


def headed(**header: Any) -> Bad:
    return lambda one, token: one.proof_at_api(token, header=header)


def aged(hours: int) -> Bad:
    return lambda one, token: one.proof_at_api(
        token, now=one.world.clock.now + timedelta(hours=hours)
    )


NEGATIVES: dict[str, Bad] = {
    "not a JWT": lambda one, token: "not a JWT",
    "no typ": headed(typ=None),
    "no alg": headed(alg=None),
    "no jwk": headed(jwk=None),
    "no jti": said(jti=None),
    "no htm": said(htm=None),
    "no htu": said(htu=None),
    "no iat": said(iat=None),
    "no ath": lambda one, token: one.proof_at_api(None),
    "wrong typ": headed(typ="jwt"),
    "RS256": by_rs256,
    "unsigned": unsigned,
    "bad signature": badly_signed,
    "private key": with_private_key,
    "wrong htm": said(method="PUT"),
    "wrong htu": said(url="https://api.test/other"),
    "an hour old": aged(-1),
    "an hour ahead": aged(1),
    "wrong ath": lambda one, token: one.proof_at_api(token + "x"),
    "another key": by_another_key,
}


@module(f"{PREFIX}dpop-negative-tests")
@spec("DPO-01", "DPO-02", "DPO-03", "DPO-04", "DPO-08", "DPO-09")
def test_dpop_negative_tests(one: Fapi) -> None:
    token = one.obtains()["access_token"]
    carried = {"Authorization": f"DPoP {token}"} | (
        dict(one.pair.header) if one.by_certificate else {}
    )

    for name, made in NEGATIVES.items():
        answer = one.visits(token, headers=carried | {"DPoP": made(one, token)})
        assert refused(answer), name
    twice = ", ".join([one.proof_at_api(token), one.proof_at_api(token)])
    assert refused(one.visits(token, headers=carried | {"DPoP": twice}))
    assert refused(one.visits(token, headers=carried))
    assert refused(one.visits(token, headers={"Authorization": f"Bearer {token}"}))
    assert one.works(token)


@module(f"{PREFIX}dpop-negative-tests")
@spec("DPO-03", "DPO-05")
def test_dpop_proofs_that_must_succeed(one: Fapi) -> None:
    token = one.obtains()["access_token"]
    assert one.api is not None
    url = one.api.url
    spellings = (f"{url}?a=b#c", url.replace("api.test", "API.test"), url.upper()[:5] + url[5:])
    spellings += (url.replace("api.test", "api.test:443"),)

    for htu in spellings:
        proof = one.proof_at_api(token, url=htu)
        assert one.visits(token, more={"DPoP": proof}).status_code == 200, htu
    odd = one.proof_at_api(token, header={"x-unknown": "yes"}, unknown="yes")
    assert one.visits(token, more={"DPoP": odd}, query="q=1").status_code == 200
    again = one.visits(token, more={"DPoP": odd})
    assert refused(again)
