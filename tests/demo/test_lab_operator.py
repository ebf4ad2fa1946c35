"""The demo's operator: a few deeds, for whoever knows the secret, and nothing beyond them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from joserfc import jwt

from client_demo.lab.deeds import Operator as Asking
from client_demo.lab.proofs import DeviceKey
from client_demo.operator import Operator
from tests.support.spec import spec

PLACE = "http://localhost:9003/lab/session_state"


@dataclass
class Machine:
    """What the operator has at hand; it notes what it was told to do."""

    done: list[tuple[str, ...]] = field(default_factory=list)
    gone: bool = False

    def idp(self, *words: str) -> Any:
        self.done.append(words)
        return {}

    def take(self, thing: str, seconds: int) -> bool:
        self.done.append(("take", thing, str(seconds)))
        return not self.gone


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def operator(machine: Machine) -> Iterator[Operator]:
    made = Operator(machine.idp, machine.take)
    yield made
    made.close()


@spec("product: the lab's buttons")
def test_a_role_is_set_by_the_command_line(operator: Operator, machine: Machine) -> None:
    asking = Asking(operator.address, operator.secret)

    status = asking.asks("role", username="alice", resource=PLACE, role="editor")

    assert status == 200
    assert machine.done == [("role", "set", "alice", PLACE, "editor", "--json")]


@spec("BRW-01")
@pytest.mark.parametrize("secret", ["x", "wrong", "Ünïcode"])
def test_who_does_not_know_the_secret_gets_nothing(
    operator: Operator, machine: Machine, secret: str
) -> None:
    headers = {"Authorization": f"Bearer {secret}".encode()}

    answer = httpx.post(
        f"{operator.address}/take", json={"thing": "feed", "seconds": 3}, headers=headers
    )

    assert answer.status_code == 401
    assert machine.done == []


@spec("product: the lab's buttons")
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("role", {"username": "--help", "resource": PLACE, "role": "editor"}),
        ("role", {"username": "alice", "resource": "--permission", "role": "editor"}),
        ("role", {"username": "alice", "resource": PLACE, "role": "admin"}),
        ("everywhere", {"username": "a b"}),
        ("everywhere", {}),
        ("take", {"thing": "store", "seconds": 3600}),
        ("take", {"thing": "store", "seconds": "3"}),
        ("take", {"thing": "store", "seconds": True}),
        ("take", {"thing": "machine", "seconds": 3}),
        ("take", {"seconds": 3}),
        ("migrate", {"username": "alice"}),
    ],
)
def test_nothing_else_reaches_the_command_line(
    operator: Operator, machine: Machine, what: str, said: dict[str, Any]
) -> None:
    assert Asking(operator.address, operator.secret).asks(what, **said) == 400
    assert machine.done == []


@spec("product: the lab's buttons")
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"x" * 5000, b'"\xff"'])
def test_what_is_no_object_is_refused(operator: Operator, machine: Machine, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {operator.secret}"}

    answer = httpx.post(f"{operator.address}/take", content=body, headers=headers)

    assert answer.status_code == 400
    assert machine.done == []


@spec("product: the lab's buttons")
@pytest.mark.parametrize("thing", ["provider", "store", "feed"])
def test_a_thing_is_taken_away_for_a_few_seconds_and_not_twice(
    operator: Operator, machine: Machine, thing: str
) -> None:
    asking = Asking(operator.address, operator.secret)

    assert asking.asks("take", thing=thing, seconds=8) == 200
    machine.gone = True
    assert asking.asks("take", thing=thing, seconds=8) == 409
    assert machine.done == [("take", thing, "8")] * 2


@spec("product: the lab's buttons")
def test_without_an_operator_nothing_is_done() -> None:
    assert Asking(None, "").asks("take", thing="store", seconds=8) == 404


@spec("DPO-01", "RFC 9449 section 4.2")
def test_a_proof_names_its_request_its_token_and_its_public_key_only() -> None:
    key = DeviceKey()

    proof = key.proof("GET", "https://api.test/notes?page=2", token="a token", nonce="n")

    read = jwt.decode(proof, key.key, algorithms=["ES256"])
    assert read.claims["htu"] == "https://api.test/notes"
    assert read.claims["htm"] == "GET"
    assert {"jti", "iat", "ath", "nonce"} <= set(read.claims)
    assert "d" not in read.header["jwk"]
    assert read.header["typ"] == "dpop+jwt"
    assert json.loads(json.dumps(read.header["jwk"]))["kty"] == "EC"
