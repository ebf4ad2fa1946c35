"""What ties the answer to the request: challenge, key and nonce."""

import re
from dataclasses import replace

from idp.domain import Provider
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import OAuthRequest

CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")


def pkce(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """S256 and nothing else; where a code is asked for, required of public clients and of those
    without OpenID (RFC 7636 section 4.4.1, design decision on RFC 9700 section 2.1.1).
    """
    challenge = request.parameters.get("code_challenge")
    method = request.parameters.get("code_challenge_method")
    if challenge is None:
        strict = op.rules.pkce_required == "all" or draft.client.profile is not None
        if "code_challenge" in request.parameters or method is not None:
            raise InvalidRequest("code_challenge is missing")
        if not draft.gives("code"):
            return draft
        if strict or draft.client.public or "openid" not in draft.scopes:
            raise InvalidRequest("code_challenge is required")
        return draft
    if method != "S256":
        raise InvalidRequest("code_challenge_method must be S256")
    if not CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge is malformed")
    return replace(draft, code_challenge=challenge)


def dpop_jkt(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """The key the code is for: nobody redeems it with another (RFC 9449 section 10)."""
    jkt = request.parameters.get("dpop_jkt")
    if jkt is not None and not CHALLENGE.fullmatch(jkt):
        raise InvalidRequest("dpop_jkt is malformed")
    return replace(draft, dpop_jkt=jkt)


def nonce(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Carried through to the ID token, unchanged. An ID token that comes by the browser must have
    one: nothing else ties it to this request (OpenID Connect Core sections 3.2.2.1 and 3.3.2.11).
    """
    sent = request.parameters.get("nonce")
    if sent is None and draft.gives("id_token"):
        raise InvalidRequest("nonce is missing")
    return replace(draft, nonce=sent)
