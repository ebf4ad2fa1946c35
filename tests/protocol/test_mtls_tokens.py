"""Tokens that are bound to a certificate (RFC 8705 section 3)."""

from collections.abc import Iterator
from typing import Any

import pytest

from idp.store import db
from tests.support.certified import MTLS, Certified, certificate
from tests.support.holder import Holder
from tests.support.prover import Prover
from tests.support.spec import spec
from tests.support.world import World, make_world

OURS, ANOTHER = certificate(), certificate()
BOUND = {"tls_client_certificate_bound_access_tokens": True}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("mtls"), **MTLS)
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(world: World) -> Certified:
    """A confidential client whose tokens are bound."""
    return Certified.of(world.rp(**BOUND), OURS)


def public(world: World) -> Certified:
    return Certified.of(world.rp(token_endpoint_auth_method="none", **BOUND), OURS)


def with_another(app: Certified) -> Certified:
    return Certified.of(app, ANOTHER)


def without(app: Certified) -> Certified:
    return Certified.of(app, None)


@spec("RFC 8705 section 3", "RFC 8705 section 3.1")
def test_a_bound_token_is_taken_over_a_connection_with_its_certificate(
    world: World, app: Certified
) -> None:
    given = world.browser().tokens(app)

    assert given["token_type"] == "Bearer"
    assert app.userinfo(given["access_token"]).status_code == 200
    for other in (with_another(app), without(app)):
        refused = other.userinfo(given["access_token"])
        assert refused.status_code == 401
        assert refused.json["error"] == "invalid_token"
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


@spec("RFC 8705 section 3.2", "RFC 7662 section 2.2")
def test_introspection_says_which_certificate(world: World) -> None:
    robot = Certified.of(world.machine(grant_types=["client_credentials"], **BOUND), OURS)

    token = robot.post("/token", grant_type="client_credentials").json["access_token"]

    said = robot.introspect(token)
    assert said["active"] is True
    assert said["cnf"] == {"x5t#S256": OURS.x5t}


@spec("RFC 8705 section 3", "conformance ensure-holder-of-key-required")
@pytest.mark.parametrize("grant", ["code", "refresh", "client_credentials"])
def test_without_a_certificate_nothing_is_minted_and_nothing_spent(
    world: World, app: Certified, grant: str
) -> None:
    browser = world.browser()
    if grant == "code":
        code = browser.code(app)
        form: dict[str, Any] = {"grant_type": "authorization_code", "code": code}
        form |= {"redirect_uri": app.redirect_uri, "code_verifier": browser.verifier}
    elif grant == "refresh":
        token = browser.tokens(app)["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": token}
    else:
        robot = world.machine(grant_types=["client_credentials"], **BOUND)
        app, form = Certified.of(robot, OURS), {"grant_type": "client_credentials"}

    refused = without(app).post("/token", **form)

    assert (refused.status_code, refused.json["error"]) == (400, "invalid_request")
    assert app.post("/token", **form).status_code == 200


@spec("RFC 8705 section 4", "RFT-10")
def test_the_line_of_a_public_client_follows_its_certificate(world: World) -> None:
    app = public(world)
    token = world.browser().tokens(app)["refresh_token"]

    wrong = with_another(app).refresh(token)
    right = app.refresh(token)

    assert (wrong.status_code, wrong.json["error"]) == (400, "invalid_grant")
    assert right.status_code == 200
    assert app.userinfo(right.json["access_token"]).status_code == 200


@spec("RFT-02", "RFC 8705 section 4")
def test_a_spent_token_over_another_connection_ends_the_line(world: World) -> None:
    app = public(world)
    first = world.browser().tokens(app)["refresh_token"]
    second = app.refresh(first).json["refresh_token"]

    with_another(app).refresh(first)

    assert app.refresh(second).json["error"] == "invalid_grant"


@spec("RFC 8705 section 4")
def test_a_confidential_client_may_change_its_certificate(world: World, app: Certified) -> None:
    token = world.browser().tokens(app)["refresh_token"]
    renewed = with_another(app)

    answer = renewed.refresh(token)

    assert answer.status_code == 200
    assert renewed.userinfo(answer.json["access_token"]).status_code == 200
    assert app.userinfo(answer.json["access_token"]).status_code == 401


@spec("RFC 8705 section 3", "RFC 9449 section 5")
def test_a_token_that_is_bound_twice_needs_both(world: World, app: Certified) -> None:
    phone = Prover()
    browser = world.browser()
    code = browser.code(app)
    proof = Holder.of(app, phone).proof()

    given = app.redeem(code, browser.verifier, headers={"DPoP": proof}).json

    holder = Holder.of(app, phone)
    assert given["token_type"] == "DPoP"
    assert holder.userinfo(given["access_token"]).status_code == 401
    assert app.userinfo(given["access_token"]).status_code == 401
    proof = holder.proof("GET", "/userinfo", token=given["access_token"])
    headers = OURS.header | {"DPoP": proof, "Authorization": f"DPoP {given['access_token']}"}
    assert world.http().get("/userinfo", headers=headers).status_code == 200


@spec("RFC 8705 section 5", "DPO-03")
def test_a_proof_may_name_the_endpoint_that_asks_for_certificates(world: World) -> None:
    robot = Holder.of(world.machine(grant_types=["client_credentials"]))
    now = world.clock.now

    def status(url: str) -> int:
        proof = robot.prover.proof("POST", url, now)
        return robot.post("/token", grant_type="client_credentials", proof=proof).status_code

    assert status("https://mtls.op.test/token") == 200
    assert status("https://op.test/token") == 200
    assert status("https://mtls.op.test.evil.test/token") == 400
    assert status("https://mtls.op.test/userinfo") == 400


@spec("P1", "RFC 8705 section 3")
def test_a_policy_that_binds_takes_a_certificate_for_a_key(world: World) -> None:
    api = "https://bound.test"
    with world.app.app_context():
        scopes = {"notes:read": "Read your notes"}
        world.op.resources.add(api, "Bound", scopes, ("device_bound",), world.clock.now)
        db.session.commit()
    robot = Certified.of(world.machine(grant_types=["client_credentials"], **BOUND), OURS)
    free = world.machine(grant_types=["client_credentials"])

    asked = {"grant_type": "client_credentials", "resource": api}

    assert robot.post("/token", **asked).status_code == 200
    assert free.post("/token", **asked).json["error"] == "invalid_dpop_proof"


@spec("RFC 8705 section 3.3", "RFC 8705 section 5")
def test_discovery_names_the_endpoints_that_ask_for_certificates(world: World) -> None:
    said = world.http().get("/.well-known/openid-configuration").json

    methods = said["token_endpoint_auth_methods_supported"]
    aliases = said["mtls_endpoint_aliases"]
    assert said["tls_client_certificate_bound_access_tokens"] is True
    assert "self_signed_tls_client_auth" in methods
    assert "tls_client_auth" not in methods  # nobody's word about clients counts here
    assert aliases["token_endpoint"] == "https://mtls.op.test/token"
    assert "authorization_endpoint" not in aliases
    assert all(name in said for name in aliases)
