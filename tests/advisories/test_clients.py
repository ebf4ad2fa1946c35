"""What a client says of itself: in other providers it said too much, and was believed."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from idp.store import db
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

BACK = "https://rp.test/cb"
SCRIPTS = (
    "javascript:alert(1)",
    "jAvAsCrIpT:alert(1)",
    "\tjavascript:alert(1)",
    "data:text/html,x",
)
INSIDE = ("file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "http://169.254.169.254/x")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(Path(tmp_path_factory.mktemp("clients")), IDP_REGISTRATION__QUOTA="5000")
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def registered(world: World, **metadata: Any) -> dict[str, Any]:
    answer = world.http().post("/register", json={"redirect_uris": [BACK]} | metadata)
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json
    return said


@spec("RED-04", "RED-15", "CVE-2026-9689")
@pytest.mark.parametrize(
    "query",
    [
        "code=1",
        "tenant=1&state=x",
        "iss=https://evil.test",
        "error=",
        "error_description",
        "error_uri=x",
        "response=x",
        "session_state=x",
        "id_token=x",
        "access_token=x",
        "token_type=x",
        "expires_in=9",
        "%63ode=1",
        "a=1;code=1",
    ],
)
def test_an_address_brings_nothing_that_an_answer_says(house: World, query: str) -> None:
    answer = house.http().post("/register", json={"redirect_uris": [f"{BACK}?{query}"]})

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_redirect_uri")


@spec("RED-11", "RED-15", "CVE-2026-9689")
def test_a_state_cannot_say_a_second_code(house: World) -> None:
    tenant = f"{BACK}?tenant=1"
    rp, browser = house.rp(redirect_uris=[tenant]), house.browser()
    state = "x&code=evil&iss=https://evil.test#code=evil"

    answer = browser.follow(browser.authorize(rp, state=state))

    back = urlsplit(answer.headers["Location"])
    said = parse_qs(back.query, keep_blank_values=True)
    assert back.fragment == ""
    assert {name: len(values) for name, values in said.items()} == dict.fromkeys(said, 1)
    assert (said["tenant"], said["state"]) == (["1"], [state])
    assert (said["iss"], said["code"] == ["evil"]) == (["https://op.test"], False)


@spec("RED-01", "RED-03", "CVE-2026-7504")
@pytest.mark.parametrize(
    "uri",
    [
        "https://*.rp.test/cb",
        "https://*/cb",
        "https://rp.test/*",
        "https://rp.test/cb*",
        "https://rp.test/*/cb",
        "https://rp.test/cb?to=*",
        "com.example.app:/*",
        "*",
    ],
)
def test_a_wildcard_is_not_registered(house: World, uri: str) -> None:
    native = "native" if uri.startswith("com") else "web"

    answer = house.http().post(
        "/register", json={"redirect_uris": [uri], "application_type": native}
    )

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_redirect_uri")


@spec("DCR-06", "ADM-03", "CVE-2026-9705")
def test_a_disabled_client_does_not_enable_itself(house: World) -> None:
    wish = {"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []}
    made = registered(house, **wish)
    rp = Rp(house, made["client_id"], made["client_secret"])
    mine = {"Authorization": f"Bearer {made['registration_access_token']}"}
    here = f"/register/{made['client_id']}"
    with house.app.app_context():
        house.op.clients.disable(made["client_id"], house.clock.now)
        db.session.commit()

    change = {**wish, "client_id": made["client_id"], "enabled": True, "disabled_at": None}
    answers = [
        house.http().put(here, json=change, headers=mine),
        house.http().get(here, headers=mine),
        house.http().delete(here, headers=mine),
        rp.post("/token", grant_type="client_credentials"),
    ]

    assert [answer.status_code for answer in answers] == [401] * 4


@spec("OID-12", "DCR-04", "CVE-2026-16102")
def test_a_client_cannot_give_roles_to_anybody(house: World) -> None:
    forged = {
        "roles": ["admin"],
        "default_roles": ["admin"],
        "claims": {"roles": ["admin"], "sub": "root"},
        "protocol_mappers": [{"claim.name": "roles", "claim.value": "admin"}],
        "authorities": ["admin"],
        "serves": ["https://api.test"],
    }

    made = registered(house, **forged)
    rp = Rp(house, made["client_id"], made["client_secret"], BACK)
    given = house.browser().tokens(rp, scope="openid profile")

    assert set(forged) & set(made) == set()
    seen = [rp.introspect(given["access_token"]), house.userinfo(given["access_token"]).json]
    assert seen[0]["active"] is True
    assert "admin" not in str(seen) + str(payload(given["id_token"]))
    assert payload(given["id_token"])["sub"] == seen[1]["sub"] == seen[0]["sub"] != "root"


def payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return said


@spec("DCR-01", "DCR-02", "SSR-04", "CVE-2026-22752")
@pytest.mark.parametrize("address", [*SCRIPTS, *INSIDE])
@pytest.mark.parametrize(
    "member",
    [
        "redirect_uris",
        "post_logout_redirect_uris",
        "request_uris",
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "jwks_uri",
        "sector_identifier_uri",
        "initiate_login_uri",
        "backchannel_logout_uri",
        "frontchannel_logout_uri",
    ],
)
def test_no_member_leads_to_a_script_or_inside(house: World, member: str, address: str) -> None:
    said = [address] if member.endswith("uris") else address

    answer = house.http().post("/register", json={"redirect_uris": [BACK], member: said})

    assert answer.status_code == 400
    assert answer.json["error"] in ("invalid_redirect_uri", "invalid_client_metadata")


@spec("RED-03", "EDG-08", "CVE-2022-36087")
@pytest.mark.parametrize(
    "uri",
    ["https://[" + ":" * 60_000 + "]/cb", "https://[" + "1:" * 30_000, "https://" + "[" * 60_000],
    ids=["colons", "numbers", "brackets"],
)
def test_an_endless_address_is_refused_and_costs_nothing(house: World, uri: str) -> None:
    rp = house.rp()
    began = time.thread_time()

    registered = house.http().post("/register", json={"redirect_uris": [uri]})
    asked = house.http().get(
        "/authorize", query_string={"client_id": rp.client_id, "redirect_uri": uri}
    )

    assert time.thread_time() - began < 0.2
    assert (registered.status_code, asked.status_code) == (400, 400)
    assert "Location" not in asked.headers
