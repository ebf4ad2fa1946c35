"""One provider for each file, and a person who has every standard claim."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from certify import hooks
from certify.people import PEOPLE
from idp.store import db
from tests.conformance.asking import Asking
from tests.conformance.fapi_api import Api, api_of
from tests.conformance.fapi_party import Fapi
from tests.conformance.listener import Listener, listener
from tests.conformance.marks import runs
from tests.conformance.party import RelyingParty
from tests.conformance.plans import Variant
from tests.conformance.receiver import Receiver
from tests.conformance.registration import unregister
from tests.support.certified import MTLS
from tests.support.world import World, make_world

EVERY_CLAIM = PEOPLE["foo"]
SETTINGS = {
    "IDP_REGISTRATION__TOKEN_ENDPOINT_AUDIENCE": "true",
    "IDP_REGISTRATION__QUOTA": "100000",
    "IDP_THROTTLE__SIGN_INS": "100000",
    "IDP_LEGACY_RESPONSE_TYPES": "true",
    **MTLS,
}

Registers = Callable[..., RelyingParty]
Plays = Callable[..., Fapi]
Calls = Callable[..., Asking]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test runs once for each variant of the plans its module stands in: in the first of them
    whenever anything is checked, in the others with the full suite.
    """
    if "variant" not in metafunc.fixturenames:
        return
    found = list(runs(metafunc.definition.iter_markers("module"))) or [("any", Variant())]
    metafunc.parametrize(
        "variant",
        [
            pytest.param(variant, id=f"{plan}-{variant}", marks=[pytest.mark.slow] * (number > 0))
            for number, (plan, variant) in enumerate(found)
        ],
    )


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def database(request: pytest.FixtureRequest) -> str:
    """Where the provider of a file keeps what it knows."""
    on_postgres = request.param == "postgresql"
    return request.getfixturevalue("postgres").fresh() if on_postgres else ""


@pytest.fixture(scope="session")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """The suite's own server, for the whole run."""
    with listener(tmp_path_factory.mktemp("suite")) as made:
        yield made


@pytest.fixture
def suite(listening: Listener) -> Listener:
    """The same, which has heard and serves nothing yet."""
    listening.forgets()
    return listening


@pytest.fixture(scope="module")
def op(
    tmp_path_factory: pytest.TempPathFactory, database: str, listening: Listener
) -> Iterator[World]:
    """The provider of a file, with the switches of the certification."""
    made = make_world(
        tmp_path_factory.mktemp("conformance"),
        database,
        IDP_OUTBOUND__ALLOWED=listening.place,
        IDP_OUTBOUND__CA_BUNDLE=str(listening.bundle),
        **SETTINGS,
    )
    made.person("foo", **EVERY_CLAIM)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def registers(op: World, variant: Variant) -> Iterator[Registers]:
    """Another relying party of the variant, with metadata of its own; gone afterwards."""
    made: list[RelyingParty] = []

    def register(**metadata: Any) -> RelyingParty:
        made.append(RelyingParty(op, metadata, variant))
        return made[-1]

    yield register
    for party in made:
        if "registration_client_uri" in party.client:
            unregister(op, party.client)


@pytest.fixture
def rp(registers: Registers) -> RelyingParty:
    """A relying party of the variant at hand."""
    return registers()


@pytest.fixture(scope="module")
def api(op: World) -> Iterator[Api]:
    """The API of the FAPI 2.0 modules."""
    with api_of(op) as made:
        yield made


@pytest.fixture
def plays(op: World, api: Api, variant: Variant) -> Plays:
    """A client of a FAPI 2.0 module, with metadata of its own."""

    def play(number: int = 1, **metadata: Any) -> Fapi:
        return Fapi(op, metadata, variant, api=api, number=number)

    return play


@pytest.fixture
def one(plays: Plays) -> Fapi:
    """Client 1 of a FAPI 2.0 module."""
    return plays()


@pytest.fixture
def two(plays: Plays) -> Fapi:
    """Client 2: other keys, another certificate, an address with a query."""
    return plays(2)


@pytest.fixture
def receiver(op: World, suite: Listener, variant: Variant) -> Receiver:
    """A receiver of events of the variant at hand, without a stream yet."""
    return Receiver.of(op, suite, variant)


@pytest.fixture(scope="module")
def ciba_op(
    tmp_path_factory: pytest.TempPathFactory, database: str, listening: Listener
) -> Iterator[World]:
    """Behind a proxy that asks for certificates, with the doors of a certification run."""
    made = make_world(
        tmp_path_factory.mktemp("ciba"),
        database,
        IDP_OUTBOUND__ALLOWED=listening.place,
        IDP_OUTBOUND__CA_BUNDLE=str(listening.bundle),
        **SETTINGS,
    )
    hooks.mount(made.app)
    made.person("foo", **EVERY_CLAIM)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def calls(ciba_op: World, variant: Variant, suite: Listener) -> Calls:
    """A client of FAPI-CIBA of the variant at hand, the suite's first or second."""

    def made(number: int = 1, **metadata: Any) -> Asking:
        return Asking(ciba_op, variant, suite, number, metadata)

    return made


@pytest.fixture
def caller(calls: Calls) -> Asking:
    """The first."""
    return calls()
