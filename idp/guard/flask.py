"""The guard in a Flask application: a decorator, and refusals as the standards word them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, g, jsonify, request

from idp.crypto.interaction import HEADER as INTERACTION_ID
from idp.guard.access import Access
from idp.guard.guard import Guard
from idp.guard.needs import Arrival, Freshness, Need
from idp.guard.refused import Refused
from idp.guard.wsgi import path_of

View = Callable[..., Any]


class FlaskGuard:
    """`@guard.require("notes:read")` before a view; `guard.access()` inside it.

    With `debug` each guarded answer says who vouched for the token, and how old the knowledge
    of what ended is. If the guard has metadata, they are served.
    """

    def __init__(self, guard: Guard, app: Flask, *, debug: bool = False) -> None:
        self._guard = guard
        self._debug = debug
        app.register_error_handler(Refused, _refusal)
        app.after_request(self._after)
        path = guard.metadata_path
        if path is not None:
            app.add_url_rule(path, "protected_resource_metadata", self._describe)

    def require(
        self,
        *scopes: str,
        freshness: str = Freshness.FEED,
        roles: tuple[str, ...] = (),
        acr_values: tuple[str, ...] = (),
        max_age: int | None = None,
        details: tuple[str, ...] = (),
    ) -> Callable[[View], View]:
        """Let a view be called only with a live token that has all of this."""
        need = self._guard.need(
            *scopes,
            freshness=freshness,
            roles=roles,
            acr_values=acr_values,
            max_age=max_age,
            details=details,
        )

        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the view's own
                g.access = self._judge(need)
                return view(*args, **kwargs)

            return guarded

        return decorate

    def access(self) -> Access:
        """What the token of this request says."""
        access: Access = g.access
        return access

    def _judge(self, need: Need) -> Access:
        headers, shown = request.headers, self._guard.certificates
        return self._guard.judge(
            need,
            Arrival(
                authorization=headers.getlist("Authorization"),
                method=request.method,
                url=path_of(request.environ),
                dpop=headers.getlist("DPoP"),
                certificate=shown.in_environ(request.environ) if shown is not None else None,
            ),
        )

    def _after(self, response: Response) -> Response:
        access = g.get("access")
        if isinstance(access, Access):
            said = request.headers.get(INTERACTION_ID)
            more = self._guard.headers(access, debug=self._debug, interaction_id=said)
            response.headers.extend(more)
        return response

    def _describe(self) -> Response:
        return jsonify(self._guard.describe())


def _refusal(error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    response = jsonify(error.body)
    response.status_code = error.status
    response.headers.extend(error.headers)
    return response
