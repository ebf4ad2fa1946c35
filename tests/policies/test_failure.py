"""What each policy does at a guard when nobody answers: unknown means no (promise P5)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from idp.guard import Guard, Refused
from idp.policies import Asks, PolicySet
from tests.policies.conftest import Signed, Stage, companies, named
from tests.support.issuer import wait_until
from tests.support.spec import spec

pytestmark = pytest.mark.slow

PATIENCE = 10.0


@dataclass
class Wire(httpx.BaseTransport):
    """The way to the real provider, which can be cut."""

    onward: httpx.WSGITransport
    cut: bool = False
    passed: float = field(default=1000.0)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut")
        return self.onward.handle_request(request)

    def ticks(self) -> float:
        return self.passed


@dataclass
class Api:
    """An API of one company of policies, and somebody who calls it."""

    stage: Stage
    signed: Signed
    guard: Guard
    wire: Wire

    @property
    def is_handle(self) -> bool:
        """Whether the token says nothing to who cannot ask."""
        return "." not in self.signed.given["access_token"]

    def status(self, freshness: str = "feed") -> int:
        """What a call with a good token comes to."""
        token, scheme, dpop = self.signed.given["access_token"], "Bearer", []
        url = f"{self.signed.resource}/notes"
        if self.signed.access.jkt is not None:
            scheme, now = "DPoP", self.stage.world.clock.now
            dpop = [self.stage.prover.proof("GET", url, now, token=token)]
        try:
            self.guard.check(
                [f"{scheme} {token}"],
                ["notes:read"],
                method="GET",
                url=url,
                dpop=dpop,
                freshness=freshness,
            )
        except Refused as refused:
            return refused.status
        return 200


@pytest.fixture(params=companies(), ids=named)
def api(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Api]:
    signed = stage.signs_in(request.param)
    client = stage.world.machine(
        "API", grant_types=["client_credentials"], serves=[signed.resource]
    )
    wire = Wire(httpx.WSGITransport(app=stage.world.app))
    guard = Guard(
        "https://op.test",
        signed.resource,
        client_id=client.client_id,
        client_secret=client.secret,
        http=httpx.Client(transport=wire),
        clock=stage.world.clock,
        ticks=wire.ticks,
    )
    guard.start()
    wait_until(lambda: guard.health()["fresh"])
    yield Api(stage, signed, guard, wire)
    wire.cut = True
    guard.close()


@spec("P5", "RSG-11")
def test_when_all_is_silent_nobody_is_let_through_who_would_have_to_be_asked_about(
    api: Api,
) -> None:
    asks = PolicySet.named(api.signed.access.policies).asks
    assert api.status() == 200

    api.wire.cut = True
    at_first = api.status()
    api.wire.passed += PATIENCE
    later = api.status()

    assert at_first == (503 if asks > Asks.FEED else 200)
    assert later == 503
    assert api.status(freshness="offline") == (401 if api.is_handle else 200)
