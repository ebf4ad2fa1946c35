"""The edge: what no honest request looks like is refused before anything else is done, and who
the caller is, is believed of our own proxies only.
"""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, abort, request
from werkzeug.middleware.proxy_fix import ProxyFix

from idp.crypto.certificate import is_among

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BODY_LIMIT = 64 * 1024
FIELD_LIMIT = 200
NUL = "\x00"
BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Proxies:
    """Takes the caller's address from `X-Forwarded-For`, so many hops back, when the peer is in
    one of our proxies' networks. From anybody else the header is just what they say (EDG-02).
    """

    def __init__(self, app: "WSGIApplication", hops: int, networks: Iterable[str]) -> None:
        self._direct = app
        self._proxied = ProxyFix(app, x_for=hops, x_proto=0, x_host=0, x_port=0, x_prefix=0)
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        ours = is_among(environ.get("REMOTE_ADDR", ""), self._networks)
        return (self._proxied if ours else self._direct)(environ, start_response)


def guard(app: Flask, *, hops: int, networks: Iterable[str]) -> None:
    """Put limits on what comes in (EDG-03)."""
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.config["MAX_FORM_PARTS"] = FIELD_LIMIT
    app.before_request(_refuse_what_nobody_sends)
    if hops:
        app.wsgi_app = Proxies(app.wsgi_app, hops, networks)  # type: ignore[method-assign]


def _refuse_what_nobody_sends() -> None:
    """A NUL is in no name, handle or address, and not every database can be asked about one;
    hundreds of fields are in no form.
    """
    if NUL in request.path:
        abort(404)
    fields: list[tuple[str, str]] = []
    if request.query_string:
        fields += request.args.items(multi=True)
    if request.method not in BODILESS:
        fields += request.form.items(multi=True)
    if len(fields) > FIELD_LIMIT:
        abort(413)
    if any(NUL in name or NUL in value for name, value in fields):
        abort(400)
