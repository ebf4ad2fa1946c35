"""A guard without credentials, that looks into the status list of a real provider."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import httpx
import pytest

from idp.crypto import jose
from idp.domain.sign_out import Because
from idp.guard import Guard, Refused
from idp.guard.needs import Need
from idp.store import db
from tests.support.spec import spec
from tests.support.world import API, Browser, World, make_world

SCOPE = "notes:read"
DRAFT = "draft-ietf-oauth-status-list"


@dataclass
class Line(httpx.BaseTransport):
    """The way to the provider: what was asked, and whether anybody answers."""

    world: World
    asked: list[str] = field(default_factory=list)
    cut: bool = False
    forges: bool = False
    cached: str | None = None
    made: str = ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.cut:
            raise httpx.ConnectError("nobody answers")
        answer = httpx.WSGITransport(app=self.world.app).handle_request(request)
        if not request.url.path.startswith("/status-lists/"):
            return answer
        self.made = answer.read().decode()
        if self.cached is not None:
            return httpx.Response(200, text=self.cached)
        return httpx.Response(200, text=self.made[:-6] + "AAAAAA") if self.forges else answer

    @property
    def lists(self) -> int:
        return sum(path.startswith("/status-lists/") for path in self.asked)


@dataclass
class Offline:
    """An API that checks offline, and an app whose person has signed in."""

    world: World
    line: Line
    guard: Guard
    tokens: dict[str, str]
    client_id: str

    @property
    def need(self) -> Need:
        return self.guard.need(SCOPE, freshness="status_list")

    def lets_in(self, token: str | None = None) -> bool:
        try:
            self.calls(token)
        except Refused as refused:
            if refused.status != 401:
                raise
            return False
        return True

    def calls(self, token: str | None = None) -> list[tuple[str, str]]:
        given = token or self.tokens["access_token"]
        access = self.guard.check(
            [f"Bearer {given}"], [SCOPE], method="GET", url="/notes", freshness="status_list"
        )
        return self.guard.headers(access, debug=True)

    def later(self, seconds: float) -> None:
        self.world.clock.advance(seconds=seconds)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("lists"))
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def browser(world: World) -> Browser:
    return world.browser()


@pytest.fixture
def offline(world: World, browser: Browser) -> Iterator[Offline]:
    with world.app.app_context():
        world.op.resources.add(
            API, "API", {SCOPE: "Read"}, ("jti_denylist",), world.clock.now, status_list=True
        )
        db.session.commit()
    rp = world.rp()
    tokens = browser.tokens(rp, scope=f"openid {SCOPE}", resource=API)
    line = Line(world)
    guard = Guard(
        "https://op.test",
        API,
        http=httpx.Client(transport=line),
        clock=world.clock,
        ticks=partial(_elapsed, world),
    )
    yield Offline(world, line, guard, tokens, rp.client_id)
    guard.close()


def _elapsed(world: World) -> float:
    return world.clock.now.timestamp()


def sign_out(offline: Offline) -> None:
    with offline.world.app.app_context():
        op, now = offline.world.op, offline.world.clock.now
        op.sign_outs.everywhere(op.accounts.list()[0].id, Because("signed_out", "person"), now)
        db.session.commit()


def list_made_now(offline: Offline) -> str:
    """What a cache between us and the provider would keep from now on."""
    claims = jose.claims_of(offline.tokens["access_token"])
    answer = offline.world.app.test_client().get(claims["status"]["status_list"]["uri"])
    return str(answer.text)


@spec(f"{DRAFT} section 8.3", "P4")
def test_a_sign_out_counts_when_the_list_is_fetched_again(offline: Offline) -> None:
    before = offline.lets_in()
    sign_out(offline)
    within = offline.lets_in()
    offline.later(30)

    assert (before, within) == (True, True)
    assert not offline.lets_in()


@spec(f"{DRAFT} section 13.7")
def test_a_list_is_fetched_once_while_it_is_fresh(offline: Offline) -> None:
    for _ in range(3):
        offline.calls()
        offline.later(9)
    within = offline.line.lists
    offline.later(3)
    offline.calls()

    assert (within, offline.line.lists) == (1, 2)


@spec("P5", f"{DRAFT} section 13.7")
def test_a_list_that_cannot_be_fetched_counts_until_it_expires_and_no_longer(
    offline: Offline,
) -> None:
    offline.calls()
    offline.line.cut = True
    offline.later(59)
    still = offline.lets_in()
    offline.later(1)

    with pytest.raises(Refused) as refused:
        offline.calls()
    assert still
    assert (refused.value.status, refused.value.retry_after) == (503, 1)


@spec("P5")
def test_without_any_list_nobody_is_let_in(offline: Offline) -> None:
    offline.guard.check(
        [f"Bearer {offline.tokens['access_token']}"],
        [SCOPE],
        method="GET",
        url="/notes",
        freshness="offline",
    )
    offline.line.cut = True

    for _ in range(3):
        with pytest.raises(Refused) as refused:
            offline.calls()
        assert refused.value.status == 503
    assert offline.line.lists == 1


@spec("C.4", f"{DRAFT} section 8.3")
def test_an_older_list_from_another_cache_takes_nothing_back(offline: Offline) -> None:
    offline.calls()
    oldest = offline.line.made
    sign_out(offline)
    offline.later(20)
    offline.line.cached = list_made_now(offline)
    offline.later(10)
    told = offline.lets_in()

    offline.line.cached = oldest
    offline.later(25)

    assert not told
    assert not offline.lets_in()


@spec("P8")
def test_an_answer_says_how_old_the_list_was(offline: Offline) -> None:
    first = offline.calls()
    offline.later(12)

    assert first == [("Guard-Freshness", "status_list; staleness=0.000")]
    assert offline.calls() == [("Guard-Freshness", "status_list; staleness=12.000")]


@spec("P5")
def test_a_token_that_stands_in_no_list_is_refused(offline: Offline, browser: Browser) -> None:
    world = offline.world
    with world.app.app_context():
        world.op.resources.add(API, "API", {SCOPE: "Read"}, ("jti_denylist",), world.clock.now)
        db.session.commit()
    without = browser.tokens(world.rp(), scope=f"openid {SCOPE}", resource=API)

    assert not offline.lets_in(without["access_token"])
    assert not offline.lets_in("at_a_handle_says_nothing")


@spec("P1")
def test_a_client_that_is_disabled_is_out_at_the_next_list(offline: Offline) -> None:
    offline.calls()
    with offline.world.app.app_context():
        offline.world.op.clients.disable(offline.client_id, offline.world.clock.now)
        db.session.commit()
    offline.later(30)

    assert not offline.lets_in()


@spec("RSG-10")
def test_without_credentials_a_route_is_offline_or_looks_into_lists(offline: Offline) -> None:
    assert offline.need.freshness == "status_list"
    for freshness in ("feed", "introspect"):
        with pytest.raises(ValueError, match="status_list"):
            offline.guard.need(SCOPE, freshness=freshness)


@spec("P5")
def test_a_list_whose_signature_does_not_hold_is_no_list(offline: Offline) -> None:
    offline.line.forges = True

    with pytest.raises(Refused) as refused:
        offline.calls()
    assert refused.value.status == 503
