"""What a client may say about itself, checked member by member (RFC 7591 section 2).

The same rules hold for registration over the network and for the operator's command line.
Members nobody knows are left out; members of another type, or that contradict each other,
are refused.
"""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from idp.crypto import jose
from idp.policies import PolicySet

AUTH_METHODS = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
RESPONSE_TYPES = ("code",)
ASSERTION_ALGS = {
    "private_key_jwt": jose.ASYMMETRIC,
    "client_secret_jwt": ("HS256", "HS384", "HS512"),
}
RESERVED_PARAMETERS = {"code", "state", "iss", "error", "response", "error_description"}
LOOPBACK_HOSTS = ("127.0.0.1", "::1")
LONGEST_NAME = 200
LONGEST_URI = 2000
MOST_URIS = 50


class InvalidMetadata(ValueError):
    """Metadata that is refused, with the error code of RFC 7591 section 3.2.2 and a sentence."""

    def __init__(self, sentence: str, code: str = "invalid_client_metadata") -> None:
        super().__init__(sentence)
        self.code = code


def checked(given: Mapping[str, Any], *, loopback: bool) -> dict[str, Any]:
    """The metadata as it will be kept, with defaults filled in; raises `InvalidMetadata`.

    `loopback` allows http://localhost where otherwise only https is, for development.
    """
    kept: dict[str, Any] = {}
    for name, check in _CHECKS.items():
        if given.get(name) is not None:
            kept[name] = check(name, given[name])
    kept |= _translations(given)
    for name in _WEB_URIS:
        if given.get(name) is not None:
            kept[name] = _web_uri(name, given[name], loopback=loopback)
    kept.setdefault("client_name", "")
    kept.setdefault("application_type", "web")
    kept.setdefault("token_endpoint_auth_method", "client_secret_basic")
    kept.setdefault("grant_types", ["authorization_code"])
    default_responses = ["code"] if "authorization_code" in kept["grant_types"] else []
    kept.setdefault("response_types", default_responses)
    kept["redirect_uris"] = [
        _redirect_uri(uri, kept["application_type"], loopback=loopback)
        for uri in _uris("redirect_uris", given.get("redirect_uris", []))
    ]
    kept["post_logout_redirect_uris"] = [
        _web_uri("post_logout_redirect_uris", uri, loopback=loopback)
        for uri in _uris("post_logout_redirect_uris", given.get("post_logout_redirect_uris", []))
    ]
    _agree(kept)
    return kept


def policies_of(details: Mapping[str, Any]) -> tuple[str, ...]:
    """The policies a client asks for itself: they only ever make its tokens stricter than an
    API wants them. Raises `InvalidMetadata` when they do not fit together.
    """
    names = details.get("policies", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidMetadata("policies is not a list of names")
    try:
        return PolicySet.for_client(names).names
    except ValueError as error:
        raise InvalidMetadata(str(error)) from None


def _agree(kept: Mapping[str, Any]) -> None:
    """The members that must fit together (RFC 7591 sections 2 and 2.1)."""
    grants, responses = kept["grant_types"], kept["response_types"]
    method = kept["token_endpoint_auth_method"]
    if ("code" in responses) != ("authorization_code" in grants):
        raise InvalidMetadata("grant_types and response_types do not fit together")
    if responses and not kept["redirect_uris"]:
        raise InvalidMetadata("redirect_uris is missing", "invalid_redirect_uri")
    if "refresh_token" in grants and "authorization_code" not in grants:
        raise InvalidMetadata("refresh_token needs a grant type that gives one")
    if "client_credentials" in grants and method == "none":
        raise InvalidMetadata("client_credentials needs a client that can authenticate")
    if "jwks" in kept and "jwks_uri" in kept:
        raise InvalidMetadata("jwks and jwks_uri must not be used together")
    if method == "private_key_jwt" and not ("jwks" in kept or "jwks_uri" in kept):
        raise InvalidMetadata("private_key_jwt needs jwks or jwks_uri")
    alg = kept.get("token_endpoint_auth_signing_alg")
    if alg is not None and alg not in ASSERTION_ALGS.get(method, ()):
        raise InvalidMetadata("token_endpoint_auth_signing_alg does not fit the method")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise InvalidMetadata(f"{name} is not a string of at most {LONGEST_NAME} characters")
    if any(not char.isprintable() for char in value):
        raise InvalidMetadata(f"{name} has characters that cannot be shown")
    return value


def _one_of(*allowed: str) -> Callable[[str, object], str]:
    def check(name: str, value: object) -> str:
        if value not in allowed:
            raise InvalidMetadata(f"{name} is not one of those supported")
        return str(value)

    return check


def _some_of(*allowed: str) -> Callable[[str, object], list[str]]:
    """What we can do of what is asked for: the answer says what remained (RFC 7591 section 2)."""

    def check(name: str, value: object) -> list[str]:
        asked = _strings(name, value)
        granted = [item for item in asked if item in allowed]
        if asked and not granted:
            raise InvalidMetadata(f"{name} has no value that is supported")
        return granted

    return check


def _strings(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidMetadata(f"{name} is not a list of strings")
    if len(value) > MOST_URIS:
        raise InvalidMetadata(f"{name} has more than {MOST_URIS} values")
    return list(dict.fromkeys(value))


def _boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidMetadata(f"{name} is neither true nor false")
    return value


def _seconds(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < jose.LATEST:
        raise InvalidMetadata(f"{name} is not a number of seconds")
    return value


def _jwks(name: str, value: object) -> dict[str, Any]:
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


def _uris(name: str, value: object) -> list[str]:
    uris = _strings(name, value)
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


def _web_uri(name: str, uri: object, *, loopback: bool) -> str:
    """An https address; http only for this very machine, and only in development (DCR-01)."""
    scheme, host, _ = _split(name, uri)
    local = loopback and scheme == "http" and host in ("localhost", *LOOPBACK_HOSTS)
    if not host or not (scheme == "https" or local):
        raise InvalidMetadata(f"{name} is not an https address", _code(name))
    return str(uri)


def _redirect_uri(uri: str, application_type: str, *, loopback: bool) -> str:
    """Where a browser may be sent with a code in its hands (RED-03, RED-04; RFC 8252)."""
    name = "redirect_uris"
    scheme, host, query = _split(name, uri)
    names = {key for key, _ in parse_qsl(query, keep_blank_values=True)}
    if names & RESERVED_PARAMETERS:
        raise InvalidMetadata("a redirect URI must not bring its own code or state", _code(name))
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


def _translations(given: Mapping[str, Any]) -> dict[str, str]:
    """`client_name#de` and its kind (RFC 7591 section 2.2)."""
    human = ("client_name#",)
    return {
        name: _text("client_name", value)
        for name, value in given.items()
        if name.startswith(human) and len(name) <= LONGEST_NAME
    }


_WEB_URIS = (
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "initiate_login_uri",
    "backchannel_logout_uri",
)

_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "client_name": _text,
    "application_type": _one_of("web", "native"),
    "token_endpoint_auth_method": _one_of(*AUTH_METHODS),
    "token_endpoint_auth_signing_alg": _one_of(*jose.ASYMMETRIC, "HS256", "HS384", "HS512"),
    "grant_types": _some_of(*GRANT_TYPES),
    "response_types": _some_of(*RESPONSE_TYPES),
    "scope": _text,
    "contacts": _strings,
    "jwks": _jwks,
    "subject_type": _one_of("public"),
    "id_token_signed_response_alg": _one_of(*jose.OUR_ALGORITHMS),
    "userinfo_signed_response_alg": _one_of(*jose.OUR_ALGORITHMS),
    "default_max_age": _seconds,
    "require_auth_time": _boolean,
    "default_acr_values": _strings,
    "software_id": _text,
    "software_version": _text,
    "backchannel_logout_session_required": _boolean,
    "dpop_bound_access_tokens": _boolean,
    "assertion_audience": _one_of("issuer", "token_endpoint"),
}
