"""One provider for each file, and a person who has every standard claim."""

from collections.abc import Iterator

import pytest

from idp.store import db
from tests.support.suite import Json, Module
from tests.support.world import World, make_world

EVERY_CLAIM: Json = {
    "name": "Jane Middle Doe",
    "given_name": "Jane",
    "family_name": "Doe",
    "middle_name": "Middle",
    "nickname": "Janey",
    "preferred_username": "foo",
    "profile": "https://example.com/foo",
    "picture": "https://example.com/foo.png",
    "website": "https://example.com/",
    "gender": "female",
    "birthdate": "1990-10-31",
    "zoneinfo": "Europe/Prague",
    "locale": "en-US",
    "email": "foo@example.com",
    "email_verified": True,
    "phone_number": "+49 000 000000",
    "phone_number_verified": False,
    "address": {
        "formatted": "Long Lane 1, 1000 Somewhere, Region, Czechia",
        "street_address": "Long Lane 1",
        "locality": "Somewhere",
        "region": "Region",
        "postal_code": "1000",
        "country": "Czechia",
    },
}


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The provider of a file, with registration as in the demo."""
    made = make_world(
        tmp_path_factory.mktemp("conformance"),
        IDP_REGISTRATION__TOKEN_ENDPOINT_AUDIENCE="true",
        IDP_REGISTRATION__QUOTA="1000",
    )
    made.person("foo", **EVERY_CLAIM)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def module(op: World) -> Module:
    """A run of a module with the usual client."""
    return Module(op)
