"""ECDSA signatures that are none, in the manner of the Wycheproof vectors, and keys likewise."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.jws import JWSRegistry

from idp.crypto import jose
from idp.crypto.jose import Unverifiable, Verifier
from tests.support.forged import dumped, encoded
from tests.support.spec import spec

ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": int("F" * 48 + "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16),
}
LENGTHS = {"ES256": 32, "ES384": 48}
CURVES = {"ES256": "P-256", "ES384": "P-384"}
KEYS = {alg: jose.ECKey.generate_key(curve) for alg, curve in CURVES.items()}


def covered(alg: str) -> str:
    return encoded(dumped({"alg": alg})) + "." + encoded(b"{}")


def signature(alg: str) -> bytes:
    made: bytes = JWSRegistry.algorithms[alg].sign(covered(alg).encode(), KEYS[alg])
    return made


def holds(alg: str, made: bytes, key: Any = None) -> bool:
    try:
        jose.verify(
            f"{covered(alg)}.{encoded(made)}", [Verifier(None, None, key or KEYS[alg])], [alg]
        )
    except Unverifiable:
        return False
    return True


def split(alg: str) -> tuple[int, int]:
    made, size = signature(alg), LENGTHS[alg]
    return int.from_bytes(made[:size], "big"), int.from_bytes(made[size:], "big")


def joined(alg: str, r: int, s: int) -> bytes:
    return r.to_bytes(LENGTHS[alg], "big") + s.to_bytes(LENGTHS[alg], "big")


both = pytest.mark.parametrize("alg", ["ES256", "ES384"])


@spec("JOS-06", "RFC 7518 section 3.4")
@both
def test_a_right_signature_holds(alg: str) -> None:
    assert holds(alg, signature(alg))


@spec("JOS-06", "CVE-2022-21449")
@both
def test_numbers_out_of_range_are_no_signature(alg: str) -> None:
    r, s = split(alg)
    n, most = ORDERS[alg], 2 ** (8 * LENGTHS[alg]) - 1
    pairs = [(0, 0), (0, s), (r, 0), (0, 1), (1, 0), (1, 1), (n, n), (n, s), (r, n), (0, n), (n, 0)]
    pairs += [(n - 1, n - 1), (n + 1, 1), (1, n + 1), (most, most), (most, s), (r, most)]
    pairs += [(s, r), (n - r, s), (r, r), (s, s), (r ^ 1, s), (r, s ^ 1)]

    assert [pair for pair in pairs if holds(alg, joined(alg, *pair))] == []


@spec("JOS-06")
@both
def test_another_length_or_spelling_is_no_signature(alg: str) -> None:
    r, s = split(alg)
    size, right = LENGTHS[alg], signature(alg)
    half = size // 2
    wrong = {
        "nothing": b"",
        "one byte": b"\0",
        "half": right[:size],
        "a byte short": right[:-1],
        "a byte long": right + b"\0",
        "a byte before": b"\0" + right,
        "twice": right * 2,
        "each with a byte before": b"\0" + right[:size] + b"\0" + right[size:],
        "DER": encode_dss_signature(r, s),
        "DER in the right length": encode_dss_signature(r, s)[: 2 * size].ljust(2 * size, b"\0"),
        "DER of zeros": encode_dss_signature(0, 0),
        "zeros": b"\0" * 2 * size,
        "ones": b"\xff" * 2 * size,
        "shifted": right[half:] + right[:half],
        "little-endian": right[:size][::-1] + right[size:][::-1],
        "ASN.1 in ASN.1": b"\x30\x06\x02\x01\x00\x02\x01\x00",
    }

    assert [name for name, made in wrong.items() if holds(alg, made)] == []


@spec("JOS-06", "JOS-12")
def test_a_key_of_another_curve_does_not_fit() -> None:
    assert not holds("ES256", signature("ES256"), KEYS["ES384"])
    assert not holds("ES384", signature("ES384"), KEYS["ES256"])
    assert not holds("ES256", signature("ES256"), jose.ECKey.generate_key("secp256k1"))


def changed(**members: object) -> dict[str, object]:
    return KEYS["ES256"].as_dict(private=False) | members


P = 2**256 - 2**224 + 2**192 + 2**96 - 1
STRANGE_KEYS = {
    "the point at infinity": changed(x=encoded(bytes(32)), y=encoded(bytes(32))),
    "beside the curve": changed(y=encoded(b"\1" * 32)),
    "beyond the field": changed(x=encoded(P.to_bytes(32, "big"))),
    "another curve's name": changed(crv="P-384"),
    "no curve": changed(crv="P-1"),
    "curve is a list": changed(crv=["P-256"]),
    "no y": {k: v for k, v in changed().items() if k != "y"},
    "x is a number": changed(x=7),
    "x is not base64url": changed(x="****"),
    "x is half a character": changed(x="\ud800"),
    "kty is a list": changed(kty=["EC"]),
    "RSA without n": {"kty": "RSA", "e": "AQAB"},
    "RSA with e = 1": {"kty": "RSA", "e": "AQ", "n": "v" * 342},
    "RSA of 1024 bits": {"kty": "RSA", "e": "AQAB", "n": "v" * 171},
    "RSA padded with zeros": {"kty": "RSA", "e": "AQAB", "n": "A" * 171 + "v" * 171},
    "OKP too short": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
    "nothing": {},
}


@spec("JOS-06", "JOS-12", "V11.2.3")
@pytest.mark.parametrize("jwk", STRANGE_KEYS.values(), ids=STRANGE_KEYS)
def test_a_key_that_is_none_or_too_weak_is_not_taken(jwk: dict[str, object]) -> None:
    with pytest.raises(Unverifiable):
        jose.import_key(jwk)
