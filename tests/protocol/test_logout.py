"""RP-initiated logout, logout tokens, and the outbox."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from idp.store import db
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World, make_world, returned

BYE = "https://rp.test/bye"


class Receiver:
    """A relying party's back-channel address, on loopback."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.answer_with = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.tokens.append(parse_qs(body)["logout_token"][0])
                self.send_response(receiver.answer_with)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.place}/logout"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def told(tmp_path: Path, receiver: Receiver) -> Iterator[World]:
    """A world that may reach the receiver."""
    made = make_world(
        tmp_path,
        IDP_ISSUER="http://localhost:9000",
        IDP_OUTBOUND__ALLOWED=receiver.place,
    )
    made.person()
    yield made
    with made.app.app_context():
        db.engine.dispose()


def claims(token: str, part: int = 1) -> dict[str, object]:
    encoded = token.split(".")[part]
    found: dict[str, object] = json.loads(
        base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    )
    return found


def send(world: World) -> int:
    with world.app.app_context():
        tried: int = world.app.extensions["idp.courier"].run_once()
        return tried


def logged_out(world: World, browser: Browser, rp: Rp) -> bool:
    answer = returned(browser.authorize(rp, prompt="none"))
    return answer.get("error") == "login_required"


@spec("RP-Initiated Logout 1.0 section 2", "LGO-03", "LGO-04", "B.5")
def test_a_client_with_a_good_hint_gets_its_browser_back_with_state_only(
    world: World, alice: str
) -> None:
    app = world.rp(post_logout_redirect_uris=[BYE])
    browser = world.browser()
    hint = browser.tokens(app)["id_token"]
    state = "s" * 128

    answer = browser.http.get(
        "/end_session",
        query_string={"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": state},
    )

    assert answer.headers["Location"] == f"{BYE}?state={state}"
    assert logged_out(world, browser, app)


@spec("RP-Initiated Logout 1.0 section 4", "LGO-02")
def test_an_expired_hint_is_still_a_hint(world: World, alice: str) -> None:
    app = world.rp(post_logout_redirect_uris=[BYE])
    browser = world.browser()
    hint = browser.tokens(app)["id_token"]
    world.clock.advance(hours=2)

    answer = browser.http.get(
        "/end_session", query_string={"id_token_hint": hint, "post_logout_redirect_uri": BYE}
    )

    assert answer.headers["Location"] == BYE


@spec("LGO-01", "LGO-06", "B.5")
@pytest.mark.parametrize("query", [{}, {"state": "x"}])
def test_without_a_hint_nothing_ends_before_a_yes(
    world: World, alice: str, rp: Rp, query: dict[str, str]
) -> None:
    browser = world.browser()
    browser.tokens(rp)

    page = browser.http.get("/end_session", query_string=query)
    still = not logged_out(world, browser, rp)
    done = browser.submit(page, "/end_session/confirm")

    assert still
    assert "logout-confirm" in page.text
    assert "You are signed out" in done.text
    assert logged_out(world, browser, rp)


@spec("LGO-03", "B.5", "CVE-2022-23527")
@pytest.mark.parametrize("uri", [BYE + "/", BYE + "?foo=bar", "javascript:alert(1)"])
def test_an_unregistered_address_is_never_gone_to(world: World, alice: str, uri: str) -> None:
    app = world.rp(post_logout_redirect_uris=[BYE])
    browser = world.browser()
    hint = browser.tokens(app)["id_token"]

    answer = browser.http.get(
        "/end_session", query_string={"id_token_hint": hint, "post_logout_redirect_uri": uri}
    )

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "Sign-out error" in answer.text


@spec("LGO-02", "B.5")
def test_a_forged_hint_is_an_error_page(world: World, alice: str) -> None:
    app = world.rp(post_logout_redirect_uris=[BYE])
    browser = world.browser()
    hint = browser.tokens(app)["id_token"]
    head, body, _ = hint.split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()

    for forged in (f"{unsigned}.{body}.", f"{head}.{body}.c2ln"):
        answer = browser.http.get(
            "/end_session", query_string={"id_token_hint": forged, "post_logout_redirect_uri": BYE}
        )
        assert answer.status_code == 400
        assert "Location" not in answer.headers
    assert not logged_out(world, browser, app)


@spec("LGO-03")
def test_without_hint_or_client_there_is_no_way_back(world: World, alice: str) -> None:
    browser = world.browser()
    browser.sign_in()

    answer = browser.http.get("/end_session", query_string={"post_logout_redirect_uri": BYE})

    assert answer.status_code == 400
    assert "Location" not in answer.headers


@spec("LGO-05", "V7.4.1", "CVE-2026-34454")
def test_the_old_cookie_is_nothing_after_a_sign_out(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    browser.sign_in()
    jar = {c.key: c.value for c in browser.http._cookies.values()}
    page = browser.http.get("/end_session")
    browser.submit(page, "/end_session/confirm")

    thief = world.http()
    cookies = "; ".join(f"{k}={v}" for k, v in jar.items())
    answer = thief.get("/account", headers={"Cookie": cookies})

    assert answer.headers["Location"] == "/sign-in"


@spec("LGO-08")
def test_a_second_click_is_no_second_sign_out(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    browser.tokens(rp)
    page = browser.http.get("/end_session")

    first = browser.submit(page, "/end_session/confirm")
    second = browser.submit(page, "/end_session/confirm")

    assert first.status_code == second.status_code == 200
    with world.app.app_context():
        assert len(world.op.sign_outs.receipts.of_account(alice)) == 1


@spec("LGO-07", "RFT-11")
def test_offline_access_survives_this_browser_and_not_everywhere(
    world: World, alice: str, rp: Rp
) -> None:
    from idp.domain.sign_out import Because

    browser = world.browser()
    tokens = browser.tokens(rp, scope="openid offline_access")
    page = browser.http.get("/end_session")
    browser.submit(page, "/end_session/confirm")
    kept = rp.refresh(tokens["refresh_token"])
    with world.app.app_context():
        world.op.sign_outs.everywhere(alice, Because("test", "test"), world.clock.now)
        db.session.commit()

    assert kept.status_code == 200
    assert rp.refresh(kept.json["refresh_token"]).json["error"] == "invalid_grant"


@spec("CLK-04")
def test_what_comes_after_everywhere_in_the_same_second_works(
    world: World, alice: str, rp: Rp
) -> None:
    from idp.domain.sign_out import Because

    before = world.browser().tokens(rp)
    with world.app.app_context():
        world.op.sign_outs.everywhere(alice, Because("test", "test"), world.clock.now)
        db.session.commit()
    after = world.browser().tokens(rp)

    assert world.userinfo(before["access_token"]).status_code == 401
    assert world.userinfo(after["access_token"]).status_code == 200


@spec("Back-Channel Logout 1.0 section 2.4", "BCL-01", "BCL-02", "BCL-03", "B.7")
def test_every_app_of_the_session_is_told_with_a_token_to_the_letter(
    told: World, receiver: Receiver
) -> None:
    app = told.rp(backchannel_logout_uri=receiver.url)
    told.rp("Never used", backchannel_logout_uri=receiver.url)
    browser = told.browser()
    identity = claims(browser.tokens(app)["id_token"])
    browser.submit(browser.http.get("/end_session"), "/end_session/confirm")

    tried = send(told)

    assert tried == len(receiver.tokens) == 1
    said, head = claims(receiver.tokens[0]), claims(receiver.tokens[0], 0)
    assert head["typ"] == "logout+jwt"
    assert head["alg"] == "RS256"
    assert said["aud"] == app.client_id
    assert (said["sid"], said["sub"]) == (identity["sid"], identity["sub"])
    assert said["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert said["exp"] - said["iat"] <= 120  # type: ignore[operator]
    assert "nonce" not in said


@spec("Back-Channel Logout 1.0 section 2.5", "BCL-03", "BCL-04", "P8")
@spec("F-16")
def test_a_client_that_is_away_is_tried_again_with_a_fresh_token(
    told: World, receiver: Receiver
) -> None:
    app = told.rp(backchannel_logout_uri=receiver.url)
    browser = told.browser()
    browser.tokens(app)
    browser.submit(browser.http.get("/end_session"), "/end_session/confirm")
    receiver.answer_with = 503
    send(told)
    soon = send(told)
    told.clock.advance(seconds=5)
    receiver.answer_with = 200

    again = send(told)

    assert (soon, again) == (0, 1)
    first, second = (claims(token)["jti"] for token in receiver.tokens)
    assert first != second
    assert states(told) == ["told"]


@spec("BCL-03")
@spec("F-16")
def test_a_refusal_is_not_tried_again_and_a_client_that_stays_away_is_given_up(
    told: World, receiver: Receiver
) -> None:
    app = told.rp(backchannel_logout_uri=receiver.url)
    browser = told.browser()
    for answer in (400, 503):
        browser.tokens(app)
        browser.submit(browser.http.get("/end_session"), "/end_session/confirm")
        receiver.answer_with = answer
        send(told)
    told.clock.advance(days=2)

    send(told)

    with told.app.app_context():
        found = [row.state for row in told.op.sign_outs.deliveries.newest()]
    assert found == ["dead", "refused"]
    assert states(told) == ["failed", "failed"]


@spec("BCL-08", "SES-04")
def test_a_session_that_runs_out_is_a_sign_out_too(told: World, receiver: Receiver) -> None:
    app = told.rp(backchannel_logout_uri=receiver.url)
    told.browser().tokens(app)
    told.clock.advance(hours=13)

    with told.app.app_context():
        told.app.extensions["idp.courier"].keep_up()
    send(told)

    assert len(receiver.tokens) == 1


@spec("product gap 8")
def test_a_client_whose_tokens_are_gone_is_still_told(told: World, receiver: Receiver) -> None:
    app = told.rp(backchannel_logout_uri=receiver.url)
    browser = told.browser()
    tokens = browser.tokens(app)
    app.post("/revoke", token=tokens["refresh_token"])
    told.clock.advance(hours=1)
    browser.submit(browser.http.get("/end_session"), "/end_session/confirm")

    send(told)

    assert len(receiver.tokens) == 1


def states(world: World) -> list[str]:
    with world.app.app_context():
        receipts = world.op.sign_outs.receipts
        account = world.op.accounts.list()[0]
        return [
            line.state
            for receipt in receipts.of_account(account.id)
            for line in receipts.lines(receipt.id)
            if line.kind == "app"
        ]
