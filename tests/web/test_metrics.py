"""The numbers for operators: who may read them, and that they are true."""

import hmac
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.spec import spec
from tests.support.world import World, make_world

TOKEN = "a token that only the monitoring has, and long"
HERE, ELSEWHERE = "127.0.0.1", "203.0.113.9"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A provider in production that has a token for its numbers."""
    return make_world(tmp_path_factory.mktemp("guarded"), IDP_METRICS_TOKEN=TOKEN)


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A provider in development."""
    return make_world(tmp_path_factory.mktemp("home"), IDP_ISSUER="http://localhost:9000")


def status(http: FlaskClient, address: str = ELSEWHERE, **headers: str) -> int:
    """What the numbers answer to somebody at this address."""
    environ = {"REMOTE_ADDR": address}
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.get("/metrics", headers=said, environ_base=environ).status_code


def numbers(world: World) -> dict[str, float]:
    """Everything that is counted, by its whole name."""
    text = world.http().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    return {name: float(value) for name, value in re.findall(r"^([^#\s].*) (\S+)$", text, re.M)}


@spec("EDG-10")
@pytest.mark.parametrize("address", [HERE, ELSEWHERE])
def test_the_numbers_are_for_whoever_has_the_token(guarded: World, address: str) -> None:
    http = guarded.http()

    assert status(http, address, Authorization=f"Bearer {TOKEN}") == 200
    assert status(http, address, Authorization=f"bearer  {TOKEN}") == 200
    for wrong in ("", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}"):
        assert status(http, address, Authorization=wrong) == 401
    for wrong in (f"Bearer {TOKEN}x", f"Bearer {TOKEN} x", "Bearer \xe4\xf6"):
        assert status(http, address, Authorization=wrong) == 401


@spec("EDG-10", "CVE-2024-52307")
def test_the_token_is_compared_in_time_that_tells_nothing(
    guarded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[object] = []
    really = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(b) or really(a, b))

    answer = status(guarded.http(), ELSEWHERE, Authorization=f"Bearer {TOKEN[:-1]}")

    assert answer == 401
    assert TOKEN.encode() in compared


@spec("EDG-10")
@pytest.mark.parametrize("address", [HERE, ELSEWHERE])
def test_without_a_token_there_are_none_in_production(world: World, address: str) -> None:
    assert status(world.http(), address) == 404
    assert status(world.http(), address, Authorization="Bearer ") == 404


@spec("EDG-10")
def test_without_a_token_they_are_for_this_machine_in_development(at_home: World) -> None:
    http = at_home.http()

    assert status(http, HERE) == status(http, "::1") == 200
    assert status(http, ELSEWHERE) == status(http, "not an address") == 404


@spec("EDG-10")
@pytest.mark.parametrize("name", ["Forwarded", "X_Forwarded_For", "X_Real_Ip", "Via"])
def test_a_proxy_on_this_machine_is_not_this_machine(at_home: World, name: str) -> None:
    assert status(at_home.http(), HERE, **{name: HERE}) == 404


def test_requests_are_counted_by_what_was_asked_and_answered(guarded: World) -> None:
    before = numbers(guarded)
    http = guarded.http()
    http.post("/token", data={"grant_type": "none of these"})
    http.get("/nowhere/alice@example.com")
    http.open("/token", method="ODD")

    after = numbers(guarded)

    def more(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    refused = 'idp_requests_total{endpoint="/token",method="POST",status="400"}'
    missing = 'idp_requests_total{endpoint="none",method="GET",status="404"}'
    odd = 'idp_requests_total{endpoint="none",method="other",status="405"}'
    assert more(refused) == more(missing) == more(odd) == 1
    assert more('idp_request_seconds_count{endpoint="/token"}') == 1
    assert more('idp_request_seconds_sum{endpoint="/token"}') > 0
    assert "alice" not in str(after)


def test_sign_outs_and_notices_that_wait_are_what_the_store_says(guarded: World) -> None:
    guarded.person("alice")
    told = "https://rp.test/backchannel-logout"
    app = guarded.rp(backchannel_logout_uri=told)
    browser = guarded.browser()
    browser.tokens(app)
    at_first = numbers(guarded)
    page = browser.http.get("/account/sessions")
    browser.submit(page, "/account/sessions/end", what="everywhere")
    guarded.clock.advance(minutes=5)

    after = numbers(guarded)
    guarded.clock.advance(hours=1)
    later = numbers(guarded)

    signed_out = [name for name in after if name.startswith("idp_sign_outs_last_hour")]
    assert at_first['idp_deliveries{state="waiting"}'] == 0
    assert at_first["idp_delivery_oldest_seconds"] == 0
    assert [after[name] for name in signed_out] == [1]
    assert [name for name in later if name.startswith("idp_sign_outs_last_hour")] == []
    assert after['idp_deliveries{state="waiting"}'] == 1
    assert after['idp_deliveries{state="dead"}'] == 0
    assert after["idp_delivery_oldest_seconds"] == 300


def test_what_is_refused_at_the_door_is_counted_too(guarded: World) -> None:
    name = 'idp_requests_total{endpoint="/token",method="POST",status="400"}'
    before = numbers(guarded).get(name, 0)

    guarded.http().post("/token", data={"grant_type": "nul\x00"})

    assert numbers(guarded)[name] == before + 1


def test_the_database_is_asked_only_by_those_who_may(tmp_path: Path) -> None:
    world = make_world(tmp_path, IDP_METRICS_TOKEN=TOKEN)
    (tmp_path / "idp.sqlite3").rename(tmp_path / "elsewhere")

    assert status(world.http()) == 401
