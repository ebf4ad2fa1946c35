"""The lab's server side: what it shows to a browser, and what it keeps to itself."""

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from client_demo.lab.exhibits import EXHIBITS
from client_demo.lab.measured import measured
from client_demo.lab.wire import part, shortened
from client_demo.settings import Site
from client_demo.site import create_app
from tests.demo.conftest import HOME
from tests.support.hostile import Hostile, secret_key
from tests.support.spec import spec

HANDLE = "rt_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
NAMES = [exhibit.name for exhibit in EXHIBITS]


@pytest.fixture(scope="module")
def lab_op(first: Hostile) -> Hostile:
    return first


@pytest.fixture
def browser(lab_op: Hostile) -> FlaskClient:
    """A browser at an app whose lab has all exhibits, each the same client."""
    lab_op.honest()
    lab_op.metadata = {"revocation_endpoint": f"{lab_op.url}/revoke"}
    site = Site(
        name="Notes",
        url=HOME,
        issuer=lab_op.url,
        client_id=lab_op.client_id,
        client_secret=lab_op.secret,
        api=f"{lab_op.url}/api",
        scope="openid",
        other_name="Photos",
        other_url="http://photos.test",
        lab=dict.fromkeys(NAMES, lab_op.client_id),
    )
    return create_app(site).test_client()


def leaves(browser: FlaskClient, op: Hostile, name: str) -> dict[str, str]:
    location = browser.get(f"/lab/{name}/login").headers["Location"]
    sent = dict(pair.split("=", 1) for pair in location.partition("?")[2].split("&"))
    op.nonce = sent["nonce"]
    return sent


def signs_in(browser: FlaskClient, op: Hostile, name: str) -> str:
    """The whole way; the access token the app holds afterwards."""
    token = op.sign({"sub": "somebody", "exp": 4102444800}, typ="at+jwt")
    op.tokens = {"access_token": token, "refresh_token": HANDLE}
    op.claims = {"at_hash": None, "preferred_username": "alice"}
    sent = leaves(browser, op, name)
    answer = browser.get(
        f"/lab/{name}/callback", query_string={"state": sent["state"], "iss": op.url, "code": "c"}
    )
    assert answer.status_code == 303, answer.text
    return token


@spec("BRW-01", "RPD-04")
@pytest.mark.parametrize("path", ["/lab", "/lab/enter", *(f"/lab/{name}" for name in NAMES)])
def test_every_page_of_the_lab_may_load_from_home_only(browser: FlaskClient, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert " style=" not in answer.text
    assert "<h1>" in answer.text


@spec("RPD-04")
@pytest.mark.parametrize("path", ["/lab/luck", "/lab/luck/login", "/lab/luck/state"])
def test_there_are_ten_exhibits_and_no_more(browser: FlaskClient, path: str) -> None:
    assert browser.get(path).status_code == 404


@spec("RPD-01", "RFC 7636 section 4.3")
def test_a_sign_in_at_an_exhibit_takes_along_state_nonce_and_challenge(
    browser: FlaskClient, lab_op: Hostile
) -> None:
    sent = leaves(browser, lab_op, "device_bound")

    assert sent["code_challenge_method"] == "S256"
    assert {"state", "nonce", "code_challenge", "dpop_jkt", "resource"} <= set(sent)


@spec("RPD-01", "RPD-02")
@pytest.mark.parametrize("wrong", [{"state": "x"}, {"iss": "https://else.test"}, {"code": ""}])
def test_an_answer_that_was_not_asked_for_signs_nobody_in(
    browser: FlaskClient, lab_op: Hostile, wrong: dict[str, str]
) -> None:
    sent = leaves(browser, lab_op, "opaque")
    answer = {"state": sent["state"], "iss": lab_op.url, "code": "c"} | wrong
    answer = {name: value for name, value in answer.items() if value}

    came = browser.get("/lab/opaque/callback", query_string=answer)

    assert came.status_code == 400
    assert not browser.get("/lab/opaque/state").json["signed_in"]


@spec("RPD-04", "V10.1.1")
def test_tokens_are_shown_shortened_and_never_leave_the_server(
    browser: FlaskClient, lab_op: Hostile
) -> None:
    token = signs_in(browser, lab_op, "jti_denylist")

    said = browser.get("/lab/jti_denylist/state")

    page = browser.get("/lab/jti_denylist").text
    assert said.json["signed_in"]
    assert said.json["tokens"][0]["decoded"]["claims"]["sub"] == "somebody"
    for piece in (*token.split("."), HANDLE):
        assert piece not in said.text + page
    assert said.json["tokens"][0]["short"] == shortened(token)


@spec("RPD-04", "SES-01")
def test_a_sign_in_gives_the_browser_a_new_number(browser: FlaskClient, lab_op: Hostile) -> None:
    browser.get("/lab/opaque")
    before = browser.get_cookie("demo_lab", path="/lab")

    signs_in(browser, lab_op, "opaque")

    after = browser.get_cookie("demo_lab", path="/lab")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert after.http_only


@spec("BRW-01")
@pytest.mark.parametrize("path", ["/lab/opaque/do/call", "/lab/opaque/logout", "/lab/logout"])
def test_another_site_cannot_press_the_buttons(browser: FlaskClient, path: str) -> None:
    answer = browser.post(path, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


@spec("BCL-07")
def test_an_exhibit_is_told_of_a_sign_out(browser: FlaskClient, lab_op: Hostile) -> None:
    signs_in(browser, lab_op, "sso")

    answer = browser.post(
        "/lab/sso/backchannel-logout", data={"logout_token": lab_op.logout_token()}
    )

    assert answer.status_code == 200
    assert not browser.get("/lab/sso/state").json["signed_in"]


@spec("BCL-07")
def test_a_logout_token_of_a_stranger_is_refused(browser: FlaskClient, lab_op: Hostile) -> None:
    signs_in(browser, lab_op, "sso")
    lab_op.key = secret_key("nobody's secret, but a long one")

    answer = browser.post(
        "/lab/sso/backchannel-logout", data={"logout_token": lab_op.logout_token()}
    )

    assert answer.status_code == 400
    assert browser.get("/lab/sso/state").json["signed_in"]


@spec("RPD-04")
@pytest.mark.parametrize("name", ["authorization", "access_token", "code_verifier", "anything"])
def test_no_part_of_an_exchange_shows_a_whole_token(name: str) -> None:
    token = f"{'h' * 40}.{'c' * 200}.{'s' * 80}"

    shown = json.dumps(part(name, f"Bearer {token} and {HANDLE}"))

    assert HANDLE not in shown
    assert "c" * 30 not in shown
    assert "s" * 30 not in shown


@spec("product: the demo's figures are measured")
def test_the_chart_shows_what_was_measured_or_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "comparison.json"
    row = {
        "policy": "rotation",
        "ends": "FEED",
        "sign_out": {"took": {"p50": 4.5, "p99": 20, "max": 22.5}},
        "cost": {"call_ms": 2.0, "provider_calls": 1.0, "state_bytes": 3600},
        "thief": {
            "access_worked": True,
            "old_refresh_worked": False,
            "new_refresh_worked": True,
            "owner_kept_line_after_new": False,
            "loot_ended_by_sign_out": True,
        },
    }
    kept.write_text(json.dumps({"rows": [row, row | {"policy": "sso", "sign_out": None}]}))

    (found,) = measured(kept).values()

    assert (found.p50, found.p99, found.slowest) == (4.5, 20.0, 22.5)
    assert (found.price, found.asked, found.state) == (2.0, 1.0, 3600)
    assert found.thief == ("once", "caught")


@spec("product: the demo's figures are measured")
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": [{}]}', '{"rows": [{"policy": 1}]}'])
def test_a_file_that_says_nothing_makes_an_empty_chart(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "comparison.json"
    kept.write_text(text)

    assert measured(kept) == {}
    assert measured(tmp_path / "nowhere.json") == {}


@spec("product: the demo's figures are measured")
def test_the_pages_show_all_ten_rows_of_the_measurement(browser: FlaskClient) -> None:
    rows = browser.get("/lab/state").json["rows"]

    assert [row["name"] for row in rows] == NAMES
    assert all(row["before"]["slowest"] >= row["before"]["p50"] for row in rows)
    assert {row["before"]["asked"] for row in rows} == {0.0, 1.0}
    assert next(row for row in rows if row["name"] == "device_bound")["loot"] == ["nothing"] * 2
