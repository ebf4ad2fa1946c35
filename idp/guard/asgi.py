"""The guard before any ASGI application. The event loop never waits for it: a token that can
be judged from memory is judged at once, every other one in a thread.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from idp.crypto.interaction import HEADER as INTERACTION_ID
from idp.guard.access import Access
from idp.guard.guard import Guard
from idp.guard.jwks import WouldWait
from idp.guard.needs import Arrival, Need
from idp.guard.refused import Refused
from idp.guard.wsgi import ACCESS, OVERRIDES, SAFE, Chooser, chooser

THREADS = 32
POLICY_VIOLATION = 1008

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsgiGuard:
    """A need for every request, or a function from method and path to a need.

    The function says None for what anybody may see; a WebSocket has the method GET. The
    application finds what the token says in `scope["idp.access"]`.
    """

    def __init__(
        self, application: Application, guard: Guard, need: Need | Chooser, *, debug: bool = False
    ) -> None:
        self._application = application
        self._guard = guard
        self._choose = chooser(need)
        self._debug = debug
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="idp-guard")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        scope = _tidied(scope)
        method, path = scope.get("method", "GET"), _path(scope)
        if path == self._guard.metadata_path and method in ("GET", "HEAD"):
            await _answer(send, 200, [], self._guard.describe())
            return
        need = self._choose(method, path)
        if need is None:
            await self._application(scope, receive, send)
            return
        try:
            access = await self._judge(need, self._arrival(scope, method, path))
        except Refused as refused:
            await _refuse(scope, receive, send, refused)
            return
        scope[ACCESS] = access
        await self._application(scope, receive, self._with_headers(scope, send, access))

    async def _judge(self, need: Need, arrival: Arrival) -> Access:
        try:
            return self._guard.judge(need, arrival, wait=False)
        except WouldWait:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._guard.judge, need, arrival)

    def _arrival(self, scope: Scope, method: str, path: str) -> Arrival:
        query, shown = scope.get("query_string", b"").decode("latin-1"), self._guard.certificates
        return Arrival(
            authorization=_values(scope, b"authorization"),
            method=method,
            url=f"{path}?{query}" if query else path,
            dpop=_values(scope, b"dpop"),
            certificate=shown.in_scope(scope) if shown is not None else None,
        )

    def _with_headers(self, scope: Scope, send: Send, access: Access) -> Send:
        said = _values(scope, INTERACTION_ID.encode())
        more = _encoded(
            self._guard.headers(
                access, debug=self._debug, interaction_id=said[0] if len(said) == 1 else None
            )
        )
        if not more:
            return send

        async def sending(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        return sending


def _tidied(scope: Scope) -> Scope:
    """Without what a client could say of itself, or what would change the method behind us."""
    over = {name.encode() for name in OVERRIDES}
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in over]
    return {**{k: v for k, v in scope.items() if k != ACCESS}, "headers": headers}


def _path(scope: Scope) -> str:
    """The path as the client wrote it, when the server tells, else written anew."""
    raw = scope.get("raw_path")
    if isinstance(raw, bytes):
        return raw.partition(b"?")[0].decode("latin-1")
    return quote(scope["path"], safe=SAFE)


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]


async def _refuse(scope: Scope, receive: Receive, send: Send, refused: Refused) -> None:
    """A WebSocket is closed before it is opened, which servers answer with 403."""
    if scope["type"] == "http":
        await _answer(send, refused.status, refused.headers, refused.body)
        return
    await receive()
    await send({"type": "websocket.close", "code": POLICY_VIOLATION})


async def _answer(send: Send, status: int, headers: list[tuple[str, str]], body: object) -> None:
    encoded = json.dumps(body).encode()
    kind = [("content-type", "application/json"), ("content-length", str(len(encoded)))]
    start = {"status": status, "headers": _encoded([*kind, *headers])}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": encoded})


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
