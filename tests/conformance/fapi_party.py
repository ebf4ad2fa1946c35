"""A client as the FAPI 2.0 modules play it: it pushes, signs, proves, and shows certificates."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from werkzeug.test import TestResponse

from tests.conformance import checks, jarm, registration
from tests.conformance.checks import Json
from tests.conformance.fapi_api import SCOPE, Api
from tests.conformance.party import ASSERTION, RelyingParty
from tests.support.certified import Pair, certificate
from tests.support.payments import PAYMENT
from tests.support.prover import Prover

KEYS: tuple[tuple[Key, str], ...] = (
    (RSAKey.generate_key(2048, {"kid": "client-1"}), "PS256"),
    (ECKey.generate_key("P-256", {"kid": "client-2"}), "ES256"),
)
PAIRS: tuple[Pair, ...] = (certificate("one"), certificate("two"))
DUMMIES = "?dummy1=lorem&dummy2=ipsum"


@dataclass
class Fapi(RelyingParty):
    """Client 1 or 2 of a module (conformance B.9.0)."""

    api: Api | None = None
    number: int = 1
    prover: Prover = field(default_factory=Prover)
    verifier: str = ""

    # Who it is

    @property
    def key(self) -> Key:
        return KEYS[self.number - 1][0]

    @property
    def alg(self) -> str:
        return KEYS[self.number - 1][1]

    @property
    def pair(self) -> Pair:
        return PAIRS[self.number - 1]

    @property
    def openid(self) -> bool:
        return "plain_oauth" not in self.variant.more

    @property
    def machine(self) -> bool:
        return "client_credentials" in self.variant.more

    @property
    def dpop(self) -> bool:
        return self.variant.sender_constrain == "dpop"

    @property
    def by_certificate(self) -> bool:
        return self.variant.client_auth == "mtls"

    @property
    def signs(self) -> bool:
        """Whether its requests are signed (B.10)."""
        return "signed" in self.variant.more

    @property
    def jarm(self) -> bool:
        """Whether its answers are signed (B.10)."""
        return "jarm" in self.variant.more

    @property
    def rar(self) -> bool:
        """Whether it asks for more than scopes can say (F2-9)."""
        return "rar" in self.variant.more

    @property
    def scope(self) -> str:
        return f"openid {SCOPE}" if self.openid and not self.machine else SCOPE

    def registered(self) -> Json:
        """An operator has made it, and holds it to the profile."""
        method = "self_signed_tls_client_auth" if self.by_certificate else "private_key_jwt"
        keys = [self.key.as_dict(private=False, use="sig", alg=self.alg)]
        bound = "dpop" if self.dpop else "tls_client_certificate"
        details: Json = {
            "client_name": f"FAPI {self.number}",
            "profile": "fapi2_message_signing" if self.signs and self.jarm else "fapi2",
            "require_signed_request_object": self.signs,
            "token_endpoint_auth_method": method,
            "jwks": {"keys": [*keys, self.pair.jwk(kid="mtls", use="sig")]},
            f"{bound}_bound_access_tokens": True,
            "id_token_signed_response_alg": "PS256",
        }
        if self.machine:
            details |= {"grant_types": ["client_credentials"]}
        else:
            uri = registration.CALLBACK + (DUMMIES if self.number > 1 else "")
            grants = ["authorization_code", "refresh_token"]
            details |= {"grant_types": grants, "redirect_uris": [uri]}
        return registration.static(self.world, details | self.metadata)

    # Where it calls

    def url(self, endpoint: str) -> str:
        """Where the suite finds an endpoint: with certificates, at its alias."""
        aliases = self.document.get("mtls_endpoint_aliases", {})
        uses = self.by_certificate or not self.dpop
        found: str = aliases.get(endpoint, self.document[endpoint]) if uses else ""
        return found or str(self.document[endpoint])

    def headers(self, endpoint: str) -> dict[str, str]:
        """What its calls carry, beside its credentials."""
        shown = self.by_certificate or (not self.dpop and endpoint == "token_endpoint")
        carried = dict(self.pair.header) if shown else {}
        if self.dpop and endpoint == "token_endpoint":
            carried["DPoP"] = self.proof(endpoint)
        return carried

    def proof(self, endpoint: str = "token_endpoint", **more: Any) -> str:
        now = more.pop("now", self.world.clock.now)
        return self.prover.proof("POST", self.url(endpoint), now, **more)

    def calls(self, endpoint: str, client: Json | None = None, **form: Any) -> TestResponse:
        """Any endpoint, authenticated and constrained as the variant says; `headers` and
        `credentials` replace what it would send.
        """
        headers = form.pop("headers", None)
        headers = self.headers(endpoint) if headers is None else headers
        proof = form.pop("credentials", None)
        proof = self.credentials() if proof is None else proof
        sent = {name: value for name, value in (proof | form).items() if value is not None}
        return self.world.http().post(self.at(endpoint), data=sent, headers=headers)

    def credentials(self) -> Json:
        """How it says who it is, in the form."""
        if self.by_certificate:
            return {"client_id": self.client["client_id"]}
        return self.claims_to_be()

    def claims_to_be(self, key: Key | None = None, alg: str = "", **claims: Any) -> Json:
        """A client assertion (F2-4); a claim given as None is left out."""
        now = int(self.world.clock.now.timestamp())
        client_id = self.client["client_id"]
        said: Json = {"iss": client_id, "sub": client_id, "aud": self.issuer}
        said |= {"jti": secrets.token_urlsafe(16), "iat": now, "nbf": now, "exp": now + 60}
        said = {name: value for name, value in (said | claims).items() if value is not None}
        key, alg = key or self.key, alg or self.alg
        token = jwt.encode({"alg": alg, "kid": key.kid}, said, key, algorithms=[alg])
        return {"client_assertion_type": ASSERTION, "client_assertion": token}

    # The code flow

    def asks(self, **asked: Any) -> Json:
        """The parameters of a request; None leaves one out."""
        self.verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(sha256(self.verifier.encode()).digest())
        pkce = {
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        sent = {
            "client_id": self.client["client_id"],
            "redirect_uri": self.client["redirect_uris"][0],
            "response_type": "code",
            "response_mode": "jwt" if self.jarm else None,
            "scope": self.scope,
            "state": secrets.token_urlsafe(96 if self.number > 1 else 12),
            "nonce": secrets.token_urlsafe(32) if self.openid else None,
            "authorization_details": json.dumps([PAYMENT]) if self.rar else None,
        }
        sent = sent | pkce | asked
        self.sent = {name: value for name, value in sent.items() if value is not None}
        return self.sent

    def pushes(
        self,
        headers: dict[str, str] | None = None,
        credentials: Json | None = None,
        beside: Json | None = None,
        **asked: Any,
    ) -> TestResponse:
        """Push a request (F2-1), signed if the variant says so; whatever the answer is.

        `beside` are parameters of the form itself.
        """
        endpoint = "pushed_authorization_request_endpoint"
        headers = self.headers(endpoint) | (headers or {})
        sent = self.asks(**asked)
        if self.signs:
            sent = {"request": self.request_object(), "client_id": self.client["client_id"]}
        form = sent | (beside or {})
        return self.calls(endpoint, headers=headers, credentials=credentials, **form)

    def request_object(
        self, key: Key | None = None, header: Json | None = None, **claims: Any
    ) -> str:
        """What it asks for, signed (B.10); a claim given as None is left out."""
        now, client_id = int(self.world.clock.now.timestamp()), self.client["client_id"]
        said: Json = {"iss": client_id, "aud": self.issuer, "nbf": now, "exp": now + 300}
        said |= {**self.sent, "client_id": client_id} | claims
        top: Json = {"alg": self.alg, "kid": self.key.kid}
        if self.number > 1:
            said, top = {"iat": now} | said, top | {"typ": "oauth-authz-req+jwt"}
        top |= header or {}
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(top, said, key or self.key, algorithms=[top["alg"]])

    def pushed(self, headers: dict[str, str] | None = None, **asked: Any) -> str:
        """The name of a request that was taken."""
        answer = self.pushes(headers, **asked)
        assert answer.status_code == 201, answer.text
        assert answer.mimetype == "application/json"
        assert 5 <= answer.json["expires_in"] <= checks.YEAR
        name: str = answer.json["request_uri"]
        return name

    def opens(self, name: str, client_id: str = "", **outside: str) -> TestResponse:
        """Send the browser with the name, and with copies that nobody should read (F2-2)."""
        copied = {n: self.sent[n] for n in ("response_type", "scope", "redirect_uri")}
        said = {"client_id": client_id or self.client["client_id"], "request_uri": name}
        pairs = list((said | copied | outside).items())
        query = urlencode(pairs if self.number == 1 else pairs[::-1])
        return self.browser.http.get(f"{self.at('authorization_endpoint')}?{query}")

    def authorizes(self, method: str = "GET", **asked: Any) -> Json:
        """Push, sign in, agree; what comes back to the callback, checked (F2-3)."""
        return self.comes_back(self.follows(self.opens(self.pushed(**asked))))

    def _carried(self, answer: TestResponse) -> Json:
        """What is in the answer, signed or not as the variant says."""
        said = super()._carried(answer)
        if not self.jarm:
            return said
        listed = self.document["authorization_signing_alg_values_supported"]
        return jarm.read(said, self.keys, listed, self.client["client_id"], self.world.clock.now)

    def redeems(self, code: str, **more: Any) -> TestResponse:
        """Bring the code, with the verifier."""
        return super().redeems(code, **({"code_verifier": self.verifier} | more))

    def token_response(self, answer: TestResponse) -> Json:
        """Tokens as they must come (F2-5)."""
        given = checks.token_response(answer, "dpop" if self.dpop else "bearer")
        assert ("id_token" in given) == ("openid" in given.get("scope", "").split())
        assert not self.rar or all(each["type"] for each in given["authorization_details"])
        return given

    def obtains(self, **asked: Any) -> Json:
        """Tokens, by the flow of the variant."""
        if self.machine:
            return self.token_response(self.wants())
        return self.token_response(self.redeems(self.authorizes(**asked)["code"]))

    def wants(self, **more: Any) -> TestResponse:
        """A token request that would be granted: with a fresh code, or for itself."""
        if self.machine:
            return self.asks_token(grant_type="client_credentials", scope=self.scope, **more)
        return self.redeems(self.authorizes()["code"], **more)

    def signs_in(self, **asked: Any) -> tuple[Json, Json]:
        """A whole sign-in: the tokens that came, and what the ID token says."""
        given = self.obtains(**asked)
        return given, self.identity(given["id_token"]) if "id_token" in given else {}

    def identity(self, id_token: str, *, fresh: bool = True) -> Json:
        self.metadata = {"id_token_signed_response_alg": "PS256"} | self.metadata
        return super().identity(id_token, fresh=fresh)

    def claims_of(self, id_token: str) -> Json:
        """What an ID token says, whatever it says."""
        return dict(jwt.decode(id_token, self.keys, algorithms=["PS256"]).claims)

    def renews(self, token: str, **more: Any) -> TestResponse:
        """Use a refresh token."""
        return self.asks_token(grant_type="refresh_token", refresh_token=token, **more)

    # At the API

    def visits(self, token: str, **more: Any) -> TestResponse:
        """Call the API, constrained as the variant says, with `more` headers; `headers` replace
        what it would send.
        """
        assert self.api is not None
        shown = {} if self.dpop else dict(self.pair.header)
        scheme = more.pop("scheme", "DPoP" if self.dpop else "Bearer")
        proofs = {"DPoP": self.proof_at_api(token)} if self.dpop else {}
        said = {"Authorization": f"{scheme} {token}"} | shown | proofs | more.pop("more", {})
        return self.api.get(headers=more.pop("headers", None) or said, **more)

    def proof_at_api(self, token: str | None, **more: Any) -> str:
        assert self.api is not None
        now = more.pop("now", self.world.clock.now)
        method, url = more.pop("method", "GET"), more.pop("url", self.api.url)
        return self.prover.proof(method, url, now, token=token, **more)

    def works(self, token: str) -> bool:
        """Whether the API lets it in."""
        return self.visits(token).status_code in (200, 201)

    def later(self, **by: float) -> None:
        """Time goes by."""
        self.world.clock.now += timedelta(**by)
