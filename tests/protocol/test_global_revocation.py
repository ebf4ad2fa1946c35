"""Global Token Revocation: everything of one person ends, for who may ask it and nobody else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.domain.events import Event
from idp.store import db
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

ADDRESS = "/global-token-revocation"
SCOPE = "global_token_revocation"
KEY = ECKey.generate_key("P-256")


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """One provider for the file; each test has people of its own."""
    on_postgres = request.param == "postgresql"
    url = request.getfixturevalue("postgres").fresh() if on_postgres else ""
    made = make_world(tmp_path_factory.mktemp("revocation"), url)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def watcher(house: World) -> Rp:
    """A security service that an operator lets end what belongs to people."""
    return house.machine("Watcher", grant_types=["client_credentials"], scope=SCOPE)


@pytest.fixture(scope="module")
def notes(house: World) -> Rp:
    return house.rp("Notes", backchannel_logout_uri="https://rp.test/out")


def asks(house: World, caller: str | Rp, **sub_id: Any) -> TestResponse:
    """With a bearer token, or with one that the client gets for it."""
    bearer = caller if isinstance(caller, str) else token(caller)
    headers = {"Authorization": f"Bearer {bearer}"}
    return house.http().post(ADDRESS, json={"sub_id": sub_id}, headers=headers)


def token(client: Rp, scope: str = SCOPE) -> str:
    answer = client.post("/token", grant_type="client_credentials", scope=scope)
    assert answer.status_code == 200, answer.text
    return str(answer.json["access_token"])


def assertion(house: World, client_id: str, **more: Any) -> str:
    now = int(house.clock.now.timestamp())
    said = {
        "iss": client_id,
        "sub": client_id,
        "aud": "https://op.test",
        "iat": now,
        "exp": now + 60,
        "jti": f"{client_id} {house.http()!r}",
    } | more
    return jwt.encode({"alg": "ES256"}, said, KEY)


@spec("Global Token Revocation section 3.2", "design section 6")
def test_everything_of_the_person_ends_and_there_is_a_receipt(
    house: World, watcher: Rp, notes: Rp
) -> None:
    alice, bob = house.person("alice"), house.person("bob")
    here, there, other = house.browser(), house.browser(), house.browser()
    given = here.tokens(notes, scope="openid offline_access", prompt="consent")
    there.sign_in()
    others = returned_tokens(other, notes, "bob")

    answer = asks(house, watcher, format="iss_sub", iss="https://op.test", sub=alice)

    assert (answer.status_code, answer.data) == (204, b"")
    assert [b.http.get("/account").status_code for b in (here, there)] == [303, 303]
    assert notes.refresh(given["refresh_token"]).json["error"] == "invalid_grant"
    assert house.userinfo(given["access_token"]).status_code == 401
    assert house.userinfo(others["access_token"]).json["sub"] == bob
    with house.app.app_context():
        (row,) = house.op.sign_outs.receipts.of_account(alice)
        kinds = {line.kind for line in house.op.sign_outs.receipts.lines(row.id)}
    assert (row.scope, row.reason) == ("everywhere", "globally_revoked")
    assert row.by == f"client:{watcher.client_id}"
    assert {"session", "app", "offline"} <= kinds


def returned_tokens(browser: Any, rp: Rp, username: str) -> dict[str, Any]:
    browser.sign_in(username)
    given: dict[str, Any] = browser.tokens(rp)
    return given


@spec("RFC 9493 section 3.2", "Global Token Revocation section 3.1")
@pytest.mark.parametrize("form", ["opaque", "email", "phone_number", "account", "aliases"])
def test_a_person_is_named_in_any_way_that_is_surely_theirs(
    house: World, watcher: Rp, form: str
) -> None:
    claims = {"email": f"{form}@example.com", "email_verified": True}
    claims |= {"phone_number": f"+49 30 {len(form)}00", "phone_number_verified": True}
    sub = house.person(f"c-{form}", **claims)
    browser = house.browser()
    browser.sign_in(f"c-{form}")
    email = {"format": "email", "email": f"{form}@EXAMPLE.com"}
    named: dict[str, Any] = {
        "opaque": {"id": sub},
        "email": email,
        "phone_number": {"phone_number": claims["phone_number"]},
        "account": {"uri": f"acct:c-{form}@op.test"},
        "aliases": {"identifiers": [{"format": "opaque", "id": "nobody"}, email]},
    }[form]

    answer = asks(house, watcher, **(named | {"format": form}))

    assert answer.status_code == 204, answer.text
    assert browser.http.get("/account").status_code == 303


@spec("Global Token Revocation section 3.4.1")
@pytest.mark.parametrize(
    "sub_id",
    [
        {"format": "opaque", "id": "nobody"},
        {"format": "opaque", "id": "\0nobody"},
        {"format": "email", "email": "\0@example.com"},
        {"format": "iss_sub", "iss": "https://elsewhere.test", "sub": "SUB"},
        {"format": "email", "email": "claimed@example.com"},
        {"format": "account", "uri": "acct:dora@elsewhere.test"},
    ],
)
def test_an_identifier_that_is_nobodys_or_only_claimed_names_nobody(
    house: World, watcher: Rp, sub_id: dict[str, str]
) -> None:
    with house.app.app_context():
        known = house.op.accounts.find_by_username("dora")
        sub = known.id if known is not None else ""
    sub = sub or house.person("dora", email="claimed@example.com")
    browser = house.browser()
    browser.sign_in("dora")

    answer = asks(house, watcher, **{k: v.replace("SUB", sub) for k, v in sub_id.items()})

    assert (answer.status_code, answer.json["error"]) == (404, "not_found")
    assert browser.http.get("/account").status_code == 200


@spec("Global Token Revocation section 3.4.1", "RFC 9493 section 3")
@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"sub_id": None}, {"sub_id": "alice"}, {"sub_id": {}},
        {"sub_id": {"format": "email"}}, {"sub_id": {"format": "email", "email": 1}},
        {"sub_id": {"format": "nobody knows"}},
        {"sub_id": {"format": "did", "url": "did:example:1"}},
        {"sub_id": {"format": "aliases", "identifiers": []}},
        {"sub_id": {"format": "aliases", "identifiers": "x"}},
        {"sub_id": {"format": "aliases", "identifiers": [{"format": "opaque", "id": "x"}] * 11}},
        {"sub_id": {"format": "aliases", "identifiers": [{"format": "aliases"}]}},
    ],
)  # fmt: skip
def test_a_request_that_means_nobody_is_malformed(house: World, watcher: Rp, body: object) -> None:
    headers = {"Authorization": f"Bearer {token(watcher)}", "Content-Type": "application/json"}

    answer = house.http().post(ADDRESS, data=json.dumps(body), headers=headers)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@spec("Global Token Revocation section 3.1", "RFC 7523 section 3", "JWA-02")
def test_an_assertion_of_the_client_is_good_once(house: World) -> None:
    sub = house.person("emil")
    signer = house.machine(
        "Signer", grant_types=["client_credentials"],
        scope=SCOPE, token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [KEY.as_dict(private=False)]},
    )  # fmt: skip
    said = assertion(house, signer.client_id)

    first = asks(house, said, format="opaque", id=sub)
    again = asks(house, said, format="opaque", id=sub)
    elsewhere = assertion(house, signer.client_id, aud="https://elsewhere.test", jti="2")

    assert first.status_code == 204
    assert (again.status_code, again.json["error"]) == (401, "invalid_client")
    assert asks(house, elsewhere, format="opaque", id=sub).status_code == 401


@spec("Global Token Revocation section 3.4.1", "DCR-04")
def test_whoever_was_not_given_the_right_may_not_ask(house: World, notes: Rp) -> None:
    sub = house.person("fred")
    browser = house.browser()
    given = returned_tokens(browser, notes, "fred")
    registered = house.http().post(
        "/register",
        json={
            "grant_types": ["client_credentials"],
            "scope": SCOPE,
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [KEY.as_dict(private=False)]},
        },
    ).json  # fmt: skip
    named = {"format": "opaque", "id": sub}

    by_person = asks(house, given["access_token"], **named)
    by_itself = asks(house, assertion(house, registered["client_id"]), **named)
    by_nobody = house.http().post(ADDRESS, json={"sub_id": named})

    assert by_person.status_code in (401, 403)
    assert (by_itself.status_code, by_itself.json["error"]) == (403, "insufficient_scope")
    assert by_nobody.status_code == 401
    assert "Bearer" in by_nobody.headers["WWW-Authenticate"]
    assert browser.http.get("/account").status_code == 200


def test_who_has_nothing_left_is_answered_the_same(house: World, watcher: Rp) -> None:
    sub = house.person("gerd")

    answers = [asks(house, watcher, format="opaque", id=sub).status_code for _ in range(2)]

    assert answers == [204, 204]


@spec("C.1")
def test_discovery_names_the_endpoint_and_the_audit_trail_who_asked(
    house: World, watcher: Rp
) -> None:
    sub = house.person("hugo")
    house.browser().sign_in("hugo")

    said = house.http().get("/.well-known/openid-configuration").json
    asks(house, watcher, format="opaque", id=sub)

    assert said["global_token_revocation_endpoint"] == f"https://op.test{ADDRESS}"
    with house.app.app_context():
        rows = db.session.query(Event).filter_by(name="SignedOut", account_id=sub).all()
        assert [row.details["by"] for row in rows] == [f"client:{watcher.client_id}"]


@spec("OpenID Connect Core section 8.1")
def test_who_knows_people_by_names_of_its_own_uses_those(house: World) -> None:
    sub = house.person("ilse")
    watcher = house.rp("Own names", grant_types=["client_credentials"], scope=SCOPE,
                       redirect_uris=["https://own.test/cb"], subject_type="pairwise")  # fmt: skip
    with house.app.app_context():
        own = house.op.clients.get(watcher.client_id).sub_of(sub)

    by_own = asks(house, watcher, format="opaque", id=own)
    by_other = asks(house, watcher, format="opaque", id=sub)

    assert own != sub
    assert (by_own.status_code, by_other.status_code) == (204, 404)
