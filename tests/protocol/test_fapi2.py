"""What only the profile of a client refuses, at the provider's doors (FAPI 2.0)."""

from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey
from werkzeug.test import TestResponse

from idp.store import db
from tests.protocol.test_client_auth import ASSERTION_TYPE, asserted
from tests.support.prover import Prover
from tests.support.signer import ASKED, Signer
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

RSA = RSAKey.generate_key(2048)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("fapi2"))
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def client(world: World, signer: Signer, **more: Any) -> Rp:
    """A client of the profile with this key."""
    method = {"token_endpoint_auth_method": "private_key_jwt", "jwks": signer.jwks}
    return world.rp(**({"profile": "fapi2"} | method | more))


def pushes(rp: Rp, signer: Signer, **form: Any) -> TestResponse:
    assertion = asserted(rp.world, rp, signer.key, signer.alg, kid="mine")
    said = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    headers = form.pop("headers", {})
    return rp.world.http().post("/par", data=said | form, headers=headers)


@spec("FAPI 2.0 Message Signing section 5.4")
@pytest.mark.parametrize(
    ("mode", "status"), [(None, 400), ("query", 400), ("jwt", 201), ("query.jwt", 201)]
)
def test_who_signs_all_messages_is_given_a_signed_answer(
    world: World, mode: str | None, status: int
) -> None:
    signer = Signer()
    rp = client(world, signer, profile="fapi2_message_signing")
    signed = signer.request(world, rp.client_id, response_mode=mode)

    answer = pushes(rp, signer, request=signed, client_id=rp.client_id)

    assert answer.status_code == status, answer.text
    assert status == 201 or "signed" in answer.json["error_description"]


@spec("FAPI 2.0 Security Profile section 5.4", "DPO-01")
@pytest.mark.parametrize(
    ("alg", "curve", "status"), [("ES256", "P-256", 201), ("ES384", "P-384", 400)]
)
def test_a_proof_is_signed_with_an_algorithm_of_the_profile(
    world: World, alg: str, curve: str, status: int
) -> None:
    signer, phone = Signer(), Prover(ECKey.generate_key(curve), alg)
    proof = phone.proof("POST", "https://op.test/par", world.clock.now)

    answer = pushes(client(world, signer), signer, **ASKED, headers={"DPoP": proof})
    other = pushes(client(world, signer, profile=None), signer, **ASKED)

    assert answer.status_code == status, answer.text
    assert other.status_code == 201


@spec("FAPI 2.0 Security Profile section 5.4", "JWA-03")
@pytest.mark.parametrize(("alg", "status"), [("PS256", 201), ("RS256", 401), ("PS512", 401)])
def test_an_assertion_is_signed_with_an_algorithm_of_the_profile(
    world: World, alg: str, status: int
) -> None:
    """Though the client's key would do for the others, too."""
    signer = Signer(alg, RSA)
    rp = client(world, signer)

    assert pushes(rp, signer, **ASKED).status_code == status


@spec("FAPI 2.0 Security Profile section 5.4", "JAR-02")
@pytest.mark.parametrize(("alg", "status"), [("PS256", 201), ("RS256", 400)])
def test_a_request_is_signed_with_an_algorithm_of_the_profile(
    world: World, alg: str, status: int
) -> None:
    signer = Signer("PS256", RSA)
    rp = client(world, signer)
    signed = Signer(alg, RSA).request(world, rp.client_id)

    answer = pushes(rp, signer, request=signed, client_id=rp.client_id)

    assert answer.status_code == status, answer.text
