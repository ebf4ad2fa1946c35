"""How a client talks to the provider and to APIs; every answer goes into the history."""

import random
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.faults.history import Doing
from tests.faults.plan import App, Plan, audience
from tests.support.prover import Prover

PATIENCE = 8.0


class Away(Exception):
    """There was no answer, or none that says yes or no."""


class Wires:
    """Connections of one actor."""

    def __init__(self, plan: Plan, chance: random.Random, patience: float = PATIENCE) -> None:
        self.plan = plan
        self._chance = chance
        limits = httpx.Limits(max_connections=None)
        self._http = httpx.Client(timeout=patience, limits=limits, trust_env=False)

    def provider(self, method: str, path: str, doing: Doing, **more: Any) -> httpx.Response:
        """Ask one of the provider's servers; raises `Away`, and then the history says so."""
        port = self._chance.choice(self.plan.providers)
        doing.of(port)
        return self._ask(method, f"http://127.0.0.1:{port}{path}", doing, **more)

    def token(
        self, app: App, form: dict[str, str], prover: Prover | None, doing: Doing
    ) -> dict[str, Any]:
        """The token endpoint; raises `Away`, or `Refusal` with what it said."""
        more: dict[str, Any] = {}
        if app.secret is None:
            form["client_id"] = app.client_id
        else:
            more["auth"] = (app.client_id, app.secret)
        if prover is not None:
            url = f"{self.plan.issuer}/token"
            more["headers"] = {"DPoP": prover.proof("POST", url, datetime.now(UTC))}
        answer = self.provider("POST", "/token", doing, data=form, **more)
        said: dict[str, Any] = answer.json()
        if answer.status_code != httpx.codes.OK:
            doing.fail(status=answer.status_code, error=said.get("error"))
            raise Refusal(said.get("error"))
        return said

    def call(
        self, node: int, api: str, token: str, prover: Prover | None, doing: Doing
    ) -> tuple[int, str | None] | None:
        """Call an API; the status, and which guard said so."""
        headers = {"Authorization": f"{'DPoP' if prover else 'Bearer'} {token}"}
        if prover is not None:
            url = f"{audience(api)}/{api}"
            headers["DPoP"] = prover.proof("GET", url, datetime.now(UTC), token=token)
        try:
            answer = self._ask("GET", f"http://127.0.0.1:{node}/{api}", doing, headers=headers)
        except Away:
            return None
        return answer.status_code, answer.headers.get("X-Guard")

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, url: str, doing: Doing, **more: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, url, **more)
        except httpx.ConnectError:
            doing.fail(status=503, error="not connected")
            raise Away from None
        except httpx.HTTPError as error:
            doing.info(error=type(error).__name__)
            raise Away from None
        if answer.status_code >= 500:
            doing.info(status=answer.status_code)
            raise Away
        return answer


class Refusal(Exception):
    """The provider said no."""
