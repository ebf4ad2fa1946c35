"""Request objects at an address of the client's own (RFC 9101 section 5.2)."""

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from idp.store import db
from tests.conformance.listener import Listener, listener
from tests.support.signer import Signer, signing
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world, returned

SIGNER = Signer()


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    with listener(tmp_path_factory.mktemp("suite")) as made:
        yield made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, suite: Listener) -> Iterator[World]:
    """A provider that may reach a client's server on loopback."""
    made = make_world(
        tmp_path_factory.mktemp("jar"),
        IDP_OUTBOUND__ALLOWED=suite.place,
        IDP_OUTBOUND__CA_BUNDLE=str(suite.bundle),
    )
    made.person()
    made.api(**{"notes:read": "Read your notes"})
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def by_reference(house: World, rp: Rp, uri: str, method: str = "GET") -> TestResponse:
    """The browser brings the address of a request object."""
    browser, form = house.browser(), {"client_id": rp.client_id, "request_uri": uri}
    kind = {"query_string": form} if method == "GET" else {"data": form}
    return browser.follow(browser.http.open("/authorize", method=method, **kind))


@spec("JAR-04", "RFC 9101 section 5.2", "OpenID Connect Core section 6.2")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_is_fetched_from_where_it_was_registered(
    house: World, suite: Listener, method: str
) -> None:
    uri = f"{suite.url}/{method}?of=us#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"
    rp = signing(house, SIGNER, request_uris=[uri])
    suite.documents[f"/{method}"] = SIGNER.request(house, rp.client_id, exp=None) + "\n"

    answer = returned(by_reference(house, rp, uri, method))

    assert answer["state"] == "inside"


@spec("JAR-04", "SSR-01", "CVE-2020-10770", "RFC 9101 section 10.4")
def test_nothing_is_fetched_that_was_not_registered(house: World, suite: Listener) -> None:
    uri = f"{suite.url}/object"
    plain, rp = signing(house, SIGNER), signing(house, SIGNER, request_uris=[uri])
    suite.documents["/object"] = SIGNER.request(house, rp.client_id)
    before = len(suite.fetched)

    wrong = ["?a=b", "#hash", "/", "/../object", "%2f"]
    answers = [by_reference(house, rp, uri + tail) for tail in wrong]
    answers.append(by_reference(house, plain, uri))
    pushed = house.http().post("/par", data={"request_uri": uri}, **rp.auth())

    assert {answer.status_code for answer in answers} == {400}
    assert all("invalid_request_uri" in answer.text for answer in answers)
    assert (pushed.status_code, pushed.json["error"]) == (400, "invalid_request")
    assert len(suite.fetched) == before


@spec("JAR-04", "SSR-05", "SSR-07")
@pytest.mark.parametrize("there", ["", "{}", "x" * 20_000, "h\u00e9.l.o"])
def test_whatever_else_is_there_is_refused(house: World, suite: Listener, there: str) -> None:
    uri = f"{suite.url}/odd"
    rp = signing(house, SIGNER, request_uris=[uri])
    suite.documents["/odd"] = there

    answer = by_reference(house, rp, uri)

    assert answer.status_code == 400
    assert "Location" not in answer.headers
