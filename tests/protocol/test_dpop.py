"""Tokens bound to a key, at the token endpoint: who proves, what is bound, what comes back."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from idp.store import db
from tests.protocol.test_token import claims
from tests.support.holder import Holder
from tests.support.prover import Prover
from tests.support.spec import spec
from tests.support.world import Rp, World


@pytest.fixture
def holder(world: World, alice: str) -> Holder:
    """A confidential client with a key."""
    return Holder.of(world.rp())


@pytest.fixture
def public(world: World, alice: str) -> Holder:
    """A client without a secret, and with a key."""
    return Holder.of(world.rp(token_endpoint_auth_method="none"))


@pytest.fixture
def robot(world: World) -> Holder:
    """A client that acts for itself, and has a key."""
    return Holder.of(world.machine(grant_types=["client_credentials"]))


@spec("RFC 9449 section 5", "RFC 9449 section 6", "DPO-07", "V10.4.14")
def test_a_proof_binds_the_access_token_to_its_key(world: World, holder: Holder) -> None:
    browser = world.browser()

    answer = holder.redeem(browser.code(holder), browser.verifier)

    assert answer.json["token_type"] == "DPoP"
    assert claims(answer.json["access_token"])["cnf"] == {"jkt": holder.prover.jkt}
    said = holder.introspect(answer.json["access_token"])
    assert (said["token_type"], said["cnf"]) == ("DPoP", {"jkt": holder.prover.jkt})
    assert answer.headers["DPoP-Nonce"]


@spec("RFC 9449 section 5", "DPO-07")
def test_a_client_that_acts_for_itself_is_bound_too(robot: Holder) -> None:
    bound = robot.post("/token", grant_type="client_credentials")
    free = Rp.post(robot, "/token", grant_type="client_credentials")

    assert bound.json["token_type"] == "DPoP"
    assert claims(bound.json["access_token"])["cnf"] == {"jkt": robot.prover.jkt}
    assert free.json["token_type"] == "Bearer"
    assert "cnf" not in claims(free.json["access_token"])


@spec("RFC 9449 section 5", "DPO-01", "DPO-02", "DPO-03", "DPO-04")
@pytest.mark.parametrize(
    "wrong",
    [
        {"htm": "GET"},
        {"htu": "https://op.test/revoke"},
        {"htu": "http://op.test/token"},
        {"iat": 1},
        {"jti": None},
        {"header": {"typ": "JWT"}},
        {"header": {"alg": "none"}},
        {"header": {"jwk": Prover().key.as_dict(private=True)}},
    ],
)
def test_a_wrong_proof_is_refused_and_costs_nothing(
    world: World, holder: Holder, wrong: dict[str, object]
) -> None:
    browser = world.browser()
    code = browser.code(holder)

    refused = holder.redeem(code, browser.verifier, proof=holder.proof(**wrong))

    assert (refused.status_code, refused.json["error"]) == (400, "invalid_dpop_proof")
    assert holder.redeem(code, browser.verifier).status_code == 200


@spec("DPO-01")
def test_two_proofs_are_no_proof(holder: Holder) -> None:
    pair = {"DPoP": f"{holder.proof()}, {holder.proof()}"}

    for headers in (pair, [("DPoP", holder.proof()), ("DPoP", holder.proof())], {"DPoP": ""}):
        answer = holder.world.http().post(
            "/token",
            data={"grant_type": "refresh_token", "refresh_token": "x"},
            headers=headers,  # type: ignore[arg-type]
            **holder.auth(),
        )
        assert answer.status_code == 400
        assert answer.json["error"] in ("invalid_dpop_proof", "invalid_grant")


@spec("DPO-03")
def test_the_address_is_the_configured_one_whatever_host_the_request_names(robot: Holder) -> None:
    form = {"grant_type": "client_credentials"}
    here, there = robot.proof(), robot.proof(htu="http://evil.test/token")

    answers = [
        robot.world.http().post(
            "/token", data=form, headers={"DPoP": proof, "Host": "evil.test"}, **robot.auth()
        )
        for proof in (here, there)
    ]

    assert [answer.status_code for answer in answers] == [200, 400]


@spec("RFC 9449 section 11.1", "DPO-05")
def test_a_proof_counts_once_for_all_workers_and_after_a_restart(
    world: World, robot: Holder, tmp_path: Path
) -> None:
    proof = robot.proof()

    first = robot.post("/token", grant_type="client_credentials", proof=proof)
    again = robot.post("/token", grant_type="client_credentials", proof=proof)

    assert first.status_code == 200
    assert (again.status_code, again.json["error"]) == (400, "invalid_dpop_proof")
    with restarted(world, tmp_path) as other:
        elsewhere = Holder(other.world, robot.client_id, robot.secret, prover=robot.prover)
        refused = elsewhere.post("/token", grant_type="client_credentials", proof=proof)
        assert refused.json["error"] == "invalid_dpop_proof"


@spec("DPO-05", "CON-01", "P3")
def test_of_thirty_two_who_bring_one_proof_at_once_one_is_heard(robot: Holder) -> None:
    proof = robot.proof()

    with ThreadPoolExecutor(32) as pool:
        runs = [
            pool.submit(robot.post, "/token", grant_type="client_credentials", proof=proof)
            for _ in range(32)
        ]
        statuses = sorted(run.result().status_code for run in runs)

    assert statuses == [200] + [400] * 31


@spec("DPO-05", "DPO-06")
def test_a_proof_is_forgotten_only_when_its_age_alone_refuses_it(
    world: World, robot: Holder
) -> None:
    proof = robot.proof()
    robot.post("/token", grant_type="client_credentials", proof=proof)

    for _ in range(10):
        world.clock.advance(seconds=10)
        with world.app.app_context():
            world.op.tokens.sweep(world.clock.now, 100)
            db.session.commit()
        again = robot.post("/token", grant_type="client_credentials", proof=proof)
        assert again.json["error"] == "invalid_dpop_proof"

    with world.app.app_context():
        assert world.op.tokens.sweep(world.clock.now, 100) == 0


@spec("DPO-06", "P5", "mod_auth_openidc 2026-08-12")
def test_when_the_store_cannot_say_whether_a_proof_is_new_nothing_is_given(
    robot: Holder, tmp_path: Path
) -> None:
    robot.post("/token", grant_type="client_credentials")
    broken = sqlite3.connect(tmp_path / "idp.sqlite3")
    broken.execute("DROP TABLE fact")
    broken.commit()

    answer = robot.post("/token", grant_type="client_credentials")

    assert answer.status_code == 503
    assert "access_token" not in answer.text


@spec("RFC 9449 section 5.2", "DPO-13", "KC-48428")
@pytest.mark.parametrize("grant", ["code", "refresh", "client_credentials"])
def test_a_client_that_is_registered_so_gets_nothing_without_a_proof(
    world: World, alice: str, grant: str
) -> None:
    kinds = ["authorization_code", "refresh_token", "client_credentials"]
    holder = Holder.of(world.rp(dpop_bound_access_tokens=True, grant_types=kinds))
    browser = world.browser()

    if grant == "code":
        answer = Rp.redeem(without_key(holder), browser.code(holder), browser.verifier)
    elif grant == "refresh":
        answer = without_key(holder).refresh(browser.tokens(holder)["refresh_token"])
    else:
        answer = without_key(holder).post("/token", grant_type="client_credentials")

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_dpop_proof")


@spec("RFC 9449 section 5", "RFC 9449 section 5.1", "RFC 9449 section 5.2", "DPO-13")
def test_discovery_and_registration_speak_of_it(world: World) -> None:
    said = world.http().get("/.well-known/openid-configuration").json
    metadata = {"redirect_uris": ["https://rp.test/cb"], "dpop_bound_access_tokens": True}

    kept = world.http().post("/register", json=metadata)
    odd = world.http().post("/register", json=metadata | {"dpop_bound_access_tokens": "yes"})

    assert {"ES256", "PS256", "EdDSA"} <= set(said["dpop_signing_alg_values_supported"])
    assert kept.json["dpop_bound_access_tokens"] is True
    assert odd.json["error"] == "invalid_client_metadata"


@spec("RFC 9449 section 10", "DPO-11")
def test_a_code_for_one_key_is_redeemed_with_no_other(world: World, public: Holder) -> None:
    browser, thief = world.browser(), Holder.of(public)
    code = browser.code(public, dpop_jkt=public.prover.jkt)

    stolen = thief.redeem(code, browser.verifier)
    bare = without_key(public).redeem(code, browser.verifier)
    good = public.redeem(code, browser.verifier)

    assert stolen.json["error"] == "invalid_grant"
    assert bare.json["error"] == "invalid_dpop_proof"
    assert good.status_code == 200


@spec("RFC 9449 section 10", "DPO-11")
@pytest.mark.parametrize("jkt", ["short", "x" * 44, "é" * 43, "=" * 43])
def test_a_dpop_jkt_that_is_no_thumbprint_is_refused(
    world: World, public: Holder, jkt: str
) -> None:
    answer = world.browser().authorize(public, dpop_jkt=jkt)

    assert "error=invalid_request" in answer.headers["Location"]


def without_key(holder: Holder) -> Rp:
    """The same client, proving nothing."""
    return Rp(holder.world, holder.client_id, holder.secret, holder.redirect_uri)


class restarted:  # noqa: N801 - read as a word
    """The same provider in another process: the same database and secret, nothing else."""

    def __init__(self, world: World, data_dir: Path, **settings: str) -> None:
        from idp.app import create_app
        from idp.settings import load

        environ = {
            "IDP_DATA_DIR": str(data_dir),
            "IDP_ISSUER": "https://op.test",
            "IDP_SECRET": "a secret that is only good for tests, and long",
        } | settings
        self.world = World(create_app(load(environ=environ), world.clock), world.clock)

    def __enter__(self) -> "restarted":
        return self

    def __exit__(self, *_: object) -> None:
        with self.world.app.app_context():
            db.session.remove()
            db.engine.dispose()
