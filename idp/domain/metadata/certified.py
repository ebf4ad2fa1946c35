"""The members about client certificates (RFC 8705 sections 2.1.2 and 3.4)."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from idp.crypto.authorities import NAME_MEMBERS, subject_name
from idp.domain.metadata.shapes import InvalidMetadata, boolean, text

METHODS = ("tls_client_auth", "self_signed_tls_client_auth")
LONGEST_NAME = 1000


def agree(kept: Mapping[str, Any]) -> None:
    """A client that is known by a name in its certificate has exactly one such name; one that
    makes its own certificates has keys.
    """
    method = kept["token_endpoint_auth_method"]
    named = [member for member in NAME_MEMBERS if member in kept]
    if method == "tls_client_auth" and len(named) != 1:
        raise InvalidMetadata("tls_client_auth needs exactly one of the tls_client_auth_ members")
    if method != "tls_client_auth" and named:
        raise InvalidMetadata(f"{named[0]} is for tls_client_auth only")
    if method == "self_signed_tls_client_auth" and not ("jwks" in kept or "jwks_uri" in kept):
        raise InvalidMetadata("self_signed_tls_client_auth needs jwks or jwks_uri")


def _subject(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise InvalidMetadata(f"{name} is not a string of at most {LONGEST_NAME} characters")
    try:
        subject = subject_name(value)
    except ValueError:
        raise InvalidMetadata(f"{name} is not a name as RFC 4514 spells it") from None
    if not subject.rdns:
        raise InvalidMetadata(f"{name} is empty")
    return value


def _address(name: str, value: object) -> str:
    try:
        return str(ip_address(text(name, value)))
    except ValueError:
        raise InvalidMetadata(f"{name} is not an IP address") from None


def _uri(name: str, value: object) -> str:
    uri = text(name, value)
    if not urlsplit(uri).scheme:
        raise InvalidMetadata(f"{name} is not an address")
    return uri


def _name(name: str, value: object) -> str:
    said = text(name, value)
    if not said.isascii() or not said or " " in said or "*" in said:
        raise InvalidMetadata(f"{name} is not one plain name")
    return said


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "tls_client_auth_subject_dn": _subject,
    "tls_client_auth_san_dns": _name,
    "tls_client_auth_san_uri": _uri,
    "tls_client_auth_san_ip": _address,
    "tls_client_auth_san_email": _name,
    "tls_client_certificate_bound_access_tokens": boolean,
}
