"""The npm client oidc-client-ts: an app that lives in the browser alone."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.served import Served, served
from tests.support.spec import spec
from tests.support.world import PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NODE = Path(__file__).parents[1] / "node"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *_args: object) -> None:  # noqa: A002 - its name there
        """Nothing."""


@pytest.fixture(scope="module")
def page_url() -> Iterator[str]:
    """Where the app's one page is."""
    server = ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=str(NODE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}/spa.html"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("spa")) as provider:
        provider.world.person("alice", name="Alice", email="alice@example.com")
        yield provider


@spec("OpenID Connect Core", "RFC 7636", "RFC 7009", "BRW-05")
def test_an_app_on_oidc_client_ts_goes_all_the_way(
    op: Served, page_url: str, context: BrowserContext
) -> None:
    rp = op.world.rp(
        redirect_uris=[page_url],
        post_logout_redirect_uris=[page_url],
        token_endpoint_auth_method="none",
    )
    page = context.new_page()
    said = page.locator("#said")
    page.goto(f"{page_url}?issuer={op.url}&client={rp.client_id}")
    expect(said).to_have_text("ready")

    page.evaluate("void manager.signinRedirect()")
    page.fill("#username", "alice")
    page.fill("#password", PASSWORD)
    page.click("#login-submit")
    expect(said).to_have_text("signed in as alice@example.com")
    first = page.evaluate("manager.getUser().then(user => user.refresh_token)")
    second = page.evaluate("manager.signinSilent().then(user => user.refresh_token)")
    page.evaluate("void manager.signoutRedirect({state: 'bye'})")
    expect(said).to_have_text("signed out")

    assert second not in (None, first)
    answer = rp.refresh(second)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


@spec("Session Management 1.0 section 4", "B.8")
def test_an_app_that_watches_sees_a_sign_out_in_another_tab(
    op: Served, page_url: str, context: BrowserContext
) -> None:
    rp = op.world.rp(redirect_uris=[page_url], token_endpoint_auth_method="none")
    page, elsewhere = context.new_page(), context.new_page()
    said = page.locator("#said")
    page.goto(f"{page_url}?issuer={op.url}&client={rp.client_id}&watch")
    page.evaluate("void manager.signinRedirect()")
    page.fill("#username", "alice")
    page.fill("#password", PASSWORD)
    page.click("#login-submit")
    expect(said).to_have_text("signed in as alice@example.com")
    page.wait_for_timeout(3000)
    still = said.inner_text()

    elsewhere.goto(f"{op.url}/end_session")
    elsewhere.click("#logout-confirm")

    expect(said).to_have_text("signed out elsewhere")
    assert still == "signed in as alice@example.com"


@spec("OpenID Connect Core section 3.1.2.6")
def test_a_silent_sign_in_without_a_session_is_told_so(
    op: Served, page_url: str, context: BrowserContext
) -> None:
    rp = op.world.rp(redirect_uris=[page_url], token_endpoint_auth_method="none")
    page = context.new_page()
    page.goto(f"{page_url}?issuer={op.url}&client={rp.client_id}")
    expect(page.locator("#said")).to_have_text("ready")

    page.evaluate("void manager.signinRedirect({prompt: 'none'})")

    expect(page.locator("#said")).to_contain_text("ErrorResponse")
