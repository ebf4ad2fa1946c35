"""How a client proves who it is: secrets, guesses, and assertions with keys of its own."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import Key
from werkzeug.test import TestResponse

from idp.crypto import jose
from idp.crypto.secrets import digest, new_id
from idp.store import db, writing
from idp.store.clients import ClientSecret
from idp.store.system import Fact
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA = jose.generate("RS256")
EC = jose.generate("ES256")
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.1"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("client-auth"))
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def machine(world: World, key: Key = EC, kid: str = "k1", **details: Any) -> Rp:
    """A client that signs assertions with this key."""
    jwk = key.as_dict(private=False) | {"kid": kid}
    return world.machine(
        **{"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [jwk]}}
        | {"grant_types": ["client_credentials"], "response_types": []}
        | details
    )


def asserted(
    world: World, app: Rp, key: Key = EC, alg: str = "ES256", kid: str = "k1", **claims: Any
) -> str:
    now = int(world.clock.now.timestamp())
    said = {"iss": app.client_id, "sub": app.client_id, "aud": "https://op.test", "jti": new_id()}
    said |= {"iat": now, "exp": now + 60} | claims
    return jose.sign(jose.Signer(kid, alg, key), said, typ="JWT")


def present(world: World, assertion: str, path: str = "/token") -> TestResponse:
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return world.http().post(path, data=form | {"grant_type": "client_credentials", "token": "x"})


def tries(world: World, rp: Rp, secret: str | None, source: str = HERE) -> int:
    answer = world.http().post(
        "/token",
        data={"grant_type": "client_credentials"},
        auth=(rp.client_id, secret or ""),
        environ_overrides={"REMOTE_ADDR": source},
    )
    return answer.status_code


@spec("CLA-05", "RFC 6749 section 2.3.1")
@pytest.mark.parametrize("secret", ["", " ", "\0", "None", "null", "e3b0c44298fc"])
def test_an_empty_secret_is_nobodys_secret(world: World, secret: str) -> None:
    rp = world.machine(grant_types=["client_credentials"], response_types=[])
    with world.app.app_context():
        writing(db.session)
        row = ClientSecret(
            client_id=rp.client_id, digest=digest(""), sealed=None, created_at=world.clock.now
        )
        db.session.add(row)
        db.session.commit()

    by_post = world.http().post(
        "/token",
        data={
            "grant_type": "client_credentials",
            "client_id": rp.client_id,
            "client_secret": secret,
        },
    )

    assert tries(world, rp, secret) in (400, 401)
    assert by_post.status_code in (400, 401)


@spec("CLA-05")
def test_what_is_kept_of_a_secret_is_a_digest(world: World) -> None:
    rp = world.machine(grant_types=["client_credentials"], response_types=[])
    with world.app.app_context():
        (kept,) = world.op.clients.get(rp.client_id).secrets

    assert kept.digest == digest(str(rp.secret))
    assert kept.sealed is None
    assert tries(world, rp, kept.digest.hex()) == 401


@spec("CLA-07")
def test_guessing_is_slowed_for_who_guesses_and_not_for_the_client(world: World) -> None:
    rp = world.machine(grant_types=["client_credentials"], response_types=[])
    works = tries(world, rp, rp.secret, ELSEWHERE)
    guesses = [tries(world, rp, f"guess {n}") for n in range(65)]

    right_guess = tries(world, rp, rp.secret)
    elsewhere = tries(world, rp, rp.secret, ELSEWHERE)
    other = world.machine(grant_types=["client_credentials"], response_types=[])
    other_client = tries(world, other, other.secret)
    world.clock.advance(seconds=61)
    later = tries(world, rp, rp.secret)

    assert guesses == [401] * 60 + [429] * 5
    assert right_guess == 429
    assert (elsewhere, other_client, later) == (works, works, works)
    assert works not in (401, 429)


@spec("CLA-07", "JWA-02")
def test_wrong_assertions_are_slowed_like_wrong_secrets(world: World) -> None:
    app = machine(world)

    guesses = [present(world, asserted(world, app, RSA, "RS256")).status_code for _ in range(62)]

    assert guesses == [401] * 60 + [429] * 2


@spec("JWA-03", "CVE-2026-16093", "CVE-2026-11800")
@pytest.mark.parametrize("registered", ["RS256", "PS256"])
def test_an_assertion_is_signed_as_the_client_registered(world: World, registered: str) -> None:
    app = machine(world, RSA, token_endpoint_auth_signing_alg=registered)

    answers = {
        alg: present(world, asserted(world, app, RSA, alg)).status_code
        for alg in ("RS256", "PS256", "RS384", "RS512")
    }

    assert answers.pop(registered) == 200
    assert set(answers.values()) == {401}


@spec("JWA-03", "JOS-12")
def test_a_key_that_names_its_algorithm_is_for_no_other(world: World) -> None:
    jwk = RSA.as_dict(private=False) | {"kid": "k1", "alg": "RS256"}
    app = machine(world, jwks={"keys": [jwk]})

    assert present(world, asserted(world, app, RSA, "RS256")).status_code == 200
    assert present(world, asserted(world, app, RSA, "PS256")).status_code == 401


@spec("JWA-05", "JOS-04")
def test_a_key_is_looked_for_among_the_clients_own_only(world: World) -> None:
    one, two = machine(world, EC, "k1"), machine(world, RSA, "k2")
    ours = world.http().get("/jwks.json").json["keys"]

    assert present(world, asserted(world, two, EC, kid="k1")).status_code == 401
    assert present(world, asserted(world, two, EC, kid="k2")).status_code == 401
    assert present(world, asserted(world, one, EC, kid="k2")).status_code == 401
    assert present(world, asserted(world, one, EC, kid=ours[0]["kid"])).status_code == 401
    assert present(world, asserted(world, one, EC, kid="k1")).status_code == 200


@spec("JWA-02", "JWA-06", "CLK-02", "CVE-2020-15222", "CVE-2020-5300")
@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_a_used_assertion_stays_used_at_every_endpoint_and_to_its_very_end(
    world: World, path: str
) -> None:
    app = machine(world)
    token = asserted(world, app)
    assert present(world, token, path).status_code == 200

    again = []
    for _ in range(12):
        world.clock.advance(seconds=11)
        sweep(world)
        again.append(present(world, token).status_code)

    assert again == [401] * 12


@spec("JWA-06")
def test_the_sighting_outlives_the_assertion(world: World) -> None:
    app = machine(world)
    present(world, asserted(world, app, jti="remember me"))

    with world.app.app_context():
        key = f"assertion:{digest(f'{app.client_id}|remember me').hex()}"
        kept = db.session.get(Fact, key)

    assert kept is not None
    assert kept.expires_at >= world.clock.now + timedelta(seconds=60) + jose.SKEW


@spec("JWA-06", "CON-05")
def test_when_the_sightings_cannot_be_kept_the_assertion_is_refused(world: World) -> None:
    app = machine(world)
    rename(world, "fact", "fact_away")
    try:
        answer = present(world, asserted(world, app))
    finally:
        rename(world, "fact_away", "fact")

    assert answer.status_code == 503
    assert "access_token" not in answer.json
    assert present(world, asserted(world, app)).status_code == 200


@spec("CLK-02", "JWA-06")
@pytest.mark.parametrize("hours", [1, 23])
def test_a_clock_that_jumps_forth_and_back_opens_nothing_again(world: World, hours: int) -> None:
    app = machine(world)
    token = asserted(world, app)
    assert present(world, token).status_code == 200

    world.clock.advance(hours=hours)
    sweep(world)
    sweep(world)
    world.clock.advance(hours=-hours, seconds=5)

    assert present(world, token).status_code == 401


def sweep(world: World) -> None:
    from idp.domain import upkeep

    with world.app.app_context():
        upkeep.sweep(world.op, world.clock.now)
        db.session.commit()


def rename(world: World, old: str, new: str) -> None:
    with world.app.app_context():
        writing(db.session)
        db.session.connection().exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")
        db.session.commit()
