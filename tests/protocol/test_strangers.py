"""Clients that register themselves: what they say of themselves is never more than text."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from idp.domain import upkeep
from idp.store import db
from tests.support.spec import spec
from tests.support.world import CALLBACK, Rp, World, make_world

GOOD = {"redirect_uris": [CALLBACK], "client_name": "Stranger"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A provider that takes every registration."""
    made = make_world(Path(tmp_path_factory.mktemp("strangers")), IDP_REGISTRATION__QUOTA="1000")
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def registered(house: World, **more: object) -> Rp:
    said = house.http().post("/register", json=GOOD | more).json
    return Rp(house, said["client_id"], said["client_secret"])


@spec("DCR-02", "BRW-06", "CVE-2026-33525")
@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>",
        "{{7*7}}",
        "${7*7}",
        "{% for x in config %}{{x}}{% endfor %}",
        "%(name)s %s %n",
        "'\"><script>alert(1)</script>",
    ],
)
def test_a_name_full_of_tricks_is_shown_as_it_is(house: World, name: str) -> None:
    browser, app = house.browser(), registered(house, client_name=name)
    shown = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = shown.replace("'", "&#39;").replace('"', "&#34;")

    sign_in = browser.http.get(browser.authorize(app).headers["Location"])
    browser.sign_in()
    consent = browser.http.get(browser.authorize(app).headers["Location"])
    browser.tokens(app)
    apps = browser.http.get("/account/apps")
    sessions = browser.http.get("/account/sessions")

    for page in (sign_in, consent, apps, sessions):
        assert page.status_code == 200
        assert shown in page.text
        assert "<img src=x" not in page.text
        assert "<script>alert" not in page.text


@spec("DCR-02")
@pytest.mark.parametrize(
    "name",
    ["\u202egnp.exe", "a\u0000b", "x" * 100_000, "a\nb", "\ud800", ["a"], {"a": 1}, 3, "\x1b[31m"],
    ids=lambda name: ascii(name)[:20],
)
def test_a_name_that_cannot_be_shown_is_refused(house: World, name: object) -> None:
    answer = house.http().post("/register", json=GOOD | {"client_name": name})

    assert answer.status_code in (400, 413)
    if answer.status_code == 400:
        assert answer.json["error"] in ("invalid_client_metadata", "invalid_request")


@spec("DCR-03", "BRW-03", "V3.6.1")
def test_a_logo_is_never_fetched_from_a_persons_browser(house: World) -> None:
    browser = house.browser()
    app = registered(house, logo_uri="https://tracker.test/pixel.png")

    sign_in = browser.http.get(browser.authorize(app).headers["Location"])
    browser.sign_in()
    consent = browser.http.get(browser.authorize(app).headers["Location"])
    browser.tokens(app)

    for page in (sign_in, consent, browser.http.get("/account/apps")):
        assert "tracker.test" not in page.text
        assert "img-src 'self' data:" in page.headers["Content-Security-Policy"]


@spec("DCR-08", "P7")
def test_clients_that_nobody_uses_go_and_those_in_use_stay(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    world.person()
    used, unused, ours = registered(world), registered(world), world.rp("Ours")
    browser = world.browser()
    world.clock.advance(days=20)
    browser.tokens(used)
    world.clock.advance(days=15)

    with world.app.app_context():
        upkeep.sweep(world.op, world.clock.now)
        db.session.commit()
        left = {view.client_id for view in world.op.clients.list()}

    assert left == {used.client_id, ours.client_id}
    assert unused.post("/token", grant_type="refresh_token").status_code == 401


@spec("DCR-08")
def test_in_production_strangers_are_not_let_in_by_default(tmp_path: Path) -> None:
    from idp.settings import load

    settings = load(environ={})

    assert settings.registration.mode == "token"
    assert settings.rules().unused_client_kept == timedelta(days=30)


@spec("DCR-08")
def test_one_neighbourhood_cannot_fill_the_store(tmp_path: Path) -> None:
    world = make_world(tmp_path, IDP_REGISTRATION__QUOTA="3")

    answers = [
        world.http().post(
            "/register", json=GOOD, environ_overrides={"REMOTE_ADDR": f"2001:db8::{number:x}"}
        )
        for number in range(1, 8)
    ]

    assert [answer.status_code for answer in answers] == [201] * 3 + [429] * 4
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers[3:])


@spec("DCR-10", "RFC 7591 section 2.3")
@pytest.mark.parametrize(
    "statement",
    [
        "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmlzIjpbXX0.",
        "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
        "nonsense",
        "",
        None,
        {"redirect_uris": []},
    ],
    ids=str,
)
def test_a_software_statement_is_refused_whoever_signed_it(house: World, statement: object) -> None:
    answer = house.http().post("/register", json=GOOD | {"software_statement": statement})

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_software_statement"
