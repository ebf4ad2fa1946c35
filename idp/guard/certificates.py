"""Where an API learns which certificate its client has shown in the TLS handshake (RFC 8705)."""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Any, Literal

from idp.crypto.certificate import Unreadable, from_text, is_among

LOOPBACK = ("127.0.0.0/8", "::1/128")
FROM_SERVER = "SSL_CLIENT_CERT"
MOST = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """From a header that the API's proxies set, or from the TLS of its own server.

    The header counts from peers in `networks` only; from anybody else it is just what they say.
    """

    source: Literal["proxy", "server"] = "proxy"
    header: str = "Client-Cert"
    networks: Sequence[str] = LOOPBACK

    def __post_init__(self) -> None:
        if self.source not in ("proxy", "server"):
            raise ValueError('certificates come from a "proxy" or from the "server"')
        for network in self.networks:
            ip_network(network)

    def in_environ(self, environ: Mapping[str, Any]) -> str | None:
        """The certificate of a WSGI request."""
        if self.source == "server":
            return environ.get(FROM_SERVER)
        before = environ.get("werkzeug.proxy_fix.orig", environ)
        name = "HTTP_" + self.header.upper().replace("-", "_")
        return self._believed(before.get("REMOTE_ADDR"), [environ[name]] if name in environ else [])

    def in_scope(self, scope: MutableMapping[str, Any]) -> str | None:
        """The certificate of an ASGI request; a server's own stands in the `tls` extension."""
        if self.source == "server":
            chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain") or [None]
            return chain[0] if isinstance(chain[0], str) else None
        wanted = self.header.lower().encode()
        said = [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
        return self._believed((scope.get("client") or ("",))[0], said)

    def _believed(self, peer: object, said: list[str]) -> str | None:
        networks = [ip_network(network) for network in self.networks]
        ours = isinstance(peer, str) and is_among(peer, networks)
        return said[0] if ours and len(said) == 1 else None


@lru_cache(maxsize=MOST)
def thumbprint(certificate: str | None) -> str | None:
    """What a token names a certificate by; None for what is none. Connections live long, and
    bring the same one with every request.
    """
    try:
        return from_text(certificate).x5t if certificate else None
    except Unreadable:
        return None
