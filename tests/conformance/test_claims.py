"""The modules about userinfo and claims: one test for each (conformance B.1)."""

import pytest

from tests.conformance.checks import SCOPES, STANDARD
from tests.conformance.conftest import EVERY_CLAIM
from tests.conformance.marks import module
from tests.conformance.party import RelyingParty
from tests.support.spec import spec


@module("oidcc-userinfo-get")
@spec("R-UI-1", "R-UI-2")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_userinfo_get(rp: RelyingParty, scheme: str) -> None:
    given, said = rp.signs_in()

    answer = rp.userinfo(given["access_token"], scheme=scheme)

    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.json["sub"] == said["sub"]


@module("oidcc-userinfo-post-header")
@spec("R-UI-1")
def test_userinfo_post_header(rp: RelyingParty) -> None:
    given, said = rp.signs_in()

    answer = rp.userinfo(given["access_token"], "POST")

    assert answer.status_code == 200
    assert answer.json["sub"] == said["sub"]


@module("oidcc-userinfo-post-body")
@spec("R-UI-1")
def test_userinfo_post_body(rp: RelyingParty) -> None:
    given, said = rp.signs_in()

    form = {"access_token": given["access_token"]}
    answer = rp.world.http().post(rp.at("userinfo_endpoint"), data=form)

    assert answer.status_code == 200
    assert answer.json["sub"] == said["sub"]


@module("oidcc-scope-profile")
@module("oidcc-scope-email")
@module("oidcc-scope-address")
@module("oidcc-scope-phone")
@module("oidcc-scope-all")
@spec("R-ID-5")
@pytest.mark.parametrize("asked", [*SCOPES, " ".join(SCOPES)])
def test_scope(rp: RelyingParty, asked: str) -> None:
    given, identity = rp.signs_in(scope=f"openid {asked}")

    said = rp.told(given, identity)

    wanted = set[str]().union(*(SCOPES[scope] for scope in asked.split()))
    assert wanted <= set(said)
    assert not (STANDARD - wanted) & set(said)
    for name in wanted - {"updated_at"}:
        assert said[name] == EVERY_CLAIM[name]
    assert ("updated_at" in wanted) == ("updated_at" in said)


@module("oidcc-claims-essential")
def test_claims_essential(rp: RelyingParty) -> None:
    """In userinfo, and not in the ID token; where there is only that, it is asked for there."""
    where = "id_token" if rp.variant.response_type == "id_token" else "userinfo"

    given, said = rp.signs_in(claims=f'{{"{where}":{{"name":{{"essential":true}}}}}}')

    assert rp.told(given, said)["name"] == "Jane Middle Doe"
    assert ("name" in said) == (where == "id_token")
