"""The frame of session management in a real browser, in pages of another site, over TLS."""

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from certify.authority import Pair, authority
from tests.support.chromium import FLAGS, installed
from tests.support.served import Served, served
from tests.support.spec import spec
from tests.support.world import PASSWORD, Rp

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

PAGE = b"""<!doctype html><title>An app</title><script>
let frame
window.heard = []
window.open_frame = (address) => new Promise((loaded) => {
  frame = document.createElement('iframe')
  frame.onload = loaded
  frame.src = address
  document.body.append(frame)
})
window.tell = (message) => frame.contentWindow.postMessage(message, '*')
window.ask = (message) => new Promise((answered) => {
  window.addEventListener('message', (event) => answered(event.data), { once: true })
  tell(message)
})
window.addEventListener('message', (event) => window.heard.push(event.data))
</script><body></body>"""


class Blank(BaseHTTPRequestHandler):
    """A page at every address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@dataclass(frozen=True)
class Sites:
    """The provider, and an app's site that shares nothing with it."""

    op: Served
    app: str


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return authority(tmp_path_factory.mktemp("tls")).signs("here", "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, pair: Pair) -> Iterator[Sites]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with served(Path(tmp_path_factory.mktemp("op")), pair) as provider:
        provider.world.person("alice")
        yield Sites(provider, f"https://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


@pytest.fixture
def context(browser: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser that lets frames of other sites have their cookies."""
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text('{"profile": {"cookie_controls_mode": 0}}')
    made = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=installed(), args=FLAGS, ignore_https_errors=True
    )
    made.set_default_timeout(30_000)
    yield made
    made.close()


@pytest.fixture
def private(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that does not."""
    made = browser.new_context(ignore_https_errors=True)
    made.set_default_timeout(30_000)
    yield made
    made.close()


@pytest.fixture
def rp(sites: Sites) -> Rp:
    return sites.op.world.rp(redirect_uris=[f"{sites.app}/callback"])


def signs_in(page: Page, sites: Sites, rp: Rp, **more: str) -> str:
    """Go to the provider and come back; the state that came along."""
    asked = {
        "client_id": rp.client_id,
        "redirect_uri": rp.redirect_uri,
        "response_type": "code",
        "scope": "openid",
    } | more
    page.goto(f"{sites.op.url}/authorize?{urlencode(asked)}")
    if page.query_selector("#login-submit"):
        page.fill("#username", "alice")
        page.fill("#password", PASSWORD)
        page.click("#login-submit")
    page.wait_for_url(f"{sites.app}/**")
    return parse_qs(urlsplit(page.url).query)["session_state"][0]


def watch(page: Page, sites: Sites) -> None:
    page.evaluate("address => open_frame(address)", f"{sites.op.url}/check_session")


def asks(page: Page, message: object) -> str:
    said: str = page.evaluate("message => ask(message)", message)
    return said


@spec("B.8", "Session Management 1.0 section 3.2")
def test_the_frame_says_unchanged_until_the_person_signs_out_and_then_changed(
    context: BrowserContext, sites: Sites, rp: Rp
) -> None:
    page, elsewhere = context.new_page(), context.new_page()
    known = signs_in(page, sites, rp)
    watch(page, sites)
    before = asks(page, f"{rp.client_id} {known}")

    elsewhere.goto(f"{sites.op.url}/end_session")
    elsewhere.click("#logout-confirm")
    elsewhere.wait_for_selector("#receipt")

    assert before == "unchanged"
    assert asks(page, f"{rp.client_id} {known}") == "changed"
    nobody = signs_in(page, sites, rp, prompt="none")
    watch(page, sites)
    assert asks(page, f"{rp.client_id} {nobody}") == "unchanged"


@spec("Session Management 1.0 section 3.2", "design P8")
def test_a_browser_that_hides_our_cookies_from_frames_is_told_that_it_cannot_be_told(
    private: BrowserContext, sites: Sites, rp: Rp
) -> None:
    page = private.new_page()
    known = signs_in(page, sites, rp)
    watch(page, sites)

    assert asks(page, f"{rp.client_id} {known}") == "error"


@spec("SES-CHK-01", "CVE-2024-1249")
def test_the_frame_tells_a_page_of_another_origin_nothing(
    context: BrowserContext, sites: Sites, rp: Rp
) -> None:
    page, stranger = context.new_page(), context.new_page()
    known = signs_in(page, sites, rp)
    stranger.goto(sites.app.replace("127.0.0.1", "localhost"))
    watch(stranger, sites)

    assert asks(stranger, f"{rp.client_id} {known}") == "changed"


@spec("SES-CHK-01", "Session Management 1.0 section 3.2")
@pytest.mark.parametrize(
    "message", ["", "nonsense", "a b c", "client state-without-salt", "x" * 5000, {"a": 1}, None]
)
def test_what_is_no_question_is_an_error(
    private: BrowserContext, sites: Sites, message: object
) -> None:
    page = private.new_page()
    page.goto(sites.app)
    watch(page, sites)

    assert asks(page, message) == "error"


@spec("SES-CHK-01")
def test_a_flood_of_questions_is_not_answered(private: BrowserContext, sites: Sites) -> None:
    page = private.new_page()
    page.goto(sites.app)
    watch(page, sites)

    page.evaluate("() => { for (let n = 0; n < 2000; n++) tell('flood') }")
    page.wait_for_timeout(1500)

    heard = page.evaluate("heard.length")
    assert 0 < heard <= 60
    assert asks(page, "nonsense") == "error"
