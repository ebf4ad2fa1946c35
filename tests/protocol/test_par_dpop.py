"""DPoP with pushed requests: the code is for the key that was named (RFC 9449 section 10.1)."""

from collections.abc import Iterator
from typing import Any

import pytest

from idp.store import db
from tests.protocol.test_par import PAR, VERIFIER, opens, push, pushed
from tests.support.prover import Prover
from tests.support.spec import spec
from tests.support.world import CALLBACK, Rp, World, make_world, returned


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("par"))
    made.person()
    made.person("bob")
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@spec("DPO-11", "RFC 9449 section 10.1")
@pytest.mark.parametrize("how", ["proof", "dpop_jkt", "both"])
def test_a_code_for_a_pushed_request_is_for_the_key_that_was_named(house: World, how: str) -> None:
    rp, browser, mine, theirs = house.rp(), house.browser(), Prover(), Prover()
    proof = mine.proof("POST", PAR, house.clock.now) if how != "dpop_jkt" else None
    jkt = mine.jkt if how != "proof" else None

    name = pushed(rp, proof=proof, dpop_jkt=jkt)
    code = returned(browser.follow(opens(browser, rp, name)))["code"]

    assert redeem(rp, code, theirs)["error"] == "invalid_grant"
    assert redeem(rp, code, None)["error"] == "invalid_dpop_proof"
    assert redeem(rp, code, mine)["token_type"] == "DPoP"


@spec("DPO-11", "RFC 9449 section 10.1")
def test_a_proof_and_another_key_contradict_each_other(house: World) -> None:
    proof = Prover().proof("POST", PAR, house.clock.now)

    answer = push(house.rp(), proof=proof, dpop_jkt=Prover().jkt)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_dpop_proof")


@spec("DPO-01", "DPO-05", "DPO-10", "RFC 9449 section 10.1")
def test_a_proof_beside_a_pushed_request_is_judged_like_any_other(house: World) -> None:
    rp, device = house.rp(), Prover()
    good = device.proof("POST", PAR, house.clock.now)
    elsewhere = device.proof("POST", "https://op.test/token", house.clock.now)

    answers = [push(rp, proof=proof) for proof in (good, good, elsewhere, "x")]

    assert [answer.status_code for answer in answers] == [201, 400, 400, 400]
    assert {a.json["error"] for a in answers[1:]} == {"invalid_dpop_proof"}
    assert answers[0].headers["DPoP-Nonce"]


@spec("DPO-13", "RFC 9126 section 2")
def test_a_client_bound_to_keys_may_push_without_a_proof(house: World) -> None:
    answer = push(house.rp(dpop_bound_access_tokens=True))

    assert answer.status_code == 201


def redeem(rp: Rp, code: str, device: Prover | None) -> dict[str, Any]:
    """Exchange a code with a proof of this device."""
    headers = {}
    if device is not None:
        now = rp.world.clock.now
        headers = {"DPoP": device.proof("POST", "https://op.test/token", now)}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    form |= {"code_verifier": VERIFIER}
    answer = rp.world.http().post("/token", data=form, headers=headers, **rp.auth())
    given: dict[str, Any] = answer.json
    return given
