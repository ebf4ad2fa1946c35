"""The device grant at our endpoints (RFC 8628)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.domain.user_code import ALPHABET, read, shown
from idp.store import db
from tests.support.device import DEVICE_CODE, Tv, answers, tv
from tests.support.holder import Holder
from tests.support.prover import Prover
from tests.support.spec import spec
from tests.support.world import API, Browser, World, make_world


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One provider for all of these, and somebody who signs in."""
    made = make_world(Path(tmp_path_factory.mktemp("device")))
    made.person("alice", name="Alice")
    made.api(API, **{"notes:read": "Read your notes", "notes:write": "Write notes"})
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def alice(op: World) -> Browser:
    """Her browser, signed in."""
    op.clock.advance(minutes=11)  # what others counted is over
    browser = op.browser()
    browser.sign_in()
    return browser


@spec("RFC 8628 section 3.2", "DEV-01")
def test_a_device_is_given_two_codes_and_an_address(op: World) -> None:
    given = tv(op).asks().asked

    assert given["verification_uri"] == "https://op.test/device"
    assert given["verification_uri_complete"].endswith(f"/device?user_code={given['user_code']}")
    assert given["expires_in"] == 600
    assert given["interval"] == 5
    assert len(given["device_code"]) > 40


@spec("RFC 8628 section 6.1", "DEV-01")
def test_a_user_code_is_short_and_unmistakable_and_of_twenty_bits_and_more(op: World) -> None:
    codes = {tv(op).asks().code for _ in range(20)}

    assert len(codes) == 20
    assert all(code[4] == "-" and set(code.replace("-", "")) <= set(ALPHABET) for code in codes)
    assert len(ALPHABET) ** 8 > 2**20
    assert not set(ALPHABET) & set("AEIOUY0123456789")


@spec("RFC 8628 section 6.1")
@pytest.mark.parametrize(
    "typed",
    ["WDJB-MJHT", "wdjb mjht", " wdjbmjht ", "WDJB\u2013MJHT", "\uff37DJB_MJHT", "wd j8 mjht"],
)
def test_a_code_may_be_typed_in_any_way(typed: str) -> None:
    assert read(typed) == "WDJBMJHT"
    assert shown("WDJBMJHT") == "WDJB-MJHT"


@pytest.mark.parametrize(
    "typed", ["", "WDJB", "WDJB-MJHTT", "AEIO-UAEI", "\U0001f600" * 8, "-" * 99]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read(typed) is None


@spec("RFC 8628 section 3.5", "DEV-03")
def test_a_device_waits_until_a_person_has_said_yes(op: World, alice: Browser) -> None:
    box = tv(op).asks(scope="openid profile")

    before = box.hears()
    answers(alice, box.code)
    given = box.polls()

    assert before == "authorization_pending"
    assert given.status_code == 200
    assert given.json["token_type"] == "Bearer"
    assert given.json["scope"] == "openid profile"
    assert op.userinfo(given.json["access_token"]).json["name"] == "Alice"
    assert box.rp.refresh(given.json["refresh_token"]).status_code == 200
    assert "no-store" in given.headers["Cache-Control"]


@spec("RFC 8628 section 3.5", "DEV-03")
def test_a_no_is_told_to_the_device(op: World, alice: Browser) -> None:
    box = tv(op).asks()

    page = answers(alice, box.code, "deny")

    assert "The device gets nothing" in page.text
    assert [box.hears(), box.hears()] == ["access_denied", "access_denied"]


@spec("RFC 8628 section 3.5", "DEV-01")
def test_who_polls_too_often_must_wait_five_seconds_longer_each_time(op: World) -> None:
    box = tv(op).asks()
    pauses, heard = (0, 4, 9, 10, 15), []

    for pause in pauses:
        op.clock.advance(seconds=pause)
        heard.append(box.hears())

    pending, slow = "authorization_pending", "slow_down"
    assert heard == [pending, slow, slow, slow, slow]
    op.clock.advance(seconds=25)
    assert box.hears() == pending


@spec("CLK-02")
def test_a_clock_that_is_set_back_lets_a_device_poll(op: World) -> None:
    box = tv(op).asks()
    box.hears()
    op.clock.advance(minutes=-3)

    heard = box.hears()
    op.clock.advance(minutes=3)

    assert heard == "authorization_pending"


@spec("DEV-01", "RFC 8628 section 3.5")
def test_a_device_that_comes_too_late_hears_so(op: World, alice: Browser) -> None:
    unanswered, allowed = tv(op).asks(), tv(op).asks()
    answers(alice, allowed.code)

    op.clock.advance(minutes=10)

    assert [unanswered.hears(), allowed.hears()] == ["expired_token", "expired_token"]


@spec("DEV-01", "P3")
def test_a_yes_is_fetched_once(op: World, alice: Browser) -> None:
    box = tv(op).asks()
    answers(alice, box.code)

    given = [box.polls().status_code for _ in range(3)]

    assert given == [200, 400, 400]
    assert box.hears() == "invalid_grant"


@spec("DEV-02")
def test_another_client_gets_nothing_for_a_device_code(op: World, alice: Browser) -> None:
    box, other = tv(op).asks(), tv(op)
    answers(alice, box.code)
    other.asked = box.asked

    assert other.hears() == "invalid_grant"
    assert box.polls().status_code == 200


@spec("DEV-04", "CVE-2024-52287", "COD-13")
def test_a_device_gets_the_scopes_it_was_allowed_and_asks_for_no_more(
    op: World, alice: Browser
) -> None:
    box = tv(op).asks(scope="openid notes:read")
    answers(alice, box.code)

    given = box.polls(scope="openid notes:read notes:write").json

    assert given["scope"] == "openid notes:read"


@spec("DEV-04")
def test_scopes_and_resources_are_judged_when_the_device_asks(op: World) -> None:
    limited = tv(op, scope="openid")

    assert limited.request(scope="openid notes:read").json["error"] == "invalid_scope"
    assert tv(op).request(scope="openid nobody:knows").json["error"] == "invalid_scope"
    assert tv(op).request(resource="https://nobody.test").json["error"] == "invalid_target"


@spec("RFC 8628 section 3.1")
def test_only_a_client_with_the_grant_may_ask_or_poll(op: World) -> None:
    stranger = Tv(op.rp(), {"device_code": "dc_nothing"})

    assert stranger.request().json["error"] == "unauthorized_client"
    assert stranger.polls().json["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"device_code": None}, "invalid_request"),
        ({"device_code": "dc_nobody"}, "invalid_grant"),
        ({"device_code": "\u00e9" * 3000}, "invalid_grant"),
    ],
)
def test_a_poll_without_a_good_code_is_refused(op: World, form: dict[str, str], error: str) -> None:
    box = tv(op).asks()

    assert box.polls(**form).json["error"] == error


@spec("RFC 6749 section 3.2")
def test_a_parameter_that_is_there_twice_is_refused(op: World) -> None:
    rp = tv(op).rp
    body = f"client_id={rp.client_id}&scope=openid&scope=openid"

    answer = op.http().post(
        "/device_authorization", data=body, content_type="application/x-www-form-urlencoded"
    )

    assert answer.json["error"] == "invalid_request"


@spec("RFC 8628 section 3.1")
def test_a_confidential_device_must_authenticate(op: World) -> None:
    box = tv(op, public=False)

    answer = op.http().post("/device_authorization", data={"client_id": box.rp.client_id})

    assert answer.json["error"] == "invalid_client"
    assert box.request().status_code == 200


@spec("RFC 9449 section 5", "DPO-06")
def test_the_line_of_a_device_that_proves_a_key_follows_it(op: World, alice: Browser) -> None:
    box = tv(op)
    box.rp = Holder.of(box.rp)
    box.asks()
    answers(alice, box.code)

    given = box.polls().json

    assert given["token_type"] == "DPoP"
    other = Holder.of(box.rp, Prover())
    assert other.refresh(given["refresh_token"]).json["error"] == "invalid_grant"
    assert box.rp.refresh(given["refresh_token"]).status_code == 200


def test_a_resource_that_was_not_granted_does_not_burn_the_yes(op: World, alice: Browser) -> None:
    box = tv(op).asks()
    answers(alice, box.code)

    refused = box.polls(resource=API).json["error"]

    assert refused == "invalid_target"
    assert box.polls().status_code == 200


@spec("RFC 8628 section 5.1", "P7")
def test_nobody_asks_for_codes_without_end(op: World) -> None:
    box = tv(op)
    op.clock.advance(minutes=11)

    answers_to_a_flood = [box.request().status_code for _ in range(101)]
    op.clock.advance(minutes=11)

    assert answers_to_a_flood == [200] * 100 + [429]
    assert box.request().status_code == 200


@spec("P6")
def test_neither_code_is_in_the_database(op: World) -> None:
    given = tv(op).asks().asked

    with op.app.app_context():
        rows = db.session.connection().exec_driver_sql("SELECT * FROM approval").all()

    assert given["device_code"] not in str(rows)
    assert given["user_code"] not in str(rows)
    assert given["user_code"].replace("-", "") not in str(rows)


def test_discovery_and_registration_know_the_grant(op: World) -> None:
    said = op.http().get("/.well-known/openid-configuration").json
    body = {"client_name": "TV", "grant_types": [DEVICE_CODE], "token_endpoint_auth_method": "none"}

    made = op.http().post("/register", json=body)

    assert said["device_authorization_endpoint"] == "https://op.test/device_authorization"
    assert DEVICE_CODE in said["grant_types_supported"]
    assert made.status_code == 201
    assert made.json["response_types"] == []


@spec("OpenID Connect Core section 11")
@pytest.mark.parametrize(("scope", "stays"), [("openid", 400), ("openid offline_access", 200)])
def test_a_device_stays_connected_after_a_sign_out_only_if_it_asked_to(
    op: World, scope: str, stays: int
) -> None:
    op.clock.advance(minutes=11)
    browser, box = op.browser(), tv(op).asks(scope=scope)
    browser.sign_in()
    answers(browser, box.code)
    token = box.polls().json["refresh_token"]

    browser.submit(browser.http.get("/end_session"), "/end_session/confirm")

    assert box.rp.refresh(token).status_code == stays
