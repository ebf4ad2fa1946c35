"""The shapes that members of client metadata may have: texts, lists, keys and addresses."""

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from idp.crypto import jose

RESERVED_PARAMETERS = {"code", "state", "iss", "session_state", "response"}
RESERVED_PARAMETERS |= {"error", "error_description", "error_uri"}
RESERVED_PARAMETERS |= {"access_token", "token_type", "expires_in", "id_token", "scope"}
LOOPBACK_HOSTS = ("127.0.0.1", "::1")
LONGEST_NAME = 200
LONGEST_URI = 2000
MOST_URIS = 50


class InvalidMetadata(ValueError):
    """Metadata that is refused, with the error code of RFC 7591 section 3.2.2 and a sentence."""

    def __init__(self, sentence: str, code: str = "invalid_client_metadata") -> None:
        super().__init__(sentence)
        self.code = code


def text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise InvalidMetadata(f"{name} is not a string of at most {LONGEST_NAME} characters")
    if any(not char.isprintable() for char in value):
        raise InvalidMetadata(f"{name} has characters that cannot be shown")
    return value


def one_of(*allowed: str) -> Callable[[str, object], str]:
    def check(name: str, value: object) -> str:
        if value not in allowed:
            raise InvalidMetadata(f"{name} is not one of those supported")
        return str(value)

    return check


def some_of(*allowed: str) -> Callable[[str, object], list[str]]:
    """What we can do of what is asked for: the answer says what remained (RFC 7591 section 2)."""

    def check(name: str, value: object) -> list[str]:
        asked = strings(name, value)
        granted = [item for item in asked if item in allowed]
        if asked and not granted:
            raise InvalidMetadata(f"{name} has no value that is supported")
        return granted

    return check


def strings(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidMetadata(f"{name} is not a list of strings")
    if len(value) > MOST_URIS:
        raise InvalidMetadata(f"{name} has more than {MOST_URIS} values")
    return list(dict.fromkeys(value))


def boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidMetadata(f"{name} is neither true nor false")
    return value


def seconds(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < jose.LATEST:
        raise InvalidMetadata(f"{name} is not a number of seconds")
    return value


def jwks(name: str, value: object) -> dict[str, Any]:
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise InvalidMetadata(f"{name} is not a JWK Set")
    for key in keys:
        if key.get("kty") == "oct" or "d" in key:
            raise InvalidMetadata(f"{name} must hold public keys only")
        try:
            jose.import_key(key)
        except jose.Unverifiable as why:
            raise InvalidMetadata(f"{name} has a key that cannot be used: {why}") from None
    return {"keys": keys}


def uris(name: str, value: object) -> list[str]:
    uris = strings(name, value)
    if any(len(uri) > LONGEST_URI for uri in uris):
        raise InvalidMetadata(f"{name} has an address that is too long", _code(name))
    return uris


def _code(name: str) -> str:
    return "invalid_redirect_uri" if name == "redirect_uris" else "invalid_client_metadata"


def _split(name: str, uri: object) -> tuple[str, str, str]:
    """Scheme, host and query of an absolute address without tricks."""
    if not isinstance(uri, str) or not uri or len(uri) > LONGEST_URI:
        raise InvalidMetadata(f"{name} is not an address", _code(name))
    if any(not 0x21 <= ord(char) <= 0x7E or char in '\\"<>^`{|}' for char in uri):  # noqa: PLR2004
        raise InvalidMetadata(f"{name} has characters no address has", _code(name))
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        raise InvalidMetadata(f"{name} is not an address", _code(name)) from None
    if "#" in uri:
        raise InvalidMetadata(f"{name} must not have a fragment", _code(name))
    if "@" in parts.netloc or "*" in parts.netloc:
        raise InvalidMetadata(f"{name} has a user or a wildcard in it", _code(name))
    return parts.scheme, parts.hostname or "", parts.query


def web_uri(name: str, uri: object, *, loopback: bool) -> str:
    """An https address; http only for this very machine, and only in development (DCR-01)."""
    scheme, host, _ = _split(name, uri)
    local = loopback and scheme == "http" and host in ("localhost", *LOOPBACK_HOSTS)
    if not host or not (scheme == "https" or local):
        raise InvalidMetadata(f"{name} is not an https address", _code(name))
    return str(uri)


def request_uri(uri: str, *, loopback: bool) -> str:
    """Where a client keeps a request object; the fragment is a hash of it (Core 6.2)."""
    web_uri("request_uris", uri.partition("#")[0], loopback=loopback)
    return uri


def redirect_uri(uri: str, application_type: str, *, loopback: bool) -> str:
    """Where a browser may be sent with a code in its hands (RED-03, RED-04; RFC 8252)."""
    name = "redirect_uris"
    scheme, host, query = _split(name, uri)
    # Some servers take a semicolon for an ampersand.
    names = {key for key, _ in parse_qsl(query.replace(";", "&"), keep_blank_values=True)}
    if names & RESERVED_PARAMETERS:
        raise InvalidMetadata("a redirect URI must not bring its own code or state", _code(name))
    if "*" in uri:
        raise InvalidMetadata("a redirect URI is one address and has no wildcard", _code(name))
    if scheme == "https" and host:
        return uri
    if application_type == "native":
        if scheme == "http" and _is_loopback(host):
            return uri
        if "." in scheme and scheme not in ("http", "https"):
            return uri  # a private-use scheme is a reversed domain name (RFC 8252 section 7.1)
    if loopback and scheme == "http" and (host == "localhost" or _is_loopback(host)):
        return uri
    raise InvalidMetadata("a redirect URI must be https", _code(name))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
