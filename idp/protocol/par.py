"""Pushed authorization requests (RFC 9126): the client hands its request in by itself, is
authenticated before anybody is asked anything, and sends the browser with a name for it.
"""

from collections.abc import Mapping
from dataclasses import replace

from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.protocol import client_auth, dpop
from idp.protocol.authorize import At, Returned, examine
from idp.protocol.authorize.draft import Draft
from idp.protocol.authorize.pushed import LIVES, keep
from idp.protocol.errors import InvalidDpopProof, InvalidRequest
from idp.protocol.messages import Answer, OAuthRequest, Parameters

MAY_REPEAT = frozenset({"resource", "audience"})
CREDENTIALS = frozenset({"client_id", "client_secret", "client_assertion", "client_assertion_type"})
SECONDS = int(LIVES.total_seconds())


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """Examine a request as if it had come with the browser, and keep it (section 2)."""
    if request.parameters.repeated(except_for=MAY_REPEAT):
        raise InvalidRequest("a parameter is there more than once")
    client = client_auth.authenticate(request, op)
    draft = _bound(_examined(request, client, op), request, op)
    said = {"request_uri": keep(draft, op, request.now), "expires_in": SECONDS}
    return dpop.with_nonce(Answer(status=201, body=said), request, op)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "pushed_authorization_request_endpoint": f"{op.rules.issuer}/par",
        "require_pushed_authorization_requests": False,
    }


def _examined(request: OAuthRequest, client: ClientView, op: Provider) -> Draft:
    """The draft; every refusal is the client's own, for there is no browser to send away."""
    asked = [pair for pair in request.body.pairs if pair[0] not in CREDENTIALS]
    body = Parameters(pairs=(("client_id", client.client_id), *asked))
    try:
        return examine(replace(request, body=body), op, At.PAR)
    except Returned as returned:
        raise returned.error from None


def _bound(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """A proof beside the request binds the code to its key, as dpop_jkt does (RFC 9449
    section 10.1); the two must not contradict each other.
    """
    jkt = dpop.proven_beside(request, op, draft.client)
    if jkt is None:
        return draft
    if draft.dpop_jkt not in (None, jkt):
        raise InvalidDpopProof("dpop_jkt is not the key of the proof")
    return replace(draft, dpop_jkt=jkt)
