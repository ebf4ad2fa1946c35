"""A guard and the real provider, each its own server: after a sign-out the API is closed."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from idp.domain.sign_out import Because
from idp.guard import Guard, Refused
from idp.policies.model import Asks
from idp.store import db
from tests.support.issuer import call, refusal, wait_until
from tests.support.served import Served, served
from tests.support.services import Redis
from tests.support.spec import spec
from tests.support.world import Rp

pytestmark = pytest.mark.slow

SCOPE = "notes:read"
AT_ONCE = 3.0  # on a busy machine; what it really takes, `make bench` says


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("guard")) as place:
        place.world.person()
        yield place


class Api:
    """An API with these policies, its guard, and an app whose person has signed in."""

    def __init__(self, place: Served, *policies: str, redis_url: str | None = None) -> None:
        self.place, self.world = place, place.world
        self.audience = f"https://{'-'.join(policies).replace('_', '-') or 'plain'}.test"
        self.client = self.world.api(self.audience, **{SCOPE: "Read"})
        self.become(*policies)
        self.rp: Rp = self.world.rp()
        self.browser = self.world.browser()
        self.given: dict[str, Any] = self.browser.tokens(
            self.rp, scope=f"openid {SCOPE}", resource=self.audience
        )
        self.token: str = self.given["access_token"]
        self.guard = Guard(
            place.url,
            self.audience,
            client_id=self.client.client_id,
            client_secret=self.client.secret,
            redis_url=redis_url,
        )
        self.guard.start()
        wait_until(lambda: self.guard.health()["fresh"])

    def become(self, *policies: str) -> None:
        with self.world.app.app_context():
            self.world.op.resources.add(
                self.audience, "API", {SCOPE: "Read"}, policies, self.world.clock.now
            )
            db.session.commit()

    def sign_out_everywhere(self) -> None:
        with self.world.app.app_context():
            who = self.world.op.accounts.list()[0].id
            self.world.op.sign_outs.everywhere(who, Because("test", "test"), self.world.clock.now)
            db.session.commit()

    def closed(self) -> bool:
        try:
            call(self.guard, self.token)
        except Refused as refused:
            return refused.error == "invalid_token"
        return False


@pytest.fixture
def make(place: Served) -> Iterator[Any]:
    made: list[Api] = []

    def make(*policies: str) -> Api:
        made.append(Api(place, *policies))
        return made[-1]

    yield make
    for api in made:
        api.guard.close()


@spec("P1", "P4")
@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        ("short_jwt", Asks.FEED),
        ("allow_list", Asks.PROVIDER),
        ("opaque", Asks.PROVIDER),
        ("sliding", Asks.PROVIDER),
        ("jti_denylist", Asks.FEED),
        ("session_state", Asks.FEED),
        ("per_audience", Asks.FEED),
        ("sso", Asks.FEED),
    ],
)
def test_signing_out_everywhere_closes_the_api(make: Any, policy: str, asked: Asks) -> None:
    api = make(policy)
    call(api.guard, api.token)
    assert call(api.guard, api.token).asked is asked

    api.sign_out_everywhere()

    wait_until(api.closed, AT_ONCE)
    assert api.guard.health()["trouble"] is None


@spec("REV-03", "RFC 7009 section 2.1")
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_a_token_that_its_app_takes_back_is_refused(make: Any, which: str) -> None:
    api = make("jti_denylist")
    call(api.guard, api.token)

    api.rp.post("/revoke", token=api.given[which])

    wait_until(api.closed, AT_ONCE)


@spec("CLK-04")
def test_who_signs_in_again_in_the_same_second_is_let_in(make: Any) -> None:
    api = make("sso")
    api.sign_out_everywhere()

    again = api.world.browser().tokens(api.rp, scope=f"openid {SCOPE}", resource=api.audience)

    wait_until(api.closed, AT_ONCE)
    assert call(api.guard, again["access_token"]).asked is Asks.FEED


def test_a_role_that_is_taken_away_is_gone_at_the_next_call(make: Any) -> None:
    api = make("session_state")
    roles(api, "editor")
    assert call(api.guard, api.token, roles=["editor"]).roles == {"editor"}

    roles(api, "reader")

    wait_until(lambda: call(api.guard, api.token).roles == {"reader"}, AT_ONCE)
    assert refusal(api.guard, api.token, roles=["editor"]).status == 403
    assert call(api.guard, api.token, roles=["reader"]).asked is Asks.FEED


def roles(api: Api, *names: str) -> None:
    with api.world.app.app_context():
        who = api.world.op.accounts.list()[0].id
        api.world.op.resources.roles.set(
            who, api.audience, roles=names, permissions=(), now=api.world.clock.now
        )
        db.session.commit()


def test_a_policy_that_the_operator_adds_counts_for_the_tokens_that_are_out(make: Any) -> None:
    api = make("short_jwt")
    assert call(api.guard, api.token).asked is Asks.FEED

    api.become("sliding")

    wait_until(lambda: call(api.guard, api.token).asked is Asks.PROVIDER, AT_ONCE)


@pytest.fixture(scope="module")
def with_redis(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("redis"), IDP_REDIS_URL=redis.url) as place:
        place.world.person()
        yield place


@spec("P4", "F-08")
@pytest.mark.parametrize(
    ("policy", "asked"), [("jti_denylist", Asks.FEED), ("allow_list", Asks.LIST)]
)
def test_through_redis_the_api_is_closed_as_well(
    with_redis: Served, redis: Redis, policy: str, asked: Asks
) -> None:
    api = Api(with_redis, policy, redis_url=redis.url)
    assert call(api.guard, api.token).asked is asked

    api.sign_out_everywhere()

    wait_until(api.closed, AT_ONCE)
    assert api.guard.health()["trouble"] is None
    api.guard.close()


@spec("P4")
def test_news_through_redis_come_before_the_issuer_is_asked_again(
    with_redis: Served, redis: Redis
) -> None:
    api = Api(with_redis, "sso", redis_url=redis.url)
    took = []
    for _ in range(5):
        api.token = api.world.browser().tokens(
            api.rp, scope=f"openid {SCOPE}", resource=api.audience
        )["access_token"]
        call(api.guard, api.token)
        api.sign_out_everywhere()
        began = time.monotonic()
        wait_until(api.closed, AT_ONCE)
        took.append(time.monotonic() - began)

    assert min(took) < 0.2
    api.guard.close()
