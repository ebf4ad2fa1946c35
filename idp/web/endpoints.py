"""The table of protocol endpoints: the public surface on one page."""

from dataclasses import dataclass

from flask import Blueprint, Response, request

from idp.protocol import (
    ciba,
    device,
    feed,
    global_revocation,
    introspection,
    logo,
    metadata,
    par,
    receipts,
    registration,
    revocation,
    status_lists,
    token,
    userinfo,
)
from idp.protocol.ssf import metadata as transmitter
from idp.protocol.ssf import poll, status, streams, subjects, verification
from idp.web.wire import Endpoint, serve

blueprint = Blueprint("protocol", __name__)

OPENED = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce"),
)


@dataclass(frozen=True, slots=True)
class Route:
    """Where an endpoint is found, and whether a page of another origin may call it."""

    methods: tuple[str, ...]
    path: str
    endpoint: Endpoint
    cors: bool = False

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What each of its answers carries."""
        return OPENED if self.cors else ()


ROUTES = (
    Route(("GET",), "/.well-known/openid-configuration", metadata.answer, cors=True),
    Route(("GET",), "/.well-known/oauth-authorization-server", metadata.answer, cors=True),
    Route(("GET",), "/jwks.json", metadata.keys, cors=True),
    Route(("POST",), "/par", par.answer, cors=True),
    Route(("POST",), "/token", token.answer, cors=True),
    Route(("GET", "POST"), "/userinfo", userinfo.answer, cors=True),
    Route(("POST",), "/introspect", introspection.answer),
    Route(("POST",), "/revoke", revocation.answer, cors=True),
    Route(("POST",), "/global-token-revocation", global_revocation.answer),
    Route(("POST",), "/device_authorization", device.answer, cors=True),
    Route(("POST",), "/bc-authorize", ciba.answer),
    Route(("GET",), "/feed", feed.answer),
    Route(("GET",), "/receipts", receipts.newest),
    Route(("POST",), "/register", registration.answer),
    Route(("GET", "PUT", "DELETE"), "/register/<client_id>", registration.manage),
    Route(("GET",), "/logo", logo.answer),
    Route(("GET",), "/status-lists", status_lists.every, cors=True),
    Route(("GET",), "/status-lists/<list_id>", status_lists.answer, cors=True),
    Route(("GET",), "/.well-known/ssf-configuration", transmitter.answer, cors=True),
    Route(("POST", "GET", "PATCH", "PUT", "DELETE"), "/ssf/streams", streams.answer),
    Route(("GET", "POST"), "/ssf/status", status.answer),
    Route(("POST",), "/ssf/subjects/add", subjects.add),
    Route(("POST",), "/ssf/subjects/remove", subjects.remove),
    Route(("POST",), "/ssf/verify", verification.answer),
    Route(("POST",), "/ssf/poll/<stream_id>", poll.answer),
)


def _add(route: Route) -> None:
    def view(**named: str) -> Response:
        if request.method == "OPTIONS":
            return _preflight(route)
        response = serve(route.endpoint, next(iter(named.values()), ""))
        response.headers.extend(route.headers)
        return response

    methods = [*route.methods, "OPTIONS"] if route.cors else list(route.methods)
    blueprint.add_url_rule(
        route.path,
        endpoint=route.path.strip("/").replace("/", "-").replace(".", ""),
        view_func=view,
        methods=methods,
        provide_automatic_options=not route.cors,
    )


def _preflight(route: Route) -> Response:
    """What a page of another origin may send; never with cookies (BRW-05)."""
    response = Response(status=204, headers=list(route.headers))
    response.headers["Access-Control-Allow-Methods"] = ", ".join(route.methods)
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, DPoP"
    response.headers["Access-Control-Max-Age"] = "3600"
    return response


for _route in ROUTES:
    _add(_route)
