"""What a request brings to prove which client it comes from."""

from dataclasses import dataclass

from idp.crypto.certificate import Certificate
from idp.domain.clients import ClientView


@dataclass(frozen=True, slots=True)
class Presented:
    """A claim to be a client: by which method, which one, and with what proof."""

    method: str
    client_id: str
    proof: str
    certificate: Certificate | None = None

    def fits(self, view: ClientView) -> bool:
        """Whether the client is registered for this method (CLA-01)."""
        if self.method == "client_assertion":
            return view.auth_method in ("private_key_jwt", "client_secret_jwt")
        if self.method == "none" and view.auth_method.endswith("tls_client_auth"):
            return self.certificate is not None
        return self.method == view.auth_method
