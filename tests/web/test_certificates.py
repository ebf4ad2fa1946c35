"""Who may say which certificate a client has shown: our proxies, and nobody else (EDG-02)."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from idp.settings import SettingsRefused, load
from idp.store import db
from tests.support.certified import MTLS, Certified, certificate
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

OURS = certificate()
NETWORKS = {"IDP_MTLS__NETWORKS": "127.0.0.1/32, 2001:db8::/64"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    behind = NETWORKS | {"IDP_SERVER__TRUSTED_PROXIES": "1"}
    yield from closing(make_world(tmp_path_factory.mktemp("mtls"), **MTLS, **behind))


def closing(made: World) -> Iterator[World]:
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def robot(world: World) -> Certified:
    """Somebody whose certificate is all they have."""
    return Certified.of(robot_of(world), OURS)


def robot_of(world: World) -> Rp:
    return world.machine(
        grant_types=["client_credentials"],
        token_endpoint_auth_method="self_signed_tls_client_auth",
        jwks={"keys": [OURS.jwk()]},
    )


def sends(robot: Rp, headers: dict[str, str], peer: str = "127.0.0.1", **more: str) -> int:
    form = {"grant_type": "client_credentials", "client_id": robot.client_id}
    environ = {"REMOTE_ADDR": peer} | more
    answer: TestResponse = robot.world.http().post(
        "/token", data=form, headers=headers, environ_overrides=environ
    )
    return answer.status_code


@spec("RFC 9440 section 2.1", "RFC 8705 section 2")
def test_a_proxy_of_ours_hands_a_certificate_on_in_either_spelling(robot: Certified) -> None:
    assert sends(robot, OURS.header) == 200
    assert sends(robot, OURS.rfc9440) == 200
    assert sends(robot, OURS.header, "::ffff:127.0.0.1") == 200
    assert sends(robot, OURS.header, "2001:db8::7") == 200


@spec("EDG-02", "CVE-2026-40575", "CVE-2026-41059", "CVE-2025-54576")
@pytest.mark.parametrize(
    "peer", ["192.0.2.1", "10.0.0.1", "127.0.0.2", "2001:db8:1::1", "", "unix:", "localhost"]
)
def test_from_anybody_else_the_header_is_just_what_they_say(robot: Certified, peer: str) -> None:
    assert sends(robot, OURS.header, peer) == 401
    assert sends(robot, OURS.rfc9440, peer) == 401


@spec("EDG-02", "PWD-11", "CVE-2023-36456")
def test_nobody_becomes_a_proxy_of_ours_by_saying_so(robot: Certified) -> None:
    forged = OURS.header | {
        "X-Forwarded-For": "127.0.0.1",
        "Forwarded": "for=127.0.0.1",
        "X-Real-IP": "127.0.0.1",
    }

    assert sends(robot, forged, "192.0.2.1") == 401
    assert sends(robot, OURS.header | {"X-Forwarded-For": "192.0.2.1"}) == 200


@spec("EDG-02", "CVE-2025-64484")
def test_other_headers_and_variables_are_not_believed(robot: Certified) -> None:
    pem = OURS.header["Client-Cert"]

    for name in (
        "X-Client-Cert",
        "X-SSL-Client-Cert",
        "SSL-Client-Cert",
        "X-Forwarded-Client-Cert",
    ):
        assert sends(robot, {name: pem}) == 401
    assert sends(robot, {}, SSL_CLIENT_CERT=OURS.pem) == 401
    assert sends(robot, {"Idp.Certificate": pem, "Idp-Certificate": pem}) == 401


@spec("RFC 9440 section 2.1", "CVE-2025-64484")
@pytest.mark.parametrize("kind", ["two", "joined", "nothing", "text", "huge", "another", "nul"])
def test_what_cannot_be_read_or_came_twice_is_no_certificate(robot: Certified, kind: str) -> None:
    pem, whole = OURS.pem, OURS.header["Client-Cert"]
    said = {
        "two": quote(pem + pem),
        "joined": f"{whole},{whole}",
        "nothing": "",
        "text": "-----BEGIN CERTIFICATE-----",
        "huge": "A" * 60_000,
        "another": quote(pem.replace("CERTIFICATE", "PUBLIC KEY")),
        "nul": ":AA==:",
    }[kind]

    assert sends(robot, {"Client-Cert": said}) == 401


@spec("RFC 8705 section 6.5")
def test_the_servers_own_tls_is_asked_where_an_operator_says_so(tmp_path: Path) -> None:
    for world in closing(make_world(tmp_path, IDP_MTLS__SOURCE="server")):
        robot = robot_of(world)

        from_server = sends(robot, {}, SSL_CLIENT_CERT=ssl.DER_cert_to_PEM_cert(OURS.der))
        by_header = sends(robot, OURS.header)

        assert (from_server, by_header) == (200, 401)
        assert sends(robot, {"SSL-Client-Cert": OURS.header["Client-Cert"]}) == 401


@spec("P5")
def test_where_nobody_hands_them_on_there_are_no_certificates(tmp_path: Path) -> None:
    for world in closing(make_world(tmp_path)):
        robot = robot_of(world)
        said = world.http().get("/.well-known/openid-configuration").json

        assert sends(robot, OURS.header) == 401
        assert sends(robot, {}, SSL_CLIENT_CERT=OURS.pem) == 401
        assert not [name for name in said if "tls" in name]
        assert not [m for m in said["token_endpoint_auth_methods_supported"] if "tls" in m]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SOURCE": "proxy", "HEADER": "client_cert"}, "header"),
        ({"SOURCE": "proxy", "NETWORKS": "everybody"}, "networks"),
        ({"SOURCE": "proxy", "NETWORKS": "10.0.0.0/8, 0.0.0.0/0"}, "everybody would be believed"),
        ({"SOURCE": "proxy", "NETWORKS": "::/0"}, "everybody would be believed"),
        ({"SOURCE": "proxy", "ORIGIN": "http://mtls.test"}, "origin"),
        ({"ORIGIN": "https://mtls.test"}, "say where certificates come from"),
        ({"SOURCE": "proxy", "CA_BUNDLE": "nowhere.pem"}, "cannot be read"),
        ({"SOURCE": "proxy", "CA_BUNDLE": "pyproject.toml"}, "no certificate"),
        ({"SOURCE": "magic"}, "source"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, str], words: str) -> None:
    environ = {f"IDP_MTLS__{name}": value for name, value in settings.items()}

    with pytest.raises(SettingsRefused, match=words):
        load(environ=environ)
