"""A client that signs what it asks for (RFC 9101), honestly or not."""

from typing import Any

from joserfc.jwk import ECKey, Key

from tests.support.prover import Prover
from tests.support.world import CALLBACK, Rp, World

CHALLENGE = "w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM"
VERIFIER = "v" * 64
ASKED = {
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid",
    "state": "inside",
    "nonce": "n0nce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


class Signer:
    """Somebody with a key of their own."""

    def __init__(
        self, alg: str = "ES256", key: Key | None = None, kid: str | None = "mine"
    ) -> None:
        self.alg, self.kid = alg, kid
        self.key = key or ECKey.generate_key("P-256")

    @property
    def jwks(self) -> dict[str, Any]:
        """What it registers."""
        named = {} if self.kid is None else {"kid": self.kid}
        return {"keys": [{**self.key.as_dict(private=False), **named, "use": "sig"}]}

    def request(
        self, world: World, owner: str, header: dict[str, Any] | None = None, **more: Any
    ) -> str:
        """A request object; a member given as None is left out."""
        now = int(world.clock.now.timestamp())
        claims = {
            "iss": owner,
            "aud": world.op.rules.issuer,
            "client_id": owner,
            "nbf": now,
            "exp": now + 300,
            **ASKED,
            **more,
        }
        top = {"alg": self.alg, "kid": self.kid, "typ": "oauth-authz-req+jwt", **(header or {})}
        return self.signed(_told(top), _told(claims))

    def signed(self, header: dict[str, Any], claims: object) -> str:
        """Any header over any claims."""
        return Prover(self.key, self.alg).signed(header, claims)


def signing(world: World, signer: Signer, **more: Any) -> Rp:
    """A client that has told us its key."""
    return world.rp(jwks=signer.jwks, **more)


def _told(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
