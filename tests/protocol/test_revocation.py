"""Introspection and revocation."""

import sqlite3
from datetime import timedelta

import pytest

from idp.domain.tokens import AccessToken
from idp.store import db
from tests.support.spec import spec
from tests.support.world import Rp, World


@spec("RFC 7662 section 2.2", "INT-02", "INT-03", "CVE-2026-37979")
def test_a_token_is_shown_only_to_those_it_is_meant_for(world: World, alice: str) -> None:
    notes = world.api("https://notes.test", **{"notes:read": "Read"})
    photos = world.api("https://photos.test", **{"photos:read": "See"})
    app, other = world.rp(), world.rp("Other")
    token = world.browser().tokens(app, scope="openid notes:read")["access_token"]

    assert notes.introspect(token)["active"] is True
    assert app.introspect(token)["sub"] == alice
    assert photos.introspect(token) == {"active": False}
    assert other.introspect(token) == {"active": False}
    assert notes.introspect("nonsense") == {"active": False}
    assert notes.introspect(token[:-1]) == {"active": False}


@spec("RFC 7662 section 2.1", "INT-01")
def test_only_a_client_that_can_authenticate_may_ask(world: World) -> None:
    public = world.rp(token_endpoint_auth_method="none")

    assert public.post("/introspect", token="x").status_code == 401
    assert world.http().post("/introspect", data={"token": "x"}).status_code == 401
    assert world.http().get("/introspect").status_code == 405


@spec("RFC 7662 section 2.2", "INT-05")
def test_the_answer_names_what_an_api_needs(world: World, alice: str, rp: Rp) -> None:
    tokens = world.browser().tokens(rp, scope="openid email")

    said = rp.introspect(tokens["access_token"])

    assert {"iss", "aud", "client_id", "sub", "scope", "exp", "jti", "token_type"} <= set(said)
    assert rp.introspect(tokens["refresh_token"])["active"] is True


@spec("RFC 7009 section 2.1", "REV-01", "REV-03")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "banana"])
def test_revoking_either_token_ends_the_line(either: World, kind: str, hint: str | None) -> None:
    either.person()
    app = either.rp()
    tokens = either.browser().tokens(app)

    first = app.post("/revoke", token=tokens[kind], token_type_hint=hint)
    second = app.post("/revoke", token=tokens[kind], token_type_hint=hint)

    assert first.status_code == second.status_code == 200
    assert either.userinfo(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


@spec("RFC 7009 section 2.1", "REV-02")
def test_another_clients_token_stays_alive_and_the_answer_does_not_tell(
    world: World, alice: str, rp: Rp
) -> None:
    other = world.rp("Other")
    tokens = world.browser().tokens(rp)

    foreign = other.post("/revoke", token=tokens["refresh_token"])
    unknown = other.post("/revoke", token="nonsense")

    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)
    assert rp.refresh(tokens["refresh_token"]).status_code == 200


@spec("REV-06", "CVE-2026-27840")
@pytest.mark.parametrize("cut", [1, 2, 10])
def test_a_shortened_token_revokes_nothing(world: World, alice: str, rp: Rp, cut: int) -> None:
    tokens = world.browser().tokens(rp)

    rp.post("/revoke", token=tokens["refresh_token"][:-cut])
    rp.post("/revoke", token=tokens["refresh_token"] + "=")

    assert rp.refresh(tokens["refresh_token"]).status_code == 200


@spec("RFC 7009 section 2.2.1", "REV-04", "CVE-2020-15223", "CON-05")
def test_a_store_that_does_not_answer_is_never_a_yes(world: World, alice: str, rp: Rp) -> None:
    tokens = world.browser().tokens(rp)
    with world.app.app_context():
        path = db.engine.url.database
    blocker = sqlite3.connect(path or "", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")

    answer = rp.post("/revoke", token=tokens["refresh_token"])
    blocker.execute("ROLLBACK")
    blocker.close()

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert rp.refresh(tokens["refresh_token"]).status_code == 200


@spec("P3", "REV-01")
def test_a_token_is_taken_back_and_a_proof_seen_once_on_every_database(either: World) -> None:
    until, now = either.clock.now + timedelta(hours=1), either.clock.now
    with either.app.app_context():
        seen = [either.op.tokens.seen_once("proof", "x", until, now) for _ in range(2)]
        claims = {"jti": "j", "sub": "s", "client_id": "c", "exp": int(until.timestamp())}
        either.op.tokens.deny(AccessToken(claims), now)
        db.session.commit()
        told = either.op.sign_outs.feed.read(None, None).head
        db.session.remove()

    assert seen == [True, False]
    assert told == 1
