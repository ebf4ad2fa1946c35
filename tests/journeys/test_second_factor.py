"""An authenticator app, as its owner meets it in a real Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Open
from tests.journeys.test_pages import LOOKS, judge
from tests.support.phone import STEP, Phone
from tests.support.served import Served, served
from tests.support.spec import spec
from tests.support.world import PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]


@pytest.fixture
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A provider with Alice, who has a password."""
    with served(tmp_path_factory.mktemp("second"), IDP_NAME="Example ID") as made:
        made.world.person("alice", name="Alice Liddell")
        yield made


class Alice:
    """What she does, page by page."""

    def __init__(self, op: Served, context: BrowserContext) -> None:
        self.op = op
        self.context = context
        self.page: Page = context.new_page()
        self.phone = Phone(op.world.clock)

    def types_her_password(self) -> None:
        self.page.goto(f"{self.op.url}/sign-in?for=security")
        self.page.fill("#username", "alice")
        self.page.fill("#password", PASSWORD)
        self.page.click("#login-submit")

    def types(self, code: str) -> None:
        self.page.fill("#code", code)
        self.page.click("#code-submit")

    def scans(self) -> None:
        self.page.click("#authenticator-add")
        self.page.wait_for_selector("#qr")
        self.phone.scan(self.page.content())

    def turns_it_on(self) -> None:
        """From the password to the security page, and another code on her phone."""
        self.types_her_password()
        self.scans()
        self.types(self.phone.code())
        self.page.wait_for_selector("#codes-kept")
        self.phone.write_down(self.page.content())
        self.page.click("#codes-kept")
        self.page.wait_for_selector("#authenticator-remove")
        self.op.world.clock.advance(seconds=STEP)

    def signs_out(self) -> None:
        self.page.goto(f"{self.op.url}/end_session")
        self.page.click("#logout-confirm")
        expect(self.page.locator("h1")).to_have_text("You are signed out")


@pytest.fixture
def alice(op: Served, open_context: Open) -> Alice:
    return Alice(op, open_context())


@spec("TOT-04", "TOT-05", "TOT-01")
def test_she_turns_it_on_signs_out_and_signs_in_with_a_code(alice: Alice) -> None:
    alice.turns_it_on()
    alice.signs_out()

    alice.types_her_password()
    expect(alice.page.locator("h1")).to_have_text("Enter the code")
    expect(alice.page.locator("#code")).to_be_focused()
    alice.types(alice.phone.wrong())
    expect(alice.page.locator("#problem")).to_contain_text("That code is wrong")
    alice.types(alice.phone.code())

    alice.page.wait_for_url("**/account/security")


@spec("TOT-06")
def test_without_her_phone_she_uses_a_code_from_paper_and_is_told_so(alice: Alice) -> None:
    alice.turns_it_on()
    alice.signs_out()

    alice.types_her_password()
    alice.page.click("#way-recovery")
    expect(alice.page.locator("h1")).to_have_text("Recovery code")
    alice.types(alice.phone.paper[0])
    expect(alice.page.locator("#codes-left")).to_contain_text("9 codes are left")
    alice.page.goto(f"{alice.op.url}/account")

    expect(alice.page.locator(".alarm")).to_contain_text("A recovery code was used to sign in")


@spec("TOT-06")
def test_she_makes_new_codes_and_keeps_them(alice: Alice) -> None:
    alice.turns_it_on()
    alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
    old = alice.phone.paper

    alice.page.click("#codes-renew")
    alice.page.wait_for_selector("#codes-kept")
    alice.phone.write_down(alice.page.content())
    alice.page.click("#codes-copy")
    expect(alice.page.locator("#codes-copy")).to_have_text("Copied")
    copied = alice.page.evaluate("navigator.clipboard.readText()").split()
    with alice.page.expect_download() as waiting:
        alice.page.click("#codes-download")
    kept = waiting.value.path().read_text().split()

    assert not set(old) & set(alice.phone.paper)
    assert copied == alice.phone.paper
    assert kept[-10:] == alice.phone.paper
    assert waiting.value.suggested_filename == "Example ID-recovery-codes.txt"


def test_what_is_printed_is_the_codes_and_no_buttons(alice: Alice) -> None:
    alice.turns_it_on()
    alice.page.click("#codes-renew")
    alice.page.wait_for_selector("#codes-kept")

    alice.page.emulate_media(media="print")

    expect(alice.page.locator("#recovery-codes li").last).to_be_visible()
    expect(alice.page.get_by_text("For alice at Example ID")).to_be_visible()
    expect(alice.page.locator("#codes-kept")).to_be_hidden()
    expect(alice.page.locator("#codes-print")).to_be_hidden()


@spec("TOT-07")
def test_she_turns_it_off_and_a_password_is_enough_again(alice: Alice) -> None:
    alice.turns_it_on()

    alice.page.click("#authenticator-remove")
    expect(alice.page.locator(".done")).to_contain_text("The authenticator app was removed")
    alice.signs_out()
    alice.types_her_password()

    alice.page.wait_for_url("**/account/security")
    expect(alice.page.locator("#authenticator-add")).to_be_visible()


@spec("TOT-04", "TOT-05")
def test_all_of_it_works_without_javascript(op: Served, open_context: Open) -> None:
    alice = Alice(op, open_context(java_script_enabled=False))

    alice.turns_it_on()
    alice.context.clear_cookies()
    alice.types_her_password()
    alice.types(alice.phone.code())

    expect(alice.page.locator("#authenticator-remove")).to_be_visible()


@spec("WCAG 2.2 AA")
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_of_it_can_be_used_by_all(op: Served, open_context: Open, look: str) -> None:
    faults: list[str] = []
    alice = Alice(op, open_context(**LOOKS[look]))

    def looks(at: str) -> None:
        alice.page.wait_for_selector(at)
        judge(alice.page, faults)

    alice.types_her_password()
    looks("#authenticator-add")
    alice.scans()
    looks("#qr")
    alice.page.click(".steps summary")
    alice.types(alice.phone.wrong())
    looks("#problem")
    alice.types(alice.phone.code())
    looks("#codes-kept")
    alice.phone.write_down(alice.page.content())
    alice.page.click("#codes-kept")
    looks("#authenticator-remove")
    op.world.clock.advance(seconds=STEP)
    alice.context.clear_cookies()
    alice.types_her_password()
    looks("#way-recovery")
    alice.types(alice.phone.wrong())
    looks("#problem")
    alice.page.click("#way-recovery")
    looks("#way-app")
    alice.types(alice.phone.paper[0])
    looks("#codes-renew")

    assert faults == []


@spec("WCAG 2.2 AA", "TOT-04")
@pytest.mark.parametrize("look", ["light", "narrow, dark, German"])
def test_who_must_have_it_can_set_it_up_at_the_door(
    tmp_path_factory: pytest.TempPathFactory, open_context: Open, look: str
) -> None:
    faults: list[str] = []
    required = {"IDP_SECOND_FACTOR__REQUIRED": "all"}
    with served(tmp_path_factory.mktemp("door"), IDP_NAME="Example ID", **required) as op:
        op.world.person("alice")
        alice = Alice(op, open_context(**LOOKS[look]))
        alice.types_her_password()
        alice.page.wait_for_selector("#qr")
        judge(alice.page, faults)
        alice.phone.scan(alice.page.content())
        alice.types(alice.phone.code())
        alice.page.wait_for_selector("#codes-kept")
        judge(alice.page, faults)

        alice.page.click("#codes-kept")

        alice.page.wait_for_url("**/account/security")
    assert faults == []
