"""Tokens that stand in a status list, seen by somebody who only has the standard."""

import base64
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from idp.domain import upkeep
from idp.domain.sign_out import Because
from idp.policies import POLICIES
from idp.store import db
from tests.support.spec import spec
from tests.support.world import API, Browser, Rp, World, make_world

DRAFT = "draft-ietf-oauth-status-list"
WHY = Because("administrator", "operator")
Json = dict[str, Any]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    made.person()
    listed(made)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def listed(world: World, identifier: str = API, *policies: str) -> None:
    """An API whose tokens stand in a status list."""
    with world.app.app_context():
        names = policies or ("jti_denylist",)
        scopes = {"notes:read": "Read"}
        world.op.resources.add(identifier, "API", scopes, names, world.clock.now, status_list=True)
        db.session.commit()


def token(world: World, rp: Rp, browser: Browser | None = None) -> str:
    browser = browser or world.browser()
    given = browser.tokens(rp, scope="openid notes:read", resource=API)
    return str(given["access_token"])


def opened(world: World, token: str, algorithms: list[str]) -> tuple[Json, Json]:
    """Header and claims of a token whose signature holds."""
    keys = KeySet.import_key_set(world.http().get("/jwks.json").json)
    signed = jws.deserialize_compact(token, keys, algorithms=algorithms)
    return signed.headers(), json.loads(signed.payload)


def place(world: World, token: str) -> Json:
    found: Json = opened(world, token, ["ES256"])[1]["status"]["status_list"]
    return found


def status(world: World, where: Json) -> int:
    """What a stranger reads in the list: section 8.3, spelled out once more."""
    answer = world.http().get(where["uri"].removeprefix("https://op.test"))
    assert answer.status_code == 200
    assert answer.content_type == "application/statuslist+jwt"
    header, said = opened(world, answer.text, ["ES256"])
    assert header["typ"] == "statuslist+jwt"
    assert said["sub"] == where["uri"]
    assert said["iat"] <= world.clock.now.timestamp() < said["exp"]
    assert said["ttl"] == 30
    lst = said["status_list"]["lst"]
    bits = zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))
    assert said["status_list"]["bits"] == 1
    return bits[where["idx"] // 8] >> (where["idx"] % 8) & 1


@spec(f"{DRAFT} section 6.2", f"{DRAFT} section 5.1", f"{DRAFT} section 8.1")
def test_a_token_that_was_taken_back_is_marked_in_the_list(world: World, rp: Rp) -> None:
    one, other = token(world, rp), token(world, rp)
    before = [status(world, place(world, each)) for each in (one, other)]
    rp.post("/revoke", token=one)

    after = [status(world, place(world, each)) for each in (one, other)]

    assert (before, after) == ([0, 0], [1, 0])


@spec("P1", f"{DRAFT} section 6.2")
@pytest.mark.parametrize("how", ["everywhere", "browser", "line", "disable", "remove"])
def test_every_way_of_ending_is_in_the_list(world: World, rp: Rp, how: str) -> None:
    where = place(world, token(world, rp))
    now = world.clock.now
    with world.app.app_context():
        account = world.op.accounts.list()[0]
        (session,) = world.op.sessions.of_account(account.id, now)
        if how == "everywhere":
            world.op.sign_outs.everywhere(account.id, WHY, now)
        elif how == "browser":
            world.op.sign_outs.browser(account.id, session.id, WHY, now)
        elif how == "line":
            world.op.sign_outs.app_everywhere(account.id, rp.client_id, WHY, now)
        elif how == "disable":
            world.op.clients.disable(rp.client_id, now)
        else:
            world.op.clients.remove(rp.client_id, now)
        db.session.commit()

    assert status(world, where) == 1


@spec(f"{DRAFT} section 7.1")
def test_a_client_that_is_enabled_again_has_its_tokens_back_but_for_those_it_gave_up(
    world: World, rp: Rp
) -> None:
    one, other = token(world, rp), token(world, rp)
    rp.post("/revoke", token=one)
    with world.app.app_context():
        world.op.clients.disable(rp.client_id, world.clock.now)
        world.op.clients.enable(rp.client_id, world.clock.now)
        db.session.commit()

    assert [status(world, place(world, each)) for each in (one, other)] == [1, 0]


@spec(f"{DRAFT} section 12.5")
def test_places_are_given_by_chance_and_only_once(world: World, rp: Rp) -> None:
    browser = world.browser()

    found = [place(world, token(world, rp, browser))["idx"] for _ in range(12)]

    assert len(set(found)) == 12
    assert found != sorted(found)


@spec(f"{DRAFT} section 9", "RFC 8414 section 3.2")
def test_discovery_says_where_all_lists_are(world: World, rp: Rp) -> None:
    where = place(world, token(world, rp))
    said = world.http().get("/.well-known/openid-configuration").json
    path = said["status_list_aggregation_endpoint"].removeprefix("https://op.test")

    answer = world.http().get(path)

    assert answer.json == {"status_lists": [where["uri"]]}
    assert answer.headers["Cache-Control"] == "public, max-age=30"


@spec(f"{DRAFT} section 8.1", f"{DRAFT} section 13.7")
def test_a_list_may_be_kept_and_fetched_by_any_page(world: World, rp: Rp) -> None:
    where = place(world, token(world, rp))["uri"].removeprefix("https://op.test")

    answer = world.http().get(where)

    assert answer.headers["Cache-Control"] == "public, max-age=30"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert world.http().get("/status-lists/nobodys").status_code == 404
    assert world.http().get(where + "?time=1").status_code == 501


@spec("design section 4")
def test_only_an_api_that_takes_tokens_back_by_name_can_have_a_list(world: World) -> None:
    others = [
        name for name, policy in POLICIES.items() if policy.for_access and not policy.listable
    ]
    for name in others:
        with pytest.raises(ValueError, match="status list"):
            listed(world, "https://other.test", name)

    assert "short_jwt" in others


def test_tokens_of_other_apis_stand_in_no_list(world: World, rp: Rp) -> None:
    world.api("https://plain.test", **{"photos:read": "See"})

    given = world.browser().tokens(rp, scope="openid photos:read")["access_token"]

    assert "status" not in opened(world, given, ["ES256"])[1]


@spec("P8")
def test_the_receipt_says_until_when_who_checks_offline_may_go_on(world: World, rp: Rp) -> None:
    token(world, rp)
    with world.app.app_context():
        account = world.op.accounts.list()[0]
        receipt = world.op.sign_outs.everywhere(account.id, WHY, world.clock.now)
        assert receipt is not None
        lines = {row.audience: row for row in world.op.sign_outs.receipts.lines(receipt.id)}

        assert lines[API].state == "lives"
        assert lines[API].until == world.clock.now + timedelta(seconds=60)
        db.session.rollback()


@spec("P7")
def test_lists_go_when_their_last_token_is_over(world: World, rp: Rp) -> None:
    where = place(world, token(world, rp))["uri"].removeprefix("https://op.test")
    world.clock.advance(hours=2, minutes=1)
    swept(world)
    kept = world.http().get(where).status_code
    world.clock.advance(minutes=5)
    swept(world)

    assert (kept, world.http().get(where).status_code) == (200, 404)
    assert world.http().get("/status-lists").json == {"status_lists": []}


@spec("P7")
def test_a_token_of_the_next_hour_stands_in_the_next_list(world: World, rp: Rp) -> None:
    first = place(world, token(world, rp))["uri"]
    world.clock.advance(minutes=61)

    assert place(world, token(world, rp))["uri"] != first


def swept(world: World) -> None:
    with world.app.app_context():
        upkeep.sweep(world.op, world.clock.now)
        db.session.commit()


@spec(f"{DRAFT} section 8.1")
@pytest.mark.parametrize("name", ["%00", "a%00b", "x" * 3000])
def test_a_name_no_list_can_have_is_not_found(either: World, name: str) -> None:
    assert either.http().get(f"/status-lists/{name}").status_code in (400, 404)
