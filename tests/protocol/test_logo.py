"""Logos: shown on our pages, from our own address, and nothing but pictures."""

from collections.abc import Iterator

import pytest

from idp.store import db
from tests.support.publisher import Publisher, publisher
from tests.support.spec import spec
from tests.support.world import CALLBACK, Rp, World, make_world

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(scope="module")
def artist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with publisher(tmp_path_factory.mktemp("artist")) as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, artist: Publisher
) -> Iterator[World]:
    on_postgres = request.param == "postgresql"
    made = make_world(
        tmp_path_factory.mktemp("logos"),
        request.getfixturevalue("postgres").fresh() if on_postgres else "",
        IDP_OUTBOUND__ALLOWED=artist.place,
        IDP_OUTBOUND__CA_BUNDLE=str(artist.bundle),
    )
    artist.pages.clear()
    artist.fetched.clear()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def shown(artist: Publisher, body: bytes, kind: str = "image/png") -> str:
    artist.pages["/logo"] = (200, {"Content-Type": kind}, body)
    return artist.url("/logo")


def page(world: World, rp: Rp) -> str:
    browser = world.browser()
    return browser.http.get(browser.authorize(rp).headers["Location"]).text


def source(text: str) -> str:
    return text.partition('src="/logo')[2].partition('"')[0].replace("&amp;", "&")


@spec("DCR-03", "V3.6.1", "OpenID Connect Registration section 2")
def test_a_logo_is_shown_from_our_own_address(house: World, artist: Publisher) -> None:
    rp = house.rp(logo_uri=shown(artist, PNG))

    text = page(house, rp)
    picture = house.http().get("/logo" + source(text))

    assert artist.place not in text
    assert picture.data == PNG
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert "public" in picture.headers["Cache-Control"]
    assert "Set-Cookie" not in picture.headers


@spec("DCR-03", "SSR-05")
def test_a_logo_is_fetched_once_a_day(house: World, artist: Publisher) -> None:
    rp = house.rp(logo_uri=shown(artist, PNG))
    address = f"/logo?client_id={rp.client_id}"

    for _ in range(3):
        house.http().get(address)
    once = list(artist.fetched)
    artist.pages.clear()
    house.clock.advance(hours=25)
    old = house.http().get(address)

    assert once == ["/logo"]
    assert artist.fetched == ["/logo", "/logo"]
    assert old.data == PNG


@spec("DCR-03", "SSR-07")
@pytest.mark.parametrize(
    "body", [SVG, b"", b"<html>", PNG + b"\0" * 70_000, b"%PDF-1.7", b"\x89PNG"], ids=range(6)
)
def test_what_is_no_picture_is_not_served(house: World, artist: Publisher, body: bytes) -> None:
    rp = house.rp(logo_uri=shown(artist, body))
    address = f"/logo?client_id={rp.client_id}"

    first = house.http().get(address)
    again = house.http().get(address)

    assert (first.status_code, again.status_code) == (404, 404)
    assert len(artist.fetched) == 1
    assert "/logo?" not in page(house, rp)


@spec("DCR-03")
def test_a_picture_that_came_late_is_found_in_a_while(house: World, artist: Publisher) -> None:
    rp = house.rp(logo_uri=artist.url("/logo"))
    address = f"/logo?client_id={rp.client_id}"
    assert house.http().get(address).status_code == 404

    shown(artist, PNG)
    at_once = house.http().get(address)
    house.clock.advance(minutes=11)
    later = house.http().get(address)

    assert (at_once.status_code, later.status_code) == (404, 200)
    assert "/logo?" in page(house, rp)


@pytest.mark.parametrize("query", ["", "?client_id=", "?client_id=c_nobody", "?client_id=%00"])
def test_nobody_has_no_logo(house: World, query: str) -> None:
    assert house.http().get(f"/logo{query}").status_code in (400, 404)


@spec("DCR-07")
def test_a_logo_goes_with_its_client(house: World, artist: Publisher) -> None:
    wish = {"redirect_uris": [CALLBACK], "logo_uri": shown(artist, PNG)}
    made = house.http().post("/register", json=wish).json
    address = f"/logo?client_id={made['client_id']}"
    assert house.http().get(address).status_code == 200

    house.http().delete(
        f"/register/{made['client_id']}",
        headers={"Authorization": f"Bearer {made['registration_access_token']}"},
    )

    assert house.http().get(address).status_code == 404
