"""Refresh lines bound to a key: who may go on with them, and who is a thief."""

from pathlib import Path

import pytest

from idp.store import db
from tests.protocol.test_dpop import without_key
from tests.protocol.test_token import claims
from tests.support.holder import Holder
from tests.support.spec import spec
from tests.support.world import World, make_world

GRACE = {"IDP_LIFETIMES__ROTATION_GRACE": "10"}


@pytest.fixture
def public(world: World, alice: str) -> Holder:
    """A client without a secret, and with a key."""
    return Holder.of(world.rp(token_endpoint_auth_method="none"))


@spec("RFC 9449 section 5", "RFT-10", "DPO-12")
def test_a_public_clients_line_goes_on_with_its_own_key_for_ever(
    world: World, public: Holder
) -> None:
    tokens = world.browser().tokens(public)

    for _ in range(3):
        answer = public.refresh(tokens["refresh_token"])
        tokens = answer.json
        assert tokens["token_type"] == "DPoP"
        assert claims(tokens["access_token"])["cnf"] == {"jkt": public.prover.jkt}


@spec("RFC 9449 section 5", "RFT-10", "DPO-12", "KC-36475")
def test_without_its_key_a_public_clients_refresh_token_is_worth_nothing(
    world: World, public: Holder
) -> None:
    token = world.browser().tokens(public)["refresh_token"]

    bare = without_key(public).refresh(token)
    other = Holder.of(public).refresh(token)
    good = public.refresh(token)

    assert (bare.status_code, bare.json["error"]) == (400, "invalid_dpop_proof")
    assert (other.status_code, other.json["error"]) == (400, "invalid_grant")
    assert good.status_code == 200


@spec("RFT-04", "RFT-10")
@pytest.mark.parametrize("thief_has_a_key", [True, False])
def test_a_spent_token_in_other_hands_is_theft_even_inside_the_grace(
    tmp_path: Path, thief_has_a_key: bool
) -> None:
    world = make_world(tmp_path, **GRACE)
    world.person()
    public = Holder.of(world.rp(token_endpoint_auth_method="none"))
    thief = Holder.of(public) if thief_has_a_key else without_key(public)
    spent = world.browser().tokens(public)["refresh_token"]
    successor = public.refresh(spent).json["refresh_token"]

    world.clock.advance(seconds=5)
    assert public.refresh(spent).json["refresh_token"] == successor
    stolen = thief.refresh(spent)

    assert stolen.json["error"] == "invalid_grant"
    assert public.refresh(successor).json["error"] == "invalid_grant"
    with world.app.app_context():
        db.session.remove()
        db.engine.dispose()


@spec("RFC 9449 section 5")
def test_a_confidential_client_may_change_its_key_because_it_proves_itself_otherwise(
    world: World, alice: str
) -> None:
    holder = Holder.of(world.rp())
    token = world.browser().tokens(holder)["refresh_token"]

    renewed = Holder.of(holder)
    answer = renewed.refresh(token)
    bare = without_key(holder).refresh(answer.json["refresh_token"])

    assert claims(answer.json["access_token"])["cnf"] == {"jkt": renewed.prover.jkt}
    assert bare.json["token_type"] == "Bearer"


@spec("RFC 9449 section 5", "RFT-10")
def test_the_policy_device_bound_binds_a_confidential_clients_line_too(
    world: World, alice: str
) -> None:
    holder = Holder.of(policed(world, "device_bound"))
    browser = world.browser()

    bare = without_key(holder).redeem(browser.code(holder), browser.verifier)
    token = browser.tokens(holder)["refresh_token"]
    other = Holder.of(holder).refresh(token)

    assert bare.json["error"] == "invalid_dpop_proof"
    assert other.json["error"] == "invalid_grant"
    assert without_key(holder).refresh(token).json["error"] == "invalid_dpop_proof"
    assert holder.refresh(token).status_code == 200


@spec("DPO-14", "KC-50306")
@pytest.mark.parametrize("proves", [True, False])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_bound_token_is_revoked_with_and_without_a_proof(
    world: World, public: Holder, proves: bool, kind: str
) -> None:
    tokens = world.browser().tokens(public)
    caller = public if proves else without_key(public)

    answer = caller.post("/revoke", token=tokens[kind])

    assert answer.status_code == 200
    assert public.userinfo(tokens["access_token"]).status_code == 401
    assert public.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


@spec("DPO-14", "KC-50306")
def test_signing_out_needs_no_proof_and_ends_what_is_bound(world: World, alice: str) -> None:
    goodbye = "https://rp.test/bye"
    holder = Holder.of(world.rp(post_logout_redirect_uris=[goodbye], dpop_bound_access_tokens=True))
    browser = world.browser()
    tokens = browser.tokens(holder)

    query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": goodbye}
    answer = browser.http.get("/end_session", query_string=query)

    assert answer.status_code == 303
    assert holder.userinfo(tokens["access_token"]).status_code == 401
    assert holder.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def policed(world: World, *policies: str) -> Holder:
    """A confidential client with policies of its own."""
    details = {
        "client_name": "Bound",
        "redirect_uris": ["https://rp.test/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
    }
    with world.app.app_context():
        view, secret = world.op.clients.add(
            details, trusted=True, policies=policies, now=world.clock.now
        )
        db.session.commit()
    return Holder(world, view.client_id, secret)


@spec("RFC 9449 section 5", "RFT-10", "P3")
def test_an_api_that_wants_a_key_costs_who_forgot_it_neither_code_nor_refresh_token(
    world: World, alice: str
) -> None:
    with world.app.app_context():
        scopes = {"bank:read": "See your accounts"}
        world.op.resources.add(
            "https://bank.test", "Bank", scopes, ("device_bound",), world.clock.now
        )
        db.session.commit()
    holder, browser = Holder.of(world.rp()), world.browser()
    code = browser.code(holder, scope="openid bank:read")

    bare = without_key(holder).redeem(code, browser.verifier)
    tokens = holder.redeem(code, browser.verifier).json
    again = without_key(holder).refresh(tokens["refresh_token"])

    assert bare.json["error"] == again.json["error"] == "invalid_dpop_proof"
    assert holder.refresh(tokens["refresh_token"]).status_code == 200


@spec("RFC 8707 section 2.2", "RFT-08", "P3")
def test_a_resource_that_was_not_granted_costs_neither_code_nor_refresh_token(
    world: World, alice: str
) -> None:
    app, browser = world.rp(), world.browser()
    code = browser.code(app)

    refused = app.redeem(code, browser.verifier, resource="https://other.test")
    tokens = app.redeem(code, browser.verifier).json
    again = app.refresh(tokens["refresh_token"], resource="https://other.test")

    assert refused.json["error"] == again.json["error"] == "invalid_target"
    assert app.refresh(tokens["refresh_token"]).status_code == 200
