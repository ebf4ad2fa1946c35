"""What only one policy promises: its own settings, its own revocation, its own effect of use."""

from datetime import datetime

import pytest
from sqlalchemy import event, select

from idp.policies import POLICIES, Asks, PolicySet
from idp.store import db
from idp.store.sessions import Line, Session
from tests.policies.conftest import Signed, Stage
from tests.support.spec import spec
from tests.support.world import Rp

SLIDING = [policy.name for policy in POLICIES.values() if policy.slides]
ALONE = [policy.name for policy in POLICIES.values() if policy.alone]
WITH_ROLES = [policy.name for policy in POLICIES.values() if policy.roles]
STEADY = [policy.name for policy in POLICIES.values() if policy.for_access and not policy.slides]


def api_of(stage: Stage, *resources: str) -> Rp:
    """The client that the APIs are at the introspection endpoint."""
    return stage.world.machine("API", grant_types=["client_credentials"], serves=resources)


def idle_ends(stage: Stage, signed: Signed) -> tuple[datetime, datetime]:
    """When the line and its session end if nobody uses them."""
    with stage.world.app.app_context():
        line = db.session.scalars(select(Line).where(Line.id == signed.access.line_id)).one()
        session = db.session.scalars(select(Session).where(Session.id == line.session_id)).one()
        return line.idle_expires_at, session.idle_expires_at


@pytest.mark.parametrize("name", SLIDING)
def test_each_use_moves_the_idle_end_and_never_the_absolute_one(stage: Stage, name: str) -> None:
    signed = stage.signs_in((name,))
    api, before = api_of(stage, signed.resource), idle_ends(stage, signed)

    stage.world.clock.advance(minutes=2)
    api.introspect(signed.given["access_token"])

    after = idle_ends(stage, signed)
    assert [(late - early).total_seconds() for early, late in zip(before, after, strict=True)] == [
        120,
        120,
    ]


@pytest.mark.parametrize("name", SLIDING)
def test_a_use_is_written_down_at_most_once_in_an_interval(stage: Stage, name: str) -> None:
    signed = stage.signs_in((name,))
    api = api_of(stage, signed.resource)
    stage.world.clock.advance(minutes=2)
    written: list[str] = []
    with stage.world.app.app_context():
        engine = db.engine

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE"):
            written.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    for _ in range(5):
        assert api.introspect(signed.given["access_token"])["active"]
        stage.world.clock.advance(seconds=5)
    event.remove(engine, "before_cursor_execute", note)

    assert len([s for s in written if s.startswith("UPDATE line")]) == 1
    assert len([s for s in written if s.startswith("UPDATE session")]) == 1


@pytest.mark.parametrize("name", STEADY)
def test_under_the_others_a_call_writes_nothing_of_the_sort(stage: Stage, name: str) -> None:
    signed = stage.signs_in((name,))
    api, before = api_of(stage, signed.resource), idle_ends(stage, signed)

    stage.world.clock.advance(minutes=2)
    assert api.introspect(signed.given["access_token"])["active"]

    assert idle_ends(stage, signed) == before


@spec("RFC 8707 section 2.2", "RFC 7009 section 2.1")
@pytest.mark.parametrize("name", ALONE)
def test_taking_back_the_token_of_one_api_leaves_that_of_another_alone(
    stage: Stage, name: str
) -> None:
    both = [stage.api((name, "jti_denylist")), stage.api((name, "jti_denylist"))]
    rp, browser, api = stage.app(), stage.world.browser(), api_of(stage, *both)
    code = browser.code(rp, scope="openid notes:read", resource=both)
    first = rp.redeem(code, browser.verifier, resource=both[0]).json
    second = rp.refresh(first["refresh_token"], resource=both[1]).json

    assert rp.post("/revoke", token=first["access_token"]).status_code == 200

    assert api.introspect(first["access_token"]) == {"active": False}
    assert api.introspect(second["access_token"])["aud"] == both[1]
    assert rp.refresh(second["refresh_token"], resource=both[0]).status_code == 200


@spec("RFC 8707 section 2.2")
@pytest.mark.parametrize("name", ALONE)
def test_nobody_gets_one_token_for_two_apis(stage: Stage, name: str) -> None:
    both = [stage.api((name,)), stage.api((name,))]
    rp, browser = stage.app(), stage.world.browser()
    code = browser.code(rp, scope="openid notes:read", resource=both)

    answer = rp.redeem(code, browser.verifier, resource=both)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_target")


@pytest.mark.parametrize("name", WITH_ROLES)
def test_a_role_counts_from_the_next_call_on_and_the_token_says_nothing_of_it(
    stage: Stage, name: str
) -> None:
    signed = stage.signs_in((name,))
    api, token = api_of(stage, signed.resource), signed.given["access_token"]
    assert api.introspect(token)["roles"] == []

    with stage.world.app.app_context():
        for roles in (["reader"], ["reader", "editor"]):
            stage.world.op.resources.roles.set(
                signed.access.sub,
                signed.resource,
                roles=roles,
                permissions=["notes.write"],
                now=stage.world.clock.now,
            )
        db.session.commit()

    said = api.introspect(token)
    assert (said["roles"], said["permissions"]) == (["reader", "editor"], ["notes.write"])
    assert {"roles", "acr", "amr", "auth_time"} & set(signed.access.claims) == set()


@pytest.mark.parametrize("name", WITH_ROLES)
def test_a_change_at_one_api_has_a_number_that_no_change_at_another_had(
    stage: Stage, name: str
) -> None:
    """Guards know people and not pairs: a number twice would hide the second change."""
    apis, sub = [stage.api((name,)), stage.api((name,))], stage.world.person("bob" + name)
    versions = []
    with stage.world.app.app_context():
        for resource in [*apis, *apis]:
            held = stage.world.op.resources.roles.set(
                sub, resource, roles=["editor"], permissions=[], now=stage.world.clock.now
            )
            versions.append(held.version)
        db.session.commit()

    assert versions == [1, 2, 3, 4]


@spec("RFC 7662 section 2.2", "CLK-01")
def test_an_access_token_is_over_in_the_second_in_which_it_expires(stage: Stage) -> None:
    signed = stage.signs_in(("short_jwt",))
    api, token = api_of(stage, signed.resource), signed.given["access_token"]

    stage.world.clock.now = signed.access.facts.expires_at
    stage.world.clock.advance(seconds=-1)
    assert api.introspect(token)["active"] is True

    stage.world.clock.advance(seconds=1)
    assert api.introspect(token) == {"active": False}


def test_a_policy_that_promises_more_asks_more() -> None:
    """Who asks nobody cannot know of a sign-out; who wants to know at once asks the provider."""
    for policy in POLICIES.values():
        alone = PolicySet((policy,))
        assert (alone.asks is Asks.NOTHING) is (alone.ends.name == "AT_EXPIRY")
        assert (alone.asks >= Asks.LIST) is (alone.ends.name == "AT_ONCE")
