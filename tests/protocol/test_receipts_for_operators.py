"""Receipts of anybody, for programs of the operator: by a scope that nobody gives themselves."""

import pytest
from werkzeug.test import TestResponse

from tests.support.spec import spec
from tests.support.world import Rp, World

SCOPE = "receipts.read"
MACHINE = {"grant_types": ["client_credentials"], "response_types": []}


@pytest.fixture
def auditor(world: World) -> Rp:
    return world.machine("Auditor", scope=SCOPE, **MACHINE)


@pytest.fixture
def receipt(world: World, alice: str) -> str:
    """Alice signed in and out."""
    browser = world.browser()
    browser.tokens(world.rp("Notes"))
    browser.submit(
        browser.http.get("/account/sessions"), "/account/sessions/end", what="everywhere"
    )
    with world.app.app_context():
        return world.op.sign_outs.receipts.of_account(alice)[0].id


def asked(rp: Rp, path: str, scope: str = SCOPE) -> TestResponse:
    given = rp.post("/token", grant_type="client_credentials", scope=scope)
    assert given.status_code == 200, given.text
    bearer = {"Authorization": f"Bearer {given.json['access_token']}"}
    return rp.world.http().get(path, headers=bearer)


@spec("design section 6", "P8")
def test_an_operators_program_reads_anybodys_receipt(
    world: World, alice: str, auditor: Rp, receipt: str
) -> None:
    answer = asked(auditor, f"/receipts/{receipt}")

    assert answer.status_code == 200
    assert (answer.json["id"], answer.json["sub"]) == (receipt, alice)
    assert answer.json["lines"]


@spec("design section 6")
def test_it_finds_the_newest_of_all_and_of_one_person(
    world: World, alice: str, auditor: Rp, receipt: str
) -> None:
    world.person("bob")

    everybody = asked(auditor, "/receipts")
    hers = asked(auditor, f"/receipts?sub={alice}&limit=1")
    nobodys = asked(auditor, "/receipts?sub=bob")

    assert [row["id"] for row in everybody.json["receipts"]] == [receipt]
    assert everybody.json == hers.json
    assert nobodys.json == {"receipts": []}


def test_a_person_lists_their_own(world: World, alice: str, receipt: str) -> None:
    world.person("bob")
    tokens = {}
    for name in ("alice", "bob"):
        browser = world.browser()
        browser.sign_in(name)
        tokens[name] = browser.tokens(world.rp("Viewer"))["access_token"]

    found = {
        name: world.http().get(f"/receipts?sub={alice}", headers={"Authorization": f"Bearer {t}"})
        for name, t in tokens.items()
    }

    assert [row["id"] for row in found["alice"].json["receipts"]] == [receipt]
    assert found["bob"].json == {"receipts": []}


@pytest.mark.parametrize("limit", ["0", "501", "-1", "many", "1e2", "9" * 5000])
def test_a_limit_that_is_none_is_refused(auditor: Rp, limit: str) -> None:
    answer = asked(auditor, f"/receipts?limit={limit}")

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_request"


@spec("V8.2.1", "DCR-02")
@pytest.mark.parametrize("scope", [SCOPE, "ssf.read", "ssf.manage"])
def test_nobody_gives_themselves_such_a_scope(world: World, scope: str) -> None:
    metadata = {**MACHINE, "scope": scope, "client_name": "Curious"}
    registered = world.http().post("/register", json=metadata).json
    curious = Rp(world, registered["client_id"], registered["client_secret"])
    unnamed = world.machine("Unnamed", **MACHINE)

    answers = [
        rp.post("/token", grant_type="client_credentials", scope=scope) for rp in (curious, unnamed)
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert [answer.json["error"] for answer in answers] == ["invalid_scope"] * 2


@spec("RFC 6750 section 3.1")
def test_another_scope_does_not_open_it(world: World, receipt: str) -> None:
    receiver = world.machine("Receiver", scope="ssf.read", **MACHINE)

    with_another = asked(receiver, f"/receipts/{receipt}", "ssf.read")
    with_none = asked(receiver, f"/receipts/{receipt}", "")

    for answer in (with_another, with_none):
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
