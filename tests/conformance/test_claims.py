"""The modules about userinfo and claims: one test for each (conformance B.1)."""

import pytest

from tests.conformance.conftest import EVERY_CLAIM
from tests.support.spec import spec
from tests.support.suite import Module

SCOPES: dict[str, set[str]] = {
    "profile": {
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    },
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}


@spec("conformance oidcc-userinfo-get", "R-UI-1", "R-UI-2")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_userinfo_get(module: Module, scheme: str) -> None:
    given, said = module.signs_in()

    answer = module.world.http().get(
        "/userinfo", headers={"Authorization": f"{scheme} {given['access_token']}"}
    )

    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.json["sub"] == said["sub"]


@spec("conformance oidcc-userinfo-post-header", "R-UI-1")
def test_userinfo_post_header(module: Module) -> None:
    given, said = module.signs_in()

    answer = module.world.http().post(
        "/userinfo", headers={"Authorization": f"Bearer {given['access_token']}"}
    )

    assert answer.status_code == 200
    assert answer.json["sub"] == said["sub"]


@spec("conformance oidcc-userinfo-post-body", "R-UI-1")
def test_userinfo_post_body(module: Module) -> None:
    given, said = module.signs_in()

    answer = module.world.http().post("/userinfo", data={"access_token": given["access_token"]})

    assert answer.status_code == 200
    assert answer.json["sub"] == said["sub"]


@spec("conformance oidcc-scope-profile")
@spec("conformance oidcc-scope-email")
@spec("conformance oidcc-scope-address")
@spec("conformance oidcc-scope-phone")
@spec("conformance oidcc-scope-all", "R-ID-5")
@pytest.mark.parametrize("asked", [*SCOPES, " ".join(SCOPES)])
def test_scope(module: Module, asked: str) -> None:
    given, _ = module.signs_in(scope=f"openid {asked}")

    said = module.userinfo(given["access_token"]).json

    wanted = set().union(*(SCOPES[scope] for scope in asked.split()))
    assert set(said) == wanted | {"sub"}
    for name in wanted - {"updated_at"}:
        assert said[name] == EVERY_CLAIM[name]
    if "updated_at" in wanted:
        assert type(said["updated_at"]) is int


@spec("conformance oidcc-claims-essential")
def test_claims_essential(module: Module) -> None:
    given, said = module.signs_in(claims='{"userinfo":{"name":{"essential":true}}}')

    assert module.userinfo(given["access_token"]).json["name"] == "Jane Middle Doe"
    assert "name" not in said
