"""Receipts for programs: as JSON, or signed, to whom they concern."""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from idp.domain.sign_out import Because
from idp.store import db
from tests.support.holder import Holder
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World, hidden

PROOF = "application/receipt+jwt"


@pytest.fixture
def notes(world: World) -> Rp:
    return world.rp("Notes", backchannel_logout_uri="https://rp.test/logout")


@pytest.fixture
def browser(world: World, alice: str, notes: Rp) -> Browser:
    """Alice, signed in, after a sign-out of Notes elsewhere."""
    elsewhere, made = world.browser(), world.browser()
    elsewhere.tokens(notes)
    made.sign_in()
    page = made.http.get("/account/sessions")
    made.submit(page, "/account/sessions/end", what="elsewhere")
    return made


def newest(world: World, account_id: str) -> str:
    with world.app.app_context():
        return world.op.sign_outs.receipts.of_account(account_id)[0].id


def fetch(world: World, receipt: str, token: str, accept: str = "*/*") -> TestResponse:
    headers = {"Authorization": f"Bearer {token}", "Accept": accept}
    return world.http().get(f"/receipts/{receipt}", headers=headers)


def verified(world: World, proof: str) -> Any:
    """Read as anybody can: with the key set of the provider and another JOSE library."""
    keys = KeySet.import_key_set(world.http().get("/jwks.json").json)
    return jwt.decode(proof, keys, algorithms=["ES256"])


@spec("design section 6", "P8")
def test_a_receipt_is_read_with_a_token_of_its_person(
    world: World, alice: str, browser: Browser
) -> None:
    receipt, token = newest(world, alice), browser.tokens(world.rp("Viewer"))["access_token"]

    answer = fetch(world, receipt, token)

    said = answer.json
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert (said["id"], said["sub"], said["scope"]) == (receipt, alice, "elsewhere")
    assert (said["reason"], said["by"]) == ("signed_out", "person")
    assert {"kind": "app", "name": "Notes", "state": "telling"} in said["lines"]
    ends = int(world.clock.now.timestamp()) + 300
    lives = {"kind": "access", "name": "Notes", "state": "lives", "until": ends}
    assert lives | {"audience": "https://op.test"} in said["lines"]


@spec("design section 6", "P8", "RFC 9110 section 12.5.1")
def test_a_receipt_can_be_had_signed(world: World, alice: str, browser: Browser) -> None:
    receipt, token = newest(world, alice), browser.tokens(world.rp("Viewer"))["access_token"]
    world.clock.advance(seconds=30)

    plain = fetch(world, receipt, token)
    signed = fetch(world, receipt, token, f"{PROOF}, application/json;q=0.5")

    proof = verified(world, signed.text)
    assert signed.content_type == PROOF
    assert proof.header["typ"] == "receipt+jwt"
    assert proof.claims["iss"] == "https://op.test"
    assert proof.claims["jti"] == receipt
    assert proof.claims["iat"] == plain.json["at"] + 30
    for name in ("sub", "at", "scope", "reason", "by", "lines"):
        assert proof.claims[name] == plain.json[name]


@spec("P6")
def test_no_receipt_holds_an_id_of_what_it_ended(
    world: World, alice: str, browser: Browser
) -> None:
    receipt, token = newest(world, alice), browser.tokens(world.rp("Viewer"))["access_token"]
    with world.app.app_context():
        references = [row.reference for row in world.op.sign_outs.receipts.lines(receipt)]

    said = fetch(world, receipt, token).text

    assert len(references) == 4
    assert not any(reference in said for reference in references)


@spec("V8.3.1", "ADM-01")
def test_another_persons_token_finds_nothing(world: World, alice: str, browser: Browser) -> None:
    world.person("bob")
    bob = world.browser()
    bob.sign_in("bob")
    token = bob.tokens(world.rp("Viewer"))["access_token"]

    theirs, none = fetch(world, newest(world, alice), token), fetch(world, "nothing", token)

    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.json == none.json == {"error": "not_found"}


@spec("RSG-04", "RFC 6750 section 3")
def test_a_token_that_is_over_or_for_others_is_refused(
    world: World, alice: str, browser: Browser
) -> None:
    receipt, viewer = newest(world, alice), world.rp("Viewer")
    given = browser.tokens(viewer)
    viewer.post("/revoke", token=given["refresh_token"])

    answers = [fetch(world, receipt, token) for token in (given["access_token"], "x")]
    bare = world.http().get(f"/receipts/{receipt}", headers={"Accept": PROOF})

    for answer in (*answers, bare):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@spec("RFC 9449 section 7.1", "DPO-09")
def test_a_bound_token_needs_its_key_here_too(world: World, alice: str, browser: Browser) -> None:
    receipt, holder = newest(world, alice), Holder.of(world.rp("Viewer"))
    token, path = browser.tokens(holder)["access_token"], f"/receipts/{receipt}"
    headers = {"Authorization": f"DPoP {token}", "DPoP": holder.proof("GET", path, token=token)}

    proven = world.http().get(path, headers=headers)

    assert proven.status_code == 200
    assert fetch(world, receipt, token).status_code == 401


@spec("design section 6")
def test_the_page_offers_the_proof_as_a_file(world: World, alice: str, browser: Browser) -> None:
    receipt = newest(world, alice)
    page = browser.http.get(f"/receipts/{receipt}")

    file = browser.http.get(f"/receipts/{receipt}/proof")

    assert f'href="/receipts/{receipt}/proof"' in page.text
    assert file.content_type == PROOF
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert verified(world, file.text).claims["sub"] == alice


@spec("design section 6")
def test_who_signed_out_everywhere_can_still_take_the_proof_along(
    world: World, alice: str, browser: Browser
) -> None:
    form = hidden(browser.http.get("/account/sessions").text, "/account/sessions/end")
    page = browser.http.post("/account/sessions/end", data=form | {"what": "everywhere"})

    file = browser.http.get("/signed-out/proof")
    stranger = world.browser().http.get("/signed-out/proof")

    assert 'href="/signed-out/proof"' in page.text
    assert verified(world, file.text).claims["scope"] == "everywhere"
    assert stranger.status_code == 404


@spec("P8")
def test_a_proof_speaks_of_the_moment_it_is_made(world: World, alice: str, notes: Rp) -> None:
    browser = world.browser()
    browser.tokens(notes)
    with world.app.app_context():
        why = Because("administrator", "operator")
        world.op.sign_outs.app_everywhere(alice, notes.client_id, why, world.clock.now)
        db.session.commit()
    path = f"/receipts/{newest(world, alice)}/proof"
    first = verified(world, browser.http.get(path).text).claims

    with world.app.app_context():
        world.app.extensions["idp.courier"].run_once()
    then = verified(world, browser.http.get(path).text).claims

    assert [row["state"] for row in first["lines"] if row["kind"] == "app"] == ["telling"]
    assert [row["state"] for row in then["lines"] if row["kind"] == "app"] == ["retrying"]
