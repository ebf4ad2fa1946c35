"""An access token at an endpoint of our own (RFC 6750, RFC 9449 section 7)."""

from collections.abc import Mapping, Sequence

from idp.domain import Provider
from idp.domain.tokens import AccessToken, Presented
from idp.protocol.dpop import CHALLENGE as DPOP
from idp.protocol.dpop import proven_with
from idp.protocol.errors import InsufficientScope, InvalidRequest, InvalidToken
from idp.protocol.messages import OAuthRequest
from idp.protocol.possession import shown

BEARER = 'Bearer realm="idp"'


def accepted(request: OAuthRequest, op: Provider, scope: str) -> AccessToken:
    """The token, if it is alive, for us, a person's, in the right hands, and has the scope."""
    return _accepted(request, op, {True: (scope,)})


def accepted_of_client(request: OAuthRequest, op: Provider, scopes: Sequence[str]) -> AccessToken:
    """The same for a token that a client has for itself, with one of the scopes."""
    return _accepted(request, op, {False: scopes})


def accepted_of_either(
    request: OAuthRequest, op: Provider, of_person: str, of_client: str
) -> AccessToken:
    """A person's token with the one scope, or a client's own with the other."""
    return _accepted(request, op, {True: (of_person,), False: (of_client,)})


def _accepted(
    request: OAuthRequest, op: Provider, wanted: Mapping[bool, Sequence[str]]
) -> AccessToken:
    """`wanted` are the scopes of which one is needed: of a person's token, and of a client's."""
    scheme, access = held(request, op, op.rules.issuer)
    scopes = wanted.get(access.line_id is not None)
    if scopes is None:
        raise refusal(scheme)
    if access.scopes.isdisjoint(scopes):
        challenge = f'{scheme}, error="insufficient_scope", scope="{scopes[0]}"'
        raise InsufficientScope(
            f"the scope {scopes[0]} is needed", headers=(("WWW-Authenticate", challenge),)
        )
    return access


def held(request: OAuthRequest, op: Provider, resource: str) -> tuple[str, AccessToken]:
    """A token that is alive, for this resource, and in the right hands; and the challenge of the
    scheme it came with.
    """
    scheme, token = _presented(request)
    access = op.tokens.read_access(token, request.now)
    if access is None or resource not in access.audiences:
        raise refusal(scheme)
    jkt = proven_with(token, request, op) if scheme == DPOP else None
    if access.jkt != jkt:  # neither a bound token without its key, nor the other way round
        raise refusal(DPOP)
    x5t = shown(request)
    if access.x5t not in (None, x5t):  # RFC 8705 section 3
        raise refusal(scheme)
    seen = Presented(resource=resource, proven_jkt=jkt, proven_x5t=x5t)
    if op.tokens.judge(access, seen, (), request.now) is not None:
        raise refusal(scheme)
    return scheme, access


def account_of(access: AccessToken, op: Provider) -> str:
    """Whose account a person's token is for: `sub` may be a name of its client's sector only."""
    line = op.grants.line(access.line_id) if access.line_id is not None else None
    return line.account_id if line is not None else access.sub


def refusal(challenge: str = BEARER) -> InvalidToken:
    """The token is not good here; what it lacks is not told."""
    return InvalidToken(
        "the access token is not good, or no longer",
        headers=(("WWW-Authenticate", f'{challenge}, error="invalid_token"'),),
    )


def _presented(request: OAuthRequest) -> tuple[str, str]:
    """The challenge of the scheme that was used, and the token: from the header or the form, and
    from one of them only (RFC 6750 section 2, RFC 9449 section 7.1).
    """
    given = request.headers.get("authorization", ())
    bodily = request.body.all("access_token") if request.method == "POST" else ()
    if len(given) + len(bodily) > 1:
        raise InvalidRequest("the access token is there more than once")
    if bodily:
        return BEARER, bodily[0]
    scheme, _, token = (given[0] if given else "").partition(" ")
    challenge = {"bearer": BEARER, "dpop": DPOP}.get(scheme.lower())
    if challenge is None or not token.strip():
        both = (("WWW-Authenticate", BEARER), ("WWW-Authenticate", DPOP))
        raise InvalidToken("", headers=both)
    return challenge, token.strip()
