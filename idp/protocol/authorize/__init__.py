"""`STEPS`: the rules of an authorization request, by where they hold, in the order they run.

The first two find the client and where to send the browser back to. Until they are through,
a refusal is a page of ours and never a redirect; afterwards it goes back to the client.
"""

from collections.abc import Callable
from dataclasses import replace

from idp.domain import Provider
from idp.protocol.authorize import objects, pushed
from idp.protocol.authorize.at import At
from idp.protocol.authorize.checks import (
    channel,
    details,
    person,
    profile,
    proofs,
    requests,
    scopes,
)
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import ProtocolError
from idp.protocol.messages import OAuthRequest

__all__ = ["STEPS", "At", "Draft", "Returned", "examine"]

Rule = Callable[[Draft, OAuthRequest, Provider], Draft]

A, P, _ = At.AUTHORIZE, At.PAR, At(0)

# fmt: off
STEPS: tuple[tuple[Rule, At], ...] = (
    # rule                   authorize  par
    (channel.repeats,                 A | P),
    (requests.must_be_pushed,         A | _),
    (requests.must_be_signed,         A | P),
    (channel.redirect_uri_is_said,    _ | P),
    (channel.response_type,           A | P),
    (channel.response_mode,           A | P),
    (profile.signed_answer,           A | P),
    (scopes.scope,                    A | P),
    (scopes.resource,                 A | P),
    (details.authorization_details,   A | P),
    (proofs.pkce,                     A | P),
    (proofs.dpop_jkt,                 A | P),
    (proofs.nonce,                    A | P),
    (person.prompt,                   A | P),
    (person.max_age,                  A | P),
    (person.claims,                   A | P),
    (person.acr_values,               A | P),
    (person.hints,                    A | P),
    (person.locales,                  A | P),
)
# fmt: on


class Returned(Exception):
    """A refusal that may go back to the client, and the draft that says where."""

    def __init__(self, draft: Draft, error: ProtocolError) -> None:
        super().__init__(error.error)
        self.draft = draft
        self.error = error


def examine(request: OAuthRequest, op: Provider, at: At = At.AUTHORIZE) -> Draft:
    """The request with every rule applied. Raises `ProtocolError` for a page of ours, and
    `Returned` for a refusal that goes back to the client.
    """
    if at is At.AUTHORIZE and pushed.is_pushed(request):
        return pushed.opened(request, op)
    sent, request = request, _unpacked(request, op, at)
    draft = channel.client_and_redirect_uri(request, op)
    draft = replace(draft, signed=request is not sent)
    try:
        draft = channel.response_channel(draft, request)
        for rule, where in STEPS:
            if at in where:
                draft = rule(draft, request, op)
    except ProtocolError as error:
        raise Returned(draft, error) from None
    return draft


def _unpacked(request: OAuthRequest, op: Provider, at: At) -> OAuthRequest:
    """What is in the request object. Why it is refused, goes back to the client if what stands
    beside the object says where to, and is a page of ours otherwise (RFC 9101 section 7).
    """
    try:
        return objects.unpacked(request, op, at)
    except ProtocolError as error:
        try:
            draft = channel.client_and_redirect_uri(request, op)
        except ProtocolError:
            raise error from None
        if at is not At.AUTHORIZE or not draft.redirect_uri_sent:
            raise
        raise Returned(channel.response_channel(draft, request), error) from None
