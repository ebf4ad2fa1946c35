"""What a browser is told of other origins, what it carries, and what others may keep of it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.store import db
from idp.web.endpoints import ROUTES
from tests.support.forged import dumped, encoded
from tests.support.spec import spec
from tests.support.world import PASSWORD, World, make_world, returned

EVIL = "https://evil.test"
PAGES = ("/", "/sign-in", "/authorize", "/consent", "/account", "/account/security", "/end_session")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(Path(tmp_path_factory.mktemp("browsers")))
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def forged() -> str:
    """A token of nobody's that names an origin wherever one could be read."""
    claims = {"azp": EVIL, "aud": EVIL, "iss": EVIL, "client_id": EVIL, "allowed-origins": [EVIL]}
    header = {"alg": "none", "typ": "at+jwt"}
    return ".".join((encoded(dumped(header)), encoded(dumped(claims)), "AAAA"))


@spec("BRW-05", "CVE-2026-37977", "CVE-2024-41657")
@pytest.mark.parametrize("path", [*PAGES, *(route.path for route in ROUTES)])
def test_no_answer_repeats_the_origin_that_asks(house: World, path: str) -> None:
    where = path.replace("<", "").replace(">", "")
    token = forged()
    headers = {
        "Origin": EVIL,
        "Authorization": f"Bearer {token}",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    form = {"token": token, "client_assertion": token, "id_token_hint": token}

    for method in ("OPTIONS", "GET", "POST"):
        answer = house.http().open(where, method=method, headers=headers, data=form)

        said = answer.headers
        assert said.get("Access-Control-Allow-Origin") in (None, "*")
        assert "Access-Control-Allow-Credentials" not in said
        assert "evil.test" not in str(said)


@spec("COD-10", "BRW-01", "CVE-2023-30861")
def test_what_brings_a_cookie_is_kept_by_nobody_on_the_way(house: World) -> None:
    browser, fresh = house.browser(), house.app.test_client()
    rp = house.rp()
    browser.sign_in()
    paths = [str(rule) for rule in house.app.url_map.iter_rules() if "<" not in str(rule)]
    answers = [browser.authorize(rp), browser.sign_in(), house.browser().sign_in()]

    for path in [*paths, "/static/nothing", "/nowhere"]:
        answers += [client.get(path) for client in (fresh, browser.http, house.app.test_client())]

    bringing = [answer for answer in answers if "Set-Cookie" in answer.headers]
    assert len(bringing) > 20
    for answer in bringing:
        assert "no-store" in answer.headers.get("Cache-Control", ""), answer.request.path


@spec("SES-09", "CVE-2024-24814", "CVE-2023-28625")
@pytest.mark.parametrize(
    "cookie",
    [
        "__Host-idp_session_chunks=99999999; __Host-idp_session_0=x",
        "__Host-idp_session",
        "__Host-idp_session=; __Host-idp_browser=; idp_device=; idp_language=",
        "; ".join(f"__Host-idp_session_{number}=x" for number in range(2000)),
        "; ".join(["__Host-idp_session=ss_x"] * 2000),
        "__Host-idp_session=" + "\\054" * 8000,
        "__Host-idp_session=" + '"' * 30_000,
        "idp_language=" + "de," * 10_000,
    ],
    ids=["chunks", "bare", "empty", "numbered", "same", "escaped", "quotes", "languages"],
)
def test_a_crafted_cookie_is_nobodys_and_costs_nothing(house: World, cookie: str) -> None:
    http, spent = house.http(), []
    for _ in range(3):
        began = time.thread_time()
        answer = http.get("/account", headers={"Cookie": cookie})
        spent.append(time.thread_time() - began)

        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert min(spent) < 0.1


@spec("RED-19", "RED-13", "CVE-2026-7571")
def test_a_sign_in_that_is_resumed_asks_for_what_it_asked_for_at_first(house: World) -> None:
    rp, other = house.rp(), house.rp("Other", redirect_uris=["https://other.test/cb"])
    browser = house.browser()
    forged = {
        "response_type": "id_token token",
        "response_mode": "fragment",
        "client_id": other.client_id,
        "redirect_uri": other.redirect_uri,
        "scope": "openid offline_access",
        "code_challenge": "x" * 43,
        "client_data": "eyJydCI6InRva2VuIn0",
        "state": "another",
    }
    asked = browser.authorize(rp)
    page = browser.http.get(asked.headers["Location"], query_string=None)
    again = asked.headers["Location"] + "&" + "&".join(f"{k}={v}" for k, v in forged.items())

    browser.http.get(again)
    answer = browser.follow(
        browser.submit(page, "/sign-in", username="alice", password=PASSWORD, **forged)
    )

    assert answer.headers["Location"].startswith(f"{rp.redirect_uri}?")
    said = returned(answer)
    assert (said["state"], set(said) & {"access_token", "id_token"}) == ("st4te", set())
    given = rp.redeem(said["code"], browser.verifier)
    assert (given.status_code, given.json["scope"]) == (200, "openid")
