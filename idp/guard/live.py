"""Whether a token is still alive: asked at the issuer, by introspection (RFC 7662).

When nobody answers, the answer is no: the client is told to come back (promise P5).
"""

from typing import Any, Protocol

import httpx

from idp.guard.jwks import IssuerKeys, KeysUnknown


class Unanswered(Exception):
    """Nobody could say whether the token is alive."""


class Liveness(Protocol):
    """Something that knows whether a token is alive."""

    def alive(self, token: str, claims: dict[str, Any]) -> bool:
        """True or False; raises `Unanswered` when it cannot say."""
        ...


class Offline:
    """Never asks: a token lives until it expires. For routes where that is good enough."""

    def alive(self, token: str, claims: dict[str, Any]) -> bool:
        """As far as anybody knows."""
        return True


class Introspection:
    """Asks the issuer at every call."""

    def __init__(
        self, keys: IssuerKeys, http: httpx.Client, client_id: str, client_secret: str
    ) -> None:
        self._keys = keys
        self._http = http
        self._auth = (client_id, client_secret)

    def alive(self, token: str, claims: dict[str, Any]) -> bool:
        """What the issuer says right now."""
        try:
            endpoint = str(self._keys.metadata()["introspection_endpoint"])
            answer = self._http.post(endpoint, data={"token": token}, auth=self._auth)
            if answer.status_code != 200:  # noqa: PLR2004
                raise Unanswered
            said = answer.json()
        except (httpx.HTTPError, ValueError, KeyError, KeysUnknown):
            raise Unanswered from None
        return isinstance(said, dict) and said.get("active") is True
