"""Who may do what: every account route as nobody, as its owner, and as somebody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from idp.store import db
from tests.support.authenticator import Authenticator, Page
from tests.support.ciba import caller
from tests.support.phone import Phone
from tests.support.spec import spec
from tests.support.world import CALLBACK, PASSWORD, Browser, Rp, World, hidden, make_world, returned

NEW = "quite another phrase of words"

# The route, how it is called, and what it does for its owner. {key} and {receipt} are Alice's.
ROUTES = {
    ("GET", "/account"): ({}, 200),
    ("GET", "/account/profile"): ({}, 200),
    ("POST", "/account/profile"): ({"name": "Mallory"}, 303),
    ("GET", "/account/security"): ({}, 200),
    ("POST", "/account/password"): ({"password": PASSWORD, "new_password": NEW}, 303),
    ("POST", "/account/passkeys/options"): ({}, 200),
    ("POST", "/account/passkeys"): ({}, 400),  # said no more than that it is no passkey
    ("POST", "/account/passkeys/<int:number>/rename"): ({"name": "Mine"}, 303),
    ("POST", "/account/passkeys/<int:number>/remove"): ({"password": PASSWORD}, 303),
    ("POST", "/account/authenticator"): ({}, 303),
    ("GET", "/account/authenticator"): ({}, 303),  # nothing was begun
    ("POST", "/account/authenticator/confirm"): ({"setup": "{setup}", "code": "{code}"}, 200),
    ("POST", "/account/authenticator/remove"): ({}, 303),
    ("POST", "/account/recovery-codes"): ({}, 303),
    ("GET", "/account/sessions"): ({}, 200),
    ("POST", "/account/sessions/end"): ({"what": "browser", "session": "{session}"}, 200),
    ("GET", "/account/apps"): ({}, 200),
    ("POST", "/account/apps/remove"): ({"client": "{client}"}, 303),
    ("GET", "/account/requests"): ({}, 200),
    ("POST", "/account/requests"): ({"request": "{request}", "answer": "allow"}, 200),
    ("GET", "/account/receipts"): ({}, 200),
    ("GET", "/receipts/<receipt_id>"): ({}, 200),
    ("GET", "/receipts/<receipt_id>/proof"): ({}, 200),
}
MINE = ("/account", "/receipts")
FOR_TOKENS = ("GET", "/receipts/<receipt_id>")


class Home:
    """Somebody signed in, with a passkey, an app they allow, and a receipt."""

    def __init__(self, world: World, username: str) -> None:
        self.world = world
        self.username = username
        self.rp: Rp = world.rp("Notes", trusted=False)
        self.browser = world.browser()
        self.browser.sign_in(username)
        Page(self.browser.http).add(Authenticator(), name=f"Key of {username}")
        other = world.browser()
        other.sign_in(username)
        other.submit(other.http.get("/account/sessions"), "/account/sessions/end", what="elsewhere")
        self.browser = other
        self.access = other.tokens(self.rp)["access_token"]
        self.caller = caller(world).asks(username)
        phone = Phone(world.clock)
        begun = other.submit(other.http.get("/account/security"), "/account/authenticator")
        page = other.http.get(begun.headers["Location"]).text
        phone.scan(page)
        setup = hidden(page, "/account/authenticator/confirm")["setup"]
        self.names = self.find() | {"{setup}": setup, "{code}": phone.code()}

    def find(self) -> dict[str, str]:
        """The names of their things, as somebody else may have learned them."""
        op, now = self.world.op, self.world.clock.now
        with self.world.app.app_context():
            row = op.accounts.find_by_username(self.username)
            assert row is not None
            return {
                "<int:number>": str(op.accounts.credentials(row.id)[0].id),
                "<receipt_id>": op.sign_outs.receipts.of_account(row.id)[0].id,
                "{session}": op.sessions.of_account(row.id, now)[0].id,
                "{client}": self.rp.client_id,
                "{request}": op.codes.approvals.put_to(row.id, now)[0].id,
            }

    def call(self, browser: Browser, method: str, route: str) -> TestResponse:
        """Call a route of theirs, with everything right that a browser can have right."""
        form, path = dict(ROUTES[method, route][0]), route
        for name, value in self.names.items():
            path = path.replace(name, value)
            form = {key: said.replace(name, value) for key, said in form.items()}
        if method == "GET":
            return browser.http.get(path)
        token = Page(browser.http).token()
        if route.startswith("/account/passkeys") and "<" not in route:
            return browser.http.post(path, json={}, headers={"X-CSRF-Token": token})
        return browser.http.post(path, data=form | {"csrf_token": token})

    def state(self) -> object:
        """All that somebody else could have changed."""
        op, now = self.world.op, self.world.clock.now
        with self.world.app.app_context():
            row = op.accounts.find_by_username(self.username)
            assert row is not None
            return (
                dict(row.claims),
                row.password_hash,
                op.accounts.second_factors.enrolled(row.id),
                [(key.id, key.name) for key in op.accounts.credentials(row.id)],
                [session.id for session in op.sessions.of_account(row.id, now)],
                [(grant.client_id, grant.scopes) for grant in op.grants.of_account(row.id)],
                len(op.sign_outs.receipts.of_account(row.id)),
                len(op.codes.approvals.put_to(row.id, now)),
            )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(Path(tmp_path_factory.mktemp("permissions")))
    made.person("alice", name="Alice")
    made.person("bob", name="Bob")
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def home(house: World) -> Home:
    return Home(house, "alice")


@pytest.fixture(scope="module")
def bob(house: World) -> Browser:
    browser = house.browser()
    browser.sign_in("bob")
    return browser


@spec("ADM-01")
def test_no_route_of_the_account_is_missing_from_the_table(house: World) -> None:
    found = {
        (method, rule.rule)
        for rule in house.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(MINE) and not rule.endpoint.startswith("protocol.")
    }

    assert found == set(ROUTES)


@spec("ADM-01", "CVE-2026-40166")
@pytest.mark.parametrize(("method", "route"), ROUTES, ids=str)
def test_nobody_is_asked_to_sign_in(home: Home, method: str, route: str) -> None:
    before = home.state()

    answer = home.call(home.world.browser(), method, route)

    assert answer.status_code == 403 or answer.headers["Location"].startswith("/sign-in")
    assert home.state() == before


@spec("ADM-01", "CVE-2026-40166")
@pytest.mark.parametrize(("method", "route"), ROUTES, ids=str)
def test_somebody_else_neither_sees_nor_changes_anything_of_mine(
    home: Home, bob: Browser, method: str, route: str
) -> None:
    before = home.state()

    answer = home.call(bob, method, route)

    assert home.state() == before
    assert "alice" not in answer.text.lower()
    assert home.rp.client_id not in answer.text


@spec("ADM-01", "RSG-04")
@pytest.mark.parametrize(("method", "route"), [key for key in ROUTES if key != FOR_TOKENS], ids=str)
def test_a_token_or_a_secret_opens_no_account_page(home: Home, method: str, route: str) -> None:
    before, path = home.state(), route
    for name, value in home.names.items():
        path = path.replace(name, value)
    http = home.world.http()

    by_token = http.open(path, method=method, headers={"Authorization": f"Bearer {home.access}"})
    by_secret = http.open(path, method=method, auth=(home.rp.client_id, home.rp.secret or ""))

    for answer in (by_token, by_secret):
        assert answer.status_code == 403 or answer.headers["Location"].startswith("/sign-in")
    assert home.state() == before


@spec("ADM-01")
@pytest.mark.parametrize(("method", "route"), ROUTES, ids=str)
def test_the_owner_may(house: World, method: str, route: str) -> None:
    house.person(name := f"owner{list(ROUTES).index((method, route))}")
    own = Home(house, name)

    answer = own.call(own.browser, method, route)

    assert answer.status_code == ROUTES[method, route][1]
    assert not answer.headers.get("Location", "").startswith("/sign-in")


@spec("ADM-01", "CSR-01")
@pytest.mark.parametrize(("method", "route"), [key for key in ROUTES if key[0] == "POST"], ids=str)
def test_a_form_of_another_site_changes_nothing(home: Home, method: str, route: str) -> None:
    before = home.state()
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}
    path = route
    for name, value in home.names.items():
        path = path.replace(name, value)
    token = Page(home.browser.http).token()

    bare = home.browser.http.post(path, data=ROUTES[method, route][0])
    cross = home.browser.http.post(path, data={"csrf_token": token}, headers=foreign)

    assert (bare.status_code, cross.status_code) == (403, 403)
    assert home.state() == before


@spec("ADM-02", "DCR-07", "CVE-2026-40166")
def test_a_client_secret_is_shown_once(house: World, bob: Browser) -> None:
    http = house.http()
    wish = {"redirect_uris": [CALLBACK], "client_name": "Stranger"}
    made = http.post("/register", json=wish).json
    here = f"/register/{made['client_id']}"
    mine = {"Authorization": f"Bearer {made['registration_access_token']}"}
    bob.tokens(Rp(house, made["client_id"], made["client_secret"]))

    later = [
        http.get(here, headers=mine),
        http.put(here, json=wish | {"client_id": made["client_id"]}, headers=mine),
        *(bob.http.get(path) for path in ("/account", "/account/apps", "/account/sessions")),
    ]

    assert [answer.status_code for answer in later] == [200] * 5
    assert not any(made["client_secret"] in answer.text for answer in later)


@spec("ADM-04", "V7.5.1", "CVE-2026-27946")
def test_a_new_address_needs_a_fresh_sign_in_and_is_unproven(world: World) -> None:
    world.person("carol", email="carol@example.com", email_verified=True)
    browser = world.browser()
    browser.sign_in("carol")
    change = {"email": "new@example.com", "email_verified": "true"}
    world.clock.advance(minutes=11)

    page = browser.http.get("/account/profile")
    stale = browser.submit(page, "/account/profile", **change)
    kept = known(world, "carol")
    browser.sign_in("carol")
    browser.submit(browser.http.get("/account/profile"), "/account/profile", **change)

    assert stale.headers["Location"] == "/sign-in?for=profile"
    assert (kept["email"], kept["email_verified"]) == ("carol@example.com", True)
    assert known(world, "carol")["email"] == "new@example.com"
    assert "email_verified" not in known(world, "carol")


@spec("ADM-04", "OID-12")
def test_a_form_cannot_say_what_only_we_can_know(world: World) -> None:
    world.person("carol", email="carol@example.com")
    browser = world.browser()
    browser.sign_in("carol")
    forged = {"email_verified": "true", "username": "admin", "sub": "u_x", "id": "u_x"}
    forged |= {"email": "carol@example.com", "preferred_username": "admin", "roles": "admin"}

    browser.submit(browser.http.get("/account/profile"), "/account/profile", **forged)

    said = known(world, "carol")
    assert said == {"preferred_username": "carol", "email": "carol@example.com"}


def known(world: World, username: str) -> dict[str, object]:
    with world.app.app_context():
        row = world.op.accounts.find_by_username(username)
        assert row is not None
        return dict(row.claims)


@spec("ADM-06", "V6.3.4", "ADM-03", "CVE-2025-64521")
@pytest.mark.parametrize("way", ["password", "passkey"])
def test_every_way_in_leads_through_the_same_checks(world: World, way: str) -> None:
    sub = world.person("carol")
    owner, key = world.browser(), Authenticator()
    owner.sign_in("carol")
    Page(owner.http).add(key)
    app = world.rp(trusted=False)

    def comes_in() -> Browser:
        fresh = world.browser()
        if way == "password":
            fresh.sign_in("carol")
        else:
            Page(fresh.http).sign_in(key)
        return fresh

    first, second = comes_in(), comes_in()
    asked = first.authorize(app).headers["Location"]
    strong = returned(first.follow(first.authorize(app, acr_values="phr")))
    with world.app.app_context():
        row = world.op.accounts.find(sub)
        assert row is not None
        world.op.accounts.disable(row, world.clock.now)
        db.session.commit()
    late = comes_in()

    assert asked.startswith("/consent?")
    assert strong["code"]
    cookies = {browser.http.get_cookie("__Host-idp_session").value for browser in (first, second)}  # type: ignore[union-attr]
    assert len(cookies) == 2
    assert late.http.get("/account").status_code == 303
    assert first.http.get("/account").status_code == 303
