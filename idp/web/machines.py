"""The door for machines: a plain request at a protocol endpoint goes straight to the table.

What Flask does for pages (routing, forms, sessions, hooks) costs more than what most protocol
endpoints do themselves. Whatever is not plain, odd in any way or meant for a page, is handed
on to Flask, which says no as it always does; so the two can only differ in speed.
"""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from flask import Flask, current_app

from idp.domain import Provider
from idp.protocol.messages import Answer, Parameters
from idp.web import wire
from idp.web.browser import always
from idp.web.edge import BODY_LIMIT, FIELD_LIMIT
from idp.web.endpoints import ROUTES, Route
from idp.web.metrics import Requests

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
FIELDS = FIELD_LIMIT - 2
ODDITIES = "werkzeug.url_quote"  # bytes that are no text stay as they were spelled
PLAIN = ("GET", "POST")
ODD = ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING")


class Door:
    """Stands before Flask, and takes what is plain."""

    def __init__(self, app: Flask, op: Provider, requests: Requests) -> None:
        self._app, self._op, self._requests = app, op, requests
        self._flask = app.wsgi_app
        self._always = always(op)
        self._routes = {
            (method, route.path): route
            for route in ROUTES
            for method in route.methods
            if method in PLAIN and "<" not in route.path
        }

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        route = self._routes.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        sent = _parameters(environ) if route is not None else None
        if route is None or sent is None:
            return self._flask(environ, start_response)
        with self._context():
            answer = wire.perform(lambda: self._answer(route, environ, *sent))
        headers, body = wire.as_response(answer)
        headers += self._always
        headers += route.headers
        self._requests.count(route.path, environ["REQUEST_METHOD"], answer.status, began)
        start_response(REASONS[answer.status], headers)
        return (body,)

    def _answer(
        self, route: Route, environ: "WSGIEnvironment", query: Parameters, body: Parameters
    ) -> Answer:
        request = wire.as_request(
            environ,
            url=f"{self._op.rules.issuer}{route.path}",
            now=self._app.extensions["idp.clock"](),
            query=query,
            body=body,
        )
        return route.endpoint(request, self._op)

    def _context(self) -> AbstractContextManager[object]:
        """Where the session of the store lives; one that is open already is used on."""
        if current_app and current_app._get_current_object() is self._app:  # type: ignore[attr-defined]
            return nullcontext()
        return self._app.app_context()


def _parameters(environ: "WSGIEnvironment") -> tuple[Parameters, Parameters] | None:
    """Query and form, or None where anything is odd: a body of another kind, of unknown or
    great length, in other than ASCII, with a NUL or hundreds of fields.
    """
    if any(name in environ for name in ODD):
        return None
    query, raw = environ.get("QUERY_STRING", ""), b""
    if environ["REQUEST_METHOD"] == "POST":
        kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        length = environ.get("CONTENT_LENGTH") or ""
        if kind != wire.FORM_TYPE or not length.isdecimal() or int(length) > BODY_LIMIT:
            return None
        raw = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(raw)  # for Flask, if it must
    form = raw.decode("latin-1")
    if not (query.isascii() and form.isascii()) or query.count("&") + form.count("&") > FIELDS:
        return None
    if any(nul in text for nul in ("%00", "\0") for text in (query, form)):
        return None
    return _pairs(query), _pairs(form)


def _pairs(text: str) -> Parameters:
    """What a form says, as browsers spell it (WHATWG URL, application/x-www-form-urlencoded)."""
    if not text:
        return wire.NOTHING
    parts = (part.partition("=") for part in text.split("&") if part)
    return Parameters(pairs=tuple((_plain(name), _plain(value)) for name, _, value in parts))


def _plain(part: str) -> str:
    return unquote_plus(part, errors=ODDITIES) if "%" in part or "+" in part else part
