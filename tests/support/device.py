"""A device without a keyboard, and an app that asks without a browser, as the tests play them."""

from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from tests.support.world import Browser, Rp, World

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Tv:
    """A device with a client of its own, and the request it made last."""

    rp: Rp
    asked: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return str(self.asked["user_code"])

    def request(self, **more: Any) -> TestResponse:
        """Ask for codes."""
        return self.rp.post("/device_authorization", **({"scope": "openid"} | more))

    def asks(self, **more: Any) -> "Tv":
        """Ask, and keep what was given."""
        answer = self.request(**more)
        assert answer.status_code == 200, answer.text
        self.asked = answer.json
        return self

    def polls(self, **more: Any) -> TestResponse:
        """Come back for the answer."""
        form = {"grant_type": DEVICE_CODE, "device_code": self.asked["device_code"]} | more
        return self.rp.post("/token", **form)

    def hears(self) -> str:
        """The error that a poll is answered with; nothing when there are tokens."""
        return str(self.polls().json.get("error", ""))


def tv(world: World, *, public: bool = True, **more: Any) -> Tv:
    """A television that people sign in at."""
    metadata = {
        "redirect_uris": ["https://tv.test"],
        "response_types": [],
        "grant_types": [DEVICE_CODE, "refresh_token"],
        "token_endpoint_auth_method": "none" if public else "client_secret_basic",
    } | more
    return Tv(world.rp("Television", **metadata))


def types(browser: Browser, code: str) -> TestResponse:
    """Type a code; the page that follows, if there is one."""
    answer = browser.submit(browser.http.get("/device"), "/device", user_code=code)
    if answer.status_code != 303:
        return answer
    return browser.http.get(answer.headers["Location"])


def answers(browser: Browser, code: str, said: str = "allow") -> TestResponse:
    """Type a code, say yes or no, and look at what the page says then."""
    answer = browser.submit(types(browser, code), "/device/confirm", answer=said)
    return browser.http.get(answer.headers["Location"])
