"""The revocation endpoint (RFC 7009): a client takes its own token back.

The answer is 200 for whatever is gone afterwards, and for what never was. It is sent after
the commit, so that what was answered stays true (promise P2).
"""

from collections.abc import Mapping
from datetime import datetime

from idp.crypto.jose import ASYMMETRIC
from idp.domain import Provider, strict
from idp.domain.clients import ClientView
from idp.domain.grants import Line
from idp.domain.sign_out import Because, Receipt
from idp.domain.tokens import PolicySet
from idp.protocol import client_auth
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import Answer, OAuthRequest

DONE = Answer(body={})


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """End the token's line: refresh token and access tokens alike (section 2.1). A token of a
    client that has one for each API ends alone.

    token_type_hint is ignored: we find a token in one look, and an unknown hint must not
    change the answer (section 2.2). Another client's token is left alone, and the answer does
    not tell that it exists (REV-02).
    """
    if request.parameters.repeated():
        raise InvalidRequest("a parameter is there more than once")
    client = client_auth.authenticate(request, op)
    token = request.parameters.get("token")
    if token is None:
        raise InvalidRequest("token is missing")
    line = op.grants.line_of(token)
    if line is not None:
        return _end(line, client, op, request.now)
    access = op.tokens.read_access(token, request.now)
    if access is None or access.client_id != client.client_id:
        return DONE
    op.tokens.deny(access, request.now)
    op.tokens.issued.forget(access, request.now)
    if PolicySet.named(access.policies).alone:
        return _done(None, op, request.now)  # a token for each API: the others live on
    line = op.grants.line(access.line_id) if access.line_id is not None else None
    if line is not None and line.client_id == client.client_id:
        return _end(line, client, op, request.now)
    return _done(None, op, request.now)  # one that was exchanged ends without those before it


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "revocation_endpoint": f"{op.rules.issuer}/revoke",
        "revocation_endpoint_auth_methods_supported": client_auth.supported(op),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASYMMETRIC),
    }


def _end(line: Line, client: ClientView, op: Provider, now: datetime) -> Answer:
    if line.client_id != client.client_id:
        return DONE
    receipt = op.sign_outs.line(line, Because("revoked", f"client:{client.client_id}"), now)
    return _done(receipt, op, now)


def _done(receipt: Receipt | None, op: Provider, now: datetime) -> Answer:
    """Answered after the commit, and in strict mode when the guards have heard."""

    def later() -> Answer:
        strict.settle(op, [receipt], now)
        return DONE

    return Answer(later=later)
