"""The certificate a client has shown in its TLS handshake (RFC 8705), from whoever ended TLS.

A header with a certificate is as good as a password: it counts from the proxies that an
operator has named, is taken away from everybody's request, and nothing else reads it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from flask import Flask

from idp.crypto.certificate import Certificate, Unreadable, from_text, is_among

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CERTIFICATE = "idp.certificate"
FROM_SERVER = "SSL_CLIENT_CERT"


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a certificate comes from: nowhere, a proxy's header, or the web server's own TLS."""

    source: str = "off"
    header: str = ""
    networks: tuple[str, ...] = ()


def take(app: Flask, shown: Shown) -> None:
    """Put it into each request, before anything else has looked at the request."""
    if shown.source == "proxy":
        app.wsgi_app = _Proxied(app.wsgi_app, shown)  # type: ignore[method-assign]
    elif shown.source == "server":
        app.wsgi_app = _Direct(app.wsgi_app)  # type: ignore[method-assign]


class _Proxied:
    """From the header of a proxy of ours; from anybody else it is just what they say."""

    def __init__(self, app: "WSGIApplication", shown: Shown) -> None:
        self._app = app
        self._name = "HTTP_" + shown.header.upper().replace("-", "_")
        self._networks = [ip_network(network) for network in shown.networks]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        said = environ.pop(self._name, "")
        ours = is_among(environ.get("REMOTE_ADDR", ""), self._networks)
        environ[CERTIFICATE] = _read(said) if said and ours else None
        return self._app(environ, start_response)


class _Direct:
    """From the server itself: no header can bear that name (PEP 3333)."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        said = environ.pop(FROM_SERVER, "")
        environ[CERTIFICATE] = _read(said) if said else None
        return self._app(environ, start_response)


def _read(said: str) -> Certificate | None:
    """What cannot be read, or came twice, proves nothing: there is no certificate."""
    try:
        return from_text(said)
    except Unreadable:
        return None
