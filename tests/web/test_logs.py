"""Logs, answers and the audit trail: what they say, and what they never do."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text

from idp.domain.events import Event
from idp.store import db
from tests.domain.test_storage import walk
from tests.support.spec import spec
from tests.support.world import CALLBACK, PASSWORD, World, hidden, make_world

CANARY = "canary-5f1d-in-the-mine"
TELLING = re.compile(
    r"Traceback|\.py\b|SELECT |INSERT |sqlite|psycopg|werkzeug|/idp/|Python/", re.I
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(Path(tmp_path_factory.mktemp("logs")))
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


class Stumbling:
    """A clock that cannot say what time it is, once."""

    def __init__(self, world: World) -> None:
        self.world, self.left = world, 1

    def __call__(self) -> Any:
        if self.left:
            self.left -= 1
            raise RuntimeError(f"{CANARY} in /etc/idp.py, SELECT nothing")
        return self.world.clock()


@spec("LOG-01", "V16.5.1")
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/token"), ("GET", "/jwks.json"), ("GET", "/sign-in"), ("GET", "/account")],
)
def test_a_fault_says_a_number_and_nothing_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], method: str, path: str
) -> None:
    world = make_world(tmp_path)
    world.app.extensions["idp.clock"] = Stumbling(world)
    capfd.readouterr()

    answer = world.http().open(path, method=method)

    logged = capfd.readouterr().err
    number = re.search(r"\b[0-9a-f]{12}\b", answer.text)
    assert answer.status_code == 500
    assert number is not None
    assert number.group() in logged
    assert CANARY not in answer.text
    assert not TELLING.search(answer.text)


@spec("LOG-01")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", path) for path in ("/token", "/revoke", "/introspect", "/register", "/sign-in")),
        *(("GET", path) for path in ("/userinfo", "/nowhere", "/authorize", "/receipts/x")),
        ("PUT", "/sign-in"),
        ("GET", "/end_session?id_token_hint=x"),
    ],
)
def test_no_refusal_tells_what_we_are_made_of(house: World, method: str, path: str) -> None:
    answer = house.http().open(path, method=method)

    assert answer.status_code in range(200, 500)
    assert not TELLING.search(answer.text)
    assert not TELLING.search(str(answer.headers).replace("Location: /", ""))


@spec("LOG-01")
def test_a_store_without_its_tables_is_told_to_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = make_world(tmp_path)
    world.person()
    rp, browser = world.rp(), world.browser()
    form = hidden(browser.http.get("/sign-in").text, "/sign-in")
    with world.app.app_context():
        db.session.execute(text("DROP TABLE event"))
        db.session.execute(text("DROP TABLE code"))
        db.session.commit()

    answers = [
        browser.http.post("/sign-in", data=form | {"username": "alice", "password": CANARY}),
        rp.redeem(CANARY, CANARY),
        browser.authorize(rp, state=CANARY, nonce=CANARY),
    ]

    assert [answer.status_code for answer in answers] == [503] * 3
    assert not any(TELLING.search(answer.text) for answer in answers)
    assert CANARY not in capfd.readouterr().err


@spec("LOG-02", "LOG-06", "PAR-04", "V16.2.5")
def test_a_whole_road_leaves_nothing_in_the_logs_that_opens_anything(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    world = make_world(tmp_path)
    caplog.set_level(logging.INFO)
    seen = walk(world)
    rp, browser = world.rp(), world.browser()
    browser.sign_in("alice", CANARY)
    for path in ("/token", "/revoke", "/introspect", "/nowhere"):
        rp.post(path, grant_type="refresh_token", refresh_token=CANARY, token=CANARY, code=CANARY)
    browser.authorize(rp, redirect_uri=f"https://{CANARY}.test", login_hint=CANARY)
    browser.http.get(f"/end_session?id_token_hint={CANARY}&state={CANARY}")
    with world.app.app_context():
        db.session.execute(text("DROP TABLE line"))
        db.session.commit()
    rp.refresh(seen["next refresh_token"])

    said = capfd.readouterr().err + caplog.text

    assert "the store did not answer" in said
    assert [name for name, value in seen.items() if value in said] == []
    assert CANARY not in said


@spec("LOG-06")
def test_the_library_that_would_print_tokens_is_told_not_to(house: World) -> None:
    for name in ("authlib", "authlib.oauth2", "authlib.oauth2.rfc6749.grants"):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.INFO


@spec("LOG-03", "V16.4.1", "PWD-04")
@pytest.mark.parametrize(
    "odd",
    [
        "/x\r\nlevel=error forged",
        "/\x1b[31mred",
        '/"}{"event":"forged"',
        "/\u2028\u0085",
        "/%0a%0d",
    ],
    ids=ascii,
)
def test_whatever_is_asked_for_a_record_is_one_line_of_json(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], odd: str
) -> None:
    world = make_world(tmp_path)
    agent = {"User-Agent": '"}\x1b[2J' + "x" * 100_000}
    capfd.readouterr()

    world.http().get(odd, headers=agent)

    lines = capfd.readouterr().err.split("\n")[:-1]
    assert [json.loads(line)["event"] for line in lines] == ["error page"]
    assert all(len(line) < 2000 and line.isascii() for line in lines)


@spec("LOG-04", "V16.3.1", "V16.3.2", "V16.3.3")
def test_the_trail_tells_who_did_what_when_and_from_where(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    sub, rp = world.person(), world.rp(trusted=False)
    browser = world.browser()
    browser.sign_in("alice", "wrong")
    browser.sign_in("alice")
    tokens = browser.tokens(rp)
    rp.refresh(tokens["refresh_token"])
    rp.refresh(tokens["refresh_token"])
    rp.post("/revoke", token=browser.tokens(rp)["refresh_token"])
    new = {"password": PASSWORD, "new_password": "quite another phrase of words", "others": "1"}
    browser.submit(browser.http.get("/account/security"), "/account/password", **new)
    browser.submit(browser.http.get("/account/profile"), "/account/profile", name="A")
    browser.submit(browser.http.get("/account/apps"), "/account/apps/remove", client=rp.client_id)
    wish = {"redirect_uris": [CALLBACK]}
    made = world.http().post("/register", json=wish).json
    mine = {"Authorization": f"Bearer {made['registration_access_token']}"}
    world.http().delete(f"/register/{made['client_id']}", headers=mine)

    with world.app.app_context():
        rows = list(db.session.scalars(select(Event).order_by(Event.id)))
    told = {row.name: row for row in rows}

    assert {"SignInFailed", "SignedIn", "ConsentGiven", "RefreshTokenReused", "SignedOut"} <= set(
        told
    )
    assert {"PasswordChanged", "ProfileChanged", "ConsentWithdrawn"} <= set(told)
    assert {"ClientRegistered", "ClientRemoved"} <= set(told)
    assert all(row.at == world.clock.now for row in rows)
    assert all(row.account_id == sub or row.client_id for row in rows)
    assert told["SignInFailed"].address == told["SignedIn"].address == "127.0.0.1"
    assert told["ConsentGiven"].client_id == told["RefreshTokenReused"].client_id == rp.client_id
    reasons = {row.details["reason"] for row in rows if row.name == "SignedOut"}
    assert {"token_reused", "revoked", "consent_withdrawn"} <= reasons


@spec("LOG-04", "V16.4.2")
def test_what_is_written_in_the_trail_is_never_written_over(tmp_path: Path) -> None:
    world, said = make_world(tmp_path), list[str]()
    with world.app.app_context():
        engine = db.engine

    def listen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    walk(world)

    assert any(statement.startswith("INSERT INTO event ") for statement in said)
    assert not any(re.match(r"(UPDATE|DELETE FROM) event\b", statement) for statement in said)


@spec("LOG-05", "LOG-04")
@pytest.mark.parametrize("change", ["profile", "password", "client"])
def test_what_cannot_be_written_down_does_not_happen(tmp_path: Path, change: str) -> None:
    world = make_world(tmp_path)
    world.person()
    browser = world.browser()
    browser.sign_in()
    pages = {path: browser.http.get(path) for path in ("/account/profile", "/account/security")}
    with world.app.app_context():
        db.session.execute(text("DROP TABLE event"))
        db.session.commit()

    if change == "profile":
        answer = browser.submit(pages["/account/profile"], "/account/profile", name="Mallory")
    elif change == "password":
        new = {"password": PASSWORD, "new_password": "quite another phrase of words"}
        answer = browser.submit(pages["/account/security"], "/account/password", **new)
    else:
        answer = world.http().post("/register", json={"redirect_uris": [CALLBACK]})

    with world.app.app_context():
        row = world.op.accounts.find_by_username("alice")
        assert row is not None
        assert answer.status_code == 503
        assert "Mallory" not in str(row.claims)
        assert row.password_changed_at == row.created_at
        assert list(world.op.clients.list()) == []
