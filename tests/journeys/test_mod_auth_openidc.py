"""Apache's mod_auth_openidc: it registers itself, signs a person in, renews, and is signed out."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.support.apache import BEHIND, apache
from tests.support.served import Served, served
from tests.support.services import free_port
from tests.support.spec import spec
from tests.support.world import PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

DIRECTIVES = """
OIDCMetadataDir "{root}/metadata"
OIDCRedirectURI http://localhost:{port}/oidc
OIDCCryptoPassphrase "only good for tests"
OIDCScope "openid email offline_access"
OIDCPKCEMethod S256
OIDCClientName "Behind Apache"
OIDCDefaultLoggedOutURL http://localhost:{port}/open/
OIDCInfoHook access_token refresh_token userinfo
OIDCPassClaimsAs environment
OIDCUserInfoRefreshInterval 0
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
<Location /open/>
  Require all granted
</Location>
"""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def op(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    allowed = {"IDP_OUTBOUND__ALLOWED": f"localhost:{port}"}
    with served(tmp_path_factory.mktemp("op"), **allowed) as provider:
        provider.world.person("alice", name="Alice", email="alice@example.com")
        yield provider


@pytest.fixture(scope="module")
def site(op: Served, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Apache knows the provider's metadata, and has no client there yet."""
    root = tmp_path_factory.mktemp("apache")
    metadata = root / "metadata"
    metadata.mkdir()
    metadata.chmod(0o777)
    known = metadata / f"{quote(op.url.removeprefix('http://'), safe='')}.provider"
    known.write_text(op.world.http().get("/.well-known/openid-configuration").text)
    with apache(root, port, DIRECTIVES.format(root=root, port=port)) as url:
        yield url


def enter(page: Page, site: str, op: Served) -> None:
    """Start at the app's end (third-party initiated login), arrive signed in."""
    page.goto(f"{site}/oidc?iss={op.url}&target_link_uri={site}/")
    page.fill("#username", "alice")
    page.fill("#password", PASSWORD)
    page.click("#login-submit")
    if page.locator("#consent-allow").count():
        page.click("#consent-allow")
    page.wait_for_url(f"{site}/")


@spec("RFC 7591", "OpenID Connect Core", "RP-Initiated Logout")
def test_apache_registers_signs_in_renews_and_signs_out(
    op: Served, site: str, context: BrowserContext
) -> None:
    page = context.new_page()
    enter(page, site, op)
    before = page.request.get(f"{site}/oidc?info=json").json()

    renewed = page.request.get(f"{site}/oidc?refresh={site}/&access_token={before['access_token']}")
    after = page.request.get(f"{site}/oidc?info=json").json()
    page.goto(f"{site}/oidc?logout={site}/open/")
    if page.locator("#logout-confirm").count():
        page.click("#logout-confirm")
    page.wait_for_url(f"{site}/open/**")

    assert before["userinfo"]["email"] == "alice@example.com"
    assert renewed.url == f"{site}/"
    assert after["refresh_token"] != before["refresh_token"]
    for token in (before["access_token"], after["access_token"]):
        assert op.world.userinfo(token).status_code == 401


@spec("Back-Channel Logout", "BCL-01")
def test_apache_is_told_of_a_sign_out_elsewhere(
    op: Served, site: str, context: BrowserContext
) -> None:
    page = context.new_page()
    enter(page, site, op)
    assert BEHIND in page.request.get(f"{site}/").text()

    page.goto(f"{op.url}/account/sessions")
    page.click("#everywhere")
    page.wait_for_selector(".receipt")
    with op.world.app.app_context():
        op.world.app.extensions["idp.courier"].run_once()

    assert BEHIND not in page.request.get(f"{site}/").text()
