"""For operators: is it alive, is it ready."""

from flask import Blueprint, Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.unit import is_ready

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
