"""Pairwise subjects: one name for a person in each sector, the same in all that is said there."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from idp.domain.sign_out import Because
from idp.policies.feed import ACCOUNT, key
from idp.protocol.logout import logout_token
from idp.store import db
from tests.support.publisher import Publisher, publisher
from tests.support.spec import spec
from tests.support.world import API, Rp, World, make_world, returned

WHY = Because("test", "test")
HERE, THERE = "https://here.test/cb", "https://there.test/cb"
PAIRWISE = {"subject_type": "pairwise", "backchannel_logout_uri": "https://here.test/told"}


@pytest.fixture(scope="module")
def sectors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with publisher(tmp_path_factory.mktemp("sectors")) as made:
        yield made


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, sectors: Publisher
) -> Iterator[tuple[World, str]]:
    made = make_world(
        tmp_path_factory.mktemp("pairwise"),
        IDP_OUTBOUND__ALLOWED=sectors.place,
        IDP_OUTBOUND__CA_BUNDLE=str(sectors.bundle),
        IDP_REGISTRATION__QUOTA="1000",
    )
    made.api(API, **{"notes:read": "Read your notes"})
    yield made, made.person("alice", email="alice@example.com")
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def said(token: str) -> dict[str, Any]:
    import base64
    import json

    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def app(world: World, uri: str = HERE, **more: Any) -> Rp:
    return world.rp(redirect_uris=[uri], **PAIRWISE | more)


def name_at(world: World, rp: Rp) -> str:
    return str(said(world.browser().tokens(rp)["id_token"])["sub"])


@spec("OpenID Connect Core section 8.1", "OID-09", "D.2 pairwise")
def test_a_person_has_one_name_in_a_sector_and_another_in_every_other(
    house: tuple[World, str],
) -> None:
    world, account = house
    first, again, other = app(world), app(world, f"{HERE}/second"), app(world, THERE)

    names = [name_at(world, rp) for rp in (first, first, again, other, world.rp())]

    assert names[0] == names[1] == names[2]
    assert len({names[0], names[3], names[4]}) == 3
    assert names[4] == account
    assert account not in "".join(names[:4])


@spec("OpenID Connect Core section 8", "D.2 pairwise", "RFC 7662 section 2.2")
def test_the_name_is_the_same_in_all_that_is_said_to_a_client(house: tuple[World, str]) -> None:
    world, _ = house
    rp, browser = app(world), world.browser()
    given = browser.tokens(rp, scope="openid email offline_access")
    name = said(given["id_token"])["sub"]

    refreshed = rp.refresh(given["refresh_token"]).json
    told = {
        "userinfo": world.userinfo(given["access_token"]).json["sub"],
        "access token": said(given["access_token"])["sub"],
        "introspection": rp.introspect(given["access_token"])["sub"],
        "introspection of refresh": rp.introspect(refreshed["refresh_token"])["sub"],
        "refreshed": said(refreshed["id_token"])["sub"],
    }
    with world.app.app_context():
        world.op.sign_outs.everywhere(house[1], WHY, world.clock.now)
        notice = world.op.sign_outs.deliveries.newest()[0]
        token = logout_token(
            world.op,
            client_id=notice.client_id,
            sub=str(notice.details["sub"]),
            sid=str(notice.details["sid"]),
            alg="RS256",
            now=world.clock.now,
        )
        db.session.commit()

    assert set(told.values()) == {name}
    assert notice.client_id == rp.client_id
    assert said(token)["sub"] == name


@spec("OpenID Connect Core section 3.1.2.1", "OID-05")
def test_a_hint_names_the_person_as_its_client_does(house: tuple[World, str]) -> None:
    world, account = house
    rp, other, browser = app(world), app(world, THERE), world.browser()
    given = browser.tokens(rp)
    name = said(given["id_token"])["sub"]

    def goes(at: Rp, **more: Any) -> dict[str, str]:
        return returned(browser.authorize(at, prompt="none", **more))

    browser.tokens(other)
    wanted = '{"id_token": {"sub": {"value": "%s"}}}'
    assert "code" in goes(rp, id_token_hint=given["id_token"])
    assert "code" in goes(rp, claims=wanted % name)
    assert goes(rp, claims=wanted % account)["error"] == "login_required"
    assert goes(other, claims=wanted % name)["error"] == "login_required"
    assert goes(other, id_token_hint=given["id_token"])["error"] == "login_required"


@spec("RP-Initiated Logout section 2", "LGO-01")
def test_a_hint_with_a_pairwise_name_signs_out(house: tuple[World, str]) -> None:
    world, _ = house
    rp = app(world, post_logout_redirect_uris=["https://here.test/bye"])
    browser = world.browser()
    given = browser.tokens(rp)

    answer = browser.http.get(
        "/end_session",
        query_string={
            "id_token_hint": given["id_token"],
            "post_logout_redirect_uri": "https://here.test/bye",
        },
    )

    assert answer.status_code == 200 or answer.headers["Location"] == "https://here.test/bye"
    assert 'id="logout-confirm"' not in answer.text
    assert browser.http.get("/account").status_code != 200


@spec("P4", "CLK-04", "OID-09")
def test_a_sign_out_everywhere_is_in_the_feed_under_every_name(house: tuple[World, str]) -> None:
    world, account = house
    rp = app(world)
    given = world.browser().tokens(rp, scope="openid notes:read", resource=API)
    name = said(given["access_token"])["sub"]

    with world.app.app_context():
        world.op.sign_outs.everywhere(account, WHY, world.clock.now)
        db.session.commit()
        batch, _ = world.op.sign_outs.feed.listen(None, None, timedelta(0))

    keys = {row[0] for row in batch.rows}
    assert {key(ACCOUNT, account), key(ACCOUNT, name)} <= keys
    assert said(given["access_token"])["gen"] < max(
        row[2] or 0 for row in batch.rows if row[0] == key(ACCOUNT, name)
    )


@spec("OpenID Connect Core section 8.1", "OID-09", "conformance oidcc-registration-sector-uri")
def test_clients_of_several_hosts_share_a_sector_that_names_them(
    house: tuple[World, str], sectors: Publisher
) -> None:
    world, _ = house
    uri = sectors.publishes("/redirect_uris.json", [HERE, THERE])
    wish = {"subject_type": "pairwise", "sector_identifier_uri": uri}

    both = world.http().post("/register", json=wish | {"redirect_uris": [HERE, THERE]})
    one = world.http().post("/register", json=wish | {"redirect_uris": [THERE]})

    assert (both.status_code, one.status_code) == (201, 201)
    assert both.json["sector_identifier_uri"] == uri
    names = [
        name_at(world, Rp(world, made.json["client_id"], made.json["client_secret"], THERE))
        for made in (both, one)
    ]
    assert names[0] == names[1]
    assert names[0] != name_at(world, app(world, THERE))


@spec("OpenID Connect Core section 8.1", "OID-09", "SSR-07")
@pytest.mark.parametrize(
    "wish",
    [
        {"redirect_uris": [HERE, THERE]},
        {"redirect_uris": [HERE], "sector_identifier_uri": "/less.json"},
        {"redirect_uris": [HERE], "sector_identifier_uri": "/no-list.json"},
        {"redirect_uris": [HERE], "sector_identifier_uri": "/nowhere.json"},
        {"redirect_uris": [HERE], "sector_identifier_uri": "https://127.0.0.1:1/x"},
        {"redirect_uris": [HERE], "sector_identifier_uri": "http://here.test/x"},
        {"redirect_uris": ["com.example.app:/cb"], "application_type": "native"},
    ],
)
def test_a_sector_that_does_not_name_them_all_is_refused(
    house: tuple[World, str], sectors: Publisher, wish: dict[str, Any]
) -> None:
    world, _ = house
    sectors.publishes("/less.json", [THERE])
    sectors.publishes("/no-list.json", {"redirect_uris": [HERE]})
    path = wish.get("sector_identifier_uri", "")
    at = {"sector_identifier_uri": sectors.url(path)} if path.startswith("/") else {}

    answer = world.http().post("/register", json={"subject_type": "pairwise"} | wish | at)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")


@spec("RFC 7592 section 2.2", "OID-09")
def test_a_client_that_moves_must_still_be_named_by_its_sector(
    house: tuple[World, str], sectors: Publisher
) -> None:
    world, _ = house
    uri = sectors.publishes("/moving.json", [HERE])
    wish = {"subject_type": "pairwise", "sector_identifier_uri": uri, "redirect_uris": [HERE]}
    made = world.http().post("/register", json=wish).json
    bearer = {"Authorization": f"Bearer {made['registration_access_token']}"}
    path = f"/register/{made['client_id']}"

    moved = wish | {"client_id": made["client_id"], "redirect_uris": [THERE]}
    refused = world.http().put(path, json=moved, headers=bearer)
    sectors.publishes("/moving.json", [HERE, THERE])
    taken = world.http().put(path, json=moved, headers=bearer)

    assert refused.json["error"] == "invalid_client_metadata"
    assert taken.json["redirect_uris"] == [THERE]


@spec("RFC 7519 section 4.1.2", "OID-09")
def test_what_a_person_may_do_does_not_depend_on_their_name(house: tuple[World, str]) -> None:
    world, account = house
    resource = "https://rights.test"
    api = world.api(resource, **{"rights:read": "Read"})
    with world.app.app_context():
        world.op.resources.add(
            resource, "API", {"rights:read": "Read"}, ["session_state"], world.clock.now
        )
        world.op.resources.roles.set(
            account, resource, roles=["editor"], permissions=[], now=world.clock.now
        )
        db.session.commit()
    given = world.browser().tokens(app(world), scope="openid rights:read", resource=resource)

    assert api.introspect(given["access_token"])["roles"] == ["editor"]


@spec("R-UI-1")
def test_discovery_names_both_kinds(house: tuple[World, str]) -> None:
    document = house[0].http().get("/.well-known/openid-configuration").json

    assert document["subject_types_supported"] == ["public", "pairwise"]
