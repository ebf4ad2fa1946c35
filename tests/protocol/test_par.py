"""Pushed authorization requests (RFC 9126): handed in by the client, opened by the browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.domain.codes import Code
from idp.store import db
from tests.support.spec import spec
from tests.support.world import CALLBACK, Browser, Rp, World, make_world, returned

VERIFIER = "v" * 64
CHALLENGE = "w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM"
PAR = "https://op.test/par"
ASKED = {
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid",
    "state": "st4te",
    "nonce": "n0nce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("par"))
    made.person()
    made.person("bob")
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def push(rp: Rp, *, proof: str | None = None, **more: Any) -> TestResponse:
    """Hand a request in; a parameter given as None is left out."""
    form = {name: value for name, value in (ASKED | more).items() if value is not None}
    headers = {"DPoP": proof} if proof is not None else {}
    if rp.secret is None:
        form.setdefault("client_id", rp.client_id)
    return rp.world.http().post("/par", data=form, headers=headers, **rp.auth())


def pushed(rp: Rp, **more: Any) -> str:
    """The request_uri that comes back."""
    answer = push(rp, **more)
    assert answer.status_code == 201, answer.text
    return str(answer.json["request_uri"])


def opens(browser: Browser, rp: Rp, request_uri: str, **more: str) -> TestResponse:
    """What the client sends the browser with."""
    query = {"client_id": rp.client_id, "request_uri": request_uri} | more
    return browser.http.get("/authorize", query_string=query)


@spec("PAR-01", "RFC 9126 section 2.2")
def test_a_client_hands_its_request_in_and_is_given_a_name_for_it(house: World) -> None:
    answer = push(house.rp())

    assert answer.status_code == 201
    assert set(answer.json) == {"request_uri", "expires_in"}
    name = answer.json["request_uri"]
    assert name.startswith("urn:ietf:params:oauth:request_uri:pr_")
    assert len(name.removeprefix("urn:ietf:params:oauth:request_uri:pr_")) == 43
    assert answer.json["expires_in"] == 60
    assert answer.headers["Cache-Control"] == "no-store"


@spec("PAR-01", "PAR-03", "RFC 9126 section 4")
def test_what_was_pushed_counts_and_what_the_browser_brings_does_not(house: World) -> None:
    rp, browser = house.rp(), house.browser()
    outside = {"state": "other", "scope": "openid email", "redirect_uri": "https://evil.test"}

    answer = browser.follow(opens(browser, rp, pushed(rp), prompt="none", **outside))

    assert returned(answer) == {
        "code": returned(answer)["code"],
        "state": "st4te",
        "session_state": returned(answer)["session_state"],
        "iss": "https://op.test",
    }
    given = rp.redeem(returned(answer)["code"], VERIFIER).json
    assert given["scope"] == "openid"


@spec("PAR-01", "CLA-03", "RFC 9126 section 2.3")
def test_nobody_pushes_in_the_name_of_another(house: World) -> None:
    rp = house.rp()
    nameless = house.http().post("/par", data=ASKED | {"client_id": rp.client_id})
    wrong = house.http().post("/par", data=ASKED, auth=(rp.client_id, "wrong"))
    another = push(rp, client_id=house.rp().client_id)

    assert [answer.status_code for answer in (nameless, wrong, another)] == [401, 401, 401]
    assert {answer.json["error"] for answer in (nameless, wrong, another)} == {"invalid_client"}


@spec("PAR-01", "RFC 9126 section 2")
def test_a_public_client_pushes_too(house: World) -> None:
    app, browser = house.rp(token_endpoint_auth_method="none"), house.browser()

    answer = browser.follow(opens(browser, app, pushed(app)))

    assert returned(answer)["state"] == "st4te"


@spec("PAR-01", "RFC 9126 section 2.1")
@pytest.mark.parametrize(
    "more",
    [
        {"request_uri": "https://rp.test/object"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:pr_abc"},
    ],
)
def test_a_request_uri_is_not_pushed(house: World, more: dict[str, str]) -> None:
    answer = push(house.rp(), **more)

    assert answer.status_code == 400
    assert answer.json["error"] in ("invalid_request", "request_uri_not_supported")


@spec("PAR-05", "RED-01", "RED-08", "RED-13", "PKC-01", "PKC-02", "RFC 9126 section 2.1")
@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"redirect_uri": "https://rp.test/other"}, "invalid_request"),
        ({"redirect_uri": "https://rp.test@evil.test/callback"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": None, "scope": None}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "smoke"}, "invalid_request"),
        ({"scope": "openid bad"}, "invalid_scope"),
        ({"resource": "https://nowhere.test"}, "invalid_target"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"state": "s" * 5000}, "invalid_request"),
        ({"state": ["one", "two"]}, "invalid_request"),
    ],
)
def test_what_is_refused_in_the_browser_is_refused_before(
    house: World, more: dict[str, Any], error: str
) -> None:
    answer = push(house.rp(), **more)

    assert (answer.status_code, answer.json["error"]) == (400, error)


@spec("PAR-05", "PKC-01")
def test_a_challenge_is_needed_here_where_it_is_needed_there(house: World) -> None:
    app = house.rp(token_endpoint_auth_method="none")

    answer = push(app, code_challenge=None, code_challenge_method=None)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@spec("PAR-01", "RFC 9126 section 2.3")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_requests_are_pushed_by_post_and_no_other_way(house: World, method: str) -> None:
    answer = house.http().open("/par", method=method, data=ASKED, **house.rp().auth())

    assert answer.status_code == 405


@spec("PAR-02", "RFC 9126 section 4")
def test_a_request_of_another_client_is_none(house: World) -> None:
    rp, browser = house.rp(), house.browser()
    name = pushed(rp)

    answers = [
        opens(browser, house.rp("Other"), name),
        opens(browser, Rp(house, "nobody", None), name),
        browser.http.get("/authorize", query_string={"request_uri": name}),
        browser.http.get(f"/authorize?client_id={rp.client_id}&client_id=x&request_uri={name}"),
        opens(browser, rp, name + "x"),
        opens(browser, rp, name, request="a.b.c"),
    ]

    assert [answer.status_code for answer in answers] == [400] * 6
    assert all("Location" not in answer.headers for answer in answers)


@spec("PAR-02", "RFC 9126 section 4")
def test_a_request_is_opened_twice_and_answered_once(house: World) -> None:
    rp, browser = house.rp(), house.browser()
    name = pushed(rp)
    first, second = opens(browser, rp, name), opens(browser, rp, name)

    answer, late = browser.follow(second), browser.follow(first)
    again = opens(browser, rp, name)

    assert "code" in returned(answer)
    assert (late.status_code, again.status_code) == (400, 400)
    assert "invalid_request_uri" in again.text


@spec("PAR-02")
@pytest.mark.parametrize("wait", [59, 60, 61])
def test_a_request_is_opened_in_time_or_not_at_all(house: World, wait: int) -> None:
    rp = house.rp()
    name = pushed(rp)
    house.clock.advance(seconds=wait)

    answer = opens(house.browser(), rp, name)

    assert answer.status_code == (303 if wait < 60 else 400)


@spec("PAR-02", "P3")
def test_of_two_who_opened_in_time_and_finish_late_one_is_answered(house: World) -> None:
    rp, browser, other = house.rp(), house.browser(), house.browser()
    name = pushed(rp)
    first, second = opens(browser, rp, name), opens(other, rp, name)
    house.clock.advance(minutes=20)

    answers = [browser.follow(first), other.follow(second, "bob")]

    assert [answer.status_code for answer in answers] == [303, 400]


@spec("PAR-02")
def test_a_no_is_an_answer_too(house: World) -> None:
    rp, browser = house.rp(trusted=False), house.browser()
    name = pushed(rp)
    browser.sign_in()
    page = browser.http.get(opens(browser, rp, name).headers["Location"])

    refused = browser.http.get(browser.submit(page, "/consent", answer="deny").headers["Location"])

    assert returned(refused)["error"] == "access_denied"
    assert opens(browser, rp, name).status_code == 400


@spec("PAR-03", "RFC 9126 section 6", "RED-14")
def test_a_client_that_pushes_always_is_not_asked_for_in_the_address(house: World) -> None:
    rp, browser = house.rp(require_pushed_authorization_requests=True), house.browser()

    plain = returned(browser.authorize(rp))
    through = browser.follow(opens(browser, rp, pushed(rp)))

    assert (plain["error"], plain["state"]) == ("invalid_request", "st4te")
    assert "code" in returned(through)


@spec("PAR-04", "CVE-2024-4540", "P6", "P7")
def test_what_was_pushed_is_seen_by_nobody(house: World, capfd: pytest.CaptureFixture[str]) -> None:
    rp, browser = house.rp(), house.browser()
    hint = browser.tokens(rp)["id_token"]
    house.clock.advance(seconds=1)
    name = pushed(
        rp,
        state="a-secret-state",
        login_hint="hinted@example.com",
        id_token_hint=hint,
        prompt="login",
    )

    answer = opens(browser, rp, name)

    seen = f"{answer.headers} {browser.http._cookies} {''.join(capfd.readouterr())}"
    assert "a-secret-state" not in seen
    assert "hinted" not in seen
    with house.app.app_context():
        kept = " ".join(str(row.details) for row in db.session.scalars(select(Code)))
    assert hint not in kept
    assert name.rpartition(":")[2] not in kept


@spec("PAR-02", "COD-07", "CVE-2026-4282")
def test_one_kind_of_handle_is_nothing_as_another(house: World) -> None:
    rp, browser = house.rp(), house.browser()
    name = pushed(rp)
    code = browser.code(rp)

    as_code = rp.redeem(name.rpartition(":")[2], VERIFIER)
    as_name = opens(browser, rp, f"urn:ietf:params:oauth:request_uri:{code}")

    assert as_code.json["error"] == "invalid_grant"
    assert as_name.status_code == 400


@spec("RFC 9126 section 5", "OIDC Discovery section 3")
def test_discovery_says_where_requests_are_pushed(house: World) -> None:
    said = house.http().get("/.well-known/openid-configuration").json

    assert said["pushed_authorization_request_endpoint"] == PAR
    assert said["require_pushed_authorization_requests"] is False
