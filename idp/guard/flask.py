"""The guard in a Flask application: a decorator, and refusals as RFC 6750 words them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, g, jsonify, request

from idp.guard.guard import Access, Guard
from idp.guard.refused import Refused

View = Callable[..., Any]


class FlaskGuard:
    """`@guard.require("notes:read")` before a view; `guard.access()` inside it."""

    def __init__(self, guard: Guard, app: Flask) -> None:
        self._guard = guard
        app.register_error_handler(Refused, _refusal)

    def require(self, *scopes: str) -> Callable[[View], View]:
        """Let a view be called only with a live token that has these scopes."""
        if not scopes or not all(isinstance(scope, str) and scope for scope in scopes):
            raise TypeError("name the scopes a caller needs: @guard.require('notes:read')")

        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the view's own
                g.access = self._guard.check(request.headers.getlist("Authorization"), scopes)
                return view(*args, **kwargs)

            return guarded

        return decorate

    def access(self) -> Access:
        """What the token of this request says."""
        access: Access = g.access
        return access


def _refusal(error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    response = jsonify({"error": error.error} if error.error else {})
    response.status_code = error.status
    response.headers["WWW-Authenticate"] = error.challenge
    response.headers["Cache-Control"] = "no-store"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response
