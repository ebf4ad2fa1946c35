"""With a hundred times as many rows everything costs what it cost before, and the rows that are
over go without keeping anybody waiting.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest

from idp.sinks import Courier
from idp.store import db
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World, make_world

FEW, MANY = 1_000, 100_000
ROUNDS = 40
OVER = 300

# What a row that is copied has of its own; everything else is as in the row it is copied from.
OWN: dict[str, dict[str, str]] = {
    "session": {"id": "'s' || i", "cookie_digest": "randomblob(32)", "account_id": "'u' || i"},
    "participation": {"sid": "'p' || i", "session_id": "'s' || i", "account_id": "'u' || i"},
    "line": {
        "id": "'l' || i",
        "family": "randomblob(32)",
        "grant_id": "'g' || i",
        "session_id": "'s' || i",
        "sid": "'p' || i",
        "account_id": "'u' || i",
    },
    "refresh_token": {"digest": "randomblob(32)", "line_id": "'l' || i"},
    "code": {"digest": "randomblob(32)"},
    "denied": {"jti": "'d' || i"},
    "event": {"id": "NULL"},
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def fill(house: World, since: int, until: int, **changed: str) -> None:
    """So many rows more in each table, of so many people that are nobody's account."""
    with house.app.app_context():
        path = str(db.engine.url.database)
    more = f"SELECT i + 1 FROM n LIMIT {until - since}"  # noqa: S608
    numbers = f"WITH RECURSIVE n(i) AS (SELECT {since} UNION ALL {more})"
    with closing(sqlite3.connect(path)) as store, store:
        for table, own in OWN.items():
            names = [row[1] for row in store.execute(f"PRAGMA table_info('{table}')")]
            values = [own.get(name, changed.get(name, f"one.{name}")) for name in names]
            store.execute(
                f"{numbers} INSERT INTO {table} SELECT {', '.join(values)}"  # noqa: S608
                f" FROM n, (SELECT * FROM {table} LIMIT 1) AS one"
            )


def costs(house: World, rp: Rp, browser: Browser) -> Mapping[str, float]:
    """What each call takes of a processor's time, in the middle of several."""
    spent: dict[str, list[float]] = {}

    def timed(name: str, ask: Callable[[], int]) -> None:
        began = time.thread_time()
        status = ask()
        spent.setdefault(name, []).append(time.thread_time() - began)
        assert status in (200, 303), (name, status)

    for number in range(ROUNDS):
        one = browser.tokens(rp)
        access, refresh = one["access_token"], one["refresh_token"]
        timed("introspect", lambda: rp.post("/introspect", token=access).status_code)  # noqa: B023
        timed("refresh", lambda: rp.refresh(refresh).status_code)  # noqa: B023
        timed("revoke", lambda: rp.post("/revoke", token=refresh).status_code)  # noqa: B023
        if number % 5 == 0:
            leaving = house.browser()
            hint = {"id_token_hint": leaving.tokens(rp)["id_token"]}
            timed("sign out", lambda: leaves(leaving, hint))  # noqa: B023
    return {name: median(took) for name, took in spent.items()}


def leaves(browser: Browser, hint: dict[str, str]) -> int:
    return browser.http.get("/end_session", query_string=hint).status_code


@pytest.mark.slow
@pytest.mark.timeout(180)
@spec("F-20", "P7")
def test_a_hundred_times_the_rows_cost_no_more(house: World) -> None:
    rp, browser = house.rp(), house.browser()
    browser.tokens(rp)
    rp.post("/revoke", token=browser.tokens(rp)["access_token"])
    fill(house, 0, FEW)
    few = costs(house, rp, browser)

    fill(house, FEW, MANY)
    many = costs(house, rp, browser)

    ratios = {name: round(many[name] / few[name], 2) for name in few}
    print(
        f"{MANY} rows against {FEW}: {ratios}, in ms: { ({k: v * 1000 for k, v in many.items()}) }"
    )
    assert max(ratios.values()) <= 1.5, ratios


@pytest.mark.slow
@pytest.mark.timeout(180)
@spec("F-19", "P7", "RFT-02")
def test_what_is_over_goes_while_others_are_served(house: World) -> None:
    rp, browser = house.rp(), house.browser()
    live = browser.tokens(rp, scope="openid offline_access", prompt="consent")
    newer = rp.refresh(live["refresh_token"]).json
    rp.post("/revoke", token=browser.tokens(rp)["access_token"])
    long_ago = "'2020-01-01 00:00:00.000000'"
    over = ("expires_at", "idle_expires_at", "access_until", "created_at")
    fill(house, 0, OVER, **dict.fromkeys(over, long_ago))
    stop = threading.Event()

    def work() -> None:
        courier: Courier = house.app.extensions["idp.courier"]
        with house.app.app_context():
            courier.run(stop)

    began = time.monotonic()
    worker = threading.Thread(target=work)
    worker.start()
    waits = []
    while still_open(house) > 1:
        asked = time.monotonic()
        newer = rp.refresh(newer["refresh_token"]).json
        waits.append(time.monotonic() - asked)
        assert "refresh_token" in newer
        assert asked < began + 90
    took = time.monotonic() - began
    stop.set()
    worker.join()

    waits.sort()
    print(
        f"{OVER / took:.0f} sessions a second, waits: p50 {waits[len(waits) // 2] * 1000:.0f} ms,"
        f" longest {waits[-1] * 1000:.0f} ms of {len(waits)}"
    )
    assert waits[-1] < 4
    assert rp.refresh(live["refresh_token"]).json["error"] == "invalid_grant"
    assert rp.refresh(newer["refresh_token"]).json["error"] == "invalid_grant"


def still_open(house: World) -> int:
    """How many sessions there are that have not ended."""
    with house.app.app_context():
        path = str(db.engine.url.database)
    with closing(sqlite3.connect(path)) as store:
        found = store.execute("SELECT count(*) FROM session WHERE ended_at IS NULL").fetchone()
        return int(found[0])
