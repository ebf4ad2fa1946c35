"""`make certify-op`: a code flow over https with its authority, and a call with a certificate."""

import base64
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from certify.people import PASSWORD
from tests.conformance.listener import Listener, listener
from tests.conformance.pages import forms
from tests.support.services import free_port
from tests.support.spec import spec

pytestmark = pytest.mark.journey
ROOT = Path(__file__).parents[2]
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
INTERACTION = "c770aef3-6784-41f7-8e0e-ff5f97bddb3a"


@dataclass(frozen=True)
class Certified:
    """A running provider, as the suite sees it."""

    folder: Path
    issuer: str
    mtls: str

    def trusting(self, client: str = "") -> ssl.SSLContext:
        """Trust its authority only; bring a certificate if a client is named."""
        tls = ssl.create_default_context(cafile=str(self.folder / "tls" / "ca.pem"))
        if client:
            tls.load_cert_chain(
                self.folder / "tls" / f"{client}.pem", self.folder / "tls" / f"{client}.key"
            )
        return tls

    def told(self, name: str) -> dict[str, Any]:
        """What the suite is told for a plan."""
        found: dict[str, Any] = json.loads((self.folder / "suite" / f"{name}.json").read_text())
        return found


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """The suite's own server, on a private address and with an authority of its own."""
    with listener(tmp_path_factory.mktemp("suite")) as made:
        yield made


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory, suite: Listener) -> Iterator[Certified]:
    folder = tmp_path_factory.mktemp("run") / "certify"
    ports = [free_port() for _ in range(3)]
    names = ("CERTIFY_PORT", "CERTIFY_MTLS_PORT", "CERTIFY_INNER_PORT")
    environ = dict(zip(names, map(str, ports), strict=True)) | {
        "CERTIFY_DIR": str(folder),
        "CERTIFY_HOST": suite.place,
        "CERTIFY_CA": str(suite.bundle),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "certify"],
        cwd=ROOT,
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Ctrl-C"):
            break
    made = Certified(folder, f"https://localhost:{ports[0]}", f"https://localhost:{ports[1]}")
    yield made
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_a_code_flow_over_https_with_the_static_client(
    certified: Certified, suite: Listener
) -> None:
    client = certified.told("openid-static")["client"]
    callback = f"{suite.url}/test/a/idp/callback"
    asked = {
        "client_id": client["client_id"],
        "redirect_uri": callback,
        "response_type": "code",
        "scope": "openid email",
        "state": secrets.token_urlsafe(750),
        "nonce": secrets.token_urlsafe(),
    }

    with httpx.Client(base_url=certified.issuer, verify=certified.trusting()) as http:
        page = http.get("/authorize", params=asked, follow_redirects=True)
        typed = {"username": "foo", "password": PASSWORD}
        page = pressed(http, page, "login-submit", **typed)
        back = pressed(http, page, "consent-allow")
        said = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
        form = {"grant_type": "authorization_code", "code": said["code"], "redirect_uri": callback}
        auth = (client["client_id"], client["client_secret"])
        given = http.post("/token", data=form, auth=auth).json()
        bearer = {"Authorization": f"Bearer {given['access_token']}"}
        told = http.get("/userinfo", headers=bearer).json()
        seen = http.get("/resource", headers=bearer | {"x-fapi-interaction-id": INTERACTION})

    assert back.headers["Location"].startswith(callback)
    assert (said["state"], said["iss"]) == (asked["state"], certified.issuer)
    assert told["email"] == "foo@example.com"
    assert seen.json()["sub"] == told["sub"]
    assert seen.headers["x-fapi-interaction-id"] == INTERACTION
    assert seen.headers["Date"]


def pressed(http: httpx.Client, page: httpx.Response, button: str, **typed: str) -> httpx.Response:
    """Press a button, and go on until a page is shown or somebody else is meant."""
    [form] = [form for form in forms(page) if button in form.buttons]
    name, value = form.buttons[button]
    sent = form.fields | typed | ({name: value} if name else {})
    page = http.post(form.action, data=sent)
    while page.headers.get("Location", "").startswith("/"):
        page = http.get(page.headers["Location"])
    return page


def test_keys_are_fetched_from_the_suite_which_has_a_private_address(
    certified: Certified, suite: Listener
) -> None:
    key = RSAKey.generate_key(2048, {"kid": "s", "use": "sig", "alg": "RS256"})
    suite.documents["/client1_jwks"] = suite.keys(key)
    wish = {
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": f"{suite.url}/client1_jwks",
    }
    with httpx.Client(base_url=certified.issuer, verify=certified.trusting()) as http:
        client_id = http.post("/register", json=wish).json()["client_id"]
        now = int(time.time())
        said = {"iss": client_id, "sub": client_id, "aud": certified.issuer, "jti": "1"}
        signed = jwt.encode({"alg": "RS256", "kid": "s"}, said | {"iat": now, "exp": now + 60}, key)
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form = {"client_assertion": signed, "client_assertion_type": kind}
        answer = http.post("/token", data=form | {"grant_type": "client_credentials"})

    assert suite.fetched == ["/client1_jwks"]
    assert answer.status_code == 200, answer.text


@spec("RFC 8705 section 2.1", "RFC 8705 section 3")
def test_a_certificate_is_all_a_client_needs(certified: Certified) -> None:
    named = {"client_id": certified.told("certificate")["client"]["client_id"]}
    with httpx.Client(verify=certified.trusting("client")) as http:
        document = http.get(f"{certified.issuer}/.well-known/openid-configuration").json()
        token_endpoint = document["mtls_endpoint_aliases"]["token_endpoint"]
        form = named | {"grant_type": "client_credentials"}
        given = http.post(token_endpoint, data=form)
        elsewhere = http.post(document["token_endpoint"], data=form)
    with httpx.Client(verify=certified.trusting("client2")) as http:
        other = http.post(token_endpoint, data=form)

    assert token_endpoint == f"{certified.mtls}/token"
    assert given.status_code == 200, given.text
    assert [a.status_code for a in (elsewhere, other)] == [401, 401]


@pytest.mark.parametrize("client", ["", "client"])
def test_who_brings_no_certificate_is_answered_by_the_provider(
    certified: Certified, client: str
) -> None:
    with httpx.Client(base_url=certified.mtls, verify=certified.trusting(client)) as http:
        answer = http.post("/token", data={"grant_type": "client_credentials"})

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_a_stranger_to_the_authority_is_not_let_in(certified: Certified) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        spoken(certified, ssl.create_default_context())


@pytest.mark.parametrize("ciphers", ["ECDHE-RSA-AES128-SHA256", "AES128-GCM-SHA256"])
def test_tls_with_another_suite_than_fapis_is_refused(certified: Certified, ciphers: str) -> None:
    tls = certified.trusting()
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers(ciphers)

    with pytest.raises(ssl.SSLError):
        spoken(certified, tls)


def test_the_newest_tls_is_spoken_first_and_the_one_before_it_too(certified: Certified) -> None:
    older = certified.trusting()
    older.maximum_version = ssl.TLSVersion.TLSv1_2

    assert spoken(certified, certified.trusting()) == "TLSv1.3"
    assert spoken(certified, older) == "TLSv1.2"


def spoken(certified: Certified, tls: ssl.SSLContext) -> str | None:
    place = urlsplit(certified.issuer)
    with (
        socket.create_connection(("127.0.0.1", place.port or 0), timeout=5) as plain,
        tls.wrap_socket(plain, server_hostname="localhost") as ours,
    ):
        return ours.version()


@spec("OpenID CAEP Interoperability Profile 1.0 section 2.8")
def test_a_receiver_polls_what_the_hook_lets_happen(certified: Certified) -> None:
    told = certified.told("ssf")
    assert told["ssf"]["transmitter"]["issuer"] == certified.issuer
    client = told["client"]
    form = {"grant_type": "client_credentials"} | client
    with httpx.Client(base_url=certified.issuer, verify=certified.trusting()) as http:
        said = http.get("/.well-known/ssf-configuration").json()
        token = http.post("/token", data=form).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        wanted = [f"{CAEP}session-revoked", f"{CAEP}credential-change"]
        asked = {"events_requested": wanted, "delivery": {"method": "urn:ietf:rfc:8936"}}
        stream = http.post(said["configuration_endpoint"], json=asked, headers=bearer).json()

        http.post("/test/ssf-emit").raise_for_status()
        polled = http.post(
            stream["delivery"]["endpoint_url"], json={"returnImmediately": True}, headers=bearer
        )

    sets = [json.loads(_opened(token.split(".")[1])) for token in polled.json()["sets"].values()]
    assert sorted(name for one in sets for name in one["events"]) == sorted(wanted)


def _opened(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_every_file_for_the_suite_names_clients_that_are_there(certified: Certified) -> None:
    names = sorted(path.stem for path in (certified.folder / "suite").iterdir())

    found = {name: certified.told(name) for name in names}

    families = {name.partition("-")[0].partition(".")[0] for name in names}
    assert families == {"openid", "certificate", "fapi2", "ciba", "ssf"}
    for name, told in found.items():
        assert told["server"]["discoveryUrl"].startswith(certified.issuer)
        assert name == "openid-dynamic" or told["client"]["client_id"]


def test_a_body_in_pieces_arrives_whole(certified: Certified) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"redirect_uris":'
        yield b'["https://a.test/"]}'

    with httpx.Client(base_url=certified.issuer, verify=certified.trusting()) as http:
        kind = {"Content-Type": "application/json"}
        answer = http.post("/register", content=pieces(), headers=kind)

    assert answer.status_code == 201, answer.text


def test_hooks_rotate_keys_and_begin_anew(certified: Certified) -> None:
    with httpx.Client(base_url=certified.issuer, verify=certified.trusting()) as http:
        before = {key["kid"] for key in http.get("/jwks.json").json()["keys"]}
        assert (
            http.post("/register", json={"redirect_uris": ["https://a.test/"]}).status_code == 201
        )

        rotated = http.post("/test/rotate-keys")
        gone = http.post("/test/reset")

        after = {key["kid"] for key in http.get("/jwks.json").json()["keys"]}
    assert rotated.status_code == 200
    assert gone.json()["clients_removed"] >= 1
    assert before < after
