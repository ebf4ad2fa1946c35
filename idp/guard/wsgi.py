"""The guard before any WSGI application: nothing passes that was not let through (RSG-14)."""

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from idp.guard.guard import Guard
from idp.guard.needs import Arrival, Need
from idp.guard.refused import Refused

ACCESS = "idp.access"
OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
SAFE = "/:@!$&'()*+,;=~"
_REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable"}

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Chooser = Callable[[str, str], Need | None]


class WsgiGuard:
    """A need for every request, or a function from method and path to a need.

    The function says None for what anybody may see. The application finds what the token says
    in `environ["idp.access"]`.
    """

    def __init__(
        self, application: Application, guard: Guard, need: Need | Chooser, *, debug: bool = False
    ) -> None:
        self._application = application
        self._guard = guard
        self._choose = chooser(need)
        self._debug = debug

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop(ACCESS, None)
        for name in OVERRIDES:  # what is judged is what happens
            environ.pop("HTTP_" + name.upper().replace("-", "_"), None)
        method, url = environ["REQUEST_METHOD"], path_of(environ)
        path = url.partition("?")[0]
        if path == self._guard.metadata_path and method in ("GET", "HEAD"):
            return _answer(start_response, 200, [], self._guard.describe())
        need = self._choose(method, path)
        if need is None:
            return self._application(environ, start_response)
        try:
            access = self._guard.judge(need, self._arrival(environ, method, url))
        except Refused as refused:
            return _answer(start_response, refused.status, refused.headers, refused.body)
        environ[ACCESS] = access
        more = self._guard.headers(
            access, debug=self._debug, interaction_id=environ.get("HTTP_X_FAPI_INTERACTION_ID")
        )

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401
            return start_response(status, [*headers, *more], *rest)

        return self._application(environ, start)

    def _arrival(self, environ: Environ, method: str, url: str) -> Arrival:
        """WSGI servers join repeated headers with commas, which no single credential contains."""
        shown = self._guard.certificates
        return Arrival(
            authorization=[environ[n] for n in ("HTTP_AUTHORIZATION",) if n in environ],
            method=method,
            url=url,
            dpop=[environ[n] for n in ("HTTP_DPOP",) if n in environ],
            certificate=shown.in_environ(environ) if shown is not None else None,
        )


def chooser(need: Need | Chooser) -> Chooser:
    """The one need for everything, or the function itself; TypeError for anything else."""
    if isinstance(need, Need):
        return lambda _method, _path: need
    if not callable(need):
        raise TypeError("give a need, or a function from method and path to a need")
    return need


def path_of(environ: Environ) -> str:
    """Path and query as a client would write them, whatever the server has decoded."""
    raw = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    path = quote(raw.encode("latin-1"), safe=SAFE) or "/"
    query = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _answer(
    start_response: StartResponse, status: int, headers: list[tuple[str, str]], body: object
) -> Iterable[bytes]:
    encoded = json.dumps(body).encode()
    kind = [("Content-Type", "application/json"), ("Content-Length", str(len(encoded)))]
    start_response(f"{status} {_REASONS.get(status, 'OK')}", [*kind, *headers])
    return [encoded]
