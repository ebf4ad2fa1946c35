"""Bound tokens at userinfo, and the nonces that go round."""

from pathlib import Path

import pytest

from idp.store import db
from tests.protocol.test_dpop import restarted, without_key
from tests.support.holder import Holder
from tests.support.spec import spec
from tests.support.world import World, make_world

NONCES = {"IDP_DPOP__NONCE_REQUIRED": "true"}


@pytest.fixture
def holder(world: World, alice: str) -> Holder:
    """A confidential client with a key."""
    return Holder.of(world.rp())


@pytest.fixture
def token(world: World, holder: Holder) -> str:
    """An access token that is bound to the holder's key."""
    return str(world.browser().tokens(holder)["access_token"])


@spec("RFC 9449 section 7.1", "DPO-08", "OID-07")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_a_bound_token_with_its_proof_is_answered(
    holder: Holder, token: str, alice: str, method: str, scheme: str
) -> None:
    answer = holder.userinfo(token, scheme, method=method)

    assert answer.json == {"sub": alice}
    assert answer.headers["DPoP-Nonce"]


@spec("RFC 9449 section 7.1", "DPO-08")
@pytest.mark.parametrize(
    "wrong",
    [
        {"token": None},
        {"token": "another"},
        {"method": "POST"},
        {"path": "/token"},
        {"iat": 1},
        {"jti": None},
        {"header": {"alg": "none"}},
    ],
)
def test_a_proof_that_is_not_for_this_call_is_refused(
    holder: Holder, token: str, wrong: dict[str, str]
) -> None:
    proof = holder.proof(**({"method": "GET", "path": "/userinfo", "token": token} | wrong))

    answer = holder.userinfo(token, proof=proof)

    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("DPoP ")
    assert 'error="invalid_dpop_proof"' in challenge
    assert 'algs="ES256 ' in challenge


@spec("RFC 9449 section 7.2", "DPO-09", "CVE-2024-49755")
@pytest.mark.parametrize("where", ["header", "header with a proof", "form"])
def test_a_bound_token_is_no_bearer_token(
    world: World, holder: Holder, token: str, where: str
) -> None:
    if where == "form":
        answer = world.http().post("/userinfo", data={"access_token": token})
    else:
        answer = holder.userinfo(token, "Bearer", proof="" if where == "header" else None)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("DPoP ")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@spec("RFC 9449 section 7.2", "DPO-09")
def test_a_bearer_token_does_not_become_bound_by_a_proof(world: World, holder: Holder) -> None:
    free = world.browser().tokens(without_key(holder))["access_token"]

    assert world.userinfo(free).status_code == 200
    assert holder.userinfo(free).status_code == 401


@spec("RFC 9449 section 7.1", "DPO-08")
def test_another_key_without_a_proof_or_twice_the_same_is_refused(
    holder: Holder, token: str
) -> None:
    proof = holder.proof("GET", "/userinfo", token=token)

    assert Holder.of(holder).userinfo(token).status_code == 401
    assert holder.userinfo(token, proof="").status_code == 401
    assert holder.userinfo(token, proof=proof).status_code == 200
    assert holder.userinfo(token, proof=proof).status_code == 401


@spec("RFC 9449 section 7.1", "RFC 6750 section 3")
def test_who_brings_nothing_is_told_both_ways(world: World) -> None:
    answer = world.http().get("/userinfo")

    assert answer.status_code == 401
    schemes = [value.split(" ")[0] for value in answer.headers.getlist("WWW-Authenticate")]
    assert schemes == ["Bearer", "DPoP"]


@spec("RFC 9449 section 8", "RFC 9449 section 9", "DPO-10")
def test_where_nonces_are_required_the_first_try_learns_one(tmp_path: Path) -> None:
    world = make_world(tmp_path, **NONCES)
    world.person()
    holder, browser = Holder.of(world.rp()), world.browser()
    code = browser.code(holder)

    first = holder.redeem(code, browser.verifier)
    holder.nonce = first.headers["DPoP-Nonce"]
    second = holder.redeem(code, browser.verifier)
    token = second.json["access_token"]
    bare = holder.proof("GET", "/userinfo", token=token, nonce=None)
    third, fourth = holder.userinfo(token, proof=bare), holder.userinfo(token)

    assert (first.status_code, first.json["error"]) == (400, "use_dpop_nonce")
    assert second.status_code == 200
    assert third.status_code == 401
    assert 'error="use_dpop_nonce"' in third.headers["WWW-Authenticate"]
    assert third.headers["DPoP-Nonce"] == holder.nonce
    assert fourth.status_code == 200
    closed(world)


@spec("DPO-10")
def test_a_nonce_is_known_to_all_workers_and_outlives_a_restart_and_its_successor(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path, **NONCES)
    robot = Holder.of(world.machine(grant_types=["client_credentials"]))
    robot.nonce = robot.post("/token", grant_type="client_credentials").headers["DPoP-Nonce"]

    with restarted(world, tmp_path, **NONCES) as other:
        there = Holder(other.world, robot.client_id, robot.secret)
        there.nonce = robot.nonce
        assert there.post("/token", grant_type="client_credentials").status_code == 200
    world.clock.advance(seconds=120)
    rolled = robot.post("/token", grant_type="client_credentials")
    world.clock.advance(seconds=120)
    late = robot.post("/token", grant_type="client_credentials")

    assert rolled.status_code == 200
    assert rolled.headers["DPoP-Nonce"] != robot.nonce
    assert late.json["error"] == "use_dpop_nonce"
    robot.nonce = "forged"
    assert robot.post("/token", grant_type="client_credentials").json["error"] == "use_dpop_nonce"
    closed(world)


@spec("DPO-04", "DPO-10", "BRW-05")
def test_a_device_whose_clock_is_wrong_gets_on_with_a_nonce(world: World) -> None:
    robot = Holder.of(world.machine(grant_types=["client_credentials"]))
    wrong = int(world.clock.now.timestamp()) - 86400

    lost = robot.post("/token", grant_type="client_credentials", proof=robot.proof(iat=wrong))
    nonce = lost.headers["DPoP-Nonce"]
    proof = robot.proof(iat=wrong, nonce=nonce)
    found = robot.post("/token", grant_type="client_credentials", proof=proof)
    again = robot.post("/token", grant_type="client_credentials", proof=proof)

    assert lost.json["error"] == "invalid_dpop_proof"
    assert "clock" in lost.json["error_description"]
    assert "DPoP-Nonce" in lost.headers["Access-Control-Expose-Headers"]
    assert found.status_code == 200
    assert again.json["error"] == "invalid_dpop_proof"


def closed(world: World) -> None:
    """Let go of the database."""
    with world.app.app_context():
        db.session.remove()
        db.engine.dispose()
