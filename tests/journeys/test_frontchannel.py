"""Apps that the browser asks on the last page, in a real browser."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.journeys.conftest import Demo
from tests.journeys.test_sign_in import open_notes, open_photos
from tests.support.served import Served, served
from tests.support.spec import spec
from tests.support.world import PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]


class App(ThreadingHTTPServer):
    """An app with an address to be asked at, which answers or hangs."""

    def __init__(self) -> None:
        super().__init__(("localhost", 0), _Handler)
        self.asked: list[str] = []
        self.hangs = threading.Event()
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: App

    def do_GET(self) -> None:
        if self.path.startswith("/asked"):
            self.server.asked.append(self.path)
            if self.server.hangs.is_set():
                self.server.over.wait(30)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>The app</title>")

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@pytest.fixture
def app() -> Iterator[App]:
    made = App()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.over.set()
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(Path(tmp_path_factory.mktemp("front"))) as provider:
        provider.world.person("alice")
        yield provider


def signed_in(page: Page, op: Served, app: App) -> str:
    """Sign in, take part as the app, and the address that signs out again."""
    rp = op.world.rp(
        "Clock",
        redirect_uris=[f"{app.url}/callback"],
        frontchannel_logout_uri=f"{app.url}/asked",
        post_logout_redirect_uris=[f"{app.url}/bye"],
    )
    page.goto(
        f"{op.url}/authorize?client_id={rp.client_id}&redirect_uri={rp.redirect_uri}"
        "&response_type=code&scope=openid"
    )
    page.fill("#username", "alice")
    page.fill("#password", PASSWORD)
    page.click("#login-submit")
    page.wait_for_url(f"{app.url}/**")
    code = parse_qs(urlsplit(page.url).query)["code"][0]
    hint = rp.redeem(code, None).json["id_token"]
    return f"{op.url}/end_session?id_token_hint={hint}&post_logout_redirect_uri={app.url}/bye"


@spec("FCL-01", "Front-Channel Logout 1.0 section 3", "KC#24568")
def test_the_browser_asks_the_other_app_and_goes_back_to_the_one_it_came_from(
    context: BrowserContext, demo: Demo
) -> None:
    asked: list[Request] = []
    problems: list[str] = []
    context.on("request", lambda r: asked.append(r) if "frontchannel" in r.url else None)
    context.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    notes, photos = open_notes(context, demo), open_photos(context, demo)

    notes.click("#logout")

    notes.wait_for_selector("#login")
    photos.wait_for_selector("#login")
    assert notes.url == f"{demo.notes}/"
    (request,) = asked
    query = parse_qs(urlsplit(request.url).query)
    assert request.url.startswith(f"{demo.photos}/frontchannel-logout?")
    assert query["iss"] == [demo.provider]
    assert len(query["sid"][0]) > 20
    answer = request.response()
    assert answer is not None
    assert answer.status == 200
    assert problems == []


@spec("FCL-01", "design P8")
def test_the_receipt_says_that_the_app_was_asked(context: BrowserContext, demo: Demo) -> None:
    open_notes(context, demo)
    open_photos(context, demo)
    account = context.new_page()
    account.goto(f"{demo.provider}/account/sessions")

    account.click("#everywhere")

    expect(account.locator("h1")).to_have_text("You are signed out")
    expect(account.locator("#receipt")).to_contain_text("Whether it did cannot be confirmed.")


@spec("FCL-01")
def test_an_app_that_hangs_does_not_keep_the_person(
    context: BrowserContext, op: Served, app: App
) -> None:
    page = context.new_page()
    goodbye = signed_in(page, op, app)
    app.hangs.set()
    began = time.monotonic()

    page.goto(goodbye, wait_until="commit")
    expect(page.locator("h1")).to_have_text("You are signed out")
    page.wait_for_url(f"{app.url}/bye")

    assert len(app.asked) == 1
    assert time.monotonic() - began < 8


@spec("FCL-01", "R-UX-2", "B.6")
def test_without_scripts_the_page_goes_on_by_itself(browser: Browser, op: Served, app: App) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    goodbye = signed_in(page, op, app)

    page.goto(goodbye)
    page.wait_for_url(f"{app.url}/bye")

    assert len(app.asked) == 1
    context.close()
