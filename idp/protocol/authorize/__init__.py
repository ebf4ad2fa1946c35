"""`STEPS`: the rules of an authorization request, in the order they run.

The first two find the client and where to send the browser back to. Until they are through,
a refusal is a page of ours and never a redirect; afterwards it goes back to the client.
"""

from idp.domain import Provider
from idp.protocol.authorize.checks import channel, person, proofs, requests, scopes
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import ProtocolError
from idp.protocol.messages import OAuthRequest

__all__ = ["STEPS", "Draft", "Returned", "examine"]

STEPS = (
    channel.repeats,
    requests.request_objects,
    channel.response_type,
    channel.response_mode,
    scopes.scope,
    scopes.resource,
    proofs.pkce,
    proofs.dpop_jkt,
    proofs.nonce,
    person.prompt,
    person.max_age,
    person.claims,
    person.acr_values,
    person.hints,
    person.locales,
)


class Returned(Exception):
    """A refusal that may go back to the client, and the draft that says where."""

    def __init__(self, draft: Draft, error: ProtocolError) -> None:
        super().__init__(error.error)
        self.draft = draft
        self.error = error


def examine(request: OAuthRequest, op: Provider) -> Draft:
    """The request with every rule applied. Raises `ProtocolError` for a page of ours, and
    `Returned` for a refusal that goes back to the client.
    """
    draft = channel.client_and_redirect_uri(request, op)
    try:
        draft = channel.response_channel(draft, request)
        for rule in STEPS:
            draft = rule(draft, request, op)
    except ProtocolError as error:
        raise Returned(draft, error) from None
    return draft
