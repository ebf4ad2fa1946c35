"""Ten policies, a table of cases: what each says of one token in each situation."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from idp.policies import (
    POLICIES,
    Asks,
    Contradiction,
    Draft,
    Ends,
    PolicySet,
    Presented,
    TokenFacts,
    UnknownPolicy,
    Unmintable,
)
from idp.policies.model import Deny, Forget, Touch

HERE, THERE = "https://here.test", "https://there.test"
UNTIL = datetime(2030, 1, 1, tzinfo=UTC)
TOKEN = TokenFacts(
    jti="j1", sub="ann", client_id="rp", audiences=frozenset({HERE}), expires_at=UNTIL, jkt="k1"
)
FOR_BOTH = TOKEN._replace(audiences=frozenset({HERE, THERE}))
UNBOUND = TOKEN._replace(jkt=None)
CERTIFIED = TOKEN._replace(jkt=None, x5t="c1")
TWICE = TOKEN._replace(x5t="c1")
OLD = TOKEN._replace(policies=frozenset({"short_jwt"}))
NEW = TOKEN._replace(policies=frozenset({"jti_denylist"}))
SEEN = Presented(resource=HERE, proven_jkt="k1")
NO_PROOF = Presented(resource=HERE)
OTHER_KEY = Presented(resource=HERE, proven_jkt="k2")
SHOWN = Presented(resource=HERE, proven_x5t="c1")
OTHER_CERTIFICATE = Presented(resource=HERE, proven_jkt="k1", proven_x5t="c2")
BOTH = Presented(resource=HERE, proven_jkt="k1", proven_x5t="c1")
ELSEWHERE = Presented(resource=THERE, proven_jkt="k1")
DRAFT = Draft(lifetime=timedelta(hours=1), audiences=(HERE,), jkt="k1")


@dataclass(frozen=True)
class Is:
    """What is alive."""

    listed: bool = True
    taken_back: bool = False
    open: bool = True

    def allowed(self, jti: str) -> bool:
        assert jti == "j1"
        return self.listed

    def denied(self, jti: str) -> bool:
        assert jti == "j1"
        return self.taken_back

    def session_open(self, token: TokenFacts) -> bool:
        assert token.jti == "j1"
        return self.open


FINE, UNLISTED, TAKEN_BACK, OVER = Is(), Is(listed=False), Is(taken_back=True), Is(open=False)

CASES = [
    ("short_jwt", TOKEN, SEEN, FINE, None),
    ("short_jwt", TOKEN, NO_PROOF, Is(listed=False, taken_back=True, open=False), None),
    ("allow_list", TOKEN, SEEN, FINE, None),
    ("allow_list", TOKEN, SEEN, UNLISTED, "not listed"),
    ("allow_list", TOKEN, SEEN, OVER, None),
    ("rotation", TOKEN, SEEN, OVER, None),
    ("opaque", TOKEN, SEEN, FINE, None),
    ("opaque", TOKEN, SEEN, UNLISTED, "ended"),
    ("sliding", TOKEN, SEEN, FINE, None),
    ("sliding", TOKEN, SEEN, UNLISTED, None),
    ("sliding", TOKEN, SEEN, OVER, "session over"),
    ("jti_denylist", NEW, SEEN, FINE, None),
    ("jti_denylist", NEW, SEEN, TAKEN_BACK, "listed"),
    ("jti_denylist", NEW, SEEN, OVER, None),
    ("jti_denylist", OLD, SEEN, FINE, None),
    ("jti_denylist", OLD, SEEN, OVER, "session over"),
    ("session_state", TOKEN, SEEN, FINE, None),
    ("session_state", TOKEN, SEEN, OVER, "session over"),
    ("session_state", TOKEN, SEEN, TAKEN_BACK, None),
    ("per_audience", TOKEN, SEEN, FINE, None),
    ("per_audience", TOKEN, ELSEWHERE, FINE, "another audience"),
    ("per_audience", FOR_BOTH, SEEN, FINE, "another audience"),
    ("device_bound", CERTIFIED, SHOWN, FINE, None),
    ("device_bound", CERTIFIED, OTHER_CERTIFICATE, FINE, "no proof of its key"),
    ("device_bound", CERTIFIED, NO_PROOF, FINE, "no proof of its key"),
    ("device_bound", TWICE, BOTH, FINE, None),
    ("device_bound", TWICE, SEEN, FINE, "no proof of its key"),
    ("device_bound", TWICE, SHOWN, FINE, "no proof of its key"),
    ("device_bound", TOKEN, SEEN, OVER, None),
    ("device_bound", TOKEN, NO_PROOF, FINE, "no proof of its key"),
    ("device_bound", TOKEN, OTHER_KEY, FINE, "no proof of its key"),
    ("device_bound", UNBOUND, NO_PROOF, FINE, "no proof of its key"),
    ("sso", TOKEN, SEEN, FINE, None),
    ("sso", TOKEN, SEEN, OVER, "session over"),
]

# what it asks, how soon it ends, who may name it, what a sign-out and a use do to a token
PROMISES = {
    "short_jwt": (Asks.NOTHING, Ends.AT_EXPIRY, "access", [], []),
    "allow_list": (Asks.LIST, Ends.AT_ONCE, "access", [Forget("j1")], []),
    "rotation": (Asks.NOTHING, Ends.PARTNER, "lines", [], []),
    "opaque": (Asks.PROVIDER, Ends.AT_ONCE, "access", [Forget("j1")], []),
    "sliding": (Asks.PROVIDER, Ends.AT_ONCE, "both", [], [Touch(TOKEN)]),
    "jti_denylist": (Asks.FEED, Ends.FEED, "access", [Deny("j1", until=UNTIL)], []),
    "session_state": (Asks.FEED, Ends.FEED, "access", [], []),
    "per_audience": (Asks.NOTHING, Ends.PARTNER, "both", [], []),
    "device_bound": (Asks.NOTHING, Ends.PARTNER, "both", [], []),
    "sso": (Asks.FEED, Ends.FEED, "both", [], []),
}


@pytest.mark.parametrize(("name", "token", "seen", "live", "reason"), CASES)
def test_a_verdict(
    name: str, token: TokenFacts, seen: Presented, live: Is, reason: str | None
) -> None:
    refusal = PolicySet.named([name]).check(token, seen, live)

    assert (refusal.reason if refusal is not None else None) == reason


@pytest.mark.parametrize("name", POLICIES)
def test_a_promise(name: str) -> None:
    asks, ends, whose, on_sign_out, on_use = PROMISES[name]
    policy, alone = POLICIES[name], PolicySet.named([name])

    assert (policy.asks, policy.ends) == (asks, ends)
    assert (policy.for_lines, policy.for_access) == (whose != "access", whose != "lines")
    assert alone.on_sign_out(TOKEN) == on_sign_out
    assert alone.on_use(TOKEN) == on_use


@pytest.mark.parametrize(
    ("name", "shaped"),
    [
        ("short_jwt", replace(DRAFT, lifetime=timedelta(minutes=15))),
        ("allow_list", replace(DRAFT, listed=True, tracked=True)),
        ("rotation", DRAFT),
        ("opaque", replace(DRAFT, opaque=True, listed=True, tracked=True)),
        ("sliding", DRAFT),
        ("jti_denylist", replace(DRAFT, tracked=True)),
        ("session_state", replace(DRAFT, minimal=True)),
        ("per_audience", DRAFT),
        ("device_bound", DRAFT),
        ("sso", DRAFT),
    ],
)
def test_the_shape_of_a_token(name: str, shaped: Draft) -> None:
    assert PolicySet.named([name]).draft(DRAFT) == shaped


@pytest.mark.parametrize(
    ("name", "draft", "code"),
    [
        ("per_audience", replace(DRAFT, audiences=(HERE, THERE)), "invalid_target"),
        ("per_audience", replace(DRAFT, audiences=()), "invalid_target"),
        ("device_bound", replace(DRAFT, jkt=None), "invalid_dpop_proof"),
    ],
)
def test_a_token_that_cannot_be(name: str, draft: Draft, code: str) -> None:
    with pytest.raises(Unmintable) as refused:
        PolicySet.named(["short_jwt", name]).draft(draft)

    assert refused.value.code == code


def test_several_are_as_strict_as_the_strictest_and_as_quick_as_the_quickest() -> None:
    several = PolicySet.named(["short_jwt", "sso", "allow_list", "sso"])

    assert several.names == ("short_jwt", "sso", "allow_list")
    assert (several.asks, several.ends) == (Asks.LIST, Ends.AT_ONCE)
    assert several.on_sign_out(TOKEN) == [Forget("j1")]


@pytest.mark.parametrize("names", [(), ("rotation",), ("per_audience", "device_bound")])
def test_without_a_policy_that_ends_it_a_token_runs_out(names: tuple[str, ...]) -> None:
    nothing = PolicySet.named(names)

    assert (nothing.asks, nothing.ends) == (Asks.NOTHING, Ends.AT_EXPIRY)


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (("rotation",), {"rotates"}),
        (("device_bound", "short_jwt"), {"binds"}),
        (("per_audience", "sso"), {"alone"}),
        (("sliding", "short_jwt"), {"slides"}),
        (("session_state", "short_jwt"), {"roles"}),
        (("short_jwt", "sso"), set()),
    ],
)
def test_what_a_set_asks_of_the_provider(names: tuple[str, ...], asked: set[str]) -> None:
    found = PolicySet.named(names)

    wishes = {"rotates", "binds", "alone", "slides", "roles"}
    assert {wish for wish in wishes if getattr(found, wish)} == asked


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("opaque", "short_jwt"), "opaque and short_jwt contradict each other"),
        (("session_state", "opaque"), "opaque and session_state contradict each other"),
        (("jti_denylist", "allow_list"), "allow_list and jti_denylist contradict each other"),
        (("rotation", "short_jwt"), "rotation is not a policy that a resource can have"),
    ],
)
def test_what_cannot_be_together_at_a_resource(names: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(Contradiction, match=sentence):
        PolicySet.for_resource(names)


def test_what_cannot_be_named_at_all() -> None:
    with pytest.raises(Contradiction, match="opaque is not a policy that a client can have"):
        PolicySet.for_client(["rotation", "opaque"])
    with pytest.raises(UnknownPolicy, match="there is no policy 'luck'; there are allow_list, "):
        PolicySet.named(["luck"])


def test_what_fits_together_is_taken_as_it_is() -> None:
    assert PolicySet.for_client(["rotation", "sso"]).names == ("rotation", "sso")
    assert PolicySet.for_resource(["device_bound", "opaque"]).names == ("device_bound", "opaque")
