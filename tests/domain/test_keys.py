"""Signing keys: rotation that nobody notices, revocation that everybody does, one set for all."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.crypto import jose
from idp.crypto.jose import OUR_ALGORITHMS, Unverifiable
from idp.crypto.secrets import Unsealable, derive_key, seal, unseal
from idp.domain.keys import ANNOUNCED, KEPT, KNOWN_AFTER, SIGNS, SigningKey
from idp.domain.tokens import Order, PolicySet
from idp.protocol.metadata import MAX_AGE
from idp.store import db, writing
from tests.support.spec import spec
from tests.support.world import Rp, World

MAX_JWKS_AGE = timedelta(minutes=5)
LONGEST_TOKEN = timedelta(hours=1)


def published(world: World) -> set[str]:
    return {key["kid"] for key in world.http().get("/jwks.json").json["keys"]}


def signing(world: World, alg: str = "ES256") -> str:
    with world.app.app_context():
        return world.op.keys.signer(alg, world.clock.now).kid


def worker_passes(world: World) -> None:
    with world.app.app_context():
        world.op.keys.ensure(world.clock.now)
        db.session.commit()


def operator(world: World, act: str, *arguments: Any) -> None:
    with world.app.app_context():
        getattr(world.op.keys, act)(*arguments, world.clock.now)
        db.session.commit()


@spec("KEY-01", "V11.1.1")
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_key_is_published_before_it_signs_and_after_it_signed(
    world: World, by_hand: bool
) -> None:
    if by_hand:
        operator(world, "rotate", "ES256")
    first_seen = dict.fromkeys(published(world), world.clock.now)
    signed_last: dict[str, datetime] = {}

    for _ in range(200):
        world.clock.advance(minutes=3 if by_hand else 60 * 24)
        worker_passes(world)
        for kid in published(world):
            first_seen.setdefault(kid, world.clock.now)
        signer = signing(world)
        known_for = world.clock.now - first_seen[signer]
        assert signer in signed_last or not signed_last or known_for >= 2 * MAX_JWKS_AGE
        signed_last[signer] = world.clock.now
        for kid, moment in signed_last.items():
            if world.clock.now - moment < LONGEST_TOKEN + jose.SKEW:
                assert kid in published(world)

    assert len(signed_last) == (2 if by_hand else 3)
    assert dict(MAX_AGE)["Cache-Control"] == f"public, max-age={MAX_JWKS_AGE.seconds}"
    assert min(KNOWN_AFTER, ANNOUNCED) >= 2 * MAX_JWKS_AGE
    assert KEPT > LONGEST_TOKEN + jose.SKEW


@spec("KEY-01")
def test_rotation_by_hand_with_a_key_that_is_known_is_at_once(world: World) -> None:
    world.clock.advance(days=89, minutes=1)
    worker_passes(world)
    world.clock.advance(minutes=10)
    before = signing(world)

    operator(world, "rotate", "ES256")

    assert signing(world) != before
    assert before in published(world)


@spec("KEY-01")
def test_two_who_rotate_rotate_once(world: World) -> None:
    for _ in range(2):
        operator(world, "rotate", None)
    world.clock.advance(minutes=10)
    worker_passes(world)
    worker_passes(world)

    assert len(published(world)) == 2 * len(OUR_ALGORITHMS)


@pytest.mark.slow
@spec("KEY-01")
@spec("F-10")
def test_no_verification_fails_while_keys_are_rotated_under_load(
    tmp_path: Path, world: World
) -> None:
    """Each of two processes signs; tokens are verified at the other, and by cached key sets."""
    other = make_second(tmp_path, world)
    failures: list[str] = []
    cached: dict[str, tuple[datetime, Any]] = {}
    over = threading.Event()

    def verifies(minted_at: World, read_at: World) -> None:
        while not over.is_set():
            now = world.clock.now
            with minted_at.app.app_context():
                order = Order(
                    claims={"sub": "x", "client_id": "c"},
                    audiences=("https://op.test",),
                    policies=PolicySet(()),
                )
                token = minted_at.op.tokens.mint_access(order, now).value
            if not stands(read_at, cached, token, now):
                failures.append(token)

    pairs = [(world, other), (other, world), (world, world), (other, other)]
    threads = [threading.Thread(target=verifies, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    seen = {signing(world)}
    for _ in range(40):
        operator(world, "rotate", "ES256")
        worker_passes(other)
        world.clock.advance(minutes=4)
        seen.add(signing(world))
    over.set()
    for thread in threads:
        thread.join()
    with other.app.app_context():
        db.engine.dispose()

    assert failures == []
    assert len(seen) > 5


def make_second(tmp_path: Path, world: World) -> World:
    """A second node of the same provider, on the same database, with the same clock."""
    from idp.app import create_app
    from idp.settings import load

    environ = {
        "IDP_DATA_DIR": str(tmp_path),
        "IDP_ISSUER": "https://op.test",
        "IDP_SECRET": "a secret that is only good for tests, and long",
        "IDP_DATABASE_URL": world.app.config["SQLALCHEMY_DATABASE_URI"],
    }
    return World(create_app(load(environ=environ), world.clock), world.clock)


def stands(
    world: World, cached: dict[str, tuple[datetime, Any]], token: str, now: datetime
) -> bool:
    """At the other node, and for a client that keeps the key set as long as it may."""
    with world.app.app_context():
        read = world.op.tokens.read_access(token, now)
        held = cached.get("jwks")
        if held is None or not timedelta(0) <= now - held[0] < MAX_JWKS_AGE:
            held = cached["jwks"] = (now, world.op.keys.verification_keys(now))
    try:
        jose.verify(token, held[1], ["ES256"])
    except Unverifiable:
        return False
    return read is not None


@spec("KEY-02", "CLK-02")
@pytest.mark.parametrize("back", [0, 3600, 86400])
def test_a_revoked_key_counts_no_more_even_when_the_clock_is_set_back(
    world: World, alice: str, rp: Rp, back: int
) -> None:
    tokens = world.browser().tokens(rp)
    stolen = signing(world)
    assert world.userinfo(tokens["access_token"]).status_code == 200

    operator(world, "revoke", stolen)
    world.clock.advance(seconds=-back)

    assert stolen not in published(world)
    assert signing(world) != stolen
    assert world.userinfo(tokens["access_token"]).status_code == 401


@spec("KEY-02")
def test_another_process_learns_of_a_revoked_key_within_seconds(
    tmp_path: Path, world: World, alice: str, rp: Rp
) -> None:
    other = make_second(tmp_path, world)
    token = world.browser().tokens(rp)["access_token"]
    assert other.userinfo(token).status_code == 200

    operator(world, "revoke", signing(world))
    world.clock.advance(seconds=3)

    assert other.userinfo(token).status_code == 401
    assert signing(other) == signing(world)
    with other.app.app_context():
        db.engine.dispose()


@spec("KEY-02")
def test_the_next_key_follows_one_that_was_revoked(world: World) -> None:
    world.clock.advance(days=89, minutes=1)
    worker_passes(world)
    known = published(world)

    operator(world, "revoke", signing(world))

    assert signing(world) in known


@pytest.mark.slow
@spec("KEY-03", "CON-01")
@pytest.mark.parametrize("state", ["empty", "a next key is due"])
@spec("F-10")
def test_nodes_that_start_at_once_agree_on_one_set(
    either: World, tmp_path: Path, state: str
) -> None:
    nodes = [make_second(tmp_path / str(n), either) for n in range(4)]
    if state == "empty":
        with either.app.app_context():
            writing(db.session)
            db.session.connection().exec_driver_sql("DELETE FROM signing_key")
            db.session.commit()
    else:
        either.clock.now += SIGNS - ANNOUNCED
    barrier = threading.Barrier(len(nodes))

    def starts(node: World) -> None:
        barrier.wait()
        worker_passes(node)

    threads = [threading.Thread(target=starts, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    either.clock.advance(seconds=3)

    expected = len(OUR_ALGORITHMS) * (1 if state == "empty" else 2)
    assert [len(published(node)) for node in nodes] == [expected] * len(nodes)
    assert len({signing(node) for node in nodes}) == 1
    for node in nodes:
        with node.app.app_context():
            db.engine.dispose()


@spec("KEY-04", "V11.1.1")
@spec("F-23")
def test_a_sealed_key_opens_in_its_own_row_only(world: World, tmp_path: Path) -> None:
    with world.app.app_context():
        one, two = db.session.query(SigningKey).limit(2)
        swap = "UPDATE signing_key SET sealed_private = ? WHERE kid = ?"
        writing(db.session)
        db.session.connection().exec_driver_sql(swap, (one.sealed_private, two.kid))
        db.session.commit()

    afresh = make_second(tmp_path, world)
    with afresh.app.app_context():
        with pytest.raises(Unsealable):
            afresh.op.keys.signer(two.alg, world.clock.now)
        db.engine.dispose()


@spec("KEY-04")
def test_a_shared_secret_opens_for_its_own_client_only(world: World) -> None:
    clients = [
        world.machine(
            name,
            token_endpoint_auth_method="client_secret_jwt",
            grant_types=["client_credentials"],
            response_types=[],
        )
        for name in ("One", "Two")
    ]
    with world.app.app_context():
        one, two = (world.op.clients.get(client.client_id) for client in clients)
        (sealed,) = (kept.sealed for kept in one.secrets)
        assert sealed is not None
        key = derive_key(b"a secret that is only good for tests, and long", "client secrets")

        assert world.op.clients.shared_secrets(one, world.clock.now) == [
            str(clients[0].secret).encode()
        ]
        assert unseal(key, sealed, bound_to=one.client_id) == str(clients[0].secret).encode()
        with pytest.raises(Unsealable):
            unseal(key, sealed, bound_to=two.client_id)


@spec("KEY-04", "RFC 5869")
def test_each_purpose_has_a_key_of_its_own() -> None:
    master = b"m" * 32
    purposes = ["flask", "signing keys", "client secrets", "refresh tokens"]
    keys = [derive_key(master, purpose) for purpose in purposes]
    sealed = seal(keys[1], b"private", bound_to="row")

    assert len(set(keys)) == len(purposes)
    assert {len(key) for key in keys} == {32}
    for change in (lambda s: s[:-1], lambda s: s[:20] + b"\0" + s[21:], lambda s: b"", bytes.upper):
        with pytest.raises(Unsealable):
            unseal(keys[1], change(sealed), bound_to="row")
    for key in (keys[0], keys[2], keys[3]):
        with pytest.raises(Unsealable):
            unseal(key, sealed, bound_to="row")
