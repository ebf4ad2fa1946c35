"""A receiver of events as the SSF plans play it: every answer and every token is checked."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet
from werkzeug.test import TestResponse

from tests.conformance.listener import Listener, Received
from tests.conformance.plans import Variant
from tests.support.world import Rp, World

Json = dict[str, Any]

KEY = ECKey.generate_key("P-256", {"kid": "receiver", "use": "sig", "alg": "ES256"})
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
_CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SESSION_REVOKED = f"{_CAEP}session-revoked"
CREDENTIAL_CHANGE = f"{_CAEP}credential-change"
COMPLIANCE_CHANGE = f"{_CAEP}device-compliance-change"
TOKEN_CLAIMS_CHANGE = f"{_CAEP}token-claims-change"
ASSURANCE_LEVEL_CHANGE = f"{_CAEP}assurance-level-change"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
SUITE_EVENTS = [SESSION_REVOKED, CREDENTIAL_CHANGE, COMPLIANCE_CHANGE]
EVENT_FAMILIES = tuple(
    f"https://schemas.openid.net/secevent/{family}/event-type/"
    for family in ("caep", "risc", "ssf")
)


@dataclass
class Receiver:
    """One run of a module: a client with a token, and what it has made."""

    world: World
    rp: Rp
    token: str
    delivery: Json = field(default_factory=lambda: {"method": POLL})
    stream: Json = field(default_factory=dict)

    suite: Listener | None = None

    def __post_init__(self) -> None:
        self.metadata = self.world.http().get("/.well-known/ssf-configuration").json

    @classmethod
    def of(cls, world: World, suite: Listener, variant: Variant) -> "Receiver":
        """A receiver that is set up as one column of a plan."""
        rp = receiving_client(world, variant.client_auth)
        made = cls(world, rp, fetched(rp, variant.client_auth), suite=suite)
        if "push" in variant.more:
            made.delivery = {
                "method": PUSH,
                "endpoint_url": f"{suite.url}/events/{rp.client_id}",
                "authorization_header": f"Bearer push_token_{rp.client_id}",
            }
        return made

    def pushed(self) -> list[Received]:
        """What came at the receiver's own address, when the outbox was worked off."""
        assert self.suite is not None
        with self.world.app.app_context():
            self.world.app.extensions["idp.courier"].run_once()
        path = f"/events/{self.rp.client_id}"
        return [one for one in self.suite.told if one.path == path]

    def call(self, member: str, method: str = "POST", **more: Any) -> TestResponse:
        """One call at an endpoint of the metadata, with the token."""
        return self.call_at(self.metadata[member], method, **more)

    def call_at(self, url: str, method: str = "POST", **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        path = url.removeprefix(self.metadata["issuer"])
        return self.world.http().open(path, method=method, headers=headers, **more)

    def streams(self, method: str, **more: Any) -> TestResponse:
        """One call at the configuration endpoint."""
        return self.call("configuration_endpoint", method, **more)

    def asked(self) -> Json:
        """What the suite wants a stream to be."""
        return {
            "description": "a stream of the suite",
            "events_requested": SUITE_EVENTS,
            "delivery": self.delivery,
        }

    def creates(self, **more: Any) -> Json:
        """A stream, with an answer as it must be (B.12.0)."""
        answer = self.streams("POST", json=self.asked() | more)
        assert answer.status_code == 201, answer.text
        self.stream = self.sound(answer)
        return self.stream

    def sound(self, answer: TestResponse) -> Json:
        """Whether a body describes a stream, and only with what may be in it."""
        said: Json = answer.json
        assert said["stream_id"]
        assert said["iss"] == self.metadata["issuer"]
        assert said["aud"]
        assert set(said["events_delivered"]) <= set(said["events_requested"])
        assert set(said["events_delivered"]) <= set(said["events_supported"])
        assert all(name.startswith(EVENT_FAMILIES) for name in said["events_supported"])
        assert said["delivery"]["method"] == self.delivery["method"]
        assert said["delivery"]["endpoint_url"]
        assert "authorization_header" not in said["delivery"]
        return said

    def verifies(self, state: str | None = None) -> None:
        """Ask for an event that says nothing else."""
        body = {"stream_id": self.stream["stream_id"]} | ({"state": state} if state else {})
        answer = self.call("verification_endpoint", json=body)
        assert answer.status_code == 204, answer.text

    def polls(self, **said: Any) -> Json:
        """Fetch events, and say which were heard."""
        url = self.stream["delivery"]["endpoint_url"]
        answer = self.call_at(url, json={"returnImmediately": True} | said)
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == "application/json"
        given: Json = answer.json
        return given

    def read(self, token: str) -> Json:
        """What an event token says, if it is one as it must be (B.12.0)."""
        keys = self.world.http().get("/jwks.json").json
        signed = jws.deserialize_compact(token, KeySet.import_key_set(keys), algorithms=["RS256"])
        assert signed.headers()["typ"] == "secevent+jwt"
        claims: Json = json.loads(signed.payload)
        assert claims["iss"] == self.metadata["issuer"]
        assert claims["aud"] == self.stream["aud"]
        assert isinstance(claims["iat"], int)
        assert claims["iat"] <= self.world.clock.now.timestamp()
        assert claims["jti"]
        assert len(claims["events"]) == 1
        assert "sub" not in claims
        assert "exp" not in claims
        return claims

    def fetched(self, **said: Any) -> list[Json]:
        """The events that a poll brings, read."""
        sets = self.polls(**said)["sets"]
        found = [self.read(token) for token in sets.values()]
        assert [claims["jti"] for claims in found] == list(sets)
        return found


def receiving_client(world: World, method: str = "client_secret_basic", **more: Any) -> Rp:
    """A confidential client that may have tokens for streams (C.6)."""
    key = {"jwks": {"keys": [KEY.as_dict(private=False)]}} if method == "private_key_jwt" else {}
    return world.rp(
        "Receiver",
        token_endpoint_auth_method=method,
        grant_types=["client_credentials", "authorization_code", "refresh_token"],
        scope="openid offline_access ssf.read ssf.manage",
        **({"trusted": False} | key | more),
    )


def fetched(rp: Rp, method: str = "client_secret_basic", scope: str = "ssf.read ssf.manage") -> str:
    """An access token by the client credentials grant, as the client proves itself."""
    form = {"grant_type": "client_credentials", "scope": scope}
    auth = {} if method != "client_secret_basic" else rp.auth()
    if method == "client_secret_post":
        form |= {"client_id": rp.client_id, "client_secret": str(rp.secret)}
    if method == "private_key_jwt":
        form |= {"client_assertion_type": JWT_BEARER, "client_assertion": _assertion(rp)}
    answer = rp.world.http().post("/token", data=form, **auth)
    assert answer.status_code == 200, answer.text
    assert answer.json["expires_in"] <= 3600
    assert answer.json["scope"] == scope
    token: str = answer.json["access_token"]
    return token


def _assertion(rp: Rp) -> str:
    issued = int(rp.world.clock.now.timestamp())
    claims = {
        "iss": rp.client_id,
        "sub": rp.client_id,
        "aud": rp.world.op.rules.issuer,
        "iat": issued,
        "exp": issued + 60,
        "jti": secrets.token_hex(16),
    }
    return jwt.encode({"alg": "ES256", "kid": "receiver"}, claims, KEY)
