"""The feed over HTTPS, as the guard of an API reads it."""

import re
import threading
import time
from typing import Any

import pytest
from werkzeug.test import TestResponse

from idp.domain.sign_out import Because
from idp.policies.feed import key
from idp.store import db
from tests.support.spec import spec
from tests.support.world import API, Rp, World

WHY = Because("test", "test")


def asks(api: Rp, **query: Any) -> TestResponse:
    """A guard's question."""
    return api.world.http().get("/feed", query_string={"guard": "g1"} | query, **api.auth())


def heard(api: Rp, **query: Any) -> dict[str, Any]:
    """What a guard is answered."""
    answer = asks(api, **query)
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json
    return given


@pytest.fixture
def api(either: World) -> Rp:
    either.person()
    return either.api()


def sid_of(api: Rp, tokens: dict[str, Any]) -> str:
    with api.world.app.app_context():
        line = api.world.op.grants.line_of(tokens["refresh_token"])
        assert line is not None
        return line.sid


@spec("P4", "RSG-01")
def test_a_sign_out_is_numbered_when_it_is_answered(either: World, api: Rp) -> None:
    app = either.rp()
    browser = either.browser()
    sid = sid_of(api, browser.tokens(app))
    before = heard(api)

    browser.submit(browser.http.get("/end_session"), "/end_session/confirm")

    after = heard(api, epoch=before["epoch"], after=before["to"])
    assert before["rows"] == []
    assert key("sid", sid) in {row[0] for row in after["rows"]}
    assert after["to"] == after["head"] == before["head"] + len(after["rows"])


def test_everywhere_is_one_row_with_a_generation(either: World, api: Rp) -> None:
    who = either.browser().tokens(either.rp()) and either.person("bob")
    app = either.rp("Other")
    for _ in range(3):
        browser = either.browser()
        browser.sign_in("bob")
        browser.tokens(app)

    with either.app.app_context():
        either.op.sign_outs.everywhere(who, WHY, either.clock.now)
        db.session.commit()

    ((name, until, generation),) = heard(api)["rows"]
    assert (name, generation) == (key("account", who), 1)
    assert until > either.clock.now.timestamp() + 3600


def test_a_client_that_is_disabled_is_cut_off_and_one_that_is_back_is_not(
    either: World, api: Rp
) -> None:
    app = either.rp()
    with either.app.app_context():
        either.op.clients.disable(app.client_id, either.clock.now)
        db.session.commit()
    first = heard(api)

    with either.app.app_context():
        either.op.clients.enable(app.client_id, either.clock.now)
        db.session.commit()

    (cut,), (back,) = first["rows"], heard(api, epoch=first["epoch"], after=1)["rows"]
    assert cut[0] == back[0] == key("client", app.client_id)
    assert back[1] < either.clock.now.timestamp() < cut[1]
    assert all(row[1] < either.clock.now.timestamp() for row in heard(api)["rows"])


def test_a_reader_nobody_knows_starts_at_the_beginning(either: World, api: Rp) -> None:
    ends(either, "one", "two")
    known = heard(api)

    with either.app.app_context():
        either.op.sign_outs.feed.renew_epoch()

    for query in (
        {"after": 2, "epoch": known["epoch"]},
        {"after": 2},
        {"after": 3, "epoch": heard(api)["epoch"]},
    ):
        again = heard(api, wait=1000, **query)
        assert (again["from"], again["to"], again["waited"]) == (0, 2, 0)
        assert again["rows"] == known["rows"]
        assert again["epoch"] != known["epoch"]


def test_a_long_feed_comes_in_pages(either: World, api: Rp, monkeypatch: Any) -> None:
    monkeypatch.setattr("idp.domain.feed.MOST_ROWS", 4)
    ends(either, *"abcdefghij")

    pages = [heard(api)]
    while pages[-1]["to"] < pages[-1]["head"]:
        pages.append(heard(api, epoch=pages[-1]["epoch"], after=pages[-1]["to"]))

    assert [page["from"] for page in pages] == [0, 4, 8]
    assert [row[0] for page in pages for row in page["rows"]] == [
        key("jti", name) for name in "abcdefghij"
    ]


def test_silence_is_a_heartbeat_that_says_how_long_it_took(either: World, api: Rp) -> None:
    known = heard(api)
    began = time.monotonic()

    beat = heard(api, epoch=known["epoch"], after=0, wait=300)

    took = (time.monotonic() - began) * 1000
    assert beat["rows"] == []
    assert 300 <= beat["waited"] <= took
    assert beat["max_silence"] == 3
    assert beat["policies"] == {API: ["short_jwt"]}


def test_who_waits_is_woken_at_once(either: World, api: Rp) -> None:
    known = heard(api)
    came: list[float] = []

    def listen() -> None:
        answer = heard(api, epoch=known["epoch"], after=0, wait=1000)
        assert len(answer["rows"]) == 1
        came.append(time.monotonic())

    listeners = [threading.Thread(target=listen) for _ in range(4)]
    for listener in listeners:
        listener.start()
    time.sleep(0.3)

    ends(either, "x")
    ended = time.monotonic()
    for listener in listeners:
        listener.join()

    assert len(came) == 4
    assert max(came) - ended < 0.25


def test_what_another_process_left_without_a_number_is_found(either: World, api: Rp) -> None:
    from sqlalchemy import insert

    from idp.store import WRITES
    from idp.store.system import Ended

    known = heard(api)
    row = {"kind": "jti", "subject": "x", "at": either.clock.now, "until": either.clock.now}
    with (
        either.app.app_context(),
        db.engine.connect().execution_options(**{WRITES: True}) as other,
    ):
        other.execute(insert(Ended), [row])
        other.commit()

    assert heard(api, epoch=known["epoch"], after=0)["rows"][0][0] == key("jti", "x")


def test_beyond_the_last_seat_nobody_waits(either: World, api: Rp) -> None:
    known = heard(api)
    waited: list[int] = []

    def listen() -> None:
        waited.append(heard(api, epoch=known["epoch"], after=0, wait=600)["waited"])

    listeners = [threading.Thread(target=listen) for _ in range(18)]
    for listener in listeners:
        listener.start()
    for listener in listeners:
        listener.join()

    assert sorted(waited)[:2] == [0, 0]
    assert sorted(waited)[2] >= 600


@spec("RFC 6749 section 2.3.1", "INT-01")
def test_only_an_api_that_proves_who_it_is_may_listen(either: World, api: Rp) -> None:
    stranger, public = either.rp(), either.rp(token_endpoint_auth_method="none")
    http = either.http()

    assert asks(stranger).status_code == 403
    assert asks(public, client_id=public.client_id).status_code == 401
    assert http.get("/feed?guard=g").status_code == 401
    assert http.get("/feed?guard=g", auth=(api.client_id, "wrong")).status_code == 401
    secret = {"client_id": api.client_id, "client_secret": api.secret, "guard": "g"}
    assert http.get("/feed", query_string=secret).status_code == 400
    assert asks(api).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "query",
    [
        {"after": "-1"},
        {"after": "x"},
        {"after": "9" * 16},
        {"after": "\u0661"},
        {"wait": "1.5"},
        {"guard": ""},
        {"guard": "g" * 65},
        {"guard": "a\nb"},
        {"after": ["1", "2"]},
    ],
)
def test_what_is_no_question_is_refused(world: World, query: dict[str, str]) -> None:
    api = world.api()

    assert asks(api, **query).json["error"] == "invalid_request"


@spec("P6")
def test_the_feed_holds_nothing_that_anybody_could_use(either: World, api: Rp) -> None:
    app = either.rp()
    browser = either.browser()
    tokens = browser.tokens(app)
    sid = sid_of(api, tokens)
    app.post("/revoke", token=tokens["access_token"])

    said = asks(api).text

    assert len(re.findall(r"\[\d+,\d+,null\]", said)) >= 2
    for secret in (sid, app.client_id, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in said


def test_rows_go_when_no_token_can_name_them(either: World, api: Rp) -> None:
    for _ in range(5):
        ends(either, *(f"{n}" for n in range(50)))
        either.clock.advance(hours=2)
        with either.app.app_context():
            either.op.sign_outs.sweep(either.clock.now, 1000)
            db.session.commit()

    page = heard(api)
    assert (page["rows"], page["to"], page["head"]) == ([], 250, 250)


def test_what_is_undone_was_never_said(either: World, api: Rp) -> None:
    with either.app.app_context():
        either.op.sign_outs.feed.put("jti", ["x"], either.clock.now, either.clock.now)
        db.session.rollback()

    assert heard(api)["head"] == 0


def ends(world: World, *jtis: str) -> None:
    """Some tokens are taken back."""
    with world.app.app_context():
        world.op.sign_outs.feed.put("jti", jtis, world.clock.now, world.clock.now)
        db.session.commit()
