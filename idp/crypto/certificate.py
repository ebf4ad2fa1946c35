"""A client's certificate, as a TLS connection or the proxy that ended it hands it on.

Whoever holds the key of a certificate has proven that in the TLS handshake; what is left to do
here is to read it, and to know it again.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from idp.crypto.compact import encoded

LONGEST = 16 * 1024
_PEM = re.compile(
    r"\s*-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----\s*"
)

Network = IPv4Network | IPv6Network


class Unreadable(ValueError):
    """What was handed on is no certificate."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """An X.509 certificate in its one binary form."""

    der: bytes

    @property
    def x5t(self) -> str:
        """What a token names it by, as `x5t#S256` (RFC 8705 section 3.1)."""
        return encoded(sha256(self.der).digest())

    @property
    def content(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    def is_for(self, public_key: object) -> bool:
        """Whether this is the key that the certificate is for."""
        return bool(self.content.public_key() == public_key)


def from_der(der: bytes) -> Certificate:
    """A certificate, or `Unreadable`."""
    try:
        content = x509.load_der_x509_certificate(der)
        content.public_key()
        _ = content.subject
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise Unreadable("no certificate") from error
    return Certificate(der)


def from_text(text: str) -> Certificate:
    """One certificate in PEM, percent-encoded or not, or as RFC 9440 section 2.1 writes it:
    base64 between colons. Raises `Unreadable`, for two of them as well.
    """
    if len(text) > LONGEST or not text.isascii():
        raise Unreadable("too long, or not ASCII")
    if text.startswith(":") and text.endswith(":"):
        return from_der(_decoded(text[1:-1]))
    pem = _PEM.fullmatch(unquote(text) if "%" in text else text)
    if pem is None:
        raise Unreadable("not PEM")
    return from_der(_decoded("".join(pem.group(1).split())))


def first_of(x5c: object) -> Certificate | None:
    """The certificate of a JWK itself, which comes first in its `x5c` (RFC 7517 section 4.7)."""
    first = x5c[0] if isinstance(x5c, list) and x5c else None
    if not isinstance(first, str):
        return None
    try:
        return from_der(_decoded(first))
    except Unreadable:
        return None


def is_among(address: str, networks: Iterable[Network]) -> bool:
    """Whether a peer is in one of these networks; what is no address is in none."""
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return any(peer in network for network in networks)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("not base64") from error
