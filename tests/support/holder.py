"""A relying party whose every token request proves a key (RFC 9449)."""

from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from tests.support.prover import Prover
from tests.support.world import Rp

ISSUER = "https://op.test"


@dataclass
class Holder(Rp):
    """The key is `prover`; `nonce` goes into each proof, and None is left out."""

    prover: Prover = field(default_factory=Prover)
    nonce: str | None = None

    @classmethod
    def of(cls, rp: Rp, prover: Prover | None = None) -> "Holder":
        """The same client, with a key."""
        return cls(rp.world, rp.client_id, rp.secret, rp.redirect_uri, prover or Prover())

    def proof(self, method: str = "POST", path: str = "/token", **more: Any) -> str:
        """A fresh proof for one request."""
        more = {"nonce": self.nonce} | more
        return self.prover.proof(method, f"{ISSUER}{path}", self.world.clock.now, **more)

    def post(self, path: str, **form: Any) -> TestResponse:
        """Call an endpoint, with a fresh proof unless `proof` is another one."""
        proof = form.pop("proof", None) or self.proof(path=path)
        form = {k: v for k, v in form.items() if v is not None}
        if self.secret is None:
            form.setdefault("client_id", self.client_id)
        headers = {"DPoP": proof}
        return self.world.http().post(path, data=form, headers=headers, **self.auth())

    def userinfo(
        self, token: str, scheme: str = "DPoP", proof: str | None = None, method: str = "GET"
    ) -> TestResponse:
        """Present a token, with a fresh proof for it unless `proof` is another one."""
        proof = proof if proof is not None else self.proof(method, "/userinfo", token=token)
        headers = {"Authorization": f"{scheme} {token}"} | ({"DPoP": proof} if proof else {})
        return self.world.http().open("/userinfo", method=method, headers=headers)
