"""Tokens with one flaw, at every door a token can be brought to."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import TestResponse

from idp.crypto import jose
from idp.crypto.secrets import new_id
from idp.protocol.logout import logout_token
from idp.store import db
from tests.support.forged import FORGERIES, Good, dumped
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Scene:
    """A provider with a person signed in at one app, and a client that signs assertions."""

    world: World
    rp: Rp
    access_token: str
    id_token: str  # of another browser: a good hint ends what it is about
    machine: Rp
    key: jose.Signer

    def ours(self, name: str) -> Good:
        """One of the provider's own tokens, with the key that signed it."""
        header, claims = _parts(getattr(self, name))
        with self.world.app.app_context():
            signer = self.world.op.keys.signer(header["alg"], self.world.clock.now)
        return Good(header, claims, signer.key)

    def assertion(self) -> Good:
        now = int(self.world.clock.now.timestamp())
        name = self.machine.client_id
        claims = {"iss": name, "sub": name, "aud": "https://op.test", "jti": new_id()}
        header = {"alg": "ES256", "kid": self.key.kid, "typ": "JWT"}
        return Good(header, claims | {"iat": now, "exp": now + 60}, self.key.key)

    def asserts(self, token: str) -> TestResponse:
        form = {"grant_type": "client_credentials", "client_assertion": token}
        return self.world.http().post(
            "/token", data=form | {"client_assertion_type": ASSERTION_TYPE}
        )

    def asks_userinfo(self, token: str) -> TestResponse:
        return self.world.http().post("/userinfo", data={"access_token": token})

    def introspects(self, token: str) -> TestResponse:
        return self.rp.post("/introspect", token=token)

    def hints(self, token: str) -> TestResponse:
        visitor = self.world.app.test_client()
        return visitor.get("/end_session", query_string={"id_token_hint": token})


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    world = make_world(tmp_path_factory.mktemp("forged"))
    world.person()
    rp = world.rp()
    key = jose.generate("ES256")
    machine = world.machine(
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.as_dict(private=False) | {"kid": "k1", "use": "sig"}]},
        grant_types=["client_credentials"],
        response_types=[],
    )
    access_token = world.browser().tokens(rp)["access_token"]
    id_token = world.browser().tokens(rp)["id_token"]
    yield Scene(world, rp, access_token, id_token, machine, jose.Signer("k1", "ES256", key))
    with world.app.app_context():
        db.session.remove()
        db.engine.dispose()


def _parts(token: str) -> list[Any]:
    """What a token says: header and claims."""
    return [
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        for part in token.split(".")[:2]
    ]


JOSE = ("JOS-01", "JOS-02", "JOS-03", "JOS-04", "JOS-05", "JOS-07", "JOS-08", "JOS-09", "JOS-10")
JOSE += ("JOS-11", "CVE-2015-9235", "CVE-2026-28802", "CVE-2024-37568", "CVE-2024-33663")
JOSE += ("CVE-2022-29217", "CVE-2017-11424", "CVE-2026-11800", "CVE-2026-27962")
JOSE += ("CVE-2025-59420", "CVE-2026-32597", "CVE-2026-48523", "CVE-2022-39227")
JOSE += ("CVE-2024-33664", "CVE-2024-28180", "CVE-2023-51774", "CVE-2026-28490")
JOSE += ("CVE-2025-61920", "CVE-2025-30204", "RFC 8725 section 3")
every = pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
Forge = Callable[[Good], str]


@spec("JOS-01")
def test_without_a_flaw_each_of_them_is_good(scene: Scene) -> None:
    userinfo = scene.asks_userinfo(scene.ours("access_token").token)
    about = scene.introspects(scene.ours("access_token").token)

    assert scene.asserts(scene.assertion().token).status_code == 200
    assert userinfo.status_code == 200
    assert about.json["active"] is True
    assert scene.hints(scene.ours("id_token").token).status_code != 400


@spec(*JOSE, "JWA-03", "CVE-2026-16093")
@every
def test_a_flawed_assertion_authenticates_nobody(scene: Scene, forge: Forge) -> None:
    answer = scene.asserts(forge(scene.assertion()))

    assert answer.status_code == 401, answer.text
    assert answer.json == {
        "error": "invalid_client",
        "error_description": "client authentication failed",
    }


@spec(*JOSE)
@every
def test_a_flawed_access_token_is_refused_at_userinfo(scene: Scene, forge: Forge) -> None:
    answer = scene.asks_userinfo(forge(scene.ours("access_token")))

    assert answer.status_code == 401, answer.text
    assert answer.json["error"] == "invalid_token"


@spec(*JOSE)
@every
def test_a_flawed_access_token_is_inactive(scene: Scene, forge: Forge) -> None:
    answer = scene.introspects(forge(scene.ours("access_token")))

    assert answer.status_code == 200, answer.text
    assert answer.json == {"active": False}


@spec(*JOSE, "LGO-02")
@every
def test_a_flawed_hint_is_refused(scene: Scene, forge: Forge) -> None:
    answer = scene.hints(forge(scene.ours("id_token")))

    assert answer.status_code == 400, answer.text
    assert "Location" not in answer.headers


@spec("JOS-10")
def test_what_is_longer_than_any_form_is_refused_at_the_edge(scene: Scene) -> None:
    for token in ("." * 100_000, scene.assertion().signed(kid="k" * 2**20)):
        assert scene.asserts(token).status_code == 413
        assert scene.asks_userinfo(token).status_code == 413


@spec("JOS-13", "CVE-2024-53861")
@pytest.mark.parametrize(
    "iss", ["https://op.test/", "https://op.test.evil", "https://op", "HTTPS://op.test", "", None]
)
def test_an_issuer_is_equal_or_another(scene: Scene, iss: str | None) -> None:
    access, hint = scene.ours("access_token"), scene.ours("id_token")

    userinfo = scene.asks_userinfo(access.saying(dumped(access.claims | {"iss": iss})))
    hinted = scene.hints(hint.saying(dumped(hint.claims | {"iss": iss})))

    assert userinfo.status_code == 401
    assert hinted.status_code == 400


@spec("JOS-13")
@pytest.mark.parametrize(
    "aud", ["https://op.test/", ["https://op.test.evil"], [["https://op.test"]]]
)
def test_an_audience_is_found_whole_or_not_at_all(scene: Scene, aud: object) -> None:
    access = scene.ours("access_token")

    answer = scene.asks_userinfo(access.saying(dumped(access.claims | {"aud": aud})))

    assert answer.status_code == 401


@spec("CLK-01")
@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "status"), [(60, 200), (61, 401), (600, 401)])
def test_a_token_from_the_future_is_refused(
    scene: Scene, name: str, ahead: int, status: int
) -> None:
    access = scene.ours("access_token")
    moment = int(scene.world.clock.now.timestamp()) + ahead

    answer = scene.asks_userinfo(access.saying(dumped(access.claims | {name: moment})))

    assert answer.status_code == status


@spec("JOS-11")
def test_a_token_taken_back_is_known_by_its_name_and_not_by_its_spelling(scene: Scene) -> None:
    scene.world.api("https://notes.test", **{"notes:read": "Read"})
    robot = scene.world.machine(grant_types=["client_credentials"], response_types=[])
    form = {"grant_type": "client_credentials", "scope": "notes:read"}
    first, other = (robot.post("/token", **form).json["access_token"] for _ in range(2))
    again = Good(*_parts(first), scene.ours("access_token").key).token
    assert again != first

    robot.post("/revoke", token=again)

    assert robot.introspect(first) == robot.introspect(again) == {"active": False}
    assert robot.introspect(other)["active"] is True


@spec("JWA-04", "COD-07", "CVE-2026-4282")
def test_a_token_of_one_kind_is_nothing_at_the_door_of_another(scene: Scene) -> None:
    access, identity, assertion = (
        scene.ours("access_token").token,
        scene.ours("id_token").token,
        scene.assertion().token,
    )
    with scene.world.app.app_context():
        told = logout_token(
            scene.world.op,
            client_id=scene.rp.client_id,
            sub="somebody",
            sid="session",
            alg="RS256",
            now=scene.world.clock.now,
        )

    assert {scene.asserts(token).status_code for token in (access, identity, told)} == {401}
    assert {scene.asks_userinfo(t).status_code for t in (identity, assertion, told)} == {401}
    assert [scene.introspects(t).json for t in (identity, assertion, told)] == [
        {"active": False}
    ] * 3
    assert {scene.hints(token).status_code for token in (access, assertion, told)} == {400}


@spec("JWA-04")
@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "logout+jwt", "oauth-authz-req+jwt", "x"])
def test_an_assertion_that_says_it_is_something_else_is_none(scene: Scene, typ: str) -> None:
    assert scene.asserts(scene.assertion().signed(typ=typ)).status_code == 401
