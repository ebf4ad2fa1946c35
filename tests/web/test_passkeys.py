"""Passkeys at the endpoints the script talks to, with an authenticator that lies."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cbor2
import pytest
from sqlalchemy import select

from idp.store import db
from idp.store.system import Event
from tests.support.authenticator import CREATE, GET, Authenticator, Page, b64, unb64
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World, make_world, returned

REFUSED = "That passkey does not work here."
NOT_ADDED = "That passkey could not be added."


@dataclass
class Scene:
    """Alice, signed in at one browser, and her passkey; Bob, with one of his own."""

    world: World
    browser: Browser
    alice: Authenticator
    bob: Authenticator

    @property
    def page(self) -> Page:
        return Page(self.browser.http)

    def stranger(self) -> Page:
        """A browser in which nobody is signed in."""
        return Page(self.world.app.test_client())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = make_world(Path(tmp_path_factory.mktemp("passkeys")))
    keys = {}
    for username in ("alice", "bob"):
        made.person(username)
        browser = made.browser()
        browser.sign_in(username)
        keys[username] = Authenticator()
        assert Page(browser.http).add(keys[username]).status_code == 200
    browser = made.browser()
    browser.sign_in()
    yield Scene(made, browser, keys["alice"], keys["bob"])
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(autouse=True)
def rested(scene: Scene) -> None:
    """Nobody is throttled for what another test tried."""
    with scene.world.app.app_context():
        scene.world.op.throttle.clear("address", "127.0.0.1", scene.world.clock.now)


def events(world: World, name: str) -> list[Event]:
    with world.app.app_context():
        return list(db.session.scalars(select(Event).where(Event.name == name).order_by(Event.id)))


# Signing in


@spec("WAN-03", "WAN-04")
def test_a_passkey_signs_in_without_a_name_and_says_how(scene: Scene) -> None:
    page = scene.stranger()

    answer = page.sign_in(scene.alice)

    assert answer.json == {"location": "/account"}
    assert page.http.get("/account").status_code == 200
    assert events(scene.world, "SignedIn")[-1].details["amr"] == ["pop", "user", "mfa", "hwk"]


@spec("SES-02", "CVE-2026-7507")
def test_the_cookie_of_before_is_dead_after_a_stronger_sign_in(scene: Scene) -> None:
    browser = scene.world.browser()
    browser.sign_in()
    before = browser.http.get_cookie("__Host-idp_session")
    assert before is not None

    Page(browser.http).sign_in(scene.alice)

    old = scene.world.app.test_client()
    old.set_cookie("__Host-idp_session", before.value, domain="localhost", secure=True)
    assert browser.http.get("/account").status_code == 200
    assert old.get("/account").status_code == 303


@spec("WAN-02")
@pytest.mark.parametrize(
    "forged",
    [
        {"origin": "http://op.test"},
        {"origin": "https://login.op.test"},
        {"origin": "https://op.test:8443"},
        {"origin": "https://op.test.evil"},
        {"origin": "https://op.test/"},
        {"origin": "null"},
        {"origin": ""},
        {"rp_id": "evil.test"},
        {"rp_id": "test"},
        {"rp_id": "login.op.test"},
        {"type": CREATE},
        {"type": "payment.get"},
        {"cross_origin": True},
        {"cross_origin": "false"},
        {"told": {"topOrigin": "https://evil.test"}},
    ],
    ids=str,
)
def test_an_answer_from_anywhere_else_is_refused(scene: Scene, forged: dict[str, Any]) -> None:
    page = scene.stranger()

    answer = page.sign_in(scene.alice, **forged)

    assert answer.status_code == 400
    assert answer.json == {"error": REFUSED}
    assert page.http.get("/account").status_code == 303


@spec("WAN-03")
@pytest.mark.parametrize(
    "forged", [{"up": False}, {"uv": False}, {"up": False, "uv": False}], ids=str
)
def test_nobody_there_or_nobody_checked_is_refused_and_not_downgraded(
    scene: Scene, forged: dict[str, Any]
) -> None:
    page = scene.stranger()

    answer = page.sign_in(scene.alice, **forged)

    assert answer.json == {"error": REFUSED}
    assert page.http.get("/account").status_code == 303


@spec("WAN-01")
def test_a_challenge_works_once_whether_it_was_met_or_not(scene: Scene) -> None:
    page, other = scene.stranger(), scene.stranger()
    met, failed = page.ask("/passkeys/login/options"), other.ask("/passkeys/login/options")
    good = scene.alice.get(met["publicKey"])
    late = scene.alice.get(failed["publicKey"])

    first = page.bring(met, good)
    again = page.bring(met, good)
    bad = other.bring(failed, late | {"response": late["response"] | {"signature": b64(b"no")}})
    mended = other.bring(failed, late)

    assert first.status_code == 200
    assert again.json == bad.json == mended.json == {"error": REFUSED}
    assert other.http.get("/account").status_code == 303


@spec("WAN-01")
@pytest.mark.parametrize("credential", [None, "text", [], {}, {"rawId": 7}], ids=str)
def test_an_answer_without_a_passkey_uses_the_challenge_up(scene: Scene, credential: Any) -> None:
    page = scene.stranger()
    asked = page.ask("/passkeys/login/options")

    nothing = page.bring(asked, credential)
    late = page.bring(asked, scene.alice.get(asked["publicKey"]))

    assert nothing.json == late.json == {"error": REFUSED}


@spec("WAN-01")
def test_a_challenge_is_long_new_each_time_and_over_after_five_minutes(scene: Scene) -> None:
    page = scene.stranger()
    one, two = page.ask("/passkeys/login/options"), page.ask("/passkeys/login/options")

    scene.world.clock.advance(minutes=5)
    late = page.bring(one, scene.alice.get(one["publicKey"]))
    scene.world.clock.advance(minutes=-5)

    assert one["publicKey"]["challenge"] != two["publicKey"]["challenge"]
    assert len(unb64(one["publicKey"]["challenge"])) >= 16
    assert late.json == {"error": REFUSED}


@spec("WAN-01")
def test_a_challenge_is_met_in_the_browser_that_asked_for_it(scene: Scene) -> None:
    page, other = scene.stranger(), scene.stranger()
    asked = page.ask("/passkeys/login/options")

    elsewhere = other.bring(asked, scene.alice.get(asked["publicKey"]))

    assert elsewhere.json == {"error": REFUSED}
    assert other.http.get("/account").status_code == 303


@spec("WAN-01", "WAN-02")
def test_a_challenge_for_one_ceremony_does_not_serve_the_other(scene: Scene) -> None:
    for_login = scene.page.ask("/passkeys/login/options")
    for_adding = scene.page.ask("/account/passkeys/options")
    fresh = Authenticator()

    signed_in = scene.page.bring(for_adding, scene.alice.get(for_adding["publicKey"]))
    user = {"user": for_adding["publicKey"]["user"]}
    added = scene.page.keep(for_login, fresh.create(for_login["publicKey"] | user))

    assert signed_in.json == {"error": REFUSED}
    assert added.json == {"error": NOT_ADDED}


@spec("WAN-01")
@pytest.mark.parametrize("challenge", ["", "ch_unknown", 7, None, "x" * 5000], ids=repr)
def test_a_challenge_nobody_gave_is_refused(scene: Scene, challenge: Any) -> None:
    page = scene.stranger()
    asked = page.ask("/passkeys/login/options")

    answer = page.bring(asked | {"challenge": challenge}, scene.alice.get(asked["publicKey"]))

    assert answer.json == {"error": REFUSED}


@spec("WAN-01")
def test_the_challenge_that_is_signed_is_the_one_that_was_given(scene: Scene) -> None:
    page = scene.stranger()
    other = page.ask("/passkeys/login/options")["publicKey"]["challenge"]

    answer = page.sign_in(scene.alice, challenge=other)

    assert answer.json == {"error": REFUSED}


@spec("WAN-04")
@pytest.mark.parametrize("whose", ["nobody", "empty", "bob"])
def test_the_passkey_names_its_own_person(scene: Scene, whose: str) -> None:
    page = scene.stranger()
    handle = {"nobody": b"nobody" * 6, "empty": b"", "bob": scene.bob.user_handle}[whose]

    answer = page.sign_in(scene.alice, user_handle=handle)

    assert answer.json == {"error": REFUSED}
    assert page.http.get("/account").status_code == 303


@spec("WAN-04", "CVE-2025-64103")
def test_one_persons_key_does_not_sign_for_anothers_passkey(scene: Scene) -> None:
    page = scene.stranger()
    forger = Authenticator(
        credential_id=scene.alice.credential_id,
        private=scene.bob.private,
        user_handle=scene.alice.user_handle,
    )

    answer = page.sign_in(forger)

    assert answer.json == {"error": REFUSED}


@spec("WAN-09")
def test_an_unknown_passkey_and_a_bad_signature_look_alike(scene: Scene) -> None:
    unknown = scene.stranger().sign_in(Authenticator(user_handle=scene.alice.user_handle))
    forged = scene.stranger().sign_in(scene.alice, signature=scene.bob.sign(b"something"))

    headers = [{name for name, _ in answer.headers} for answer in (unknown, forged)]
    assert (unknown.status_code, unknown.data) == (forged.status_code, forged.data)
    assert headers[0] == headers[1]


@spec("WAN-09", "PWD-06")
def test_the_question_names_nobody(scene: Scene) -> None:
    asked = scene.stranger().ask("/passkeys/login/options")["publicKey"]

    assert asked["allowCredentials"] == []
    assert asked["userVerification"] == "required"
    assert set(asked) == {"challenge", "timeout", "rpId", "allowCredentials", "userVerification"}


@spec("WAN-05")
def test_a_counter_that_goes_back_is_a_copy_and_is_refused_and_written_down(
    world: World, alice: str
) -> None:
    browser, key = world.browser(), Authenticator(count=5)
    browser.sign_in()
    Page(browser.http).add(key)
    page = Page(world.app.test_client())
    key.count = 9

    forward = page.sign_in(key).status_code
    same = page.sign_in(key, count=9).status_code
    back = page.sign_in(key, count=8).status_code
    zero = page.sign_in(key, count=0).status_code
    onward = page.sign_in(key, count=10).status_code

    assert (forward, same, back, zero, onward) == (200, 400, 400, 400, 200)
    written = events(world, "SignInFailed")
    assert len(written) == 3
    assert all(row.account_id == alice and "count" in row.details["reason"] for row in written)


@spec("WAN-05")
def test_a_passkey_that_does_not_count_may_always_say_nought(scene: Scene) -> None:
    first, second = scene.stranger().sign_in(scene.bob), scene.stranger().sign_in(scene.bob)

    assert (first.status_code, second.status_code) == (200, 200)


@spec("WAN-08")
@pytest.mark.parametrize("forged", [{"be": True}, {"be": True, "bs": True}, {"bs": True}], ids=str)
def test_a_passkey_never_becomes_one_that_can_be_copied(
    scene: Scene, forged: dict[str, Any]
) -> None:
    answer = scene.stranger().sign_in(scene.alice, **forged)

    assert answer.json == {"error": REFUSED}


@spec("WAN-10")
@pytest.mark.parametrize(
    "forged",
    [
        {"signature": b""},
        {"signature": b"\x30\x00"},
        {"signature": b"\x30\x06\x02\x01\x00\x02\x01\x00"},
        {"signature": b"\x00" * 8000},
        {"data": b""},
        {"data": b"\xff" * 36},
        {"data": b"\xff" * 300},
        {"client_data": b""},
        {"client_data": b"[]"},
        {"client_data": b"null"},
        {"client_data": b"\xff\xfe"},
        {"client_data": b"[" * 20000},
        {"client_data": b'{"type":"webauthn.get"}'},
        {"told": {"challenge": 7}},
        {"told": {"origin": ["https://op.test"]}},
        {"told": {"tokenBinding": {"status": "odd", "id": 7}}},
        {"user_handle": b"\x00" * 5000},
        {"credential_id": b"\x00" * 5000},
    ],
    ids=lambda forged: str(forged)[:40],
)
def test_garbage_is_refused_like_anything_else(scene: Scene, forged: dict[str, Any]) -> None:
    answer = scene.stranger().sign_in(scene.alice, **forged)

    assert answer.status_code == 400
    assert answer.json == {"error": REFUSED}


@spec("WAN-10", "EDG-03")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"[" * 60000, 400),
        (b'{"a":' * 10000, 400),
        (b'{"credential": "\\ud800"}', 400),
        (b'{"challenge": "' + b"x" * 70000 + b'"}', 413),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_body_that_is_no_answer_is_no_fault_of_ours(
    scene: Scene, body: bytes, status: int
) -> None:
    page = scene.stranger()
    headers = {"X-CSRF-Token": page.token()}

    answer = page.http.post(
        "/passkeys/login", data=body, headers=headers, content_type="application/json"
    )

    assert answer.status_code == status


@spec("PWD-09", "PWD-07")
def test_passkeys_cannot_be_tried_for_ever(scene: Scene) -> None:
    page = scene.stranger()
    asked = page.ask("/passkeys/login/options")
    token = {"X-CSRF-Token": page.token()}

    tries = [
        page.http.post("/passkeys/login", json={"challenge": asked["challenge"]}, headers=token)
        for _ in range(101)
    ]

    assert [answer.status_code for answer in tries] == [400] * 100 + [429]


@spec("ADM-03", "WAN-04")
def test_a_disabled_person_has_no_passkey(world: World, alice: str) -> None:
    browser, key = world.browser(), Authenticator()
    browser.sign_in()
    Page(browser.http).add(key)
    with world.app.app_context():
        row = world.op.accounts.find(alice)
        assert row is not None
        world.op.accounts.disable(row, world.clock.now)
        db.session.commit()

    answer = Page(world.app.test_client()).sign_in(key)

    assert answer.json == {"error": REFUSED}


# Adding one


@spec("WAN-06", "WAN-07")
def test_the_question_for_a_new_passkey_says_what_we_want(scene: Scene) -> None:
    asked = scene.page.ask("/account/passkeys/options")["publicKey"]

    known = [unb64(item["id"]) for item in asked["excludeCredentials"]]
    assert scene.alice.credential_id in known
    assert len(unb64(asked["user"]["id"])) == 32
    assert asked["rp"]["id"] == "op.test"
    assert asked["attestation"] == "none"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert len(unb64(asked["challenge"])) >= 16


@spec("WAN-02", "WAN-03", "WAN-06", "WAN-07", "WAN-08", "CVE-2026-8830", "CVE-2026-6856")
@pytest.mark.parametrize(
    "forged",
    [
        {"origin": "https://op.test.evil"},
        {"origin": "http://op.test"},
        {"rp_id": "evil.test"},
        {"type": GET},
        {"cross_origin": True},
        {"told": {"topOrigin": "https://evil.test"}},
        {"up": False},
        {"uv": False},
        {"bs": True},
        {"credential_id": b"short"},
        {"credential_id": b"\x01" * 1024},
        {"credential_id": b""},
        {"at": False},
        {"challenge": b64(b"another challenge")},
        {"fmt": "unheard-of"},
        {"fmt": "packed"},
        {"fmt": "fido-u2f"},
        {"fmt": "tpm"},
        {"fmt": "apple"},
        {"fmt": "android-key"},
        {"fmt": "android-safetynet"},
        {"statement": {"x5c": [b"certificate"]}},
        {"public_key": {1: 2, 3: -47, -1: 8, -2: b"\x01" * 32, -3: b"\x01" * 32}},
        {"public_key": {1: 3, 3: -65535, -1: b"\x01" * 256, -2: b"\x01\x00\x01"}},
        {"public_key": {1: 4, 3: 5, -1: b"secret"}},
        {"public_key": {}},
        {"public_key": []},
        {"public_key": {1: 2, 3: -7}},
        {"public_key": {1: 2, 3: -7, -1: 1, -2: "text", -3: None}},
        {"public_key": {1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x01" * 32}},
    ],
    ids=lambda forged: str(forged)[:40],
)
def test_a_passkey_that_is_not_as_asked_for_is_not_added(
    scene: Scene, forged: dict[str, Any]
) -> None:
    answer = scene.page.add(Authenticator(), **forged)

    assert answer.status_code == 400
    assert answer.json == {"error": NOT_ADDED}


@spec("WAN-10")
@pytest.mark.parametrize(
    "attestation",
    [
        b"",
        b"\xff",
        b"\xa0",
        b"\x80",
        b"\x9f" * 20000,
        b"\x81" * 20000 + b"\x00",
        b"\xd8\x1c" * 5000,
        b"\x5b" + b"\xff" * 8,
        cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b"\x00" * 40000}),
        cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": "text"}),
        cbor2.dumps({"fmt": 7, "attStmt": 7, "authData": 7}),
        cbor2.dumps({"fmt": "none", "attStmt": None, "authData": None}),
        cbor2.dumps({"fmt": [], "attStmt": [], "authData": []}),
    ],
    ids=lambda raw: raw[:8].hex() or "empty",
)
def test_garbage_for_an_attestation_is_refused(scene: Scene, attestation: bytes) -> None:
    answer = scene.page.add(Authenticator(), attestation=attestation)

    assert answer.json == {"error": NOT_ADDED}


@spec("WAN-06")
def test_a_passkey_belongs_to_one_person(scene: Scene) -> None:
    mine = scene.page.add(Authenticator(credential_id=scene.alice.credential_id))
    anothers = scene.page.add(Authenticator(credential_id=scene.bob.credential_id))

    assert mine.json == anothers.json == {"error": NOT_ADDED}
    assert scene.stranger().sign_in(scene.bob).status_code == 200


@spec("WAN-06", "WAN-08")
def test_a_person_can_have_several_and_one_that_is_synced(world: World, alice: str) -> None:
    browser, first, second = world.browser(), Authenticator(), Authenticator()
    browser.sign_in()
    page = Page(browser.http)

    page.add(first)
    page.add(second, be=True, bs=True)

    answers = [
        Page(world.app.test_client()).sign_in(first),
        Page(world.app.test_client()).sign_in(second, be=True, bs=True),
        Page(world.app.test_client()).sign_in(second, be=True, bs=False),
        Page(world.app.test_client()).sign_in(second),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]


@spec("WAN-01", "WAN-07")
def test_a_challenge_for_one_person_does_not_serve_another(scene: Scene) -> None:
    asked = scene.page.ask("/account/passkeys/options")
    answer = Authenticator().create(asked["publicKey"])
    browser = scene.world.browser()
    browser.sign_in("bob")

    moved = Page(browser.http).keep(asked, answer)

    assert moved.json == {"error": NOT_ADDED}


@spec("WAN-07", "TOT-07", "PWD-13")
def test_adding_one_needs_a_sign_in_of_a_moment_ago(world: World, alice: str) -> None:
    browser = world.browser()
    browser.sign_in()
    page = Page(browser.http)
    asked = page.ask("/account/passkeys/options")
    answer = Authenticator().create(asked["publicKey"])

    world.clock.advance(minutes=11)

    assert page.post("/account/passkeys/options", {}).status_code == 403
    assert page.keep(asked, answer).status_code == 403
    assert Page(world.app.test_client()).post("/account/passkeys/options", {}).status_code == 403


@spec("WAN-10", "CSR-01")
def test_the_script_says_the_token_of_its_page(scene: Scene) -> None:
    http = scene.stranger().http

    without = http.post("/passkeys/login/options", json={})
    foreign = http.post(
        "/passkeys/login/options",
        json={},
        headers={"X-CSRF-Token": scene.page.token(), "Sec-Fetch-Site": "cross-site"},
    )

    assert (without.status_code, foreign.status_code) == (403, 403)


@spec("WAN-10", "BRW-06")
@pytest.mark.parametrize(
    ("name", "kept"), [("\x00", "Passkey"), ("\u202e<b>", "&lt;b&gt;"), ("x" * 9000, "x" * 120)]
)
def test_whatever_a_passkey_is_called_is_kept_as_one_line_of_text(
    scene: Scene, name: str, kept: str
) -> None:
    answer = scene.page.add(Authenticator(), name=name)

    assert answer.status_code == 200
    assert f'value="{kept}"' in scene.browser.http.get("/account/security").text


@spec("WAN-03", "STP-02")
def test_an_app_that_needs_a_passkey_gets_nothing_for_a_password(
    world: World, alice: str, rp: Rp
) -> None:
    browser, key = world.browser(), Authenticator()
    browser.sign_in()
    page = Page(browser.http)
    page.add(key)
    wanted = json.dumps({"id_token": {"acr": {"essential": True, "values": ["phr"]}}})

    weak = returned(browser.follow(browser.authorize(rp, claims=wanted)))
    asked = parse_qs(urlsplit(browser.authorize(rp, claims=wanted).headers["Location"]).query)
    question = page.ask("/passkeys/login/options")
    answer = page.bring(question, key.get(question["publicKey"]), tx=asked["tx"][0])
    strong = returned(browser.http.get(answer.get_json()["location"]))

    assert weak["error"] == "unmet_authentication_requirements"
    assert "code" in strong
