"""Opening an app from one's account: a sign-in that begins here (OpenID Connect Core 4)."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.spec import spec
from tests.support.world import World

BEGINS = "https://rp.test/begin"


def openings(page: str) -> list[str]:
    return [
        unescape(href) for href in re.findall(r'<a class="compact quiet"[^>]*href="([^"]*)"', page)
    ]


@spec("OpenID Connect Core section 4", "B.4")
@pytest.mark.parametrize(
    ("begins", "members", "home"),
    [
        (BEGINS, {"client_uri": "https://rp.test/home?a=b"}, "https://rp.test/home?a=b"),
        (BEGINS, {}, "https://rp.test/"),
        (f"{BEGINS}?tenant=7", {}, "https://rp.test/"),
    ],
)
def test_an_app_is_opened_at_its_own_address_with_iss_and_where_to_go(
    world: World, alice: str, begins: str, members: dict[str, str], home: str
) -> None:
    notes = world.rp("Notes", initiate_login_uri=begins, **members)
    browser = world.browser()
    browser.tokens(notes)

    page = browser.http.get("/account/apps")

    (address,) = openings(page.text)
    asked = parse_qs(urlsplit(address).query)
    assert address.startswith(BEGINS)
    assert asked.pop("iss") == ["https://op.test"]
    assert asked.pop("target_link_uri") == [home]
    assert asked == parse_qs(urlsplit(begins).query)


def test_an_app_without_such_an_address_is_listed_and_not_opened(world: World, alice: str) -> None:
    browser = world.browser()
    browser.tokens(world.rp("Notes"))

    page = browser.http.get("/account/apps")

    assert "Notes" in page.text
    assert openings(page.text) == []


@spec("DCR-01", "conformance oidcc-3rd_party-init-login-nohttps")
@pytest.mark.parametrize(
    "address", ["http://rp.test/begin", "javascript:alert(1)", "https://rp.test/#x", "/begin"]
)
def test_only_an_https_address_begins_a_sign_in(world: World, address: str) -> None:
    body = {"redirect_uris": ["https://rp.test/callback"], "initiate_login_uri": address}

    answer = world.http().post("/register", json=body)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")
