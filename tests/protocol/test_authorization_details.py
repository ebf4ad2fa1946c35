"""Authorization details (RFC 9396): asked for, shown, granted, and never more of them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from idp.store import db
from tests.protocol.test_token import claims
from tests.support.payments import PAYMENT, PAYMENTS, TYPES
from tests.support.signer import ASKED, Signer, signing
from tests.support.spec import spec
from tests.support.world import CALLBACK, Browser, Rp, World, make_world, returned

INFORMATION = {"type": "account_information"}
OTHER = PAYMENT | {"creditorName": "Merchant B"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("rar"))
    made.person()
    made.api(**{"notes:read": "Read your notes"})
    with made.app.app_context():
        made.op.resources.add(PAYMENTS, "Payments", {}, ["opaque"], made.clock.now)
        made.op.resources.describe(PAYMENTS, TYPES)
        db.session.commit()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def api(house: World) -> Rp:
    """The client that the payments API is at the introspection endpoint."""
    return house.rp("Bank", serves=[PAYMENTS], grant_types=["client_credentials"])


def asks(browser: Browser, rp: Rp, *details: object, **more: Any) -> TestResponse:
    return browser.authorize(rp, authorization_details=json.dumps(details), **more)


def gets(rp: Rp, *details: object, **more: Any) -> dict[str, Any]:
    """The whole way: what the token endpoint gives."""
    browser = rp.world.browser()
    code = returned(browser.follow(asks(browser, rp, *details, **more)))["code"]
    answer = rp.redeem(code, browser.verifier)
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json
    return given


@spec("RAR-01", "RFC 9396 section 7", "RFC 9396 section 9.2", "F2-9")
def test_what_was_allowed_is_in_the_answer_and_the_api_learns_it(house: World, api: Rp) -> None:
    rp = house.rp(trusted=False)

    given = gets(rp, PAYMENT, INFORMATION, scope=None)

    assert given["authorization_details"] == [PAYMENT, INFORMATION]
    seen = api.introspect(given["access_token"])
    assert seen["active"] is True
    assert seen["aud"] == PAYMENTS
    assert seen["authorization_details"] == [PAYMENT, INFORMATION]
    assert rp.introspect(given["refresh_token"])["authorization_details"] == [PAYMENT, INFORMATION]


@spec("RFC 9396 section 9.1")
def test_a_signed_token_carries_them(house: World) -> None:
    with house.app.app_context():
        house.op.resources.add("https://jwt.test", "Signed", {}, ["short_jwt"], house.clock.now)
        house.op.resources.describe("https://jwt.test", {"task": {"words": "Do a task"}})
        db.session.commit()

    given = gets(house.rp(), {"type": "task"})

    assert claims(given["access_token"])["authorization_details"] == [{"type": "task"}]


@spec("RFC 9396 section 9.1", "RFC 8707 section 2.2")
def test_each_api_is_told_its_own_only(house: World, api: Rp) -> None:
    rp, browser = house.rp(), house.browser()
    page = asks(browser, rp, PAYMENT, scope="notes:read")
    code = returned(browser.follow(page))["code"]

    given = rp.redeem(code, browser.verifier, resource="https://api.test").json
    again = rp.refresh(given["refresh_token"], resource=PAYMENTS).json

    assert "authorization_details" not in given
    assert "authorization_details" not in claims(given["access_token"])
    assert again["authorization_details"] == [PAYMENT]
    assert api.introspect(again["access_token"])["authorization_details"] == [PAYMENT]


@spec("RAR-01", "RFC 9396 section 5")
@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[]",
        '"text"',
        "[1]",
        "[[]]",
        "[{}]",
        '[{"type": 1}]',
        '[{"type": "unknown"}]',
        '[{"type": "account_information", "more": 1}]',
        '[{"type": "account_information", "type": "account_information"}]',
        '[{"type": "account_information", "locations": ["https://api.test"]}]',
        json.dumps([PAYMENT | {"urgent": "yes"}]),
        json.dumps([PAYMENT | {"instructedAmount": {"currency": "EUR", "amount": "\ud800"}}]),
        '[{"type": "account_information", "x": NaN}]',
        json.dumps([INFORMATION] * 21),
        json.dumps([PAYMENT | {"creditorName": "x" * 17_000}]),
        "[" * 9 + "]" * 9,
        "[" * 15_000,
        '[{"type":"payment_initiation","parts":' + "[" * 9 + "]" * 9 + "}]",
    ],
)
def test_what_is_not_of_a_known_type_is_refused(house: World, text: str) -> None:
    rp = house.rp()
    pushed = rp.post("/par", **ASKED, authorization_details=text)

    assert (pushed.status_code, pushed.json["error"]) == (400, "invalid_authorization_details")
    if len(text) < 2000:
        answer = house.browser().authorize(rp, authorization_details=text)
        assert returned(answer)["error"] == "invalid_authorization_details"


@spec("RAR-01", "RFC 9396 section 10")
def test_a_client_may_have_said_which_types_it_uses(house: World) -> None:
    rp = house.rp(authorization_details_types=["account_information"])

    assert gets(rp, INFORMATION)["authorization_details"] == [INFORMATION]
    assert returned(asks(house.browser(), rp, PAYMENT))["error"] == "invalid_authorization_details"


@spec("RFC 9396 section 6.1", "RES-01")
def test_details_are_not_for_a_resource_that_is_not_named(house: World) -> None:
    answer = asks(house.browser(), house.rp(), PAYMENT, resource="https://api.test")

    assert returned(answer)["error"] == "invalid_target"


@spec("RAR-01", "RFC 9396 section 12", "DCR-02")
def test_everything_is_shown_to_the_person_and_every_time(house: World) -> None:
    rp, browser = house.rp(trusted=False), house.browser()
    browser.sign_in()
    odd = PAYMENT | {"creditorName": "<b>{{7*7}}</b>"}

    pages = []
    for _ in range(2):
        page = browser.http.get(asks(browser, rp, odd).headers["Location"])
        pages.append(page.text)
        browser.follow(browser.submit(page, "/consent", answer="allow"))

    for page_text in pages:
        assert "Pay from your account" in page_text
        assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in page_text
        assert "How much: amount" in page_text
        assert "123.5" in page_text


@spec("RAR-01", "OpenID Connect Core section 3.1.2.6")
def test_nothing_is_allowed_that_nobody_was_asked_about(house: World) -> None:
    rp, browser = house.rp(trusted=False), house.browser()
    browser.follow(asks(browser, rp, PAYMENT))

    silent = asks(browser, rp, PAYMENT, prompt="none")

    assert returned(silent)["error"] == "consent_required"


@spec("RAR-01", "RFT-08", "RFC 9396 section 6")
@pytest.mark.parametrize("when", ["code", "refresh"])
def test_a_token_can_have_fewer_and_never_others(house: World, when: str) -> None:
    rp, browser = house.rp(), house.browser()
    code = returned(browser.follow(asks(browser, rp, PAYMENT, INFORMATION)))["code"]

    def asks_for(*details: object) -> TestResponse:
        text = json.dumps(details)
        if when == "code":
            return rp.redeem(code, browser.verifier, authorization_details=text)
        return rp.refresh(token, authorization_details=text)

    token = rp.redeem(code, browser.verifier).json["refresh_token"] if when == "refresh" else ""
    wider = [asks_for(OTHER), asks_for(PAYMENT, OTHER), asks_for(), asks_for(PAYMENT | {"a": 1})]
    fewer = asks_for(INFORMATION)

    assert {answer.json["error"] for answer in wider} == {"invalid_authorization_details"}
    assert fewer.json["authorization_details"] == [INFORMATION]
    whole = rp.refresh(fewer.json["refresh_token"]).json
    assert whole["authorization_details"] == [PAYMENT, INFORMATION]


@spec("RAR-01", "RFT-08")
def test_a_type_that_is_no_more_is_granted_no_more(house: World) -> None:
    with house.app.app_context():
        house.op.resources.add("https://old.test", "Old", {}, (), house.clock.now)
        house.op.resources.describe("https://old.test", {"old": {"words": "Do as of old"}})
        db.session.commit()
    rp = house.rp()
    given = gets(rp, {"type": "old"})

    with house.app.app_context():
        house.op.resources.describe("https://old.test", {})
        db.session.commit()
    again = rp.refresh(given["refresh_token"]).json

    assert given["authorization_details"] == [{"type": "old"}]
    assert "authorization_details" not in again
    assert "authorization_details" not in claims(again["access_token"])


@spec("RAR-01", "JAR-03", "RFC 9396 section 3")
def test_details_in_a_signed_request_are_json_as_they_are(house: World) -> None:
    signer = Signer()
    rp, browser = signing(house, signer), house.browser()
    request = signer.request(house, rp.client_id, authorization_details=[PAYMENT])
    name = rp.post("/par", request=request).json["request_uri"]
    query = {"client_id": rp.client_id, "request_uri": name}

    code = returned(browser.follow(browser.http.get("/authorize", query_string=query)))["code"]

    given = rp.redeem(code, "v" * 64, redirect_uri=CALLBACK).json
    assert given["authorization_details"] == [PAYMENT]


@spec("RFC 9396 section 10", "RFC 8414 section 2")
def test_discovery_names_the_types(house: World) -> None:
    said = house.http().get("/.well-known/openid-configuration").json

    types = said["authorization_details_types_supported"]
    assert {"account_information", "payment_initiation"} <= set(types)
