"""Provider and guard give one verdict: the guard follows the real provider, which is brought
into states that nobody has chosen by hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.crypto.confirmation import Confirmation
from idp.domain.sign_out import Because
from idp.domain.tokens import Order
from idp.guard import Guard, Refused
from idp.policies import POLICIES, Contradiction, PolicySet, Presented, Unmintable
from idp.store import db
from tests.policies.conftest import Signed, Stage
from tests.support.issuer import wait_until
from tests.support.prover import Prover
from tests.support.spec import spec

AT_APIS = sorted(policy.name for policy in POLICIES.values() if policy.for_access)
STRANGER = Prover()


@dataclass
class Api:
    """An API in front of whose guard somebody stands, with a browser that is signed in."""

    stage: Stage
    signed: Signed
    guard: Guard

    @property
    def resource(self) -> str:
        return self.signed.resource

    def head(self) -> int:
        """How far the feed has come."""
        with self.stage.world.app.app_context():
            return self.stage.world.op.sign_outs.feed.look().seq

    def catch_up(self) -> None:
        """The guard has heard everything."""
        head = self.head()
        wait_until(lambda: self.guard.health()["fresh"] and self.guard.health()["seq"] >= head)


@pytest.fixture(scope="module")
def api(stage: Stage) -> Iterator[Api]:
    signed = stage.signs_in(("short_jwt",))
    world, resource = stage.world, signed.resource
    client = world.machine("API", grant_types=["client_credentials"], serves=[resource])
    guard = Guard(
        "https://op.test",
        resource,
        client_id=client.client_id,
        client_secret=client.secret,
        http=httpx.Client(transport=httpx.WSGITransport(app=world.app)),
        clock=world.clock,
    )
    guard.start()
    made = Api(stage, signed, guard)
    made.catch_up()
    yield made
    guard.close()


@st.composite
def policies_of_a_token(draw: st.DrawFn) -> tuple[str, ...]:
    """Any policies that can stand together at an API."""
    names = draw(st.lists(st.sampled_from(AT_APIS), min_size=1, max_size=4, unique=True))
    try:
        return PolicySet.for_resource(names).names
    except Contradiction:
        return (names[0],)


@dataclass(frozen=True)
class State:
    """What is alive, and who comes with the token."""

    listed: bool
    denied: bool
    open: bool
    other_key: bool
    other_api_too: bool


STATES = st.builds(
    State,
    listed=st.booleans(),
    denied=st.booleans(),
    open=st.booleans(),
    other_key=st.booleans(),
    other_api_too=st.booleans(),
)


def mint(api: Api, line_id: str, names: tuple[str, ...], state: State) -> str:
    """A token of this line, brought into its state."""
    world, policies = api.stage.world, PolicySet.named(names)
    signed = api.signed.access
    audiences = (api.resource, "https://other.test") if state.other_api_too else (api.resource,)
    claims = {name: signed.claims[name] for name in ("sub", "client_id", "scope", "gen", "sid")}
    with world.app.app_context():
        order = Order(
            claims={**claims, "line": line_id},
            audiences=audiences,
            policies=policies,
            bound_to=Confirmation(jkt=api.stage.prover.jkt if policies.binds else None),
        )
        op, now = world.op, world.clock.now
        minted = op.tokens.mint_access(order, now)
        access = op.tokens.read_access(minted.value, now)
        assert access is not None
        if not state.listed:
            op.tokens.issued.forget(access, now)
        if state.denied:
            op.tokens.deny(access, now)
        line = op.grants.line(line_id)
        if not state.open and line is not None:
            op.sign_outs.line(line, Because("revoked", "test"), now)
        db.session.commit()
    return minted.value


def provider_says(api: Api, token: str, key: Prover | None) -> bool:
    """The verdict of the provider for a caller with this key."""
    world = api.stage.world
    with world.app.app_context():
        access = world.op.tokens.read_access(token, world.clock.now)
        assert access is not None
        seen = Presented(resource=api.resource, proven_jkt=key.jkt if key else None)
        return world.op.tokens.judge(access, seen, ("short_jwt",), world.clock.now) is None


def guard_says(api: Api, token: str, key: Prover | None) -> bool:
    """The verdict of the guard for the same caller."""
    scheme, dpop, url = "Bearer", [], f"{api.resource}/notes"
    if key is not None:
        scheme = "DPoP"
        dpop = [key.proof("GET", url, api.stage.world.clock.now, token=token)]
    try:
        api.guard.check([f"{scheme} {token}"], ["notes:read"], method="GET", url=url, dpop=dpop)
    except Refused:
        return False
    return True


def fresh_line(api: Api) -> str:
    """Another line in the browser that is signed in already."""
    signed = api.signed
    code = signed.browser.code(signed.rp, scope="openid notes:read", resource=signed.resource)
    given = signed.rp.redeem(code, signed.browser.verifier, resource=signed.resource).json
    access = api.stage.reads(given["access_token"])
    assert access is not None
    return str(access.line_id)


@spec("P1", "house section 4")
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(names=policies_of_a_token(), state=STATES)
def test_provider_and_guard_give_one_verdict(
    api: Api, names: tuple[str, ...], state: State
) -> None:
    key = api.stage.prover if PolicySet.named(names).binds else None
    try:
        token = mint(api, fresh_line(api), names, state)
    except Unmintable:
        assert state.other_api_too
        return
    if key is not None and state.other_key:
        key = STRANGER

    api.catch_up()

    assert guard_says(api, token, key) is provider_says(api, token, key)


@spec("P1")
@pytest.mark.parametrize("names", [(name,) for name in AT_APIS], ids="".join)
@pytest.mark.parametrize(
    "state",
    [
        State(listed=True, denied=False, open=True, other_key=False, other_api_too=False),
        State(listed=True, denied=False, open=False, other_key=False, other_api_too=False),
    ],
    ids=["open", "over"],
)
def test_both_let_a_live_token_in_and_neither_one_that_is_over(
    api: Api, names: tuple[str, ...], state: State
) -> None:
    key = api.stage.prover if PolicySet.named(names).binds else None
    token = mint(api, fresh_line(api), names, state)

    api.catch_up()

    assert guard_says(api, token, key) is state.open
    assert provider_says(api, token, key) is state.open


@spec("design section 4")
def test_a_guard_hears_which_policies_hold_when_its_api_names_none(stage: Stage) -> None:
    nameless = stage.api(())
    client = stage.world.machine("API", grant_types=["client_credentials"], serves=[nameless])

    heard = client.world.http().get("/feed?guard=g", auth=(client.client_id, client.secret)).json

    assert heard["policies"] == {nameless: list(stage.world.op.rules.resource_policies)}
