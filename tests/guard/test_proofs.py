"""Tokens that are bound to a key, at the guard (RFC 9449 section 7)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp.guard import Guard, Refused
from idp.guard.replay import InMemory
from tests.support.issuer import API, SCOPE, Issuer, call, refusal, wait_until
from tests.support.prover import Prover
from tests.support.spec import spec

URL = "https://api.test/v1/notes"
DPOP = f'DPoP realm="{API}"'


@pytest.fixture
def ann(issuer: Issuer) -> "Ann":
    return Ann(issuer)


class Ann:
    """Somebody with a key, and a token that is bound to it."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.prover = Prover()
        self.token = issuer.token(cnf={"jkt": self.prover.jkt})

    def proof(self, method: str = "GET", url: str = URL, **more: Any) -> str:
        more = {"token": self.token} | more
        return self.prover.proof(method, url, self.issuer.time.now, **more)

    def calls(
        self, guard: Guard, *proofs: str, scheme: str = "DPoP", url: str = "/v1/notes"
    ) -> Any:
        try:
            return guard.check(
                [f"{scheme} {self.token}"], [SCOPE], method="GET", url=url, dpop=proofs
            )
        except Refused as refused:
            return refused


@spec("RFC 9449 section 7.1", "DPO-08")
def test_a_token_works_in_the_hands_that_hold_its_key(guard: Guard, ann: Ann) -> None:
    assert ann.calls(guard, ann.proof()).sub == "ann"
    assert ann.calls(guard, ann.proof(url=f"{URL}?a=1#b"), url="/v1/notes?b=2").sub == "ann"


@spec("RFC 9449 section 7.2", "DPO-09", "CVE-2024-49755")
def test_a_bound_token_is_no_bearer_token_and_the_other_way_round(
    issuer: Issuer, guard: Guard, ann: Ann
) -> None:
    refused = ann.calls(guard, ann.proof(), scheme="Bearer")
    assert (refused.status, refused.error) == (401, "invalid_token")
    assert refused.challenge.startswith(f'{DPOP}, error="invalid_token", algs="ES256 ')

    ann.token = issuer.token()
    refused = ann.calls(guard, ann.proof())
    assert (refused.status, refused.error) == (401, "invalid_token")
    assert ann.calls(guard, ann.proof(), scheme="Bearer").sub == "ann"


@spec("RFC 9449 section 4.3", "DPO-08", "DPO-01", "DPO-03")
def test_a_proof_for_anything_else_is_refused(issuer: Issuer, guard: Guard, ann: Ann) -> None:
    wrong = [
        ann.proof(token=None),
        ann.proof(token=issuer.token()),
        ann.proof(method="POST"),
        ann.proof(method="get"),
        ann.proof(url="https://api.test/v1/other"),
        ann.proof(url="http://api.test/v1/notes"),
        ann.proof(url="https://other.test/v1/notes"),
        "x.y.z",
        "",
    ]

    for proof in wrong:
        refused = ann.calls(guard, proof)
        assert (refused.status, refused.error) == (401, "invalid_dpop_proof")
    assert ann.calls(guard).error == "invalid_dpop_proof"
    assert ann.calls(guard, ann.proof(), ann.proof()).error == "invalid_dpop_proof"


@spec("DPO-02")
def test_a_proof_by_another_key_is_refused(issuer: Issuer, guard: Guard, ann: Ann) -> None:
    thief = Prover()

    refused = ann.calls(guard, thief.proof("GET", URL, issuer.time.now, token=ann.token))

    assert (refused.status, refused.error) == (401, "invalid_token")


@spec("DPO-05", "RFC 9449 section 11.1")
def test_of_thirty_two_that_bring_one_proof_one_is_let_through(guard: Guard, ann: Ann) -> None:
    proof = ann.proof()

    with ThreadPoolExecutor(32) as threads:
        found = list(threads.map(lambda _: ann.calls(guard, proof), range(32)))

    assert sum(not isinstance(each, Refused) for each in found) == 1
    assert ann.calls(guard, proof).error == "invalid_dpop_proof"


@spec("P3")
def test_a_request_that_is_refused_for_its_scope_does_not_use_up_the_proof(
    guard: Guard, ann: Ann
) -> None:
    proof = ann.proof()
    with pytest.raises(Refused):
        guard.check([f"DPoP {ann.token}"], ["notes:write"], method="GET", url=URL, dpop=[proof])

    assert ann.calls(guard, proof).sub == "ann"


@spec("DPO-06")
def test_a_memory_that_is_full_refuses_and_forgets_what_can_come_no_more(
    issuer: Issuer, ann: Ann
) -> None:
    guard = issuer.guard(replay=InMemory(most=3))
    proofs = [ann.proof() for _ in range(4)]

    found = [ann.calls(guard, proof) for proof in proofs]
    assert [getattr(each, "status", 200) for each in found] == [200, 200, 200, 503]
    assert ann.calls(guard, proofs[0]).error == "invalid_dpop_proof"

    issuer.time.pass_by(90)
    assert ann.calls(guard, ann.proof()).sub == "ann"
    guard.close()


@spec("RFC 9449 section 9", "DPO-10")
def test_an_api_may_demand_its_own_nonce_in_every_proof(issuer: Issuer, ann: Ann) -> None:
    guard, other = (issuer.guard(dpop_nonces=b"k" * 32) for _ in range(2))
    refused = ann.calls(guard, ann.proof())
    assert (refused.status, refused.error) == (401, "use_dpop_nonce")
    assert ("DPoP-Nonce", refused.nonce) in refused.headers

    let_in = ann.calls(other, ann.proof(nonce=refused.nonce))
    assert other.headers(let_in) == [("DPoP-Nonce", refused.nonce)]

    assert ann.calls(guard, ann.proof(nonce="forged")).error == "use_dpop_nonce"
    issuer.time.pass_by(250)
    assert ann.calls(guard, ann.proof(nonce=refused.nonce)).error == "use_dpop_nonce"
    guard.close()
    other.close()


def test_an_api_that_takes_bound_tokens_only_says_so(issuer: Issuer, guard: Guard) -> None:
    issuer.policies = ["device_bound"]
    wait_until(lambda: guard.health()["policies"])

    with pytest.raises(Refused) as nothing:
        guard.check([], [SCOPE], method="GET", url=URL)
    unbound = refusal(guard, issuer.token())

    assert nothing.value.challenge is not None
    assert nothing.value.challenge.startswith(f'{DPOP}, algs="ES256 ')
    assert unbound.challenge is not None
    assert unbound.challenge.startswith(f'{DPOP}, error="invalid_token"')


def test_an_api_that_has_no_address_of_its_own_names_where_it_is_reached(
    issuer: Issuer, ann: Ann
) -> None:
    guard = issuer.guard(origin="https://public.test/")

    assert ann.calls(guard, ann.proof(url="https://public.test/v1/notes")).sub == "ann"
    assert ann.calls(guard, ann.proof()).error == "invalid_dpop_proof"
    assert call(guard, issuer.token()).sub == "ann"
    guard.close()
