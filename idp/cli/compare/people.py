"""The people of the scenario: somebody with a browser, their app, and a thief."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from idp.cli.compare.calls import Strayed, client
from idp.cli.compare.key import DeviceKey

USERNAME, PASSWORD = "ann", "four words that nobody guesses"
CALLBACK = "http://localhost/callback"
SCOPES = "openid notes:read"
MOST_PAGES = 8
_NUMBERS = count(1)
OK = 200


@dataclass(frozen=True, slots=True)
class Given:
    """What the token endpoint gave, or why it did not."""

    status: int
    access: str = ""
    refresh: str = ""
    identity: str = ""
    error: str = ""

    @property
    def good(self) -> bool:
        return self.status == OK


@dataclass(slots=True)
class App:
    """A client on one device. A thief is one, too, on another device: with the same secret,
    which was copied, and a key of their own, because that of the device cannot be.
    """

    issuer: str
    client_id: str
    secret: str
    resource: str
    http: httpx.Client
    key: DeviceKey | None = None

    def copied(self) -> "App":
        """The same app on a thief's device."""
        return App(self.issuer, self.client_id, self.secret, self.resource, self.http, DeviceKey())

    def redeem(self, code: str, verifier: str) -> Given:
        """A code for tokens."""
        return self._tokens(
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=CALLBACK,
        )

    def refresh(self, token: str) -> Given:
        """The next access token, and perhaps the next refresh token."""
        return self._tokens(grant_type="refresh_token", refresh_token=token)

    def _tokens(self, **form: str) -> Given:
        url = f"{self.issuer}/token"
        headers = {"DPoP": self.key.proof("POST", url)} if self.key is not None else {}
        answer = self.http.post(
            url,
            data=form | {"resource": self.resource},
            headers=headers,
            auth=(self.client_id, self.secret),
        )
        said: dict[str, Any] = answer.json()
        if answer.status_code != OK:
            return Given(answer.status_code, error=str(said.get("error")))
        renewed = said.get("refresh_token", form.get("refresh_token", ""))
        return Given(OK, said["access_token"], renewed, said.get("id_token", ""))


@dataclass(slots=True)
class Browser:
    """A browser without a picture: it follows redirects, keeps cookies, fills in forms. Each has
    an address of its own, as people have: from one address only so many may try.
    """

    http: httpx.Client = field(default_factory=client)

    def __post_init__(self) -> None:
        number = next(_NUMBERS)
        address = f"198.18.{number // 256 % 256}.{number % 256}"  # for benchmarks (RFC 2544)
        self.http.headers["X-Forwarded-For"] = address

    def sign_in(self, app: App) -> Given:
        """From the app's button to its tokens, through the provider's own pages."""
        verifier = secrets.token_urlsafe(48)
        hashed = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": app.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": SCOPES,
            "resource": app.resource,
            "state": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        answer = self._follow(self.http.get(f"{app.issuer}/authorize", params=asked))
        back = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        if "code" not in back:
            raise Strayed(f"sign-in ended with {answer.status_code} at {answer.url}")
        given = app.redeem(back["code"][0], verifier)
        if not given.good:
            raise Strayed(f"the code was refused: {given.error}")
        return given

    def sign_out(self, app: App, identity: str) -> None:
        """The app sends its person to the provider to sign out; returns when it is answered."""
        asked = {"id_token_hint": identity, "client_id": app.client_id}
        answer = self.http.get(f"{app.issuer}/end_session", params=asked)
        if answer.status_code != OK:
            raise Strayed(f"the sign-out was answered {answer.status_code}")

    def _follow(self, answer: httpx.Response) -> httpx.Response:
        """Do what the pages ask for, until the app is reached."""
        for _ in range(MOST_PAGES):
            if answer.status_code == OK:
                form = _hidden(answer.text, "/sign-in")
                form |= {"username": USERNAME, "password": PASSWORD}
                answer = self.http.post(str(answer.url.join("/sign-in")), data=form)
                continue
            onward = answer.headers.get("Location")
            if onward is None or onward.startswith(CALLBACK):
                break
            answer = self.http.get(str(answer.url.join(onward)))
        return answer


def _hidden(page: str, path: str) -> dict[str, str]:
    form = re.search(rf'<form[^>]*action="{re.escape(path)}".*?</form>', page, re.S)
    if form is None:
        raise Strayed(f"there is no form for {path} on the page")
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form.group())
    return {name: unescape(value) for name, value in fields}
