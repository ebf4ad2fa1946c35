"""What reads what strangers send, from bytes.

Each hands the bytes on as text, as the web floor would, and lets through only the one
exception that is meant to be raised. Whatever else comes out of it is a finding.
"""

import contextlib
import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from joserfc.jwk import ECKey, RSAKey

from certify.front import Malformed, read_head
from idp.crypto import certificate, compact, dpop, jose, jwe
from idp.domain import subjects, user_code
from idp.domain.authorization_details import described
from idp.domain.client_view import ClientView
from idp.domain.metadata import InvalidMetadata, checked
from idp.protocol import authorization_details as details
from idp.protocol.authorize import objects
from idp.protocol.authorize.at import At
from idp.protocol.authorize.checks import channel, person
from idp.protocol.authorize.draft import Draft
from idp.protocol.client_auth import assertion, secret
from idp.protocol.errors import OAuth2Error
from idp.protocol.messages import OAuthRequest, Parameters
from tests.support.payments import PAYMENTS, TYPES
from tests.support.prover import Prover

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://op.test/token"
SIGNS = ECKey.generate_key("P-256", {"kid": "k"})
OPENS = RSAKey.generate_key(2048, {"kid": "e"})
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]):[0-9]{1,5}/cb")
REGISTERED = (
    "https://rp.test/cb",
    "https://rp.test/cb?a=b",
    "com.example.app:/cb",
    "http://127.0.0.1/cb",
    "http://[::1]:9/cb",
)


def redirect_uri(data: bytes) -> None:
    """Only what is registered, and a native app's loopback address with another port."""
    said = _text(data)
    if channel.matches(said, _CLIENT):
        assert said in REGISTERED or LOOPBACK.fullmatch(said), said


def jwt(data: bytes) -> None:
    """A token is verified, or it is `Unverifiable`; one nobody signed is never verified."""
    said = _text(data)
    verifier = jose.Verifier("k", "ES256", SIGNS)
    for read in (jose.header_of, jose.claims_of):
        with contextlib.suppress(jose.Unverifiable):
            read(said)
    with contextlib.suppress(jose.Unverifiable):
        claims = jose.verify(said, [verifier], jose.OUR_ALGORITHMS)
        assert said == SIGNED or jose.claims_of(said) == claims
        jose.check_times(claims, NOW)


def claims(data: bytes) -> None:
    """Whatever is signed: its times and audiences are judged, not stumbled over."""
    with contextlib.suppress(jose.Unverifiable):
        read = compact.json_object(data)
        jose.audiences(read)
        jose.check_times(read, NOW)


def encrypted(data: bytes) -> None:
    """An encrypted token is opened, or it is `Unverifiable`."""
    with contextlib.suppress(jose.Unverifiable):
        jwe.decrypt(_text(data), [jwe.Holder("e", OPENS)])


def dpop_proof(data: bytes) -> None:
    """A proof is good, or it is an `InvalidProof`."""
    with contextlib.suppress(dpop.InvalidProof):
        dpop.check([_text(data)], method="POST", url=URL, now=NOW, token="t")


def dpop_claims(data: bytes) -> None:
    """The same with a signature that holds, over claims of any shape."""
    with contextlib.suppress(dpop.InvalidProof, ValueError, RecursionError):
        said = json.loads(data)
        if isinstance(said, dict):
            header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": PROVER.key.as_dict(private=False)}
            proof = PROVER.signed(header, said)
            dpop.check([proof], method="POST", url=URL, now=NOW, token="t")


def authorization(data: bytes) -> None:
    """Credentials in the header, or an error the client is told."""
    headers = {"authorization": [_text(data)]}
    with contextlib.suppress(OAuth2Error):
        list(secret.presented(OAuthRequest(method="POST", url=URL, now=NOW, headers=headers)))


def client_assertion(data: bytes) -> None:
    """An assertion says whose it is, or is refused."""
    pairs = (("client_assertion_type", assertion.TYPE), ("client_assertion", _text(data)))
    body = Parameters(pairs=pairs)
    with contextlib.suppress(OAuth2Error):
        list(assertion.presented(OAuthRequest(method="POST", url=URL, now=NOW, body=body)))


def claims_parameter(data: bytes) -> None:
    """The claims parameter is read or refused; what is kept can be kept as JSON."""
    query = Parameters(pairs=(("claims", _text(data)),))
    asked = OAuthRequest(method="GET", url=URL, now=NOW, query=query)
    draft = Draft(
        client=_CLIENT, redirect_uri=REGISTERED[0], redirect_uri_sent=True, scopes=("openid",)
    )
    with contextlib.suppress(OAuth2Error):
        read = person.claims(draft, asked, None)  # type: ignore[arg-type]
        json.dumps(read.parked())


def metadata(data: bytes) -> None:
    """A registration is kept, or it is `InvalidMetadata`; what is kept can be kept again."""
    with contextlib.suppress(InvalidMetadata, ValueError, RecursionError):
        said = json.loads(data)
        if isinstance(said, dict):
            _register(said)


def _register(said: dict[str, object]) -> None:
    try:
        kept = checked(said, loopback=False)
    except InvalidMetadata:
        return
    except ValueError as error:
        raise AssertionError(f"ValueError from metadata: {error}") from error
    assert checked(kept, loopback=False) == kept
    json.dumps(kept)


def authorization_details(data: bytes) -> None:
    """Details are read or refused; what is kept can be kept as JSON, and every value is shown."""
    with contextlib.suppress(OAuth2Error):
        asked = details.read(_text(data), _CLIENT, _OP)
        json.dumps(asked)
        for detail in asked:
            shown = _TYPES[detail["type"]].shown(detail)
            assert all(isinstance(value, str) and value.isprintable() for _, value in shown)


def request_object(data: bytes) -> None:
    """Whatever is signed: it is refused, or it is parameters, and none of them a request again."""
    with contextlib.suppress(OAuth2Error, ValueError, RecursionError):
        said = json.loads(data)
        if isinstance(said, dict):
            token = jose.sign(jose.Signer("k", "ES256", SIGNS), said, typ="oauth-authz-req+jwt")
            body = Parameters(pairs=(("client_id", "c"), ("request", token)))
            asked = OAuthRequest(method="POST", url=URL, now=NOW, body=body)
            inside = objects.unpacked(asked, _OP, At.PAR).parameters
            assert {"request", "request_uri"}.isdisjoint(inside.as_dict())
            assert all(isinstance(value, str) for _, value in inside.pairs)


def subject(data: bytes) -> None:
    """Whom an event is about is read, or it is `NoSubject`."""
    with contextlib.suppress(ValueError, RecursionError):
        _same_subject(json.loads(data))


def _same_subject(said: object) -> None:
    with contextlib.suppress(subjects.NoSubject):
        read = subjects.read(said)
        assert subjects.key(read) == subjects.key(subjects.read(json.loads(json.dumps(read))))


def typed_code(data: bytes) -> None:
    """A user code is what is meant by it, or nothing."""
    read = user_code.read(_text(data))
    assert read is None or user_code.read(user_code.shown(read)) == read


def client_certificate(data: bytes) -> None:
    """A certificate in a header is read, or it is `Unreadable`."""
    with contextlib.suppress(certificate.Unreadable):
        certificate.from_text(_text(data))


def request_head(data: bytes) -> None:
    """The front hands on one request with our certificate header and nobody else's."""
    with contextlib.suppress(Malformed):
        head = read_head(data, [(b"Client-Cert", b":b3Vycw==:")])
        names = [line.partition(b":")[0].lower() for line in head.lines.split(b"\r\n")[1:]]
        assert [n.replace(b"_", b"-") for n in names].count(b"client-cert") == 1
        assert head.lines.count(b"\r\n\r\n") == 1


def _text(data: bytes) -> str:
    """As the web server hands on what is not ASCII."""
    return data.decode("utf-8", "replace")


_CLIENT = ClientView(
    client_id="c",
    version=1,
    details={
        "redirect_uris": list(REGISTERED),
        "application_type": "native",
        "token_endpoint_auth_method": "none",
    },
    policies=(),
    serves=frozenset(),
    trusted=False,
    dynamic=True,
    enabled=True,
    secrets=(),
)
_TYPES = {name: described(name, about, PAYMENTS) for name, about in TYPES.items()}
_OP: Any = SimpleNamespace(
    rules=SimpleNamespace(issuer="https://op.test"),
    resources=SimpleNamespace(detail_types=lambda: _TYPES),
    clients=SimpleNamespace(
        find=lambda _name: _CLIENT,
        documents=None,
        keys=SimpleNamespace(of=lambda *_: (jose.Verifier("k", "ES256", SIGNS),)),
    ),
)
PROVER = Prover()
SIGNED = jose.sign(
    jose.Signer("k", "ES256", SIGNS), {"iss": "i", "aud": "a", "exp": 1767225700}, typ="JWT"
)
