"""A television in a terminal: it cannot show a sign-in page, and asks for one elsewhere (RFC 8628).

While the demo runs: `.venv/bin/python -m client_demo.tv`
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx

ISSUER = f"http://localhost:{os.environ.get('IDP_PORT', '9000')}"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER_BY = 5

Say = Callable[[str], None]


class Refused(Exception):
    """Nobody said yes; the words are the standard's."""


def main() -> None:
    """Sign in at the provider that is named, or at the demo's."""
    issuer = sys.argv[1] if len(sys.argv) > 1 else ISSUER
    try:
        with httpx.Client() as http:
            person = sign_in(http, issuer, _show, time.sleep)
    except Refused as error:
        sys.exit(f"Nobody is signed in: {error}.")
    except httpx.HTTPError:
        sys.exit(f"Nobody answers at {issuer}. Is the demo running?")
    _show(f"Hello, {person.get('name', person['sub'])}.")


def sign_in(http: httpx.Client, issuer: str, say: Say, sleep: Callable[[float], None]) -> Any:  # noqa: ANN401
    """Who said yes, as userinfo tells it."""
    op = http.get(f"{issuer}/.well-known/openid-configuration").json()
    client_id = _register(http, op["registration_endpoint"])
    form = {"client_id": client_id, "scope": "openid profile"}
    asked = http.post(op["device_authorization_endpoint"], data=form).json()
    say(f"Open {asked['verification_uri']} and type {asked['user_code']}")
    form = {"client_id": client_id, "grant_type": GRANT, "device_code": asked["device_code"]}
    pause = asked.get("interval", SLOWER_BY)
    while True:
        sleep(pause)
        answer = http.post(op["token_endpoint"], data=form).json()
        if "access_token" in answer:
            bearer = {"Authorization": f"Bearer {answer['access_token']}"}
            return http.get(op["userinfo_endpoint"], headers=bearer).json()
        if answer["error"] == "slow_down":
            pause += SLOWER_BY
        elif answer["error"] != "authorization_pending":
            raise Refused(answer["error"])


def _show(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _register(http: httpx.Client, address: str) -> str:
    """A client of its own, for this evening; a provider forgets those that nobody uses."""
    wish = {
        "client_name": "Television",
        "application_type": "native",
        "grant_types": [GRANT],
        "token_endpoint_auth_method": "none",
    }
    client_id: str = http.post(address, json=wish).raise_for_status().json()["client_id"]
    return client_id


if __name__ == "__main__":
    main()
