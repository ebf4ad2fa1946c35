"""A policy decides and does nothing else: no clock, no network, no store, nothing remembered."""

import ast
import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idp.policies import POLICIES, Draft, Policy, PolicySet, Presented, TokenFacts, Unmintable
from tests.support.spec import spec

EVERY = list(POLICIES.values())
ALLOWED = {"dataclasses", "datetime", "typing", "idp.policies.model"}
FORBIDDEN_CALLS = {"now", "utcnow", "today", "open", "print", "eval", "exec", "__import__"}
FACTS = TokenFacts(
    jti="j1",
    sub="ann",
    client_id="rp",
    audiences=frozenset({"https://api.test"}),
    expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    sid="s1",
    line="l1",
    generation=1,
    jkt="k1",
)
SEEN = Presented(resource="https://api.test", proven_jkt="k1")
DRAFT = Draft(lifetime=timedelta(minutes=5), audiences=("https://api.test",), jkt="k1")


class Noted:
    """Answers always the same, and can be compared."""

    def __init__(self, good: bool) -> None:
        self.good = good

    def allowed(self, jti: str) -> bool:
        return self.good

    def denied(self, jti: str) -> bool:
        return not self.good

    def session_open(self, token: TokenFacts) -> bool:
        return self.good


def tree(policy: Policy) -> ast.Module:
    """The source of the file that the policy is in."""
    source = importlib.import_module(type(policy).__module__).__file__
    assert source is not None
    return ast.parse(Path(source).read_text())


@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_its_file_imports_nothing_that_knows_the_time_or_the_world(policy: Policy) -> None:
    imported = set()
    for node in ast.walk(tree(policy)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))

    assert imported <= ALLOWED


@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_its_file_calls_no_clock_and_opens_nothing(policy: Policy) -> None:
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree(policy))
        if isinstance(node, ast.Call)
    }

    assert called & FORBIDDEN_CALLS == set()


@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_the_same_question_has_the_same_answer_and_leaves_no_trace(policy: Policy) -> None:
    def everything(good: bool) -> list[object]:
        return [
            policy.draft(DRAFT),
            policy.check(FACTS, SEEN, Noted(good)),
            policy.on_use(FACTS),
            policy.on_sign_out(FACTS),
        ]

    before = dict(vars(type(policy)))
    first = [everything(good) for good in (True, False)]
    again = [everything(good) for good in (True, False)]

    assert first == again
    assert dict(vars(type(policy))) == before
    assert vars(policy) == {}


@spec("design section 4")
@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_no_policy_makes_a_token_live_longer_or_reach_further(policy: Policy) -> None:
    for lifetime in (timedelta(seconds=1), timedelta(minutes=5), timedelta(hours=1)):
        shaped = policy.draft(Draft(lifetime=lifetime, audiences=DRAFT.audiences, jkt="k1"))

        assert shaped.lifetime <= lifetime
        assert set(shaped.audiences) <= set(DRAFT.audiences)
        assert shaped.jkt == "k1"


@pytest.mark.parametrize("first", EVERY, ids=lambda policy: policy.name)
def test_beside_another_a_policy_refuses_whatever_it_refuses_alone(first: Policy) -> None:
    for second in EVERY:
        together = PolicySet((first, second))
        for seen in (SEEN, Presented(resource="https://other.test", proven_jkt=None)):
            for good in (True, False):
                alone = [p.check(FACTS, seen, Noted(good)) for p in (first, second)]

                verdict = together.check(FACTS, seen, Noted(good))

                assert (verdict is None) is (alone == [None, None])


def refused(policy: Policy, draft: Draft) -> list[Unmintable]:
    """Why such a token cannot be; nothing if it can."""
    try:
        policy.draft(draft)
    except Unmintable as refusal:
        return [refusal]
    return []


@pytest.mark.parametrize("policy", EVERY, ids=lambda policy: policy.name)
def test_what_cannot_be_minted_is_refused_with_a_code_and_a_sentence(policy: Policy) -> None:
    lifetime, both = timedelta(minutes=5), ("https://a.test", "https://b.test")

    refusals = refused(policy, Draft(lifetime=lifetime))
    refusals += refused(policy, Draft(lifetime=lifetime, audiences=both))

    assert {refusal.code for refusal in refusals} <= {"invalid_target", "invalid_dpop_proof"}
    assert all(" " in str(refusal) for refusal in refusals)
