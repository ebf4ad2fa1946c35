"""Opening an app from one's account, in a real browser."""

import pytest
from playwright.sync_api import BrowserContext

from tests.journeys.conftest import Demo
from tests.journeys.test_sign_in import open_notes
from tests.support.spec import spec

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]


@spec("OpenID Connect Core section 4", "B.4")
def test_an_app_that_is_opened_from_the_account_knows_who_comes(
    context: BrowserContext, demo: Demo
) -> None:
    notes = open_notes(context, demo)
    notes.context.clear_cookies(name="demo_notes")
    notes.goto(f"{demo.provider}/account/apps")

    notes.get_by_role("button", name="Open Notes").click()

    notes.wait_for_selector("#logout")
    assert notes.url == f"{demo.notes}/"
