"""Encrypting and decrypting: which key, which algorithms, and nothing that unpacks itself."""

import base64
import json
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from joserfc import jwe as theirs
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from idp.crypto import jose, jwe
from idp.crypto.compact import encoded
from idp.crypto.jose import Signer, Unverifiable
from idp.crypto.jwe import Holder
from tests.support.spec import spec

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
KEYS: dict[str, Any] = {alg: RSA if alg.startswith("RSA") else EC for alg in jwe.KEY_ALGORITHMS}
TOKEN = jose.sign(Signer("k", "ES256", jose.generate("ES256")), {"sub": "ann"}, typ="JWT")
EVERY_KEY = [Holder("rsa", RSA), Holder("ec", EC)]


def opens(token: str, **only: Any) -> bool:
    try:
        jwe.decrypt(token, EVERY_KEY, **only)
    except Unverifiable:
        return False
    return True


def header_of(token: str) -> dict[str, Any]:
    part = token.partition(".")[0]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def by_theirs(header: dict[str, Any], key: Any = RSA, text: str | bytes = TOKEN) -> str:
    """Encrypted by the library itself, which has no scruples."""
    registry = theirs.JWERegistry(algorithms=[*header.values()], strict_check_header=False)
    return theirs.encrypt_compact(header, text, key, registry=registry)


@spec("RFC 7516 section 5.1", "RFC 7519 section 11.2")
@pytest.mark.parametrize("enc", jwe.CONTENT_ALGORITHMS)
@pytest.mark.parametrize("alg", jwe.KEY_ALGORITHMS)
def test_what_is_encrypted_is_opened_by_its_holder_and_nobody_else(alg: str, enc: str) -> None:
    stranger = RSAKey.generate_key(2048) if alg.startswith("RSA") else ECKey.generate_key("P-256")

    token = jwe.encrypt(TOKEN, Holder("mine", KEYS[alg]), alg, enc)

    said = header_of(token)
    assert (said["alg"], said["enc"], said["cty"], said["kid"]) == (alg, enc, "JWT", "mine")
    assert jwe.is_encrypted(token)
    assert jwe.decrypt(token, [Holder("mine", KEYS[alg])]) == TOKEN
    assert jwe.decrypt(token, [Holder("mine", stranger), Holder(None, KEYS[alg])]) == TOKEN
    with pytest.raises(Unverifiable):
        jwe.decrypt(token, [Holder("mine", stranger)])
    with pytest.raises(Unverifiable):
        jwe.decrypt(token, [Holder("other", KEYS[alg])])


@spec("RFC 7518 section 4.3", "RFC 7518 section 5.3")
def test_the_arithmetic_with_rsa_is_the_standards() -> None:
    token = jwe.encrypt(TOKEN, Holder(None, RSA), "RSA-OAEP-256", "A256GCM")

    top, *_ = token.split(".")
    key, iv, text, tag = (_bytes(part) for part in token.split(".")[1:])
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    content_key = RSA.private_key.decrypt(key, oaep)
    assert AESGCM(content_key).decrypt(iv, text + tag, top.encode()).decode() == TOKEN
    assert "kid" not in header_of(token)


@spec("RFC 7518 section 4.6.2")
def test_the_arithmetic_with_curves_is_the_standards() -> None:
    token = jwe.encrypt(TOKEN, Holder(None, EC), "ECDH-ES", "A128GCM")

    top, key, *_ = token.split(".")
    epk = header_of(token)["epk"]
    x, y = int.from_bytes(_bytes(epk["x"])), int.from_bytes(_bytes(epk["y"]))
    theirs = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    shared = EC.private_key.exchange(ec.ECDH(), theirs)
    about = b"\0\0\0\x07A128GCM" + b"\0\0\0\0" * 2 + (128).to_bytes(4)
    content_key = ConcatKDFHash(hashes.SHA256(), 16, about).derive(shared)
    iv, text, tag = (_bytes(part) for part in token.split(".")[2:])
    assert key == ""
    assert AESGCM(content_key).decrypt(iv, text + tag, top.encode()).decode() == TOKEN


@spec("JOS-09", "RFC 8725 section 3.6")
def test_what_would_unpack_itself_is_refused_unread() -> None:
    bomb = by_theirs({"alg": "RSA-OAEP-256", "enc": "A128GCM", "zip": "DEF"}, text=b"0" * 10**6)
    small = by_theirs({"alg": "RSA-OAEP-256", "enc": "A128GCM", "zip": "DEF"})

    assert len(bomb) < 4096 < len(zlib.decompress(zlib.compress(b"0" * 10**6)))
    assert not opens(bomb)
    assert not opens(small)


@spec("JOS-09")
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("alg", ["RSA1_5", "RSA-OAEP"])
def test_old_paddings_are_refused(alg: str) -> None:
    assert not opens(by_theirs({"alg": alg, "enc": "A128GCM"}))


@spec("JOS-09")
@pytest.mark.parametrize("alg", ["dir", "A128KW", "PBES2-HS256+A128KW"])
def test_a_secret_opens_nothing(alg: str) -> None:
    secret = OctKey.generate_key(128)

    token = by_theirs({"alg": alg, "enc": "A128GCM"}, secret)

    with pytest.raises(Unverifiable):
        jwe.decrypt(token, [Holder(None, secret), *EVERY_KEY])


@spec("JOS-01", "JOS-12")
def test_only_what_was_agreed_on_is_opened() -> None:
    token = jwe.encrypt(TOKEN, Holder(None, RSA), "RSA-OAEP-256", "A128GCM")

    assert opens(token, algorithms=("RSA-OAEP-256",), contents=("A128GCM",))
    assert not opens(token, algorithms=("ECDH-ES",))
    assert not opens(token, contents=("A256GCM",))


@spec("JOS-05", "JOS-07", "JOS-08", "JOS-10", "JOS-11")
@pytest.mark.parametrize(
    "broken",
    [
        lambda token: TOKEN,
        lambda token: token + ".",
        lambda token: "." * 4,
        lambda token: "." * 100_000,
        lambda token: token.replace(".", ".=", 1),
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: ".".join([*token.split(".")[:4], token.split(".")[4][:11]]),
        lambda token: _with_header(token, crit=["exp"]),
        lambda token: _with_header(token, kid=7),
        lambda token: _with_header(token, alg=["RSA-OAEP-256"]),
        lambda token: _with_header(token, enc=None),
        lambda token: _with_header(token, padding="x" * 2000),
        lambda token: json.dumps({"ciphertext": token}),
        lambda token: token.replace(token.split(".")[3], "A" * 40_000),
    ],
)
def test_what_is_misshapen_is_refused(broken: Any) -> None:
    token = jwe.encrypt(TOKEN, Holder(None, RSA), "RSA-OAEP-256", "A128GCM")

    assert opens(token)
    assert not opens(broken(token))


@spec("JOS-06")
@pytest.mark.parametrize(
    "epk",
    [
        None,
        "text",
        {},
        {"kty": "EC", "crv": "P-256", "x": encoded(b"\1" * 32), "y": encoded(b"\1" * 32)},
        {"kty": "EC", "crv": "P-256", "x": "", "y": ""},
        ECKey.generate_key("P-384").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        {"kty": "oct", "k": "AAAA"},
    ],
)
def test_a_point_that_is_not_on_the_curve_is_refused(epk: Any) -> None:
    token = jwe.encrypt(TOKEN, Holder(None, EC), "ECDH-ES", "A128GCM")

    assert not opens(_with_header(token, epk=epk))


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("RSA-OAEP-256", EC),
        ("ECDH-ES", RSA),
        ("ECDH-ES", OKPKey.generate_key("Ed25519")),
        ("ECDH-ES", OctKey.generate_key(128)),
    ],
)
def test_a_key_of_another_kind_encrypts_nothing(alg: str, key: Any) -> None:
    assert not jwe.fits(key, alg)
    with pytest.raises(Unverifiable):
        jwe.encrypt(TOKEN, Holder(None, key), alg, "A128GCM")


def _with_header(token: str, **changed: Any) -> str:
    header = header_of(token) | changed
    return ".".join([encoded(json.dumps(header).encode()), *token.split(".")[1:]])


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
