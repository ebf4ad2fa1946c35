"""The API of the FAPI 2.0 modules: a guard of ours before a plain application."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from flask import Flask
from werkzeug.test import Client, TestResponse

from idp.guard import Certificates, Guard
from idp.guard.wsgi import WsgiGuard
from idp.store import db
from tests.support.payments import TYPES
from tests.support.world import World

AUDIENCE = "https://api.test"
SCOPE = "notes:read"
MOST_TRIES, PAUSE = 20, 0.25


class Api:
    """One address, `/notes`, for whoever brings a token and proves that it is theirs."""

    def __init__(self, guard: Guard) -> None:
        app = Flask("notes")
        app.add_url_rule("/notes", view_func=lambda: {"notes": []}, methods=["GET"])
        need = guard.need(SCOPE, freshness="introspect")
        self.url = f"{AUDIENCE}/notes"
        self.http = Client(WsgiGuard(app, guard, need))

    def get(self, *, headers: Any, query: str = "", method: str = "GET") -> TestResponse:
        """Call it as a client does, through the proxy that has ended TLS; once more where the
        API says so, because it could not ask the provider in time.
        """
        for _ in range(MOST_TRIES):
            answer = self._get(headers, query, method)
            if answer.status_code != 503:
                break
            time.sleep(PAUSE)
        return answer

    def _get(self, headers: Any, query: str, method: str) -> TestResponse:
        return self.http.open(
            "/notes",
            method=method,
            headers=headers,
            query_string=query,
            base_url=AUDIENCE,
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
        )


@contextmanager
def api_of(world: World) -> Iterator[Api]:
    """The API, known to the provider, while it is needed."""
    client = world.api(AUDIENCE, **{SCOPE: "Read your notes"})
    with world.app.app_context():
        world.op.resources.describe(AUDIENCE, TYPES)
        db.session.commit()
    guard = Guard(
        world.op.rules.issuer,
        AUDIENCE,
        client_id=client.client_id,
        client_secret=client.secret,
        certificates=Certificates(),
        http=httpx.Client(transport=httpx.WSGITransport(app=world.app)),
        clock=world.clock,
    )
    try:
        yield Api(guard)
    finally:
        guard.close()
