"""Token exchange: what comes of it, and that nobody gains by it."""

from typing import Any

import pytest

from tests.protocol.test_token import claims
from tests.support.exchange import ARCHIVE, GRANT, NOTES, TYPE, Chain, actor
from tests.support.spec import spec
from tests.support.world import World


@pytest.fixture
def chain(world: World, alice: str) -> Chain:
    return Chain.of(world)


@spec("RFC 8693 section 2.2.1", "EXC-01")
def test_an_api_is_given_a_token_for_another_api(chain: Chain, alice: str) -> None:
    subject = chain.tokens()["access_token"]

    answer = chain.exchanges(subject)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["issued_token_type"] == f"{TYPE}access_token"
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["scope"] == "notes:read notes:write"
    assert "refresh_token" not in answer.json
    before, said = claims(subject), claims(answer.json["access_token"])
    assert (said["sub"], said["aud"], said["client_id"]) == (alice, ARCHIVE, chain.notes.client_id)
    assert [said[n] for n in ("sid", "auth_time", "acr", "line")] == [
        before[n] for n in ("sid", "auth_time", "acr", "line")
    ]
    assert said["lineage"] == [{"client_id": chain.app.client_id, "jti": before["jti"]}]
    assert chain.archive.introspect(answer.json["access_token"])["active"] is True


@spec("RFC 8693 section 4.1", "EXC-02")
def test_who_acts_is_recorded_and_so_is_who_acted_before(chain: Chain) -> None:
    third = chain.world.machine(grant_types=["client_credentials"])
    chain.allows(third, resources=[NOTES], clients=[chain.notes.client_id])
    subject = chain.tokens()["access_token"]

    once = chain.exchanged(subject, **actor(chain, chain.notes))
    again = chain.exchanged(once, third, resource=NOTES, **actor(chain, third))

    first = {"sub": chain.notes.client_id, "client_id": chain.notes.client_id}
    assert claims(once)["act"] == first
    assert claims(again)["act"] == {
        "sub": third.client_id,
        "client_id": third.client_id,
        "act": first,
    }
    assert chain.notes.introspect(again)["act"] == claims(again)["act"]


@spec("RFC 8693 section 1.1", "EXC-02")
def test_taking_somebodys_place_needs_an_operator_who_allowed_it(chain: Chain) -> None:
    chain.allows(chain.notes, resources=[ARCHIVE])
    subject = chain.tokens()["access_token"]

    alone = chain.exchanges(subject)
    acting = chain.exchanges(subject, **actor(chain, chain.notes))

    assert (alone.status_code, alone.json["error"]) == (400, "invalid_request")
    assert acting.status_code == 200


@spec("RFC 8693 section 4.1", "EXC-02")
def test_who_acted_is_not_forgotten_by_who_takes_the_place(chain: Chain) -> None:
    once = chain.exchanged(chain.tokens()["access_token"], **actor(chain, chain.notes))

    again = chain.exchanged(once)

    assert claims(again)["act"] == claims(once)["act"]


@spec("RFC 8693 section 4.4", "EXC-02")
def test_may_act_names_the_only_one_who_may(chain: Chain) -> None:
    chain.decides(chain.app, may_act={"client_id": chain.archive.client_id})
    subject = chain.tokens()["access_token"]

    refused = chain.exchanges(subject, **actor(chain, chain.notes))
    chain.decides(chain.app, may_act={"sub": chain.notes.client_id})
    other = chain.tokens()["access_token"]

    assert claims(subject)["may_act"] == {"client_id": chain.archive.client_id}
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_request")
    assert chain.exchanges(subject).json["error"] == "invalid_request"
    exchanged = chain.exchanged(other, **actor(chain, chain.notes))
    assert claims(exchanged)["may_act"] == {"sub": chain.notes.client_id}


@spec("RFC 8693 section 2.1", "EXC-02", "RES-01", "CVE-2026-9704")
@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"resource": NOTES}, "invalid_target"),
        ({"resource": "https://nowhere.test"}, "invalid_target"),
        ({"resource": "https://op.test"}, "invalid_target"),
        ({"resource": None, "audience": NOTES}, "invalid_target"),
        ({"resource": [ARCHIVE, NOTES]}, "invalid_target"),
        ({"scope": "notes:read admin"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}saml2"}, "invalid_request"),
        ({"subject_token_type": "access_token"}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}id_token"}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}refresh_token"}, "invalid_request"),
        ({"actor_token": "at_x"}, "invalid_request"),
        ({"actor_token_type": f"{TYPE}access_token"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": f"{TYPE}refresh_token"}, "invalid_request"),
        ({"requested_token_type": f"{TYPE}refresh_token"}, "invalid_request"),
        ({"requested_token_type": f"{TYPE}id_token"}, "invalid_request"),
    ],
)
def test_what_would_be_more_is_refused(chain: Chain, more: dict[str, Any], error: str) -> None:
    answer = chain.exchanges(chain.tokens()["access_token"], **more)

    assert (answer.status_code, answer.json["error"]) == (400, error)


@spec("RFC 8693 section 2.2.1", "EXC-02", "CVE-2020-12690")
def test_scopes_become_fewer_and_the_life_is_not_longer(chain: Chain) -> None:
    narrow = chain.tokens(scope="openid notes:read")["access_token"]
    chain.world.clock.advance(seconds=250)

    answer = chain.exchanges(narrow)

    assert answer.json["scope"] == "notes:read"
    assert answer.json["expires_in"] == 50
    assert claims(answer.json["access_token"])["exp"] == claims(narrow)["exp"]
    assert chain.exchanges(narrow, scope="notes:write").json["error"] == "invalid_scope"


@spec("RFC 8693 section 2.1", "RES-01")
def test_an_api_its_person_did_not_allow_is_no_target(chain: Chain) -> None:
    chain.browser.code(chain.app, scope="openid notes:read", resource=NOTES)
    code = chain.browser.code(chain.app, scope="openid notes:read", resource=NOTES)
    subject = chain.app.redeem(code, chain.browser.verifier).json["access_token"]

    answer = chain.exchanges(subject)

    assert answer.json["error"] == "invalid_target"


@spec("RFC 8693 section 2.1", "EXC-01", "GHSA-7qjx-gp9h-65qj")
def test_only_who_may_have_a_token_may_bring_it(chain: Chain) -> None:
    subject = chain.tokens()["access_token"]
    stranger = chain.world.machine(grant_types=["client_credentials"])
    untold = chain.exchanges(subject, stranger)
    chain.allows(stranger, resources=[ARCHIVE], impersonation=True)

    thief = chain.exchanges(subject, stranger)
    chain.allows(stranger, resources=[ARCHIVE], impersonation=True, clients=[chain.app.client_id])

    assert untold.json["error"] == "unauthorized_client"
    assert thief.json["error"] == "invalid_request"
    assert chain.exchanges(subject, stranger).status_code == 200


@spec("RFC 8693 section 3", "EXC-01")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token", "id_token", "jwt"])
def test_a_client_exchanges_its_own_tokens_of_any_kind(chain: Chain, kind: str) -> None:
    tokens = chain.tokens()
    chain.decides(
        chain.app,
        token_exchange={"resources": [ARCHIVE]},
        grant_types=["authorization_code", "refresh_token", GRANT],
    )

    answer = chain.exchanges(
        tokens["access_token" if kind == "jwt" else kind],
        chain.app,
        subject_token_type=TYPE + kind,
        requested_token_type=f"{TYPE}jwt",
    )

    assert answer.status_code == 200, answer.json
    assert answer.json["issued_token_type"] == f"{TYPE}jwt"
    assert chain.archive.introspect(answer.json["access_token"])["active"] is True
    assert chain.app.refresh(tokens["refresh_token"]).status_code == 200


@spec("RFC 8693 section 2.1", "EXC-01")
@pytest.mark.parametrize("kind", ["refresh_token", "id_token", "jwt"])
def test_anothers_refresh_or_id_token_is_no_use(chain: Chain, kind: str) -> None:
    tokens = chain.tokens()
    token = tokens["id_token" if kind == "jwt" else kind]

    answer = chain.exchanges(token, subject_token_type=TYPE + kind)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@spec("RFC 8693 section 2.2.2", "EXC-01", "CVE-2026-9097", "CVE-2026-9094")
def test_a_token_that_is_over_or_foreign_buys_nothing(chain: Chain) -> None:
    spent = chain.tokens()
    chain.app.post("/revoke", token=spent["access_token"])
    expired = chain.tokens()["access_token"]
    head, body, _ = expired.split(".")
    forged = f"{head}.{body}.{'A' * 86}"
    tries = [spent["access_token"], forged, "at_unknown", "x", "é", "a.b.c", "a.b.c.d.e"]

    errors = {chain.exchanges(token).json["error"] for token in tries}
    chain.world.clock.advance(seconds=301)

    assert errors == {"invalid_request"}
    assert chain.exchanges(expired).json["error"] == "invalid_request"


@spec("EXC-02")
def test_a_client_that_cannot_authenticate_exchanges_nothing(chain: Chain) -> None:
    subject = chain.tokens()["access_token"]
    public = chain.world.rp(token_endpoint_auth_method="none")

    answer = chain.exchanges(subject, public)

    assert answer.json["error"] == "unauthorized_client"


@spec("DCR-04", "EXC-02")
def test_no_client_gives_itself_the_right(world: World) -> None:
    wish = {
        "client_name": "Reader",
        "redirect_uris": ["https://reader.test/callback"],
        "grant_types": ["authorization_code", GRANT],
        "token_exchange": {"resources": [ARCHIVE], "impersonation": True},
        "may_act": {"sub": "me"},
    }

    made = world.http().post("/register", json=wish)

    assert made.status_code == 201
    assert not {"token_exchange", "may_act"} & set(made.json)
