"""What every module checks of every answer (conformance B.0)."""

import base64
import json
import math
import re
from collections import Counter
from datetime import datetime
from hashlib import sha256, sha384, sha512
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

Json = dict[str, Any]


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


SCOPES: dict[str, frozenset[str]] = {
    "profile": words(
        """
        name given_name family_name middle_name nickname preferred_username profile picture
        website gender birthdate zoneinfo locale updated_at
        """
    ),
    "email": words("email email_verified"),
    "address": words("address"),
    "phone": words("phone_number phone_number_verified"),
}
ADDRESS = words("formatted street_address locality region postal_code country")
PROTOCOL = words(
    "iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash s_hash nbf jti sid txn"
)
STANDARD = SCOPES["profile"].union(*SCOPES.values())
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
URLS = {"profile", "picture", "website"}
FLAGS = {"email_verified", "phone_number_verified"}
YEAR = 365 * 86400


def is_plain(text: str) -> bool:
    """Whether an error has only the characters it may have (R-AZ-5, RFC 6749 section 5.2)."""
    return all(0x20 <= ord(char) <= 0x7E and char not in '"\\' for char in text)


def bits(handle: str) -> float:
    """How much chance there seems to be in a handle: entropy times length (R-AZ-9)."""
    counts = Counter(handle).values()
    return -sum(n * math.log2(n / len(handle)) for n in counts)


def discovery(answer: TestResponse) -> Json:
    """The document every module fetches first (R-DISC-1)."""
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    found: Json = answer.json
    for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert isinstance(found[name], str), name
    return found


def jwks(answer: TestResponse) -> KeySet:
    """The keys every module fetches second (R-JWKS-1, R-JWKS-2, R-JWKS-3)."""
    assert answer.status_code == 200
    keys = answer.json["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert not PRIVATE & set(key)
        assert key["kty"] in ("RSA", "EC", "OKP")
        assert key["use"] in ("sig", "enc")
        assert key["alg"]
        for name in {"n", "e", "x", "y"} & set(key):
            assert re.fullmatch(r"[A-Za-z0-9_-]+", key[name])
        assert key["kty"] != "RSA" or len(key["n"]) >= 342
    return KeySet.import_key_set(answer.json)


def error(answer: TestResponse, *codes: str, status: tuple[int, ...] = (400,)) -> str:
    """A refusal in JSON: the code is one of those given (R-TK-2, R-AZ-5)."""
    assert answer.status_code in status, answer.text
    assert answer.mimetype == "application/json"
    said = answer.json
    assert said["error"] in codes, said
    assert answer.status_code != 401 or said["error"] in ("invalid_client", "invalid_token")
    assert set(said) <= {"error", "error_description", "error_uri"}
    assert is_plain(said["error"] + said.get("error_description", ""))
    found: str = said["error"]
    return found


def token_response(answer: TestResponse, kind: str = "bearer") -> Json:
    """What a token endpoint gives (R-TK-1)."""
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/json"
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Pragma"] == "no-cache"
    given: Json = answer.json
    assert given["token_type"].lower() == kind
    assert isinstance(given.get("scope", ""), str)
    lives(given["expires_in"])
    for name in ("access_token", "refresh_token"):
        assert bits(given.get(name, "")) > 96 or name not in given
    return given


def lives(expires_in: object) -> None:
    """A whole number of seconds, within a year."""
    assert type(expires_in) is int
    assert 1 <= expires_in <= YEAR


def claims(said: Json) -> None:
    """Standard claims have the types the standard gives them (R-ID-5)."""
    assert None not in said.values()
    for name in (STANDARD - FLAGS - {"address", "updated_at"}) & set(said):
        assert isinstance(said[name], str), name
        assert said[name], name
    for name in FLAGS & set(said):
        assert isinstance(said[name], bool), name
    for name in URLS & set(said):
        assert urlsplit(said[name]).scheme in ("http", "https"), name
    if "address" in said:
        assert set(said["address"]) <= ADDRESS
        assert all(isinstance(value, str) for value in said["address"].values())
    assert re.fullmatch(r"\d{4}(-\d\d-\d\d)?", said.get("birthdate", "2000"))
    assert type(said.get("updated_at", 0)) is int


def times(said: Json, now: datetime) -> None:
    """When an ID token was made, until when it is good, and since when one is signed in."""
    at = now.timestamp()
    assert at < said["exp"] < at + 50 * YEAR
    assert at - 300 <= said["iat"] <= at + 300
    assert at - YEAR <= said.get("auth_time", at) <= at + 5


def half_hash(value: str, alg: str) -> str:
    """The left half of the hash of a token, a code or a state (OpenID Connect Core 3.3.2.11)."""
    made = {"256": sha256, "384": sha384, "512": sha512}.get(alg[-3:], sha512)
    digest = made(value.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def jose_header(token: str) -> Json:
    """The header of a JWT as it stands there."""
    part = token.partition(".")[0]
    found: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def unsigned(token: str) -> str:
    """The same claims with `alg` none and no signature."""
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."
