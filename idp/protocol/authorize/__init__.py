"""`STEPS`: the rules of an authorization request, in the order they run.

The first two find the client and where to send the browser back to. Until they are through,
a refusal is a page of ours and never a redirect; afterwards it goes back to the client.
"""

from idp.domain import Provider
from idp.protocol.authorize import checks
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import ProtocolError
from idp.protocol.messages import OAuthRequest

__all__ = ["STEPS", "Draft", "Returned", "examine"]

STEPS = (
    checks.repeats,
    checks.request_objects,
    checks.response_type,
    checks.response_mode,
    checks.scope,
    checks.resource,
    checks.pkce,
    checks.dpop_jkt,
    checks.nonce,
    checks.prompt,
    checks.max_age,
    checks.claims,
    checks.acr_values,
    checks.hints,
    checks.locales,
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
    draft = checks.client_and_redirect_uri(request, op)
    try:
        draft = checks.response_channel(draft, request)
        for rule in STEPS:
            draft = rule(draft, request, op)
    except ProtocolError as error:
        raise Returned(draft, error) from None
    return draft
