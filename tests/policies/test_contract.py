"""Every policy is held to its word, and so is any that a newcomer adds: no test here knows one
by name, but for what only one of them promises.
"""

from datetime import timedelta

import pytest

from idp.guard.live import NOBODY, THE_ISSUER
from idp.guard.wire import Unanswered
from idp.policies import POLICIES, Asks, Ends, Live, Policy, PolicySet, Refuse
from tests.policies.conftest import Signed, Stage, companies, named
from tests.support.spec import spec

EVERY = list(POLICIES.values())
COMPANIES = companies()


def by_itself(stage: Stage, signed: Signed) -> str | None:
    """The verdict of the policies alone, without the gate that the provider asks first."""
    access = signed.access
    with stage.world.app.app_context():
        standing = stage.world.op.tokens.standing(access, stage.world.clock.now)
        refusal = PolicySet.named(access.policies).check(access.facts, signed.proven, standing)
    return refusal.reason if refusal is not None else None


@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_a_policy_says_what_it_is_and_whose(policy: Policy) -> None:
    assert POLICIES[policy.name] is policy
    assert policy.summary.endswith(".")
    assert len(policy.summary) < 80
    assert policy.for_lines or policy.for_access
    assert type(policy).__doc__


@spec("P1", "P4")
@pytest.mark.parametrize("names", COMPANIES, ids=named)
def test_the_provider_refuses_from_the_sign_out_on_whatever_the_policy(
    stage: Stage, names: tuple[str, ...]
) -> None:
    signed = stage.signs_in(names)
    assert stage.judged(signed, names) is None

    signed.signs_out()

    assert stage.judged(signed, names) is not None


@spec("P4")
@pytest.mark.parametrize("names", COMPANIES, ids=named)
def test_a_token_ends_as_its_policies_have_promised(stage: Stage, names: tuple[str, ...]) -> None:
    signed = stage.signs_in(names)
    assert by_itself(stage, signed) is None

    signed.signs_out()

    ended = by_itself(stage, signed) is not None
    assert ended is (PolicySet.named(names).ends in (Ends.AT_ONCE, Ends.FEED))


@spec("P4")
@pytest.mark.parametrize("names", COMPANIES, ids=named)
def test_who_asks_nobody_lets_it_through_until_it_expires_and_no_longer(
    stage: Stage, names: tuple[str, ...]
) -> None:
    signed = stage.signs_in(names)
    policies, access = PolicySet.named(names), signed.access
    signed.signs_out()

    assert policies.check(access.facts, signed.proven, NOBODY) is None
    assert access.facts.expires_at <= stage.world.clock.now + timedelta(minutes=15)
    stage.world.clock.now = access.facts.expires_at
    assert stage.reads(signed.given["access_token"]) is None


@spec("P5")
@pytest.mark.parametrize("names", COMPANIES, ids=named)
def test_policies_that_ask_and_get_no_answer_let_nobody_in(
    stage: Stage, names: tuple[str, ...]
) -> None:
    signed, policies = stage.signs_in(names), PolicySet.named(names)

    def verdict(live: Live) -> Refuse | None:
        return policies.check(signed.access.facts, signed.proven, live)

    assert verdict(THE_ISSUER) is None
    if policies.asks is Asks.NOTHING:
        assert verdict(Silent()) is None
    else:
        with pytest.raises(Unanswered):
            verdict(Silent())


class Silent:
    """Nobody who could be asked answers."""

    def allowed(self, jti: str) -> bool:
        raise Unanswered(jti)

    def denied(self, jti: str) -> bool:
        raise Unanswered(jti)

    def session_open(self, token: object) -> bool:
        raise Unanswered(str(token))
