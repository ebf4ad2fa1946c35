"""Tokens that come by the browser: which, in which channel, and what ties them together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.crypto import jose
from idp.store import db
from tests.support.spec import spec
from tests.support.world import CALLBACK, Rp, World, make_world, returned

EVERY = ["code", "id_token", "code id_token", "id_token token", "code token", "code id_token token"]
GRANTS = ["authorization_code", "implicit", "refresh_token"]
GIVEN = {"code": "code", "id_token": "id_token", "token": "access_token"}
APART = {"dpop_bound_access_tokens": True, "response_types": ["code", "id_token token"]}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("front"), IDP_LEGACY_RESPONSE_TYPES="true")
    made.person("alice", name="Alice", email="alice@example.com")
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def app(house: World) -> Rp:
    return house.rp(grant_types=GRANTS, response_types=EVERY)


def goes(house: World, app: Rp, kind: str, **more: Any) -> dict[str, str]:
    """The whole way; what the browser brings back."""
    browser = house.browser()
    asked = {"response_type": kind, "nonce": "n", "state": "st4te"} | more
    return returned(browser.follow(browser.authorize(app, **asked)))


def identity(house: World, id_token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(house.http().get("/jwks.json").json)
    return dict(jwt.decode(id_token, keys, algorithms=["RS256"]).claims)


@spec("Multiple Response Types section 5", "OpenID Connect Core section 3.3.2.5", "R-AZ-4")
@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("mode", [None, "fragment", "form_post"])
def test_what_is_asked_for_comes_back_in_its_channel(
    house: World, app: Rp, kind: str, mode: str | None
) -> None:
    browser = house.browser()
    page = browser.follow(browser.authorize(app, response_type=kind, response_mode=mode, nonce="n"))

    wanted = {GIVEN[word] for word in kind.split()}
    if mode == "form_post":
        assert "Location" not in page.headers
        assert all(f'name="{name}"' in page.text for name in wanted)
        return
    channel = "#" if mode or kind != "code" else "?"
    assert page.headers["Location"].startswith(CALLBACK + channel)
    said = returned(page)
    beside = {"token_type", "expires_in", "scope"} if "access_token" in wanted else set()
    assert set(said) == wanted | beside | {"state", "iss", "session_state"}


@spec("OpenID Connect Core section 3.3.2.11", "OID-01", "R-ID-3")
@pytest.mark.parametrize("kind", ["id_token", "code id_token", "id_token token", EVERY[5]])
def test_an_id_token_is_tied_to_what_comes_beside_it(house: World, app: Rp, kind: str) -> None:
    said = goes(house, app, kind)

    read = identity(house, said["id_token"])
    assert read["nonce"] == "n"
    assert read["s_hash"] == jose.half_hash("RS256", "st4te")
    tied = {"c_hash": said.get("code"), "at_hash": said.get("access_token")}
    for name, value in tied.items():
        assert read.get(name) == (jose.half_hash("RS256", value) if value else None)


@spec("OpenID Connect Core section 3.3.2.11", "OID-02", "R-AZ-4")
@pytest.mark.parametrize("kind", EVERY)
def test_an_id_token_by_the_browser_needs_a_nonce(house: World, app: Rp, kind: str) -> None:
    said = goes(house, app, kind, nonce=None)

    assert said.get("error") == ("invalid_request" if "id_token" in kind else None)


@spec("OpenID Connect Core section 5.4")
@pytest.mark.parametrize("kind", ["id_token", "code id_token", "id_token token"])
def test_scope_claims_are_in_an_id_token_that_comes_alone(house: World, app: Rp, kind: str) -> None:
    said = goes(house, app, kind, scope="openid profile email")

    alone = kind == "id_token"
    read = identity(house, said["id_token"])
    assert read.get("name") == ("Alice" if alone else None)
    assert read.get("email") == ("alice@example.com" if alone else None)


@spec("OpenID Connect Core section 3.3.3.6", "R-ID-2")
def test_both_id_tokens_of_a_hybrid_flow_are_about_the_same(house: World, app: Rp) -> None:
    browser = house.browser()
    said = returned(
        browser.follow(browser.authorize(app, response_type="code id_token", nonce="n"))
    )

    given = app.redeem(said["code"], browser.verifier).json

    first, second = identity(house, said["id_token"]), identity(house, given["id_token"])
    same = ("iss", "sub", "aud", "nonce", "auth_time", "acr", "sid")
    assert [first[name] for name in same] == [second[name] for name in same]
    assert second["at_hash"] == jose.half_hash("RS256", given["access_token"])


@spec("R-UI-1", "R-TK-1")
def test_an_access_token_by_the_browser_works(house: World, app: Rp) -> None:
    said = goes(house, app, "id_token token", scope="openid email")

    told = house.userinfo(said["access_token"]).json

    assert said["token_type"] == "Bearer"
    assert said["expires_in"] == "300"
    assert said["scope"] == "openid email"
    assert told["email"] == "alice@example.com"


@spec("P1", "LGO-07")
def test_an_access_token_by_the_browser_ends_with_the_session(house: World, app: Rp) -> None:
    browser = house.browser()
    page = browser.authorize(app, response_type="id_token token", nonce="n")
    said = returned(browser.follow(page))
    assert house.userinfo(said["access_token"]).status_code == 200

    browser.submit(
        browser.http.get("/account/sessions"), "/account/sessions/end", what="everywhere"
    )

    assert house.userinfo(said["access_token"]).status_code == 401


@spec("BCL-02", "R-ID-4")
def test_a_client_that_only_gets_an_id_token_is_told_of_the_sign_out(house: World) -> None:
    told = house.rp(
        grant_types=["implicit"],
        response_types=["id_token"],
        backchannel_logout_uri="https://rp.test/told",
    )
    browser = house.browser()
    said = returned(browser.follow(browser.authorize(told, response_type="id_token", nonce="n")))

    browser.submit(
        browser.http.get("/account/sessions"), "/account/sessions/end", what="everywhere"
    )

    with house.app.app_context():
        newest = house.op.sign_outs.deliveries.newest()[0]
    assert newest.client_id == told.client_id
    assert newest.details["sid"] == identity(house, said["id_token"])["sid"]


@spec("Multiple Response Types section 3", "R-AZ-1")
def test_the_order_of_the_words_means_nothing(house: World) -> None:
    app = house.rp(grant_types=GRANTS, response_types=["token id_token code"])

    said = goes(house, app, "id_token code token")

    assert {"code", "id_token", "access_token"} <= set(said)


@spec("OpenID Connect Core section 11")
def test_nothing_stays_connected_without_a_code(house: World, app: Rp) -> None:
    said = goes(house, app, "id_token token", scope="openid offline_access")

    assert said["scope"] == "openid"


@spec("RFC 6749 section 4.1.2.1", "Multiple Response Types section 5", "R-AZ-4")
@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_mode": "query"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token id_token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_request"),
        ({"scope": "openid nonsense"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"resource": "https://nobody.test"}, "invalid_target"),
    ],
)
def test_a_refusal_of_tokens_comes_behind_the_address(
    house: World, app: Rp, more: dict[str, str], error: str
) -> None:
    asked = {"response_type": "id_token token", "nonce": "n"} | more

    answer = house.browser().authorize(app, **asked)

    assert answer.headers["Location"].startswith(CALLBACK + "#")
    assert returned(answer)["error"] == error
    assert not {"code", "id_token", "access_token"} & set(returned(answer))


@spec("RFC 9449 section 5", "DPO-01")
def test_a_bound_token_never_comes_by_the_browser(house: World) -> None:
    app = house.rp(grant_types=GRANTS, **APART)

    assert goes(house, app, "id_token token")["error"] == "unauthorized_client"


@spec("R-DCR-1", "RFC 7591 section 2.1")
@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"response_types": ["id_token"]}, (["implicit"], ["id_token"])),
        ({"response_types": ["id_token code"]}, (GRANTS[:2], ["code id_token"])),
        ({"response_types": []}, ([], [])),
        ({"grant_types": ["implicit"], "response_types": ["code"]}, None),
        ({"grant_types": GRANTS[:1], "response_types": ["code id_token"]}, None),
        ({"grant_types": GRANTS[:2], "response_types": ["id_token"]}, None),
        ({"grant_types": ["implicit"]}, None),
    ],
)
def test_grant_types_and_response_types_fit_together(
    house: World, asked: dict[str, Any], kept: Any
) -> None:
    answer = house.http().post("/register", json={"redirect_uris": [CALLBACK]} | asked)

    if kept is None:
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")
    else:
        assert (answer.json["grant_types"], answer.json["response_types"]) == kept


@spec("RED-13", "R-DCR-1")
def test_where_the_switch_is_off_only_what_is_safe_remains(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    asked = {"redirect_uris": [CALLBACK], "response_types": ["code", "id_token token"]}

    made = world.http().post("/register", json=asked)
    none = world.http().post("/register", json=asked | {"response_types": ["id_token token"]})

    assert made.json["response_types"] == ["code"]
    assert made.json["grant_types"] == ["authorization_code"]
    assert none.json["error"] == "invalid_client_metadata"
    said = world.http().get("/.well-known/openid-configuration").json
    assert said["response_types_supported"] == ["code", "id_token", "code id_token"]
    with world.app.app_context():
        db.engine.dispose()


@spec("COD-12")
@pytest.mark.parametrize("grant_type", ["implicit", "password"])
def test_what_comes_by_the_browser_is_not_asked_for_at_the_token_endpoint(
    house: World, app: Rp, grant_type: str
) -> None:
    answer = app.post("/token", grant_type=grant_type, username="alice", password="x")

    assert answer.json["error"] == "unsupported_grant_type"
