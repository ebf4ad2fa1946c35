"""What is fuzzed: each reader by its name, with honest input to begin from."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from idp.crypto import dpop, jwe
from tests.fuzz import readers
from tests.support import certified
from tests.support.payments import PAYMENT

HOLDER = jwe.Holder("e", readers.OPENS)
PAIR = certified.certificate()
PROOF = readers.PROVER.proof("POST", readers.URL, readers.NOW, ath=dpop.ath("t"))


@dataclass(frozen=True)
class Target:
    """What is tried, and honest input to begin from."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


TARGETS = {
    "redirect_uri": Target(readers.redirect_uri, tuple(uri.encode() for uri in readers.REGISTERED)),
    "jwt": Target(readers.jwt, (readers.SIGNED.encode(), b"eyJhbGciOiJub25lIn0.e30.")),
    "claims": Target(readers.claims, (b'{"aud":["a"],"exp":1767225700,"nbf":1.5}',)),
    "encrypted": Target(
        readers.encrypted,
        (
            jwe.encrypt(
                readers.SIGNED, jwe.Holder("e", readers.OPENS), "RSA-OAEP-256", "A128GCM"
            ).encode(),
        ),
    ),
    "dpop_proof": Target(readers.dpop_proof, (PROOF.encode(),)),
    "dpop_claims": Target(
        readers.dpop_claims,
        (b'{"jti":"1","htm":"POST","htu":"https://op.test/token","iat":1767225600}',),
    ),
    "authorization": Target(readers.authorization, (b"Basic YTpi", b"Basic YSUzQTpi", b"Bearer x")),
    "client_assertion": Target(readers.client_assertion, (readers.SIGNED.encode(),)),
    "claims_parameter": Target(
        readers.claims_parameter,
        (
            b'{"userinfo":{"name":{"essential":true},"email":null}}',
            b'{"id_token":{"acr":{"values":["pwd"],"essential":true},"sub":{"value":"x"}}}',
        ),
    ),
    "authorization_details": Target(
        readers.authorization_details,
        (json.dumps([PAYMENT]).encode(), b'[{"type":"account_information"}]'),
    ),
    "request_object": Target(
        readers.request_object,
        (
            b'{"iss":"c","client_id":"c","aud":"https://op.test","exp":1767225700,"state":"s",'
            b'"claims":{"userinfo":null},"resource":["https://a.test"],"max_age":1}',
        ),
    ),
    "metadata": Target(
        readers.metadata,
        (
            b'{"redirect_uris":["https://rp.test/cb"],"client_name":"A","client_name#de":"B"}',
            b'{"redirect_uris":["https://a.test/"],"jwks":{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}}',
            b'{"grant_types":["client_credentials"],"token_endpoint_auth_method":"none"}',
        ),
    ),
    "subject": Target(
        readers.subject,
        (
            b'{"format":"iss_sub","iss":"https://op.test","sub":"u"}',
            b'{"format":"complex","user":{"format":"opaque","id":"u"},"session":null}',
            b'{"format":"email","email":"a@b.test"}',
        ),
    ),
    "typed_code": Target(readers.typed_code, (b"BCDF-GHJK", b"bcdf ghjk")),
    "client_certificate": Target(
        readers.client_certificate,
        tuple(value.encode() for value in (*PAIR.header.values(), *PAIR.rfc9440.values())),
    ),
    "request_head": Target(
        readers.request_head, (b"POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",)
    ),
}
