"""Signing and verifying: which key, which algorithm, how long, and how old."""

import gc
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OctKey

from idp.crypto import jose
from idp.crypto.jose import Signer, Unverifiable, Verifier
from tests.support.forged import FORGERIES, Good, dumped, encoded, signed
from tests.support.spec import spec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AT = int(NOW.timestamp())
RSA = jose.generate("RS256")
EC = jose.generate("ES256")
ED = jose.generate("Ed25519")
EVERY = {"RS256": RSA, "PS256": RSA, "ES256": EC, "Ed25519": ED}


def holds(token: str, *verifiers: Verifier, algorithms: tuple[str, ...] = jose.ASYMMETRIC) -> bool:
    try:
        jose.verify(token, verifiers, algorithms)
    except Unverifiable:
        return False
    return True


@spec("JOS-01", "JOS-12")
@pytest.mark.parametrize("alg", EVERY)
def test_a_key_is_for_one_algorithm(alg: str) -> None:
    token = jose.sign(Signer("k", alg, EVERY[alg]), {"a": 1}, typ="JWT")

    fitting = [name for name in EVERY if holds(token, Verifier("k", name, EVERY[name]))]
    allowed = [
        name for name in EVERY if holds(token, Verifier("k", alg, EVERY[alg]), algorithms=(name,))
    ]

    assert fitting == [alg]
    assert allowed == [alg]


@spec("JOS-02", "JWA-03")
@pytest.mark.parametrize("swap", [("RS256", "PS256"), ("PS256", "RS256"), ("RS256", "RS512")])
def test_what_is_swapped_for_a_neighbour_is_refused(swap: tuple[str, str]) -> None:
    said, meant = swap
    token = jose.sign(Signer("k", said, RSA), {"a": 1}, typ="JWT")

    assert not holds(token, Verifier("k", meant, RSA))
    assert not holds(token, Verifier(None, None, RSA), algorithms=(meant,))


@spec("JOS-02")
def test_a_secret_verifies_nothing_that_a_key_pair_should_have_signed() -> None:
    secret = OctKey.generate_key(256)
    token = signed(dumped({"alg": "HS256"}), b"{}", secret, "HS256")

    assert holds(token, Verifier(None, None, secret), algorithms=("HS256",))
    assert not holds(token, Verifier(None, None, secret))
    assert not holds(token, Verifier(None, None, RSA), algorithms=("HS256", "RS256"))


@spec("JOS-04")
def test_a_name_that_is_there_twice_is_tried_twice_and_a_stranger_never() -> None:
    other = jose.generate("ES256")
    token = jose.sign(Signer("k", "ES256", EC), {"a": 1}, typ="JWT")

    assert holds(token, Verifier("k", "ES256", other), Verifier("k", "ES256", EC))
    assert not holds(token, Verifier("k", "ES256", other), Verifier("other", "ES256", EC))


@spec("JOS-01", "RFC 8725 section 3.11")
@pytest.mark.parametrize(
    ("typ", "good"),
    [
        ("at+jwt", True),
        ("AT+JWT", True),
        ("application/at+jwt", True),
        ("JWT", False),
        ("at+jwt ", False),
        ("x/at+jwt", False),
        ("", False),
    ],
)
def test_a_token_says_what_kind_it_is(typ: str, good: bool) -> None:
    token = jose.sign(Signer("k", "ES256", EC), {"a": 1}, typ=typ)

    try:
        jose.verify(token, [Verifier("k", "ES256", EC)], ["ES256"], typ="at+jwt")
    except Unverifiable:
        assert not good
    else:
        assert good


HUGE = {
    "a hundred thousand dots": "." * 100_000,
    "a million dots": "." * 1_000_000,
    "ten megabytes": "e30.e30." + "A" * 10_000_000,
    "a long header": encoded(b'{"alg":"ES256","x":"' + b"x" * 8000 + b'"}') + ".e30.AA",
    "a deep header": encoded(b"[" * 3000) + ".e30.AA",
    "a deep payload": "eyJhbGciOiJFUzI1NiJ9." + encoded(b"[" * 10_000) + ".AA",
    "a huge number": "eyJhbGciOiJFUzI1NiJ9." + encoded(b'{"exp":' + b"9" * 11_000 + b"}") + ".AA",
}


@spec("JOS-10", "CVE-2025-61920", "CVE-2025-30204")
@pytest.mark.parametrize("token", HUGE.values(), ids=HUGE)
def test_what_is_too_long_is_refused_in_no_time_and_no_space(token: str) -> None:
    verifiers = [Verifier("k", "ES256", EC)]
    holds(token, *verifiers)
    gc.collect()

    quickest = min(spent(token, verifiers) for _ in range(5))
    tracemalloc.start()
    assert not holds(token, *verifiers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert quickest < 0.005
    assert peak < 2**20


def spent(token: str, verifiers: list[Verifier]) -> float:
    begun = time.thread_time()
    holds(token, *verifiers)
    return time.thread_time() - begun


@spec("JOS-08", "JOS-11")
@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=300), st.from_regex(r"[\w-]{2,40}\.[\w-]{2,40}\.[\w-]{0,40}")))
def test_whatever_comes_is_refused_cleanly(token: str) -> None:
    for read in (jose.header_of, jose.claims_of):
        try:
            read(token)
        except Unverifiable:
            continue


@spec("JOS-01", "JOS-05", "JOS-07", "JOS-08", "JOS-11")
@pytest.mark.parametrize("alg", ["RS256", "PS256", "Ed25519"])
def test_forgeries_are_refused_whatever_signs(alg: str) -> None:
    good = Good({"alg": alg, "kid": "k", "typ": "JWT"}, {"sub": "a", "exp": AT}, EVERY[alg])
    verifiers = [Verifier("k", alg, EVERY[alg])]
    assert holds(good.token, *verifiers)

    passed = [name for name, forge in FORGERIES.items() if holds(forge(good), *verifiers)]

    assert passed == []


@spec("CLK-01", "JOS-08")
@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"exp": AT - 59}, True),
        ({"exp": AT - 60}, False),
        ({"exp": AT + 1, "iat": AT + 60}, True),
        ({"exp": AT + 1, "iat": AT + 61}, False),
        ({"exp": AT + 900, "iat": AT + 600}, False),
        ({"exp": AT + 900, "nbf": AT + 61}, False),
        ({"exp": AT + 900.5, "nbf": AT + 59.5}, True),
        ({}, False),
        ({"exp": None}, False),
        ({"exp": True}, False),
        ({"exp": str(AT + 60)}, False),
        ({"exp": [AT + 60]}, False),
        ({"exp": -1}, False),
        ({"exp": float("inf")}, False),
        ({"exp": 10**400}, False),
        ({"exp": AT + 60, "iat": "now"}, False),
        ({"exp": AT + 60, "nbf": {}}, False),
    ],
)
def test_a_minute_is_forgiven_and_not_more(claims: dict[str, object], good: bool) -> None:
    try:
        jose.check_times(claims, NOW)
    except Unverifiable:
        assert not good
    else:
        assert good
    assert timedelta(seconds=60) == jose.SKEW


@spec("JOS-13", "CVE-2020-26160")
@pytest.mark.parametrize(
    ("aud", "found"),
    [
        ("a", {"a"}),
        (["a", "b"], {"a", "b"}),
        ("", {""}),
        ([], set()),
        (None, set()),
        (7, set()),
        ({"a": 1}, set()),
        (["a", 7], set()),
        ([["a"]], set()),
    ],
)
def test_an_audience_is_a_string_or_a_list_of_strings(aud: object, found: set[str]) -> None:
    assert jose.audiences({"aud": aud}) == found


@spec("JOS-14", "CVE-2026-28498", "OpenID Connect Core section 3.1.3.6")
@pytest.mark.parametrize("alg", ["none", "", "XS256", "HS1", "ES256K", "RS", "ES2567", "es256"])
def test_there_is_no_half_hash_for_an_algorithm_nobody_knows(alg: str) -> None:
    with pytest.raises(Unverifiable):
        jose.half_hash(alg, "a token")


@spec("OpenID Connect Core section 3.1.3.6", "JOS-14")
def test_the_half_hash_of_the_standards_own_example() -> None:
    example = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"

    assert jose.half_hash("RS256", example) == "77QmUPtjPfzWtF2AnpK9RQ"
    assert jose.half_hash("ES384", example) != jose.half_hash("RS256", example)


@spec("JOS-12", "V11.2.3")
def test_our_own_keys_are_strong_enough() -> None:
    assert RSA.public_key.key_size >= 2048
    assert EC.curve_name == "P-256"
    assert ED.curve_name == "Ed25519"
    with pytest.raises(ValueError, match="no keys for HS256"):
        jose.generate("HS256")
