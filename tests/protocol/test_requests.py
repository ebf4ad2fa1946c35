"""/authorize: addresses that may vary, values that are odd, and clients nobody knows."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from idp.domain.events import Event
from idp.store import db
from tests.protocol.test_token import claims
from tests.support.spec import spec
from tests.support.world import CALLBACK, Rp, World, make_world, returned

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SECOND = "https://rp.test/second"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A provider under development: http is fine on loopback."""
    made = make_world(Path(tmp_path_factory.mktemp("requests")), IDP_ISSUER="http://localhost:9000")
    made.person()
    made.person("bob")
    made.api(**{"notes:read": "Read your notes"})
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def stranger(house: World) -> Rp:
    """A client that registered itself."""
    wish = {"redirect_uris": [CALLBACK], "client_name": "Stranger"}
    said = house.http().post("/register", json=wish).json
    return Rp(house, said["client_id"], said["client_secret"])


@spec("RED-06", "RFC 8252 section 7.3", "CVE-2020-15233")
@pytest.mark.parametrize(
    ("kind", "registered", "asked"),
    [
        ("web", "http://127.0.0.1:9001/cb", "http://127.0.0.1:9002/cb"),
        ("web", "http://[::1]:9001/cb", "http://[::1]:9002/cb"),
        ("web", "http://localhost:9001/cb", "http://localhost:9002/cb"),
        ("native", "https://127.0.0.1/cb", "https://127.0.0.1:9002/cb"),
        ("native", "http://localhost:9001/cb", "http://localhost:9002/cb"),
        ("native", "http://localhost/cb", "http://127.0.0.1/cb"),
        ("native", "http://127.0.0.1/cb", "http://[::1]/cb"),
        ("native", "http://127.0.0.1/cb", "HTTP://127.0.0.1/cb"),
        ("native", "com.example.app:/cb", "com.example.app:/other"),
    ],
)
def test_only_the_port_of_a_native_apps_loopback_address_may_vary(
    house: World, kind: str, registered: str, asked: str
) -> None:
    app = house.rp(redirect_uris=[registered], application_type=kind)

    varied = house.browser().authorize(app, redirect_uri=asked)
    exact = house.browser().authorize(app, redirect_uri=registered)

    assert (varied.status_code, exact.status_code) == (400, 303)
    assert "Location" not in varied.headers


@spec("RED-08", "OpenID Connect Core section 3.1.2.1", "RFC 6749 section 3.1.2.3")
@pytest.mark.parametrize(
    ("uris", "scope", "status"),
    [
        ([CALLBACK], "notes:read", 303),
        ([CALLBACK], "openid", 400),
        ([CALLBACK], "notes:read openid", 400),
        ([CALLBACK, SECOND], "notes:read", 400),
        ([CALLBACK, SECOND], "openid", 400),
    ],
)
def test_an_address_is_left_out_only_where_there_is_no_doubt(
    house: World, uris: list[str], scope: str, status: int
) -> None:
    app = house.rp(redirect_uris=uris)

    answer = house.browser().authorize(app, redirect_uri=None, scope=scope)

    assert answer.status_code == status


@spec("RED-08", "COD-04")
def test_an_address_that_was_left_out_stays_out(house: World) -> None:
    app, browser = house.rp(), house.browser()
    code = returned(browser.follow(browser.authorize(app, redirect_uri=None, scope="notes:read")))[
        "code"
    ]

    answer = app.redeem(code, browser.verifier, redirect_uri=None)

    assert answer.status_code == 200


@spec("RED-14", "RFC 9700 section 4.11.2")
@pytest.mark.parametrize(
    "more", [{"scope": "bad"}, {"response_type": "token"}, {"code_challenge_method": "plain"}]
)
def test_a_strangers_broken_request_leads_nobody_away_unasked(
    house: World, more: dict[str, str]
) -> None:
    answer = house.browser().authorize(stranger(house), **more)

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "http-equiv" not in answer.text
    assert "rp.test" in answer.text


@spec("RED-14", "OpenID Connect Core section 3.1.2.6")
@pytest.mark.parametrize("known", ["signed in", "operator's"])
def test_whoever_is_known_is_sent_back_with_the_error(house: World, known: str) -> None:
    browser = house.browser()
    if known == "signed in":
        browser.sign_in()
    app = stranger(house) if known == "signed in" else house.rp()

    answer = browser.authorize(app, scope="bad")

    assert returned(answer)["error"] == "invalid_scope"


@spec("RED-17", "OpenID Connect Core section 3.1.2.1")
@pytest.mark.parametrize(
    "prompt", ["none login", "login none", "none consent", "none none select_account", "none x"]
)
def test_none_stands_alone(house: World, prompt: str) -> None:
    answer = house.browser().authorize(house.rp(), prompt=prompt)

    assert returned(answer)["error"] == "invalid_request"


@spec("RED-17")
@pytest.mark.parametrize("prompt", ["yes", "NONE", "consented", "allow create", "\t"])
def test_a_prompt_nobody_knows_is_never_a_yes(house: World, prompt: str) -> None:
    app, browser = house.rp(trusted=False), house.browser()
    browser.sign_in()

    answer = browser.authorize(app, prompt=prompt)

    assert answer.headers["Location"].startswith("/consent?")


@spec("PKC-08", "RFC 9700 section 2.1.1")
def test_a_challenge_that_is_used_again_is_written_down_once_a_day(house: World) -> None:
    weak, good, browser = house.rp("Weak"), house.rp("Good"), house.browser()
    browser.sign_in()

    for _ in range(4):
        browser.authorize(weak, code_challenge=CHALLENGE)
        browser.authorize(good)

    with house.app.app_context():
        told = select(Event.client_id).where(Event.name == "ChallengeRepeated")
        assert list(db.session.scalars(told)) == [weak.client_id]


@spec("OID-02", "OpenID Connect Core section 3.1.2.1")
@pytest.mark.parametrize(
    "nonce", ["n" * 1024, "é/+ \"'<>&%00", "\u2028\U0001f600" * 100, " ", None], ids=ascii
)
def test_a_nonce_of_any_kind_comes_back_as_it_was(house: World, nonce: str | None) -> None:
    given = house.browser().tokens(house.rp(), nonce=nonce)

    assert claims(given["id_token"]).get("nonce") == nonce


@spec("RED-13")
@pytest.mark.parametrize("kind", ["token", "id_token token", "code token", "none", "code code"])
def test_no_response_type_is_there_that_puts_an_access_token_into_an_address(
    house: World, kind: str
) -> None:
    answer = house.browser().authorize(house.rp(), response_type=kind, nonce="n")

    assert returned(answer)["error"] == "unsupported_response_type"


@spec("OID-06", "BRW-06", "CVE-2019-8400", "CVE-2026-33525")
@pytest.mark.parametrize(
    "hint", ['"><script>alert(1)</script>', "{{7*7}}", "' onfocus=alert(1) x='"]
)
def test_a_login_hint_is_text_in_a_field_and_nothing_else(house: World, hint: str) -> None:
    browser = house.browser()

    page = browser.http.get(browser.authorize(house.rp(), login_hint=hint).headers["Location"])

    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "onfocus=alert(1) x='" not in page.text.replace("&#39;", "")
    assert "49" not in page.text.partition('name="username"')[2][:200]


@spec("OID-06")
@pytest.mark.parametrize("prompt", ["none", None])
def test_a_login_hint_chooses_nobody(house: World, prompt: str | None) -> None:
    browser, app = house.browser(), house.rp()
    browser.sign_in("alice")
    mine = claims(browser.tokens(app)["id_token"])["sub"]

    answer = browser.authorize(app, login_hint="bob", prompt=prompt)

    given = app.redeem(returned(answer)["code"], browser.verifier).json
    assert claims(given["id_token"])["sub"] == mine


@spec("OID-08", "EDG-08", "OpenID Connect Core section 5.5")
@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ("{", "invalid_request"),
        ("[" * 4000, "invalid_request"),
        ('"x"', "invalid_request"),
        ("x" * 100_000, None),
        ('{"id_token":' * 600 + "1" + "}" * 600, "login_required"),
        ('{"id_token": {"acr": {"values": [1, {}]}}}', "invalid_request"),
        ('{"id_token": {"acr": {"essential": true, "values": "phr"}}}', "invalid_request"),
        ('{"id_token": [], "userinfo": 3}', "invalid_request"),
        ('{"id_token": null, "userinfo": {}, "other": 3}', "login_required"),
        ('{"id_token": {"name": "Ann"}}', "invalid_request"),
        ('{"id_token": {"name": {"essential": "yes"}}}', "invalid_request"),
        ('{"id_token": {"name": {"values": "Ann"}}}', "invalid_request"),
        ('{"id_token": {"name": {"else": 1}}}', "login_required"),
        ('{"id_token": {"nobody_knows": {"essential": true}}}', "login_required"),
        ('{"userinfo": {"__class__": null, "": null}}', "login_required"),
        ('{"userinfo": {"\\u0000": null}}', "invalid_request"),
        ('{"id_token": {"sub": {"value": 3}}}', "login_required"),
        ('{"id_token": {}, "userinfo": NaN}', "invalid_request"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_whatever_claims_says_is_read_or_refused(
    house: World, asked: str, error: str | None
) -> None:
    answer = house.browser().authorize(house.rp(), claims=asked, prompt="none")

    assert answer.status_code in ((303,) if error else (303, 400, 413, 414))
    if error:
        assert returned(answer)["error"] == error


@spec("OID-08", "OpenID Connect Core section 5.5.1")
def test_a_sub_that_is_asked_for_is_the_one_or_nobody(house: World) -> None:
    browser, app = house.browser(), house.rp()
    browser.sign_in("bob")
    other = json.dumps({"id_token": {"sub": {"essential": True, "value": "u_somebody_else"}}})

    answer = browser.authorize(app, claims=other, prompt="none")

    assert returned(answer)["error"] == "login_required"


@spec("OID-08")
def test_what_nobody_knows_is_asked_for_in_vain_and_does_no_harm(house: World) -> None:
    asked = {"id_token": {"role": None, "aud": {"value": "evil"}, "name": None}}

    given = house.browser().tokens(house.rp(), claims=json.dumps(asked))

    said = claims(given["id_token"])
    assert "role" not in said
    assert said["aud"] != "evil"
