"""The issuer's keys at the guard: fetched once, kept for a while, and never for too long."""

from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from idp.crypto import jose
from idp.crypto.jose import Signer
from tests.support.issuer import URL, Issuer, call, refusal, says, silent
from tests.support.spec import spec

OFFLINE = {"freshness": "offline"}


def base64url(text: str) -> str:
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@spec("RSG-07", "CVE-2026-48524")
def test_ten_thousand_unknown_keys_are_asked_for_at_most_twice_a_minute(issuer: Issuer) -> None:
    guard = issuer.guard()
    call(guard, issuer.token(), **OFFLINE)
    body = issuer.token().split(".", 1)[1]
    for number in range(10_000):
        if number % 1000 == 0:
            issuer.time.pass_by(6)
        header = base64url(f'{{"alg":"ES256","kid":"n{number}","typ":"at+jwt"}}')
        assert refusal(guard, f"{header}.{body}", **OFFLINE).status == 401

    assert issuer.asked["/jwks.json"] <= 3
    guard.close()


@spec("RSG-07")
def test_a_key_that_is_new_is_found_by_the_first_token_that_names_it(issuer: Issuer) -> None:
    guard = issuer.guard()
    call(guard, issuer.token(), **OFFLINE)
    issuer.time.pass_by(31)
    fresh = Signer("k2", "ES256", jose.generate("ES256"))
    issuer.signers.append(fresh)

    assert call(guard, issuer.token(signer=fresh), **OFFLINE).sub == "ann"
    guard.close()


@spec("RSG-07")
def test_twenty_threads_that_need_the_keys_fetch_them_once(issuer: Issuer) -> None:
    guard = issuer.guard(client_id=None, client_secret=None)
    tokens = [issuer.token() for _ in range(20)]

    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(lambda token: call(guard, token, **OFFLINE).sub, tokens))

    assert found == ["ann"] * 20
    assert issuer.asked["/jwks.json"] == 1


@spec("RSG-07", "P5")
def test_without_the_issuer_kept_keys_serve_for_an_hour_and_then_nobody_is_let_in(
    issuer: Issuer,
) -> None:
    guard = issuer.guard()
    token = issuer.token(exp=int(issuer.time.now.timestamp()) + 10_000)
    call(guard, token, **OFFLINE)
    issuer.faults["/jwks.json"] = silent

    issuer.time.pass_by(3590)
    assert call(guard, token, **OFFLINE).sub == "ann"
    assert call(guard, issuer.token(), **OFFLINE).sub == "ann"

    issuer.time.pass_by(20)
    assert refusal(guard, token, **OFFLINE).status == 503
    assert refusal(guard, issuer.token(), **OFFLINE).status == 503
    guard.close()


@spec("RSG-08")
def test_a_key_that_is_no_longer_published_verifies_nothing_after_five_minutes(
    issuer: Issuer,
) -> None:
    guard = issuer.guard()
    token = issuer.token(exp=int(issuer.time.now.timestamp()) + 3000)
    call(guard, token, **OFFLINE)
    issuer.signers = [Signer("k2", "ES256", jose.generate("ES256"))]

    issuer.time.pass_by(301)

    assert refusal(guard, token, **OFFLINE).error == "invalid_token"
    guard.close()


@spec("RFC 8414 section 3.3", "P5")
@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"issuer": URL},
        {"issuer": "https://other.test", "jwks_uri": f"{URL}/jwks.json"},
        {"issuer": URL, "jwks_uri": 5},
        {"issuer": URL, "jwks_uri": "nowhere"},
    ],
)
def test_metadata_that_are_not_the_issuers_are_not_used(issuer: Issuer, metadata: object) -> None:
    issuer.faults["/.well-known/openid-configuration"] = says(body=metadata)
    guard = issuer.guard()

    assert refusal(guard, issuer.token(), **OFFLINE).status == 503
    guard.close()


@spec("P5")
@pytest.mark.parametrize(
    "keys", [None, [], {}, {"keys": None}, {"keys": 5}, {"keys": [None, 5, {}, {"kty": "EC"}]}]
)
def test_keys_that_are_none_verify_nothing(issuer: Issuer, keys: object) -> None:
    issuer.faults["/jwks.json"] = says(body=keys)
    guard = issuer.guard()

    assert refusal(guard, issuer.token(), **OFFLINE).status in (401, 503)
    guard.close()


@spec("RSG-07")
@pytest.mark.parametrize("status", [204, 301, 404, 500])
def test_an_answer_that_is_no_answer_is_not_asked_for_again_at_once(
    issuer: Issuer, status: int
) -> None:
    issuer.faults["/jwks.json"] = lambda _request: httpx.Response(status)
    guard = issuer.guard()

    for _ in range(20):
        assert refusal(guard, issuer.token(), **OFFLINE).status == 503

    assert issuer.asked["/jwks.json"] == 1
    guard.close()
