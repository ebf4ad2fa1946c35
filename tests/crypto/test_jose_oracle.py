"""What ours signs theirs verifies, and the reverse; what theirs refuses, ours refuses.

Ours asks joserfc's algorithms directly; joserfc's own way around them is the oracle.
"""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp.crypto import jose
from idp.crypto.jose import OUR_ALGORITHMS, Signer, Unverifiable, Verifier
from tests.support.spec import spec

KEYS: dict[str, Any] = {alg: jose.generate(alg) for alg in OUR_ALGORITHMS}
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
CLAIMS = st.dictionaries(
    TEXT,
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT | st.lists(TEXT),
    max_size=6,
)


def theirs_verifies(token: str, alg: str, key: Any = None) -> bool:
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_header_length = jose.LONGEST_HEADER
    try:
        jws.deserialize_compact(token, key or KEYS[alg], registry=registry)
    except (JoseError, ValueError, TypeError, AttributeError):
        return False
    return True


def ours_verifies(token: str, alg: str, key: Any = None) -> bool:
    try:
        jose.verify(token, [Verifier(None, None, key or KEYS[alg])], [alg])
    except Unverifiable:
        return False
    return True


def theirs_signs(header: dict[str, Any], payload: bytes, alg: str) -> str:
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    return jws.serialize_compact({"alg": alg, **header}, payload, KEYS[alg], registry=registry)


@pytest.mark.parametrize("alg", OUR_ALGORITHMS)
@settings(max_examples=25, deadline=None)
@given(claims=CLAIMS)
def test_what_ours_signs_theirs_verifies_and_reads_the_same(alg: str, claims: Any) -> None:
    token = jose.sign(Signer("a key", alg, KEYS[alg]), claims, typ="at+jwt")

    theirs = jws.deserialize_compact(token, KEYS[alg], algorithms=[alg])
    assert theirs.headers() == {"alg": alg, "kid": "a key", "typ": "at+jwt"}
    assert json.loads(theirs.payload) == claims


@pytest.mark.parametrize("alg", OUR_ALGORITHMS)
@settings(max_examples=25, deadline=None)
@given(claims=CLAIMS)
def test_what_theirs_signs_ours_verifies(alg: str, claims: Any) -> None:
    token = theirs_signs({"typ": "JWT"}, json.dumps(claims).encode(), alg)

    assert jose.verify(token, [Verifier(None, None, KEYS[alg])], [alg]) == claims


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 10_000), character=st.characters(codec="utf-8"), data=st.data())
@spec("RFC 8725 section 3.1")
def test_what_theirs_refuses_of_a_changed_token_ours_refuses(
    place: int, character: str, data: st.DataObject
) -> None:
    token = jose.sign(Signer("k", "ES256", KEYS["ES256"]), {"sub": "alice"}, typ="JWT")
    place %= len(token)
    kept = token[place:] if data.draw(st.booleans()) else token[place + 1 :]
    changed = token[:place] + character + kept

    assert theirs_verifies(changed, "ES256") or not ours_verifies(changed, "ES256")


@pytest.mark.parametrize(
    "header",
    [
        {"typ": 7},
        {"cty": ["JWT"]},
        {"jku": 1},
        {"x5c": "not a list"},
        {"jwk": "not a key"},
        {"x5t#S256": 0},
    ],
)
def test_a_header_theirs_finds_malformed_ours_refuses(header: dict[str, Any]) -> None:
    encoded = [_encoded({"alg": "ES256", **header}), _encoded({"sub": "alice"})]
    signed = ".".join(encoded)
    algorithm = jws.JWSRegistry(algorithms=["ES256"]).get_alg("ES256")
    signature = algorithm.sign(signed.encode(), KEYS["ES256"])
    token = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    assert not theirs_verifies(token, "ES256")
    assert not ours_verifies(token, "ES256")


@pytest.mark.parametrize("parameters", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"alg": "ES384"}])
@spec("RFC 7517 section 4.2")
def test_a_key_that_is_for_something_else_verifies_nothing(parameters: dict[str, Any]) -> None:
    public = KEYS["ES256"].as_dict(private=False) | parameters
    key = ECKey.import_key(public)
    token = jose.sign(Signer("k", "ES256", KEYS["ES256"]), {"sub": "alice"}, typ="JWT")

    assert not theirs_verifies(token, "ES256", key)
    assert not ours_verifies(token, "ES256", key)


@pytest.mark.parametrize("alg", OUR_ALGORITHMS)
def test_another_key_of_the_same_kind_verifies_nothing(alg: str) -> None:
    makers = {"ES256": lambda: ECKey.generate_key("P-256"), "Ed25519": OKPKey.generate_key}
    other = makers.get(alg, lambda: RSAKey.generate_key(2048))()
    token = jose.sign(Signer("k", alg, KEYS[alg]), {"sub": "alice"}, typ="JWT")

    assert ours_verifies(token, alg)
    assert not ours_verifies(token, alg, other)


def _encoded(value: object) -> str:
    raw = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
