"""Which keys the sender of a token request has proven: by a DPoP proof, by the certificate of
its TLS connection (RFC 8705 section 3), or both. What it is given works with these alone.
"""

from idp.crypto.confirmation import Confirmation
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.grants import LineAsRead
from idp.protocol import dpop
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import OAuthRequest


def proven(request: OAuthRequest, op: Provider, client: ClientView) -> Confirmation:
    """The keys its tokens will be bound to, as the client has registered."""
    if client.certificate_bound and request.certificate is None:
        raise InvalidRequest("a client certificate is needed")
    jkt = dpop.proven_key(request, op, client)
    return Confirmation(jkt=jkt, x5t=shown(request) if client.certificate_bound else None)


def shown(request: OAuthRequest) -> str | None:
    """The thumbprint of the certificate it came with."""
    return request.certificate.x5t if request.certificate is not None else None


def token_type(held: Confirmation) -> str:
    """What a client must present such a token as (RFC 9449 section 5, RFC 8705 section 3)."""
    return dpop.token_type(held.jkt)


def bound_to(line: LineAsRead) -> Confirmation:
    """The keys a line of refresh tokens follows."""
    return Confirmation(jkt=line.jkt, x5t=line.x5t)
