"""A fresh access token shortly before the old one runs out, for as long as the session lasts."""

import time
from typing import Any
from urllib.parse import quote_plus

import httpx

from client_demo.op import BadToken, Op, OutOfReach
from client_demo.settings import Site
from client_demo.visits import Visit, Visits

RENEW_BEFORE = 20


def renew(here: Visit, visits: Visits, op: Op, me: Site) -> None:
    """Renew if it is time: one at a time for a visit, since a refresh token works once.

    What comes after a sign-out is thrown away. A provider that does not answer changes
    nothing; one that says the grant is over ends the visit.
    """
    with here.renewing:
        generation, user, tokens = here.generation, here.user, here.tokens
        if user is None or "refresh_token" not in tokens:
            return
        if tokens.get("expires_at", 0) - time.time() > RENEW_BEFORE:
            return
        try:
            brought = _refreshed(op, me, tokens["refresh_token"])
            if brought is not None and "id_token" in brought:
                op.still(brought.pop("id_token"), user)
        except BadToken:
            brought = None
        except (httpx.HTTPError, OutOfReach, ValueError, TypeError):
            return
        if brought is not None:
            visits.keep_refreshed(here, generation, brought)
        elif here.generation == generation:
            visits.end(here, "the provider")


def _refreshed(op: Op, me: Site, refresh_token: str) -> dict[str, Any] | None:
    """What a refresh brings; None when the provider says that the grant is over."""
    answer = op.http.post(
        op["token_endpoint"],
        auth=(quote_plus(me.client_id), quote_plus(me.client_secret)),
        data={"grant_type": "refresh_token", "refresh_token": refresh_token},
    )
    said: dict[str, Any] = answer.json()
    if not isinstance(said, dict):
        raise ValueError("the answer is no object")
    if answer.status_code == 400 and said.get("error") == "invalid_grant":  # noqa: PLR2004
        return None
    answer.raise_for_status()
    kept = {n: said[n] for n in ("access_token", "refresh_token", "id_token") if n in said}
    return kept | {"expires_at": time.time() + int(said.get("expires_in", 0))}
