"""tls_client_auth and self_signed_tls_client_auth (RFC 8705 section 2): the TLS handshake has
proven the key, and the certificate says whose it is.
"""

from datetime import datetime

from idp.crypto.authorities import NAME_MEMBERS, names
from idp.crypto.certificate import Certificate
from idp.crypto.jose import Verifier
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.protocol.client_auth.credentials import Presented

NAMES = ("tls_client_auth", "self_signed_tls_client_auth")
NO_SUCH_KEY = ""  # asks a client's jwks_uri once more, as for a kid it did not have


def presented(_: object) -> tuple[Presented, ...]:
    """Nothing: a certificate is part of the connection. It authenticates a client that brings
    nothing but its `client_id`, and that is registered for it.
    """
    return ()


def proves(view: ClientView, presented: Presented, op: Provider, now: datetime) -> bool:
    """Whether the certificate is the client's."""
    certificate = presented.certificate
    if certificate is None:
        return False
    if view.auth_method == "tls_client_auth":
        return _is_named(view, certificate, op, now)
    return any(
        _is_of(key, certificate)
        for kid in (None, NO_SUCH_KEY)
        for key in op.clients.keys.of(view.details, kid, now)
    )


def _is_named(view: ClientView, certificate: Certificate, op: Provider, now: datetime) -> bool:
    """Issued by an authority we trust, with the one name the client has registered."""
    if op.rules.authorities is None or not op.rules.authorities.vouch_for(certificate, now):
        return False
    registered = [member for member in NAME_MEMBERS if member in view.details]
    return len(registered) == 1 and names(certificate, registered[0], view.details[registered[0]])


def _is_of(key: Verifier, certificate: Certificate) -> bool:
    """One of the client's certificates, or one of its keys (section 2.2)."""
    return certificate.x5t == key.x5t or certificate.is_for(key.key.public_key)
