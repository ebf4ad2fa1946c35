"""An app that asks without a browser, as the tests play it (OpenID CIBA Core)."""

from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from tests.support.world import Browser, Rp, World, hidden

CIBA = "urn:openid:params:grant-type:ciba"
POLL = {
    "redirect_uris": ["https://unused.test"],
    "response_types": [],
    "grant_types": [CIBA, "refresh_token"],
    "backchannel_token_delivery_mode": "poll",
}


@dataclass
class Caller:
    """A call centre that knows a person's name, and the request it made last."""

    rp: Rp
    asked: dict[str, Any] = field(default_factory=dict)

    def request(self, **more: Any) -> TestResponse:
        """Ask."""
        return self.rp.post("/bc-authorize", **({"scope": "openid"} | more))

    def asks(self, who: str = "alice", **more: Any) -> "Caller":
        """Ask somebody, and keep what was given."""
        answer = self.request(login_hint=who, **more)
        assert answer.status_code == 200, answer.text
        self.asked = answer.json
        return self

    def polls(self, **more: Any) -> TestResponse:
        """Come back for the answer."""
        form = {"grant_type": CIBA, "auth_req_id": self.asked["auth_req_id"]} | more
        return self.rp.post("/token", **form)

    def hears(self) -> str:
        """The error that a poll is answered with; nothing when there are tokens."""
        return str(self.polls().json.get("error", ""))


def caller(world: World, **more: Any) -> Caller:
    """An app of that kind, with a secret of its own."""
    return Caller(world.rp("Call centre", **(POLL | more)))


def answers(browser: Browser, said: str) -> TestResponse:
    """Answer the newest request on the account page; the page that follows."""
    page = browser.http.get("/account/requests")
    forms = page.text.split('<form method="post" action="/account/requests">')[1:]
    newest = hidden('<form action="/account/requests">' + forms[-1], "/account/requests")
    answer = browser.http.post("/account/requests", data=newest | {"answer": said})
    return browser.http.get(answer.headers.get("Location", "/account/requests"))


def allows(browser: Browser, _asked: Caller) -> TestResponse:
    """Say yes to what was just asked."""
    return answers(browser, "allow")
