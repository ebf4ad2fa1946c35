"""What receivers are told of authenticator apps, and of what a session is worth."""

import pytest

from tests.conformance.receiver import ASSURANCE_LEVEL_CHANGE, CREDENTIAL_CHANGE, Receiver
from tests.conformance.test_ssf_caep import person, receiver_of, sound, told
from tests.support.phone import Owner
from tests.support.spec import spec
from tests.support.world import World

BOTH = [CREDENTIAL_CHANGE, ASSURANCE_LEVEL_CHANGE]
CAEP = "OpenID Continuous Access Evaluation Profile 1.0"


@pytest.fixture
def app(world: World) -> Receiver:
    made = receiver_of(world)
    made.creates(events_requested=BOTH)
    return made


@spec(f"{CAEP} section 3.3")
def test_an_app_on_a_phone_comes_is_replaced_and_goes(world: World, app: Receiver) -> None:
    owner, browser = Owner.of(world), world.browser()
    owner.opens(browser, app.rp)
    owner.sets_up(browser)
    owner.sets_up(browser)
    browser.submit(browser.http.get("/account/security"), "/account/authenticator/remove")

    said = [event for name, event, _ in told(app) if name == CREDENTIAL_CHANGE]

    assert [(event["credential_type"], event["change_type"]) for event in said] == [
        ("app", "create"),
        ("app", "update"),
        ("app", "delete"),
    ]
    assert all(sound(event) and event["initiating_entity"] == "user" for event in said)


@spec(f"{CAEP} section 3.4")
def test_a_session_that_is_worth_more_is_told_to_the_apps_in_it(
    world: World, app: Receiver
) -> None:
    owner, browser = Owner.of(world), world.browser()
    elsewhere, stranger = world.browser(), receiver_of(world)
    stranger.creates(events_requested=BOTH)
    owner.opens(elsewhere, app.rp)
    owner.opens(browser, app.rp)
    owner.sets_up(elsewhere, others="")
    told(app)

    owner.opens(browser, app.rp, acr_values="mfa")

    ((name, event, subject),) = told(app)
    assert name == ASSURANCE_LEVEL_CHANGE
    assert sound(event)
    assert event["namespace"] == world.op.rules.issuer
    assert (event["previous_level"], event["current_level"]) == ("pwd", "mfa")
    assert event["change_direction"] == "increase"
    assert subject["user"] == person(world, owner.sub)
    assert told(stranger) == []


@spec(f"{CAEP} section 3.4")
def test_signing_in_again_with_as_much_changes_nothing(world: World, app: Receiver) -> None:
    owner, browser = Owner.enrolled(world), world.browser()
    owner.opens(browser, app.rp)
    world.clock.advance(seconds=30)

    owner.signs_in(browser)

    assert told(app) == []
