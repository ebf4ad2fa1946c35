"""Two doors, one provider: what machines are answered must not depend on the way they took.

A `Content-Encoding` of `identity` says nothing, and sends a request the long way, by Flask.
"""

from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from idp.web.machines import _pairs
from tests.support.spec import spec
from tests.support.world import World, make_world

LONG_WAY = {"Content-Encoding": "identity"}
VARYING = {"Date", "WWW-Authenticate", "DPoP-Nonce"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(Path(tmp_path_factory.mktemp("machines")))


def both(world: World, method: str, path: str, **sent: object) -> tuple[TestResponse, TestResponse]:
    """The short way and the long way."""
    headers = Headers(sent.pop("headers", {}))  # type: ignore[arg-type]
    short = world.http().open(path, method=method, headers=headers, **sent)  # type: ignore[arg-type]
    headers.extend(LONG_WAY)
    long = world.http().open(path, method=method, headers=headers, **sent)  # type: ignore[arg-type]
    return short, long


def told(response: TestResponse) -> tuple[int, dict[str, str], str]:
    kept = {name: value for name, value in response.headers.items() if name not in VARYING}
    return response.status_code, kept, response.text


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", "/.well-known/openid-configuration", None),
        ("GET", "/jwks.json", None),
        ("HEAD", "/jwks.json", None),
        ("OPTIONS", "/token", None),
        ("POST", "/token", {}),
        ("POST", "/token", {"grant_type": "client_credentials"}),
        ("POST", "/token", {"grant_type": ["a", "b"]}),
        ("POST", "/token?grant_type=client_credentials", {}),
        ("POST", "/introspect", {"token": "x"}),
        ("POST", "/revoke", {"token": "x", "client_id": "c"}),
        ("GET", "/userinfo", None),
        ("POST", "/userinfo", {"access_token": "x"}),
        ("GET", "/feed?after=1", None),
    ],
)
def test_both_ways_give_one_answer(
    shared: World, method: str, path: str, form: dict[str, object] | None
) -> None:
    short, long = both(shared, method, path, data=form)

    assert told(short) == told(long)


@spec("EDG-03")
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/token", b"grant_type=%00", 400),
        ("/token", b"grant_type=\0", 400),
        ("/token?a=%00", b"grant_type=x", 400),
        ("/token", b"&".join(b"a%d=1" % n for n in range(300)), 413),
        ("/token", b"a=" + b"x" * 70_000, 413),
    ],
)
def test_what_nobody_sends_is_refused_on_both_ways(
    shared: World, path: str, body: bytes, status: int
) -> None:
    kind = "application/x-www-form-urlencoded"

    short, long = both(shared, "POST", path, data=body, content_type=kind)

    assert (short.status_code, long.status_code) == (status, status)


def test_a_body_of_another_kind_is_refused(shared: World) -> None:
    short, long = both(shared, "POST", "/token", data=b"a=b", content_type="text/plain")

    assert short.status_code == long.status_code == 400
    assert short.json == long.json


def test_a_client_gets_its_token_on_both_ways(shared: World) -> None:
    client = shared.machine(grant_types=["client_credentials"], response_types=[])
    form = {"grant_type": "client_credentials"}

    short, long = both(shared, "POST", "/token", data=form, **client.auth())

    assert (short.status_code, long.status_code) == (200, 200)
    assert set(short.json or {}) == set(long.json or {}) > {"access_token"}


@given(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=80))
def test_a_form_is_read_as_the_library_reads_it(text: str) -> None:
    read = parse_qsl(text, keep_blank_values=True, errors="werkzeug.url_quote")

    assert list(_pairs(text).pairs) == read


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_what_a_form_spells_is_found_again(pairs: list[tuple[str, str]]) -> None:
    spelled = urlencode([(_sound(name), _sound(value)) for name, value in pairs])

    assert list(_pairs(spelled).pairs) == [(_sound(n), _sound(v)) for n, v in pairs]


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
