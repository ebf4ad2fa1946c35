"""The provider as a relying party sees it: its metadata, its keys, and the tokens it signed."""

import base64
import hashlib
import threading
import time
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

EVENT = "http://schemas.openid.net/event/backchannel-logout"
ALGORITHM = "RS256"  # what a client gets that asked for nothing else (Core section 3.1.3.7)
SKEW = 60
LOGOUT_LIVES = 180
ASK_AGAIN_AFTER = 5
KEYS_KEPT = 300

_RULES = jwt.JWTClaimsRegistry(
    leeway=SKEW,
    iss={"essential": True},
    aud={"essential": True},
    exp={"essential": True},
    iat={"essential": True},
)


class BadToken(ValueError):
    """A token that is not what it should be; the sentence is for the log, not for a page."""


class OutOfReach(RuntimeError):
    """The provider does not answer, or answers for somebody else."""


class Op:
    """One provider, for one client of it. Nothing that another issuer says counts here."""

    def __init__(self, issuer: str, client_id: str) -> None:
        self._issuer = issuer
        self.client_id = client_id
        self._metadata: dict[str, Any] | None = None
        self._keys = KeySet([])
        self._asked_at = float("-inf")
        self._lock = threading.Lock()
        self.http = httpx.Client(timeout=5)  # follows no redirects

    def __getitem__(self, name: str) -> str:
        if self._metadata is None:
            found = self._fetched(f"{self._issuer}/.well-known/openid-configuration")
            if found.get("issuer") != self._issuer:
                raise OutOfReach("the metadata is another issuer's")
            self._metadata = found
        value = self._metadata.get(name)
        if not isinstance(value, str):
            raise OutOfReach(f"the metadata has no {name}")
        return value

    def identity(self, tokens: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Who signed in, by the ID token of a code (Core section 3.1.3.7)."""
        said = self._read(tokens.get("id_token"), kinds=("", "jwt"))
        if said.get("nonce") != nonce:
            raise BadToken("made for another sign-in")
        if not isinstance(said.get("sub"), str) or not said["sub"]:
            raise BadToken("it names nobody")
        if not isinstance(said.get("sid", ""), str):
            raise BadToken("it names no session")
        if "at_hash" in said and said["at_hash"] != _half_hash(str(tokens.get("access_token"))):
            raise BadToken("the access token belongs to another ID token")
        return said

    def still(self, id_token: str, user: dict[str, Any]) -> None:
        """A refresh may bring a new ID token, but nobody new (Core section 12.2)."""
        said = self._read(id_token, kinds=("", "jwt"))
        if said.get("sub") != user["sub"]:
            raise BadToken("a refresh made somebody else of the visitor")
        if said.get("nonce", user.get("nonce")) != user.get("nonce"):
            raise BadToken("made for another sign-in")

    def logout(self, logout_token: str) -> dict[str, Any]:
        """Who is signed out, by a logout token (Back-Channel Logout 1.0 section 2.6)."""
        said = self._read(logout_token, kinds=("logout+jwt",))
        events = said.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
            raise BadToken("not a logout")
        if "nonce" in said:
            raise BadToken("a nonce makes it an ID token")
        names = [said[name] for name in ("sid", "sub") if name in said]
        if not names or not all(isinstance(name, str) and name for name in names):
            raise BadToken("it names nobody")
        if not isinstance(said.get("jti"), str) or not said["jti"]:
            raise BadToken("it has no name of its own")
        if said["iat"] < time.time() - SKEW - LOGOUT_LIVES:
            raise BadToken("too old")
        return said

    def _read(self, token: object, kinds: tuple[str, ...]) -> dict[str, Any]:
        """The claims of a token that this issuer signed, for us and for nobody else."""
        if not isinstance(token, str):
            raise BadToken("there is none")
        try:
            read = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            _RULES.validate(read.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise BadToken(str(error)) from error
        kind = str(read.header.get("typ", "")).lower().removeprefix("application/")
        said = dict(read.claims)
        if kind not in kinds:
            raise BadToken("another kind of token")
        if "crit" in read.header:
            raise BadToken("it demands something (RFC 7515 section 4.1.11)")
        if said["iss"] != self._issuer:
            raise BadToken("another issuer's")
        if said["aud"] not in (self.client_id, [self.client_id]):
            raise BadToken("not for us alone")
        if said.get("azp", self.client_id) != self.client_id:
            raise BadToken("given to somebody else")
        return said

    def _key(self, signed: Any) -> Key:  # noqa: ANN401 - joserfc hands in one of three shapes
        """The key a token names. An unknown name is looked up anew, but not at everybody's wish,
        and a key that the provider took back is not trusted for long.
        """
        kid = signed.headers().get("kid")
        with self._lock:
            known = any(key.kid == kid for key in self._keys)
            age = time.monotonic() - self._asked_at
            if age > (KEYS_KEPT if known else ASK_AGAIN_AFTER):
                found = KeySet.import_key_set(self._fetched(self["jwks_uri"]))  # type: ignore[arg-type]
                self._keys, self._asked_at = found, time.monotonic()
            keys = self._keys
        return keys.get_by_kid(str(kid), {"use": "sig"})

    def _fetched(self, address: str) -> dict[str, Any]:
        """A JSON object the provider serves; whatever goes wrong is one thing to the caller."""
        try:
            answer = self.http.get(address)
            found = answer.raise_for_status().json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise OutOfReach(f"nothing useful at {address}") from error
        if not isinstance(found, dict):
            raise OutOfReach(f"nothing useful at {address}")
        return found


def _half_hash(token: str) -> str:
    half = hashlib.sha256(token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()
