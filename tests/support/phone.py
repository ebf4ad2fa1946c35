"""A phone with an authenticator app: it reads the key off the page and counts for itself (RFC
6238), and the person who types what it shows.
"""

import base64
import hmac
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from werkzeug.test import TestResponse

from idp.store import db
from tests.support.world import PASSWORD, Browser, Clock, Rp, World, make_world, returned

STEP = 30
COUNT = itertools.count(1)


@dataclass
class Phone:
    """An app with one account in it, and the paper beside it."""

    clock: Clock
    key: bytes = b""
    paper: list[str] = field(default_factory=list)

    def scan(self, page: str) -> None:
        """Read the key that the page shows in letters."""
        (letters,) = re.findall(r'id="secret">([A-Z2-7 ]+)<', page)
        self.key = base64.b32decode(letters.replace(" ", ""))

    def code(self, *, steps: int = 0) -> str:
        """What the app shows now, or showed some steps ago."""
        counter = int(self.clock.now.timestamp()) // STEP + steps
        mac = hmac.digest(self.key, counter.to_bytes(8, "big"), "sha1")
        start = mac[-1] & 15
        number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
        return f"{number % 1_000_000:06}"

    def wrong(self) -> str:
        """Six digits that the app does not show at any time near now."""
        near = {self.code(steps=steps) for steps in range(-3, 4)}
        return next(code for code in map("{:06}".format, range(10)) if code not in near)

    def write_down(self, page: str) -> None:
        """Copy the recovery codes from the page."""
        (shown,) = re.findall(r'id="recovery-codes">(.*?)</ul>', page, re.S)
        self.paper = re.findall(r"<li>([^<]+)</li>", unescape(shown))


@dataclass
class Owner:
    """Somebody with a password and a phone."""

    world: World
    name: str
    sub: str
    phone: Phone

    @classmethod
    def of(cls, world: World) -> "Owner":
        """Somebody new, who has nothing but a password yet."""
        name = f"person{next(COUNT)}"
        return cls(world, name, world.person(name), Phone(world.clock))

    @classmethod
    def enrolled(cls, world: World) -> "Owner":
        """Somebody new who has set up the app, in a browser that is closed again."""
        owner = cls.of(world)
        browser = world.browser()
        browser.sign_in(owner.name)
        owner.sets_up(browser)
        return owner

    def sets_up(self, browser: Browser, **more: str) -> TestResponse:
        """Turn it on, signed in. Then half a minute goes by: the app shows another code."""
        page = self.scans(browser)
        done = browser.submit(
            page, "/account/authenticator/confirm", code=self.phone.code(), **more
        )
        assert done.status_code in (200, 303), done.text
        if done.status_code == 200:
            self.phone.write_down(done.text)
        self.world.clock.advance(seconds=STEP)
        return done

    def scans(self, browser: Browser) -> TestResponse:
        """The page with the picture, which the phone has read."""
        begun = browser.submit(browser.http.get("/account/security"), "/account/authenticator")
        page = browser.http.get(begun.headers["Location"])
        self.phone.scan(page.text)
        return page

    def half_way(self, browser: Browser) -> TestResponse:
        """The page that asks for a code, after the right password."""
        asked = browser.sign_in(self.name)
        assert asked.headers["Location"].startswith("/sign-in/code?step="), asked.headers
        return browser.http.get(asked.headers["Location"])

    def signs_in(self, browser: Browser) -> TestResponse:
        """With both."""
        return enter(browser, self.half_way(browser), self.phone.code())

    def goes_on(self, browser: Browser, answer: TestResponse) -> dict[str, str]:
        """Through whatever pages there are, and what the app is sent at the end."""
        for _ in range(12):
            location = answer.headers.get("Location", "")
            if 'id="code-submit"' in answer.text:
                answer = enter(browser, answer, self.phone.code())
            elif 'id="login-submit"' in answer.text:
                answer = browser.submit(answer, "/sign-in", username=self.name, password=PASSWORD)
            elif 'id="consent-allow"' in answer.text:
                answer = browser.submit(answer, "/consent", answer="allow")
            elif location.startswith("/"):
                answer = browser.http.get(location)
            else:
                return returned(answer)
        raise AssertionError("the pages go round in circles")

    def opens(self, browser: Browser, rp: Rp, **more: str) -> None:
        """Sign in to an app, which gets its tokens."""
        given = self.goes_on(browser, browser.authorize(rp, **more))
        answer = rp.redeem(given["code"], browser.verifier)
        assert answer.status_code == 200, answer.text


def enter(browser: Browser, page: TestResponse, code: str, **more: str) -> TestResponse:
    """Type a code on the page that asks for it."""
    return browser.submit(page, "/sign-in/code", code=code, **more)


def on_paper(browser: Browser, page: TestResponse, code: str) -> TestResponse:
    """Type a recovery code instead."""
    return enter(browser, page, code, way="recovery")


def at_home(browser: Browser) -> bool:
    """Whether somebody is signed in in this browser."""
    return browser.http.get("/account").status_code == 200


def lately(browser: Browser) -> str:
    """What happened lately, as text."""
    page = browser.http.get("/account").text.partition("What happened lately")[2]
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


@contextmanager
def house_of(data_dir: Path, **settings: str) -> Iterator[World]:
    """A provider that many tests share, each with somebody of its own."""
    made = make_world(data_dir, IDP_THROTTLE__SIGN_INS="100000", **settings)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()
