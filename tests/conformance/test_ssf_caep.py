"""The SSF transmitter CAEP plan: what happens in the house is told in its words (B.12.1)."""

from pathlib import Path
from typing import Any

import pytest

from idp.crypto.jose import claims_of
from idp.domain.sign_out import Because, Filters, scope_of
from idp.store import db
from tests.conformance.marks import module
from tests.conformance.receiver import (
    CREDENTIAL_CHANGE,
    PUSH,
    SESSION_REVOKED,
    TOKEN_CLAIMS_CHANGE,
    VERIFICATION,
    Json,
    Receiver,
    fetched,
    receiving_client,
)
from tests.support.authenticator import Authenticator, Page
from tests.support.spec import spec
from tests.support.world import API, PASSWORD, Browser, World, make_world, returned

EVERYTHING = [SESSION_REVOKED, CREDENTIAL_CHANGE, TOKEN_CLAIMS_CHANGE]
ENTITIES = ("admin", "user", "policy", "system")
WHY = Because("administrator", "operator")


def receiver_of(world: World, **more: Any) -> Receiver:
    """A client of its own, with a token."""
    rp = receiving_client(world, **more)
    return Receiver(world, rp, fetched(rp))


@pytest.fixture
def app(world: World, alice: str) -> Receiver:
    """An app that alice uses, and that follows what happens to her."""
    made = receiver_of(world)
    made.creates(events_requested=EVERYTHING)
    return made


@pytest.fixture
def browser(world: World, app: Receiver) -> Browser:
    made = world.browser()
    made.tokens(app.rp)
    return made


@pytest.fixture
def desk(world: World, alice: str) -> Receiver:
    """The operator's own watch: it hears of everybody."""
    made = receiver_of(world, trusted=True)
    made.creates(events_requested=EVERYTHING)
    return made


def told(receiver: Receiver) -> list[tuple[str, Json, Json]]:
    """What a receiver is told: type, event, subject; and it says that it has heard."""
    events = receiver.fetched()
    receiver.polls(ack=[event["jti"] for event in events], maxEvents=0)
    return [
        (name, event, claims["sub_id"])
        for claims in events
        for name, event in claims["events"].items()
    ]


def person(world: World, sub: str) -> Json:
    return {"format": "iss_sub", "iss": world.op.rules.issuer, "sub": sub}


def sound(event: Json) -> bool:
    """Whether an event has what the interoperability profile asks of all (B.12.1)."""
    return (
        isinstance(event["event_timestamp"], int)
        and event["initiating_entity"] in ENTITIES
        and bool(event["reason_admin"]["en"])
    )


def sign_out(world: World, how: str, *given: str) -> None:
    with world.app.app_context():
        getattr(world.op.sign_outs, how)(*given, WHY, world.clock.now)
        db.session.commit()


@spec("OpenID Continuous Access Evaluation Profile 1.0 section 3.1")
def test_signing_out_everywhere_ends_every_session_of_a_person(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    sign_out(world, "everywhere", alice)

    ((name, event, subject),) = told(app)
    assert name == SESSION_REVOKED
    assert sound(event)
    assert event["initiating_entity"] == "admin"
    assert subject == person(world, alice)


@spec("OpenID Shared Signals Framework 1.0 section 3.3")
def test_signing_out_of_one_browser_names_the_session_there(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    elsewhere = world.browser().tokens(app.rp)["id_token"]
    page = browser.http.get("/end_session")
    browser.submit(page, "/end_session/confirm")

    ((name, event, subject),) = told(app)
    assert (name, event["initiating_entity"]) == (SESSION_REVOKED, "user")
    assert subject["user"] == person(world, alice)
    assert subject["session"]["format"] == "opaque"
    assert subject["session"]["id"] != claims_of(elsewhere)["sid"]


def test_an_app_is_told_of_its_own_sessions_only(
    world: World, alice: str, app: Receiver, desk: Receiver, browser: Browser
) -> None:
    browser.tokens(world.rp("Photos"))
    with world.app.app_context():
        (session,) = world.op.sessions.of_account(alice, world.clock.now)
        name = session.id
    sign_out(world, "app", alice, name, app.rp.client_id)
    first = (len(told(app)), len(told(desk)))
    sign_out(world, "browser", alice, name)

    assert first == (1, 1)
    assert (len(told(app)), len(told(desk))) == (0, 1)


def test_an_app_nobody_used_hears_nothing_of_them(
    world: World, alice: str, browser: Browser
) -> None:
    stranger = receiver_of(world)
    stranger.creates(events_requested=EVERYTHING)

    sign_out(world, "everywhere", alice)

    assert told(stranger) == []


@spec("OpenID Continuous Access Evaluation Profile 1.0 section 3.3")
def test_a_new_password_is_a_changed_credential(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    page = browser.http.get("/account/security")
    browser.submit(
        page,
        "/account/password",
        password=PASSWORD,
        new_password="another four words nobody knows",
    )

    ((name, event, subject),) = told(app)
    assert name == CREDENTIAL_CHANGE
    assert sound(event)
    assert (event["credential_type"], event["change_type"]) == ("password", "update")
    assert event["initiating_entity"] == "user"
    assert subject == person(world, alice)


@spec("OpenID Continuous Access Evaluation Profile 1.0 section 3.3")
def test_a_passkey_comes_and_goes(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    assert Page(browser.http).add(Authenticator()).status_code == 200
    page = browser.http.get("/account/security")
    number = page.text.split("/account/passkeys/")[1].split("/")[0]
    browser.submit(page, f"/account/passkeys/{number}/remove")

    said = [(event["credential_type"], event["change_type"]) for _, event, _ in told(app)]
    assert said == [("fido2-platform", "create"), ("fido2-platform", "delete")]


@spec("OpenID Continuous Access Evaluation Profile 1.0 section 3.2")
def test_changed_roles_are_told_to_the_api_they_are_for(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    with world.app.app_context():
        world.op.resources.add(API, "API", {}, ("session_state",), world.clock.now)
        db.session.commit()
    api = receiver_of(world, serves=[API])
    api.creates(events_requested=EVERYTHING)
    with world.app.app_context():
        world.op.events.record(
            "RolesChanged",
            world.clock.now,
            account_id=alice,
            resource=API,
            roles=["editor"],
            permissions=[],
            by="operator",
        )
        db.session.commit()

    ((name, event, subject),) = told(api)
    assert name == TOKEN_CLAIMS_CHANGE
    assert event["claims"] == {"roles": ["editor"], "permissions": []}
    assert (event["initiating_entity"], subject) == ("admin", person(world, alice))
    assert told(app) == []


@spec("OpenID Shared Signals Framework 1.0 section 8.1.3.3")
def test_a_person_who_was_taken_out_of_a_stream_is_not_in_it(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    name = app.stream["stream_id"]
    body = {"stream_id": name, "subject": person(world, alice)}
    app.call("remove_subject_endpoint", json=body)
    sign_out(world, "everywhere", alice)
    without = told(app)
    app.call("add_subject_endpoint", json=body)
    browser.tokens(app.rp)
    sign_out(world, "everywhere", alice)

    assert without == []
    assert len(told(app)) == 1


@spec("OpenID Shared Signals Framework 1.0 section 8.1.3.2")
def test_a_stream_of_nobody_tells_of_whom_was_named_and_by_that_name(tmp_path: Path) -> None:
    world = make_world(tmp_path, IDP_SIGNALS__DEFAULT_SUBJECTS="NONE")
    alice = world.person("alice", email="Alice@example.com", email_verified=True)
    bob = world.person("bob", email="bob@example.com")
    app = receiver_of(world, trusted=True)
    name = app.creates(events_requested=EVERYTHING)["stream_id"]
    for address in ("alice@EXAMPLE.com", "bob@example.com"):
        subject = {"format": "email", "email": address}
        body = {"stream_id": name, "subject": subject}
        assert app.call("add_subject_endpoint", json=body).status_code == 200
    for username, account in (("alice", alice), ("bob", bob)):
        browser = world.browser()
        browser.follow(browser.authorize(app.rp), username)
        sign_out(world, "everywhere", account)

    assert app.metadata["default_subjects"] == "NONE"
    assert [subject for _, _, subject in told(app)] == [
        {"format": "email", "email": "alice@EXAMPLE.com"}  # bob's address is not known to be his
    ]
    with world.app.app_context():
        db.engine.dispose()


@spec("P8")
def test_an_app_that_hears_by_a_stream_is_not_called_deaf(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    browser.submit(browser.http.get("/end_session"), "/end_session/confirm")
    page = browser.http.get("/signed-out").text
    before = "Is being told" in page, "cannot be told" in page
    told(app)
    again = browser.http.get("/signed-out").text

    assert before == (True, False)
    assert "Was told, and has confirmed." in again
    assert "May still show you as signed in" not in again


@spec("P8")
def test_the_receipt_says_what_became_of_the_event(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    with world.app.app_context():
        concerns = world.op.sign_outs.preview(scope_of(alice, Filters()), world.clock.now)
        preview = [(row.kind, row.name, row.state) for row in concerns]
    sign_out(world, "everywhere", alice)
    before = lines(world, alice)
    told(app)

    assert preview == before
    assert ("stream", "Receiver", "telling") in before
    assert ("stream", "Receiver", "told") in lines(world, alice)


def lines(world: World, account_id: str) -> list[tuple[str, str, str]]:
    with world.app.app_context():
        receipts = world.op.sign_outs.receipts
        (receipt,) = receipts.of_account(account_id)
        return [(row.kind, row.name, row.state) for row in receipts.lines(receipt.id)]


def test_events_keep_their_order_after_a_verification(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    app.verifies("first")
    sign_out(world, "everywhere", alice)

    assert [name for name, _, _ in told(app)] == [VERIFICATION, SESSION_REVOKED]


@spec("P7")
def test_streams_go_with_their_client(
    world: World, alice: str, app: Receiver, browser: Browser
) -> None:
    with world.app.app_context():
        world.op.clients.remove(app.rp.client_id, world.clock.now)
        db.session.commit()
        left = world.op.events.signals.streams.list()
    sign_out(world, "everywhere", alice)

    assert list(left) == []


@spec("OpenID Connect Core section 8", "RFC 9493 section 3.2.3")
def test_an_app_with_names_of_its_own_is_told_in_them(world: World, alice: str) -> None:
    pairwise = receiver_of(world, subject_type="pairwise")
    name = pairwise.creates(events_requested=EVERYTHING)["stream_id"]
    sub = claims_of(world.browser().tokens(pairwise.rp)["id_token"])["sub"]
    body = {"stream_id": name, "subject": person(world, sub)}
    sign_out(world, "everywhere", alice)
    by_itself = [subject for _, _, subject in told(pairwise)]
    pairwise.call("remove_subject_endpoint", json=body)
    world.browser().tokens(pairwise.rp)
    sign_out(world, "everywhere", alice)

    assert sub != alice
    assert by_itself == [person(world, sub)]
    assert told(pairwise) == []


@spec("conformance C.6")
def test_a_certification_run_can_have_everything_happen(ciba_op: World) -> None:
    watch = receiver_of(ciba_op, trusted=True)
    watch.creates()

    emitted = ciba_op.http().post("/test/ssf-emit")

    assert emitted.status_code == 200
    said = told(watch)
    assert {name for name, _, _ in said} == {SESSION_REVOKED, CREDENTIAL_CHANGE}
    assert all(sound(event) for _, event, _ in said)


@module("openid-ssf-transmitter-stream-caep-interop")
@spec("OpenID CAEP Interoperability Profile 1.0 section 3")
def test_every_event_of_a_stream_comes_when_it_happens(receiver: Receiver) -> None:
    world, now = receiver.world, receiver.world.clock.now
    delivered = receiver.creates()["events_delivered"]
    receiver.verifies("before anything else")
    browser = world.browser()
    assert returned(browser.follow(browser.authorize(receiver.rp), "foo"))["code"]
    with world.app.app_context():
        foo = world.op.accounts.find_by_username("foo")
        assert foo is not None
        world.op.events.record("PasswordChanged", now, account_id=foo.id, by="operator")
        world.op.sign_outs.everywhere(foo.id, WHY, now)
        db.session.commit()

    events = everything(receiver)
    names = [name for claims in events for name in claims["events"]]
    said = {name: claims["events"][name] for claims in events for name in claims["events"]}
    assert delivered == [SESSION_REVOKED, CREDENTIAL_CHANGE]
    assert sorted(names) == sorted([VERIFICATION, *delivered])
    assert all(sound(said[name]) for name in delivered)
    assert said[CREDENTIAL_CHANGE]["credential_type"] == "password"
    assert said[CREDENTIAL_CHANGE]["change_type"] == "update"


def everything(receiver: Receiver) -> list[Json]:
    """All that came, by whichever way; what was fetched is confirmed."""
    if receiver.stream["delivery"]["method"] == PUSH:
        return [receiver.read(came.body) for came in receiver.pushed()]
    events = receiver.fetched()
    assert receiver.fetched(ack=[event["jti"] for event in events]) == []
    return events
