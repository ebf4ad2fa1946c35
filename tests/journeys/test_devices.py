"""A device and an app that asks without a browser, answered in a real Chromium."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Open
from tests.journeys.test_pages import LOOKS, judge
from tests.support.ciba import Caller, caller
from tests.support.device import Tv, tv
from tests.support.served import Served, served
from tests.support.spec import spec
from tests.support.world import API, PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]


@dataclass(frozen=True)
class Place:
    """A provider with a person, a television and a bank."""

    op: Served
    box: Tv
    bank: Caller

    def page(self, path: str) -> str:
        return f"{self.op.url}{path}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with served(tmp_path_factory.mktemp("devices"), IDP_NAME="Example ID") as op:
        op.world.person("alice", name="Alice Liddell", email="alice@example.com")
        op.world.api(API, **{"notes:read": "Read your notes"})
        box = tv(op.world, client_name="Living room TV", policy_uri="https://tv.test/privacy")
        yield Place(op, box, caller(op.world, client_name="Example Bank"))


def sign_in(page: Page) -> None:
    page.fill("#username", "alice")
    page.fill("#password", PASSWORD)
    page.click("#login-submit")


@spec("WCAG 2.2 AA")
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_used_by_all(place: Place, open_context: Open, look: str) -> None:
    faults: list[str] = []
    page = open_context(**LOOKS[look]).new_page()
    page.goto(place.box.asks(scope="openid profile notes:read").asked["verification_uri_complete"])
    sign_in(page)
    page.wait_for_selector("#user-code")
    judge(page, faults)
    page.fill("#user-code", "WDJB-MJHT")
    page.click("#user-code-submit")
    page.wait_for_selector("#problem")
    judge(page, faults)
    page.fill("#user-code", place.box.code)
    page.click("#user-code-submit")
    page.wait_for_selector("#device-allow")
    judge(page, faults)
    page.click("#device-deny")
    page.wait_for_selector(".note")
    judge(page, faults)
    page.goto(place.page("/device/confirm?request=nothing"))
    judge(page, faults)
    place.bank.asks(scope="openid email offline_access", binding_message="K7-4821 " * 7)
    for path in ("/account", "/account/requests"):
        page.goto(place.page(path))
        judge(page, faults)
    page.locator("button[value=deny]").first.click()
    page.wait_for_selector(".done")
    judge(page, faults)

    assert faults == []


@spec("RFC 8628 section 3.3", "DEV-03")
@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_types_a_code_and_the_device_goes_on(
    place: Place, open_context: Open, scripts: bool
) -> None:
    page = open_context(java_script_enabled=scripts).new_page()
    page.goto(place.box.asks().asked["verification_uri"])
    sign_in(page)
    page.wait_for_url("**/device")

    page.fill("#user-code", place.box.code.replace("-", "").lower())
    page.click("#user-code-submit")
    page.click("#device-allow")

    expect(page.locator("h1")).to_have_text("The device is connected")
    assert place.box.polls().status_code == 200


@spec("RFC 8628 section 3.3.1", "RFC 10027", "DEV-03")
def test_an_address_with_the_code_still_asks_twice(place: Place, open_context: Open) -> None:
    page = open_context().new_page()
    page.goto(place.box.asks().asked["verification_uri_complete"])
    sign_in(page)
    expect(page.locator("#user-code")).to_have_value(place.box.code)
    page.click("#user-code-submit")
    expect(page.locator("main")).to_contain_text("Only go on if you started this yourself.")

    page.click("#device-deny")

    expect(page.locator("h1")).to_have_text("The device gets nothing")
    assert place.box.hears() == "access_denied"


@spec("CIBA Core section 5")
@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_answers_an_app_on_the_account_page(
    place: Place, open_context: Open, scripts: bool
) -> None:
    page = open_context(java_script_enabled=scripts).new_page()
    page.goto(place.page("/sign-in"))
    sign_in(page)
    place.bank.asks(binding_message="K7-4821")
    page.goto(place.page("/account"))

    page.click('a:has-text("An app waits for your answer.")')
    expect(page.locator(".binding-message")).to_have_text("K7-4821")
    page.click("button[value=allow]")

    expect(page.locator(".done")).to_contain_text("You allowed it.")
    assert place.bank.polls().status_code == 200


def test_the_language_of_the_code_page_is_chosen_there(place: Place, open_context: Open) -> None:
    page = open_context(locale="en-GB").new_page()
    page.goto(place.page(f"/device?user_code={place.box.asks().code}"))
    sign_in(page)

    page.click('button[value="de"]')

    expect(page.locator("h1")).to_have_text("Ein Gerät verbinden")
    expect(page.locator("#user-code")).to_have_value(place.box.code)
