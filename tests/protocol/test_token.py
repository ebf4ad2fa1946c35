"""The token endpoint: codes, refresh tokens, client authentication."""

import base64
import json

import pytest
from werkzeug.test import TestResponse

from idp.crypto import jose
from idp.crypto.secrets import new_id
from idp.store import db
from tests.support.spec import spec
from tests.support.world import Rp, World

VERIFIER = "v" * 43


def claims(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def header(token: str) -> dict[str, object]:
    part = token.split(".", maxsplit=1)[0]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


@spec("RFC 6749 section 5.1", "RFC 9068 section 2", "R-TK-1", "COD-10")
def test_the_answer_is_what_the_standard_says(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()

    answer = rp.redeem(browser.code(rp, nonce="n1"), browser.verifier)

    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 300
    access, identity = claims(answer.json["access_token"]), claims(answer.json["id_token"])
    assert header(answer.json["access_token"])["typ"] == "at+jwt"
    assert access["iss"] == identity["iss"] == "https://op.test"
    assert access["sub"] == identity["sub"] == alice
    assert access["client_id"] == identity["aud"] == rp.client_id
    assert identity["nonce"] == "n1"
    assert identity["sid"] == access["sid"]
    assert identity["acr"] == "pwd"
    assert identity["amr"] == ["pwd"]
    assert header(answer.json["id_token"])["alg"] == "RS256"
    assert identity["at_hash"] == jose.half_hash("RS256", answer.json["access_token"])


@spec("RFC 6749 section 4.1.2", "COD-01", "R-TK-3")
def test_a_code_that_comes_back_ends_what_it_bought(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    code = browser.code(rp)
    first = rp.redeem(code, browser.verifier).json

    again = rp.redeem(code, browser.verifier)

    assert again.json["error"] == "invalid_grant"
    assert world.userinfo(first["access_token"]).status_code == 401
    assert rp.refresh(first["refresh_token"]).status_code == 400


@spec("COD-03", "CVE-2026-28513", "CVE-2026-55672", "CVE-2026-16089")
def test_another_client_can_neither_use_nor_burn_a_code(world: World, alice: str, rp: Rp) -> None:
    other = world.rp("Other")
    browser = world.browser()
    code = browser.code(rp)

    stolen = other.redeem(code, browser.verifier)

    assert stolen.json["error"] == "invalid_grant"
    assert rp.redeem(code, browser.verifier).status_code == 200


@spec("RFC 6749 section 4.1.3", "COD-04")
@pytest.mark.parametrize("uri", [None, "https://rp.test/callback/"])
def test_the_redirect_uri_must_be_the_same(
    world: World, alice: str, rp: Rp, uri: str | None
) -> None:
    browser = world.browser()
    code = browser.code(rp)

    assert rp.redeem(code, browser.verifier, redirect_uri=uri).json["error"] == "invalid_grant"


@spec("COD-05")
@pytest.mark.parametrize(("age", "status"), [(59, 200), (61, 400)])
def test_a_code_lives_for_a_minute(world: World, alice: str, rp: Rp, age: int, status: int) -> None:
    browser = world.browser()
    code = browser.code(rp)
    world.clock.advance(seconds=age)

    assert rp.redeem(code, browser.verifier).status_code == status


@spec("COD-06", "CVE-2026-27840")
@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + "=", str.swapcase])
def test_a_code_that_is_not_quite_right_is_wrong(
    world: World, alice: str, rp: Rp, change: object
) -> None:
    browser = world.browser()
    code = browser.code(rp)

    assert rp.redeem(change(code), browser.verifier).json["error"] == "invalid_grant"  # type: ignore[operator]


@spec("COD-07", "CVE-2026-4282")
def test_a_thing_of_one_kind_is_nothing_as_another(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    handle = browser.authorize(rp).headers["Location"].partition("tx=")[2]
    code = browser.code(rp)

    assert rp.redeem(handle, browser.verifier).json["error"] == "invalid_grant"
    assert rp.refresh(code).json["error"] == "invalid_grant"
    assert browser.http.get(f"/authorize/continue?tx={code}").status_code == 400


@spec("COD-08", "CVE-2025-14559", "SES-07")
@pytest.mark.parametrize("way", ["disabled", "signed out", "consent withdrawn", "everywhere"])
def test_a_code_buys_nothing_after_an_end(world: World, alice: str, rp: Rp, way: str) -> None:
    browser = world.browser()
    code = browser.code(rp)
    end(world, alice, rp, way)

    assert rp.redeem(code, browser.verifier).json["error"] == "invalid_grant"


@spec("P1", "RFT-09", "RFT-12", "ADM-03", "CVE-2026-43983")
@pytest.mark.parametrize(
    "way", ["disabled", "signed out", "consent withdrawn", "everywhere", "client gone"]
)
def test_one_gate_for_every_endpoint(world: World, alice: str, rp: Rp, way: str) -> None:
    asker = world.api()
    tokens = world.browser().tokens(rp)
    assert rp.introspect(tokens["access_token"])["active"] is True

    end(world, alice, rp, way)

    assert world.userinfo(tokens["access_token"]).status_code == 401
    assert rp.refresh(tokens["refresh_token"]).status_code in (400, 401)
    assert rp.post("/introspect", token=tokens["access_token"]).json.get("active") is not True
    assert asker.introspect(tokens["access_token"]) == {"active": False}


@spec("COD-11", "COD-12", "RFC 9700 section 2.4")
def test_what_the_token_endpoint_does_not_do(world: World, rp: Rp) -> None:
    http = world.http()

    assert http.get("/token").status_code == 405
    assert http.post("/token", json={"grant_type": "client_credentials"}).status_code == 400
    assert rp.post("/token", grant_type="password").json["error"] == "unsupported_grant_type"
    assert rp.post("/token").json["error"] == "invalid_request"


@spec("RFC 7636 section 4.6", "PKC-03", "PKC-05", "CVE-2023-48228")
@pytest.mark.parametrize("verifier", [None, "v" * 42, "v" * 129, "v" * 43 + "\n", "wrong" * 10])
def test_a_wrong_or_missing_verifier_gets_nothing(
    world: World, alice: str, rp: Rp, verifier: str | None
) -> None:
    browser = world.browser()
    code = browser.code(rp)

    answer = rp.redeem(code, verifier)

    assert answer.json["error"] == "invalid_grant"
    assert rp.redeem(code, browser.verifier).status_code == 200


@spec("PKC-06")
def test_three_wrong_verifiers_burn_the_code(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    code = browser.code(rp)

    for _ in range(3):
        rp.redeem(code, "w" * 43)

    assert rp.redeem(code, browser.verifier).json["error"] == "invalid_grant"


@spec("RFC 9700 section 4.8.2", "PKC-04", "CVE-2024-22258", "CVE-2024-23647")
def test_a_verifier_without_a_challenge_is_refused(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    code = browser.code(rp, code_challenge=None, code_challenge_method=None)

    assert rp.redeem(code, VERIFIER).json["error"] == "invalid_grant"


@spec("RFC 6749 section 2.3", "CLA-01", "CLA-02", "CLA-03")
def test_a_client_proves_itself_in_its_own_way_only(world: World, rp: Rp) -> None:
    http = world.http()
    form = {"grant_type": "client_credentials", "client_id": rp.client_id}

    by_post = http.post("/token", data={**form, "client_secret": rp.secret})
    by_name = http.post("/token", data=form)
    twice = http.post(
        "/token", data={**form, "client_secret": rp.secret}, auth=(rp.client_id, rp.secret or "")
    )

    assert by_post.status_code == by_name.status_code == 401
    assert by_post.json["error"] == by_name.json["error"] == "invalid_client"
    assert twice.json["error"] == "invalid_request"


@spec("CLA-04", "CLA-06", "CVE-2026-0707", "CVE-2026-9803")
@pytest.mark.parametrize(
    "value", ["Basic", "Basic !!!", "Basic YWJj", "Basic /////w==", "Basic " + "A" * 9000]
)
def test_a_malformed_header_is_a_clean_refusal(world: World, value: str) -> None:
    answer = world.http().post(
        "/token", data={"grant_type": "client_credentials"}, headers={"Authorization": value}
    )

    assert answer.status_code in (400, 401)
    assert answer.json["error"] in ("invalid_client", "invalid_request")


@spec("CLA-06")
def test_unknown_client_and_wrong_secret_read_the_same(world: World, rp: Rp) -> None:
    http = world.http()
    form = {"grant_type": "client_credentials"}

    wrong = http.post("/token", data=form, auth=(rp.client_id, "wrong"))
    unknown = http.post("/token", data=form, auth=("c_nobody", "wrong"))

    assert (wrong.status_code, wrong.data) == (unknown.status_code, unknown.data)


@spec("RFC 7523 section 3", "JWA-01", "JWA-02", "JWA-03", "CVE-2025-27370", "CVE-2020-5300")
@spec("CVE-2020-12692")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"aud": "https://op.test/token"}, 401),
        ({"aud": ["https://op.test", "https://evil.test"]}, 401),
        ({"aud": None}, 401),
        ({"iss": "somebody"}, 401),
        ({"exp": None}, 401),
        ({"exp": 3600}, 401),
        ({"exp": -120}, 401),
        ({"jti": None}, 401),
        ({"nbf": 600}, 401),
    ],
)
def test_an_assertion_is_exactly_right_or_refused(
    world: World, change: dict[str, object], status: int
) -> None:
    app, key = assertion_client(world)

    answer = assert_client(world, app, key, change)

    assert answer.status_code == status, answer.text


@spec("JWA-02", "CVE-2020-15222")
def test_an_assertion_works_once(world: World) -> None:
    app, key = assertion_client(world)

    answers = [assert_client(world, app, key, {"jti": "once"}).status_code for _ in range(2)]

    assert answers == [200, 401]


@spec("JWA-03", "JOS-02", "CVE-2026-16093", "CVE-2026-11800")
@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_an_assertion_with_another_algorithm_is_refused(world: World, alg: str) -> None:
    app, _ = assertion_client(world)
    body = {"iss": app.client_id, "sub": app.client_id, "aud": "https://op.test", "jti": "j"}
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": alg}, body | {"exp": int(world.clock.now.timestamp()) + 60})
    ]

    answer = present(world, ".".join([*encoded, "c2ln" if alg == "HS256" else ""]))

    assert answer.status_code == 401


@spec("RFC 6749 section 6", "RFT-02", "RFC 9700 section 4.14.2")
def test_a_refresh_token_that_comes_back_ends_its_line(world: World, alice: str, rp: Rp) -> None:
    first = world.browser().tokens(rp)
    second = rp.refresh(first["refresh_token"]).json

    again = rp.refresh(first["refresh_token"])

    assert again.json["error"] == "invalid_grant"
    assert rp.refresh(second["refresh_token"]).json["error"] == "invalid_grant"
    assert world.userinfo(second["access_token"]).status_code == 401
    assert "RefreshTokenReused" in events(world, alice)


@spec("RFT-02", "RFT-05", "F-19")
def test_a_token_spent_long_ago_is_still_known_for_what_it_is(
    world: World, alice: str, rp: Rp
) -> None:
    first = world.browser().tokens(rp)
    newest = first
    for _ in range(3):
        world.clock.advance(minutes=5)
        newest = rp.refresh(newest["refresh_token"]).json

    rp.refresh(first["refresh_token"])

    assert rp.refresh(newest["refresh_token"]).json["error"] == "invalid_grant"


@spec("RFT-06", "CVE-2026-55672")
def test_another_client_can_neither_use_nor_end_a_line(world: World, alice: str, rp: Rp) -> None:
    other = world.rp("Other")
    tokens = world.browser().tokens(rp)

    stolen = other.refresh(tokens["refresh_token"])

    assert stolen.json["error"] == "invalid_grant"
    assert rp.refresh(tokens["refresh_token"]).status_code == 200


@spec("RFT-07")
def test_a_line_ends_idle_and_absolutely(world: World, alice: str, rp: Rp) -> None:
    tokens = world.browser().tokens(rp, scope="openid offline_access")
    idle = rp.refresh(tokens["refresh_token"]).json["refresh_token"]
    world.clock.advance(days=15)

    assert rp.refresh(idle).json["error"] == "invalid_grant"


@spec("RFT-08")
def test_scope_narrows_for_one_token_and_never_widens(world: World, alice: str, rp: Rp) -> None:
    tokens = world.browser().tokens(rp, scope="openid email")

    wider = rp.refresh(tokens["refresh_token"], scope="openid email phone")
    narrow = rp.refresh(tokens["refresh_token"], scope="openid")
    back = rp.refresh(narrow.json["refresh_token"])

    assert wider.json["error"] == "invalid_scope"
    assert narrow.json["scope"] == "openid"
    assert back.json["scope"] == "openid email"


@spec("OpenID Connect Core section 12.2", "RFT-15")
def test_a_refreshed_id_token_tells_of_the_same_sign_in(world: World, alice: str, rp: Rp) -> None:
    first = world.browser().tokens(rp, nonce="n1")
    world.clock.advance(minutes=2)

    second = rp.refresh(first["refresh_token"]).json

    before, after = claims(first["id_token"]), claims(second["id_token"])
    for name in ("iss", "sub", "aud", "auth_time", "sid"):
        assert before[name] == after[name]
    assert "nonce" not in after
    assert after["iat"] != before["iat"]


@spec("RFT-14", "P6", "KEY-05")
def test_the_database_holds_nothing_that_opens_a_door(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    tokens = browser.tokens(rp)
    cookie = browser.http.get_cookie("__Host-idp_session", domain="localhost")

    with world.app.app_context():
        raw = "\n".join(db.session.connection().connection.driver_connection.iterdump())

    for secret in (tokens["refresh_token"], tokens["access_token"], rp.secret):
        assert secret not in raw
    assert cookie is None or cookie.value not in raw


@spec("RFC 8707 section 2", "RES-01")
def test_a_token_is_for_the_resource_that_was_asked_for(world: World, alice: str, rp: Rp) -> None:
    world.api("https://notes.test", **{"notes:read": "Read"})
    world.api("https://photos.test", **{"photos:read": "See"})
    tokens = world.browser().tokens(
        rp,
        scope="openid notes:read photos:read",
        resource=["https://notes.test", "https://photos.test"],
    )

    one = rp.refresh(tokens["refresh_token"], resource="https://notes.test").json
    none = rp.refresh(one["refresh_token"], resource="https://other.test")

    said = claims(one["access_token"])
    assert said["aud"] == "https://notes.test"
    assert said["scope"] == "notes:read"
    assert none.json["error"] == "invalid_target"


@spec("RFC 6749 section 4.4", "RSG-09")
def test_a_client_acts_for_itself(world: World) -> None:
    world.api("https://notes.test", **{"notes:read": "Read"})
    robot = world.machine(grant_types=["client_credentials"], response_types=[])

    answer = robot.post("/token", grant_type="client_credentials", scope="notes:read")

    said = claims(answer.json["access_token"])
    assert said["sub"] == robot.client_id
    assert said["aud"] == "https://notes.test"
    assert "refresh_token" not in answer.json


def end(world: World, account_id: str, rp: Rp, way: str) -> None:
    """End something, in one of the ways in which things end."""
    from idp.domain.sign_out import Because

    op, now, why = world.op, world.clock.now, Because("test", "test")
    with world.app.app_context():
        if way == "disabled":
            account = op.accounts.find(account_id)
            assert account is not None
            op.accounts.disable(account, now)
        elif way == "signed out":
            for session in op.sessions.of_account(account_id, now):
                op.sign_outs.browser(account_id, session.id, why, now)
        elif way == "consent withdrawn":
            op.grants.forget(account_id, rp.client_id, now)
        elif way == "everywhere":
            op.sign_outs.everywhere(account_id, why, now)
        else:
            op.clients.remove(rp.client_id, now)
        db.session.commit()


def events(world: World, account_id: str) -> list[str]:
    with world.app.app_context():
        return [event.name for event in world.op.events.of_account(account_id)]


def assertion_client(world: World) -> tuple[Rp, jose.Signer]:
    """A client with a key of its own, registered without a `kid`."""
    key = jose.generate("ES256")
    app = world.machine(
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.as_dict(private=False)]},
        grant_types=["client_credentials"],
        response_types=[],
    )
    return app, jose.Signer("any", "ES256", key)


def assert_client(
    world: World, app: Rp, key: jose.Signer, change: dict[str, object]
) -> TestResponse:
    issued = int(world.clock.now.timestamp())
    body: dict[str, object] = {
        "iss": app.client_id,
        "sub": app.client_id,
        "aud": "https://op.test",
        "iat": issued,
        "exp": issued + 60,
        "jti": new_id(),
    }
    for name, value in change.items():
        if value is None:
            body.pop(name)
        else:
            body[name] = issued + value if name in ("exp", "nbf") else value  # type: ignore[operator]
    return present(world, jose.sign(key, body, typ="JWT"))


def present(world: World, assertion: str) -> TestResponse:
    return world.http().post(
        "/token",
        data={
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        },
    )
