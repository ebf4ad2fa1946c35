"""Tokens that came of an exchange: bound like what they come from, and ended with it."""

import pytest

from idp.store import db
from tests.protocol.test_token import claims
from tests.support.exchange import ARCHIVE, GRANT, NOTES, SCOPE, TYPE, Chain, actor
from tests.support.holder import Holder
from tests.support.spec import spec
from tests.support.world import World


@pytest.fixture
def chain(world: World, alice: str) -> Chain:
    return Chain.of(world)


@spec("RFC 8693 section 2.1", "RFC 9449 section 5", "EXC-02", "DPO-09")
def test_what_was_bound_to_a_key_stays_bound(chain: Chain) -> None:
    app, notes = Holder.of(chain.app), Holder.of(chain.notes)
    code = chain.browser.code(app, scope=SCOPE)
    subject = app.redeem(code, chain.browser.verifier, resource=NOTES).json["access_token"]

    loose = chain.exchanges(subject)
    bound = chain.exchanges(subject, notes)
    own = {"resources": [ARCHIVE]}
    chain.decides(chain.app, token_exchange=own, grant_types=["authorization_code", GRANT])

    assert loose.json["error"] == "invalid_dpop_proof"
    assert bound.json["token_type"] == "DPoP"
    assert claims(bound.json["access_token"])["cnf"] == {"jkt": notes.prover.jkt}
    assert chain.exchanges(subject, app).status_code == 200
    another = Holder.of(chain.app)
    assert chain.exchanges(subject, another).json["error"] == "invalid_dpop_proof"


@spec("RFC 7009 section 2.1", "REV-02", "EXC-03")
def test_an_exchanged_token_is_taken_back_alone_and_its_root_takes_all_back(chain: Chain) -> None:
    subject = chain.tokens()
    first = chain.exchanged(subject["access_token"])
    second = chain.exchanged(subject["access_token"])

    chain.notes.post("/revoke", token=first)

    assert chain.archive.introspect(first) == {"active": False}
    assert chain.archive.introspect(second)["active"] is True
    assert chain.notes.introspect(subject["access_token"])["active"] is True
    chain.app.post("/revoke", token=subject["refresh_token"])
    assert chain.archive.introspect(second) == {"active": False}


@spec("RFC 8693 section 1.1", "EXC-02")
def test_a_client_without_a_person_passes_on_no_more_than_it_has(chain: Chain) -> None:
    robot = chain.world.machine(grant_types=["client_credentials"])
    form = {"grant_type": "client_credentials", "resource": NOTES, "scope": "notes:read"}
    subject = robot.post("/token", **form).json["access_token"]

    exchanged = chain.exchanged(subject)

    said = claims(exchanged)
    assert (said["sub"], said["scope"]) == (robot.client_id, "notes:read")
    assert "line" not in said
    robot.post("/revoke", token=subject)
    assert chain.archive.introspect(exchanged) == {"active": False}


@spec("RFC 8693 section 4.1", "EXC-02")
def test_a_person_who_acts_for_another_is_found_in_the_trail(chain: Chain, alice: str) -> None:
    subject = chain.tokens()["access_token"]
    bob, browser = chain.world.person("bob"), chain.world.browser()
    browser.sign_in("bob")
    code = browser.code(chain.app, scope=SCOPE)
    held = chain.app.redeem(code, browser.verifier, resource=NOTES).json["access_token"]

    exchanged = chain.exchanged(subject, actor_token=held, actor_token_type=f"{TYPE}access_token")

    act = {"sub": bob, "client_id": chain.app.client_id}
    assert (claims(exchanged)["sub"], claims(exchanged)["act"]) == (alice, act)
    with chain.world.app.app_context():
        trail = chain.world.op.events.of_account(alice)
    assert [event.details["actor"] for event in trail if event.name == "PersonActedFor"] == [bob]


@spec("RFC 8693 section 2.1", "EXC-02")
def test_a_chain_has_an_end(chain: Chain) -> None:
    chain.allows(chain.notes, resources=[NOTES])
    token, form = chain.tokens()["access_token"], actor(chain, chain.notes)

    for _ in range(8):
        token = chain.exchanged(token, resource=NOTES, **form)

    assert chain.exchanges(token, resource=NOTES, **form).json["error"] == "invalid_request"


@spec("RFC 8693 section 3", "EXC-01")
@pytest.mark.parametrize("policy", ["opaque", "allow_list", "jti_denylist", "sso"])
def test_the_policies_of_the_other_api_hold(chain: Chain, policy: str) -> None:
    with chain.world.app.app_context():
        scopes = {"notes:read": "Read", "notes:write": "Write"}
        now = chain.world.clock.now
        chain.world.op.resources.add(ARCHIVE, "Archive", scopes, [policy], now)
        db.session.commit()
    subject = chain.tokens()["access_token"]

    exchanged = chain.exchanged(subject)
    as_jwt = chain.exchanges(subject, requested_token_type=f"{TYPE}jwt").status_code

    assert chain.archive.introspect(exchanged)["policies"] == [policy]
    assert as_jwt == (400 if policy == "opaque" else 200)
    chain.browser.submit(
        chain.browser.http.get("/account/sessions"), "/account/sessions/end", what="everywhere"
    )
    assert chain.archive.introspect(exchanged) == {"active": False}
