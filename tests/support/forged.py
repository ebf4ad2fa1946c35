"""Tokens that are nearly right: each has one flaw, and is signed as well as its flaw allows.

`FORGERIES` holds them by what is wrong. Each is made from a good token's header and claims and
from the very key that signs the good one, so that nothing but the flaw can be the reason when
it is refused.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, Key
from joserfc.jws import JWSRegistry

ATTACKER = ECKey.generate_key("P-256")


@dataclass(frozen=True)
class Good:
    """A good token, in pieces."""

    header: dict[str, Any]
    claims: dict[str, Any]
    key: Key

    @property
    def token(self) -> str:
        return self.signed()

    @property
    def public(self) -> dict[str, Any]:
        found: dict[str, Any] = self.key.as_dict(private=False)
        return found

    def signed(self, **header: Any) -> str:
        """The same claims, with some members of the header changed."""
        return self.headed(dumped(self.header | header))

    def saying(self, payload: bytes) -> str:
        """The same header over another payload."""
        return signed(dumped(self.header), payload, self.key, self.header["alg"])

    def headed(self, header: bytes) -> str:
        """The same claims under another header, spelled out."""
        return signed(header, dumped(self.claims), self.key, self.header["alg"])

    def also(self, text: str) -> str:
        """One more member in the payload, spelled out."""
        return self.saying(dumped(self.claims)[:-1] + text.encode() + b"}")


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: bytes, payload: bytes, key: Key, alg: str) -> str:
    """A compact signature over exactly these bytes."""
    covered = f"{encoded(header)}.{encoded(payload)}"
    return f"{covered}.{encoded(JWSRegistry.algorithms[alg].sign(covered.encode(), key))}"


def with_public_key_as_secret(form: Callable[[Good], bytes]) -> Callable[[Good], str]:
    """HMAC with what everybody may read, as a confusion of algorithms takes it."""

    def forge(good: Good) -> str:
        head = dumped(good.header | {"alg": "HS256"})
        covered = f"{encoded(head)}.{encoded(dumped(good.claims))}"
        mac = hmac.new(form(good), covered.encode(), hashlib.sha256).digest()
        return f"{covered}.{encoded(mac)}"

    return forge


def spelled(encoding: Encoding, form: PublicFormat) -> Callable[[Good], bytes]:
    return lambda good: good.key.public_key.public_bytes(encoding, form)  # type: ignore[attr-defined,no-any-return]


def unsigned(alg: object) -> Callable[[Good], str]:
    def forge(good: Good) -> str:
        head = good.header | {"alg": alg}
        return f"{encoded(dumped(head))}.{encoded(dumped(good.claims))}."

    return forge


def with_alg(alg: object) -> Callable[[Good], str]:
    """`alg` says so, and the signature is the good one's kind."""

    def forge(good: Good) -> str:
        return good.headed(dumped(good.header | {"alg": alg}))

    return forge


def with_header(**header: Any) -> Callable[[Good], str]:
    return lambda good: good.signed(**header)


def by_attacker(**header: Any) -> Callable[[Good], str]:
    """Signed by somebody else, whose key the header recommends."""

    def forge(good: Good) -> str:
        named = header | ({"jwk": ATTACKER.as_dict(private=False)} if not header else {})
        head = good.header | {"alg": "ES256"} | named
        return signed(dumped(head), dumped(good.claims), ATTACKER, "ES256")

    return forge


def changed(part: int, change: Callable[[str], str]) -> Callable[[Good], str]:
    def forge(good: Good) -> str:
        parts = good.token.split(".")
        parts[part] = change(parts[part])
        return ".".join(parts)

    return forge


def other_trailing_bits(part: str) -> str:
    """The same bytes in another spelling: a last character with bits nobody reads."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(part) % 4, "there are no bits to spare"
    return part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]


def as_json(**members: Callable[[list[str]], object]) -> Callable[[Good], str]:
    def forge(good: Good) -> str:
        parts = good.token.split(".")
        return json.dumps({name: value(parts) for name, value in members.items()})

    return forge


def der_signature(good: Good) -> str:
    """The signature as X.509 spells it, not as JOSE does."""
    head, body, signature = good.token.split(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    half = len(raw) // 2
    der = encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
    return f"{head}.{body}.{encoded(der)}"


def _repeated(good: Good) -> str:
    return good.headed(dumped(good.header)[:-1] + b', "alg": "none", "alg": "ES256"}')


ALGORITHMS: dict[str, Callable[[Good], str]] = {
    **{f"unsigned, alg {alg!r}": unsigned(alg) for alg in ("none", "None", "nOnE", "NONE", "")},
    **{f"alg {alg!r}": with_alg(alg) for alg in ("none", "NONE", ["ES256"], 256, None, {}, True)},
    "alg missing": lambda good: good.headed(b'{"typ": "JWT"}'),
    "alg of another family": with_alg("HS256"),
    "PEM as secret": with_public_key_as_secret(
        spelled(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ),
    "PEM with a leading space as secret": with_public_key_as_secret(
        lambda good: b" " + spelled(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)(good)
    ),
    "PEM with a comment as secret": with_public_key_as_secret(
        lambda good: b"# key\n" + spelled(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)(good)
    ),
    "DER as secret": with_public_key_as_secret(
        spelled(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ),
    "ssh key as secret": with_public_key_as_secret(spelled(Encoding.OpenSSH, PublicFormat.OpenSSH)),
    "JWK as secret": with_public_key_as_secret(lambda good: dumped(good.public)),
    "empty secret": with_public_key_as_secret(lambda _: b""),
}

HEADERS: dict[str, Callable[[Good], str]] = {
    "a key of its own": by_attacker(),
    "jku": by_attacker(jku="https://evil.test/jwks.json"),
    "x5u": by_attacker(x5u="https://evil.test/chain.pem"),
    "x5c": by_attacker(x5c=["MIIB"]),
    "kid is a path": by_attacker(kid="../../../dev/null"),
    "kid is SQL": by_attacker(kid="' OR 1=1 --"),
    "kid has a NUL": with_header(kid="a\0b"),
    "kid is half a character": with_header(kid="\ud800"),
    "kid is a list": with_header(kid=["k1"]),
    "kid is an object": with_header(kid={"k": 1}),
    "kid is huge": with_header(kid="k" * 32_000),
    "kid is too long": with_header(kid="k" * 4096),
    "crit unknown": with_header(crit=["demand"], demand=True),
    "crit known": with_header(crit=["exp"], exp=1),
    "crit b64": with_header(crit=["b64"], b64=True),
    "crit empty": with_header(crit=[]),
    "crit no list": with_header(crit="exp"),
    "b64 false": with_header(b64=False),
    "b64 no": with_header(b64=0),
    "alg twice": _repeated,
    "header is a list": lambda good: good.headed(b"[]"),
    "header is not JSON": lambda good: good.headed(b"{"),
    "header is not UTF-8": lambda good: good.headed(b'{"alg": "ES256", "x": "\xff"}'),
    "header is too deep": lambda good: good.headed(b'{"alg":' + b"[" * 2900 + b"]" * 2900),
}

PAYLOADS: dict[str, Callable[[Good], str]] = {
    "a member twice": lambda good: good.also(', "exp": 99999999999, "x": 1, "x": 1'),
    "NaN": lambda good: good.also(', "x": NaN'),
    "Infinity": lambda good: good.also(', "x": -Infinity'),
    "a number without end": lambda good: good.also(', "x": ' + "9" * 5000),
    "half a character": lambda good: good.also(r', "x": "\ud800"'),
    "NUL": lambda good: good.also(r', "x": "\u0000"'),
    "half a character as sub": lambda good: good.saying(
        dumped(good.claims | {"sub": "\ud800", "iss": "\ud800"})
    ),
    "NUL as sub": lambda good: good.saying(dumped(good.claims | {"sub": "a\0", "iss": "a\0"})),
    "too deep": lambda good: good.also(', "x": ' + "[" * 5000 + "]" * 5000),
    "a list": lambda good: good.saying(b"[]"),
    "a string": lambda good: good.saying(b'"claims"'),
    "nothing": lambda good: good.saying(b""),
    "not UTF-8": lambda good: good.saying(b'{"x": "\xff"}'),
    "byte order mark": lambda good: good.saying(b"\xef\xbb\xbf" + dumped(good.claims)),
    "too long": lambda good: good.also(f', "x": "{"x" * 16_384}"'),
}

SHAPES: dict[str, Callable[[Good], str]] = {
    "encrypted": lambda good: ".".join([encoded(b'{"alg":"dir","enc":"A128GCM"}'), "", "", "", ""]),
    "encrypted and huge": lambda good: (
        encoded(b'{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"zip":"DEF"}') + ".a.b.c.d"
    ),
    "five parts": lambda good: good.token + ".e30.e30",
    "two parts": lambda good: good.token.rpartition(".")[0],
    "four parts": lambda good: good.token + ".",
    "sixty thousand dots": lambda good: "." * 60_000,
    "ten thousand dots": lambda good: "." * 10_000,
    "no signature": changed(2, lambda _: ""),
    "half a signature": changed(2, lambda part: part[: len(part) // 2]),
    "a signature in DER": der_signature,
    "padding": changed(2, lambda part: part + "=" * (-len(part) % 4)),
    "padding too much": changed(2, lambda part: part + "===="),
    "a space": changed(1, lambda part: part[:8] + " " + part[8:]),
    "a line break in the signature": changed(2, lambda part: part[:8] + "\n" + part[8:]),
    "the other alphabet": changed(2, lambda part: "+/" + part[2:]),
    "bits to spare in the signature": changed(2, other_trailing_bits),
    "not ASCII": changed(1, lambda part: part + "é"),
    "flattened JSON": as_json(
        protected=lambda p: p[0], payload=lambda p: p[1], signature=lambda p: p[2]
    ),
    "general JSON": as_json(
        payload=lambda p: p[1], signatures=lambda p: [{"protected": p[0], "signature": p[2]}]
    ),
    "JSON without signatures": as_json(payload=lambda p: p[1], signatures=lambda p: []),
    "JSON around a token": as_json(x=".".join),
}

FORGERIES = ALGORITHMS | HEADERS | PAYLOADS | SHAPES
