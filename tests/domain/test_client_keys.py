"""A client's own keys: whose they are, and how often they are looked up."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import Key

from idp.crypto import jose
from idp.domain.client_keys import COOL_DOWN, KEPT, MOST_KEYS, ClientKeys
from idp.domain.outbound import Outbound
from idp.store import db
from idp.store.resting import MOST
from tests.support.canary import HEAD, Canary, canary
from tests.support.spec import spec
from tests.support.world import World, make_world

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = jose.generate("ES256")
TWO = jose.generate("ES256")


@pytest.fixture
def there() -> Iterator[Canary]:
    """The server on which a client keeps its keys."""
    with canary() as made:
        publish(made, ONE, "one")
        yield made


@pytest.fixture
def keys(there: Canary) -> ClientKeys:
    return ClientKeys(Outbound(frozenset([there.place])), lambda: None)


def publish(there: Canary, key: Key, kid: str, **more: Any) -> None:
    body = json.dumps({"keys": [key.as_dict(private=False) | {"kid": kid} | more]}).encode()
    there.says = lambda peer: peer.sendall(HEAD + body)


def names(keys: ClientKeys, there: Canary, kid: str, now: datetime = NOW) -> list[str | None]:
    return [verifier.kid for verifier in keys.of({"jwks_uri": there.url}, kid, now)]


@spec("JWA-05", "CVE-2026-48524")
def test_an_unknown_kid_is_looked_up_once_in_a_cool_down(keys: ClientKeys, there: Canary) -> None:
    names(keys, there, "one")

    early = [names(keys, there, f"unknown {n}", NOW + COOL_DOWN / 2) for n in range(50)]
    asked_early = len(there.heard)
    late = [names(keys, there, f"unknown {n}", NOW + COOL_DOWN) for n in range(50)]

    assert early + late == [["one"]] * 100
    assert asked_early == 1
    assert len(there.heard) == 2


@spec("JWA-05")
def test_a_new_key_is_found_by_its_name(keys: ClientKeys, there: Canary) -> None:
    names(keys, there, "one")
    publish(there, TWO, "two")

    assert names(keys, there, "two", NOW + COOL_DOWN) == ["two"]


@spec("JWA-05")
def test_a_key_that_was_taken_away_is_forgotten_after_a_minute(
    keys: ClientKeys, there: Canary
) -> None:
    names(keys, there, "one")
    publish(there, TWO, "two")

    assert names(keys, there, "one", NOW + KEPT) == ["two"]


@spec("JWA-05", "SSR-08")
def test_a_server_that_fails_is_not_asked_again_at_once_and_known_keys_stay(
    keys: ClientKeys, there: Canary
) -> None:
    names(keys, there, "one")
    there.says = lambda peer: peer.sendall(b"HTTP/1.1 500 No\r\n\r\n")

    found = [names(keys, there, "one", NOW + KEPT) for _ in range(20)]

    assert found == [["one"]] * 20
    assert len(there.heard) == 2


@spec("CLK-02")
@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1)])
def test_a_clock_that_was_set_back_does_not_stop_the_looking_up(
    keys: ClientKeys, there: Canary, back: timedelta
) -> None:
    names(keys, there, "one")
    publish(there, TWO, "two")

    assert names(keys, there, "one", NOW - back) == ["two"]
    assert names(keys, there, "two", NOW - back + COOL_DOWN / 2) == ["two"]
    assert len(there.heard) == 2


@spec("JWA-05", "SSR-08")
def test_many_who_ask_at_once_ask_once(keys: ClientKeys, there: Canary) -> None:
    found: list[list[str | None]] = []
    threads = [
        threading.Thread(target=lambda: found.append(names(keys, there, "one"))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [["one"]] * 16
    assert len(there.heard) == 1


UNFIT = {
    "a short RSA key": {"kty": "RSA", "e": "AQAB", "n": "v" * 171},
    "a shared secret": {"kty": "oct", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"},
    "a key for encryption": ONE.as_dict(private=False) | {"use": "enc"},
    "a point beside the curve": ONE.as_dict(private=False) | {"x": "AAAA"},
    "no kind of key": {"kty": "quantum"},
    "no key": "key",
    "nothing": None,
}


@spec("JOS-02", "JOS-06", "JOS-12")
@pytest.mark.parametrize("jwk", UNFIT.values(), ids=UNFIT)
def test_a_key_that_should_verify_nothing_verifies_nothing(
    keys: ClientKeys, there: Canary, jwk: object
) -> None:
    body = json.dumps({"keys": [jwk]}).encode()
    there.says = lambda peer: peer.sendall(HEAD + body)

    assert names(keys, there, "one") == []


@spec("JOS-04")
@pytest.mark.parametrize("document", [[], "keys", 7, {"keys": {}}, {"keys": None}, {}])
def test_a_document_that_is_no_key_set_has_no_keys(
    keys: ClientKeys, there: Canary, document: object
) -> None:
    body = json.dumps(document).encode()
    there.says = lambda peer: peer.sendall(HEAD + body)

    assert names(keys, there, "one") == []


@spec("SSR-05")
def test_no_more_keys_are_read_than_a_client_can_need(keys: ClientKeys, there: Canary) -> None:
    key = ONE.as_dict(private=False)
    body = json.dumps({"keys": [key | {"kid": str(n)} for n in range(MOST_KEYS * 2)]}).encode()
    there.says = lambda peer: peer.sendall(HEAD + body)

    assert len(names(keys, there, "1")) == MOST_KEYS


@spec("SSR-08")
@spec("F-22")
def test_clients_whose_servers_hang_keep_nobody_from_signing_in(
    tmp_path: Path, there: Canary
) -> None:
    over = threading.Event()
    there.says = lambda peer: over.wait(20) and None
    world = make_world(tmp_path, IDP_OUTBOUND__ALLOWED=there.place, IDP_ISSUER="http://localhost")
    world.person()
    threads = [threading.Thread(target=hanging(world, there, n)) for n in range(20)]
    for thread in threads:
        thread.start()
    while not there.heard:
        time.sleep(0.01)

    nothing_held = comes_true(lambda: connections_held(world) <= MOST, within=3)
    begun = time.monotonic()
    answer = world.browser().sign_in()
    took = time.monotonic() - begun

    over.set()
    for thread in threads:
        thread.join()
    assert nothing_held
    assert answer.status_code == 303
    assert took < 2


def connections_held(world: World) -> int:
    """Those at rest, which whoever asks next takes, among them."""
    with world.app.app_context():
        held: int = db.engine.pool.checkedout()  # type: ignore[attr-defined]
        return held


def comes_true(question: Callable[[], bool], within: float) -> bool:
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if question():
            return True
        time.sleep(0.01)
    return False


def hanging(world: World, there: Canary, number: int) -> Callable[[], None]:
    """A client with keys at an address of its own that never answers, and its try to get in."""
    app = world.machine(
        token_endpoint_auth_method="private_key_jwt",
        jwks_uri=f"{there.url}?{number}",
        grant_types=["client_credentials"],
        response_types=[],
    )
    assertion = jose.sign(jose.Signer("one", "ES256", ONE), {"sub": app.client_id}, typ="JWT")
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }

    def tries() -> None:
        assert world.http().post("/token", data=form).status_code == 401

    return tries
