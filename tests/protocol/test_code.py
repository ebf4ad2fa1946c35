"""Codes at the token endpoint: what they buy, how they are compared, and what a fault undoes."""

import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from idp.domain.grants import Line
from idp.store import db
from tests.support.spec import spec
from tests.support.world import API, CALLBACK, Rp, World, make_world


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A provider with Alice, and an API with two scopes."""
    made = make_world(Path(tmp_path_factory.mktemp("code")))
    made.person()
    made.api(API, **{"notes:read": "Read your notes", "notes:write": "Change your notes"})
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@spec("PKC-07", "RFC 7636 section 4.6")
def test_a_verifier_is_compared_in_time_that_tells_nothing(
    house: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[object, object]] = []
    really = hmac.compare_digest
    browser, rp = house.browser(), house.rp()
    challenge = b"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    code = browser.code(rp, code_challenge=challenge.decode())
    monkeypatch.setattr(
        hmac, "compare_digest", lambda a, b: compared.append((a, b)) or really(a, b)
    )

    answer = rp.redeem(code, "w" * 43)

    assert answer.json["error"] == "invalid_grant"
    assert challenge in [other for _, other in compared]


@spec("COD-09")
@pytest.mark.parametrize("change", ["grant type removed", "disabled"])
def test_a_code_buys_nothing_when_the_client_may_not_use_one_any_more(
    house: World, change: str
) -> None:
    browser, rp = house.browser(), house.rp()
    code = browser.code(rp)
    with house.app.app_context():
        if change == "disabled":
            house.op.clients.disable(rp.client_id, house.clock.now)
        else:
            details = {"grant_types": ["client_credentials"], "response_types": []}
            house.op.clients.update(rp.client_id, details, house.clock.now)
        db.session.commit()

    answer = rp.redeem(code, browser.verifier)

    assert answer.status_code in (400, 401)
    assert answer.json["error"] in ("unauthorized_client", "invalid_client")


@spec("COD-13", "CVE-2024-52287")
@pytest.mark.parametrize("scope", ["openid notes:read notes:write", "notes:write", "everything"])
def test_a_redemption_cannot_ask_for_more_than_was_allowed(house: World, scope: str) -> None:
    browser, rp = house.browser(), house.rp()
    code = browser.code(rp, scope="openid notes:read")

    answer = rp.redeem(code, browser.verifier, scope=scope)

    assert answer.status_code == 200
    assert answer.json["scope"] == "openid notes:read"


@spec("COD-13", "LOG-01", "RFC 6749 section 5.2")
@pytest.mark.parametrize(
    "kind",
    [
        "",
        "password",
        "AUTHORIZATION_CODE",
        "implicit",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "__init__",
        "x" * 5000,
        "\U0001f600",
    ],
    ids=lambda kind: ascii(kind)[:20],
)
def test_a_grant_type_nobody_knows_is_refused_in_one_word(house: World, kind: str) -> None:
    answer = house.rp().post("/token", grant_type=kind, code="ac_x")

    assert answer.status_code == 400
    assert answer.json["error"] in ("unsupported_grant_type", "invalid_request")
    assert set(answer.json) <= {"error", "error_description"}
    assert kind not in answer.json.get("error_description", "") or not kind


# Whatever writes a line leaves a debt, which the database finds unpaid when it shall commit.
DEBT = (
    "CREATE TABLE paid (id INTEGER PRIMARY KEY)",
    "CREATE TABLE debt (id INTEGER REFERENCES paid (id) DEFERRABLE INITIALLY DEFERRED)",
)
OWED = {
    "sqlite": (
        "CREATE TRIGGER added AFTER INSERT ON line BEGIN INSERT INTO debt VALUES (1); END",
        "CREATE TRIGGER changed AFTER UPDATE ON line BEGIN INSERT INTO debt VALUES (1); END",
    ),
    "postgresql": (
        "CREATE FUNCTION owe() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO debt VALUES (1); RETURN NULL; END'",
        "CREATE TRIGGER owes AFTER INSERT OR UPDATE ON line EXECUTE FUNCTION owe()",
    ),
}

MENDED = {
    "sqlite": ("DROP TRIGGER added", "DROP TRIGGER changed"),
    "postgresql": ("DROP TRIGGER owes ON line",),
}


def breaks(world: World) -> None:
    """From now on its store takes everything, and then does not commit."""
    with world.app.app_context(), db.engine.connect() as connection:
        for statement in (*DEBT, *OWED[connection.dialect.name]):
            connection.exec_driver_sql(statement)


def is_mended(world: World) -> None:
    """From now on it commits."""
    with world.app.app_context(), db.engine.connect() as connection:
        for statement in MENDED[connection.dialect.name]:
            connection.exec_driver_sql(statement)


@spec("COD-14", "P2", "RFC 6749 section 4.1.2")
def test_what_could_not_be_committed_was_never_given(either: World) -> None:
    either.person()
    browser, rp = either.browser(), either.rp()
    code = browser.code(rp)

    breaks(either)
    answer = rp.redeem(code, browser.verifier)
    is_mended(either)

    assert answer.status_code == 503
    assert "access_token" not in answer.json
    assert lines(either) == 0
    assert rp.redeem(code, browser.verifier).status_code == 200
    assert lines(either) == 1


@spec("COD-14", "REV-04", "CVE-2020-15223", "RFC 7009 section 2.2.1")
@pytest.mark.parametrize("path", ["/revoke", "/token"])
def test_a_store_that_fails_is_never_said_to_have_done_it(either: World, path: str) -> None:
    either.person()
    rp = either.rp()
    token = either.browser().tokens(rp)["refresh_token"]

    breaks(either)
    answer = rp.post(path, token=token, grant_type="refresh_token", refresh_token=token)
    is_mended(either)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert rp.refresh(token).status_code == 200


def lines(world: World) -> int:
    """How many lines there are."""
    with world.app.app_context():
        return db.session.scalars(select(func.count()).select_from(Line)).one()


@spec("COD-06", "COD-07", "CVE-2026-16089", "CVE-2026-27840")
def test_a_code_cannot_be_put_together_from_others(house: World) -> None:
    browser, rp = house.browser(), house.rp()
    one, two = browser.code(rp), browser.code(rp)
    mixed = [one[:20] + two[20:], two[:3] + one[3:-1] + two[-1], one + two, one[3:]]

    answers = [rp.redeem(code, browser.verifier).json["error"] for code in mixed]

    assert answers == ["invalid_grant"] * 4
    assert rp.redeem(two, browser.verifier).status_code == 200


@spec("RFT-11", "COD-09")
def test_a_client_without_the_refresh_grant_gets_no_refresh_token(house: World) -> None:
    rp = house.rp(grant_types=["authorization_code"])
    given = house.browser().tokens(rp)

    assert "refresh_token" not in given
    assert Rp(house, rp.client_id, rp.secret, CALLBACK).refresh("rt_x").status_code == 400
