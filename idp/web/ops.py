"""For operators: is it alive, is it ready, and what are its numbers."""

import ipaddress

from flask import Blueprint, Response, abort, current_app, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.crypto.secrets import same
from idp.domain.unit import is_ready
from idp.web import metrics
from idp.web.wire import provider

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")

blueprint = Blueprint("ops", __name__)


@blueprint.get("/")
def front() -> AnyResponse:
    """A person who types the address of the provider."""
    return redirect("/account", 303)


@blueprint.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return Response("alive\n", mimetype="text/plain")


@blueprint.get("/readyz")
def ready() -> Response:
    """The store answers, too."""
    if is_ready():
        return Response("ready\n", mimetype="text/plain")
    return Response("the store does not answer\n", status=503, mimetype="text/plain")


@blueprint.get("/metrics")
def numbers() -> Response:
    """For whoever brings the token; without one, for this very machine in development (EDG-10)."""
    _admit(current_app.extensions["idp.metrics_token"])
    return Response(metrics.text(provider()), content_type=metrics.CONTENT_TYPE)


def _admit(token: str) -> None:
    if token:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not same(given.strip(), token):
            refusal = Response("a bearer token is needed\n", status=401, mimetype="text/plain")
            refusal.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
            abort(refusal)
    elif not (provider().rules.loopback_allowed and _from_this_machine()):
        abort(404)


def _from_this_machine() -> bool:
    """Not from a proxy on this machine, which would make everybody a neighbour."""
    try:
        near = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return near and not any(name in request.headers for name in FORWARDED)
