"""private_key_jwt and client_secret_jwt (RFC 7523 section 3): signed assertions, each once."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc.jwk import OctKey

from idp.crypto import jose
from idp.crypto.jose import Verifier
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.metadata import ASSERTION_ALGS, ciba
from idp.domain.metadata.profiles import algorithms
from idp.domain.tokens import CLOCK_MAY_JUMP
from idp.protocol.client_auth.credentials import Presented
from idp.protocol.errors import InvalidClient
from idp.protocol.messages import OAuthRequest

NAMES = ("private_key_jwt", "client_secret_jwt")
TYPE = JWTBearerClientAssertion.CLIENT_ASSERTION_TYPE
LONGEST_LIFE = timedelta(minutes=5)
LONGEST_JTI = 512


def presented(request: OAuthRequest) -> Iterator[Presented]:
    """The assertion, and whose it says it is."""
    assertion = request.parameters.get("client_assertion")
    if assertion is None:
        return
    if request.parameters.get("client_assertion_type") != TYPE:
        raise InvalidClient("client_assertion_type is not supported")
    try:
        sub = jose.claims_of(assertion).get("sub")
    except jose.Unverifiable:
        raise InvalidClient("client authentication failed", reason="not a JWT") from None
    if not isinstance(sub, str):
        raise InvalidClient("client authentication failed", reason="no sub")
    yield Presented("client_assertion", sub, assertion)


def proves(view: ClientView, presented: Presented, op: Provider, now: datetime) -> bool:
    """Whether the assertion is the client's, meant for us, and here for the first time."""
    try:
        kid = jose.header_of(presented.proof).get("kid")
        claims = jose.verify(presented.proof, _keys(view, kid, op, now), _algorithms(view))
        jose.check_times(claims, now)
    except jose.Unverifiable:
        return False
    if not _typed_for_this(presented.proof) or not _meant(view, claims, op, now):
        return False
    if not _first_time(view, claims, op, now):
        raise InvalidClient("client authentication failed", reason="assertion came back")
    return True


def _algorithms(view: ClientView) -> Sequence[str]:
    """The one it is registered for, or those of its method; the profiles of FAPI have fewer."""
    registered = view.auth_signing_alg
    known = (registered,) if registered else ASSERTION_ALGS[view.auth_method]
    if ciba.signs_requests(view.details):
        known = tuple(alg for alg in known if alg in ciba.REQUEST_ALGS)
    return algorithms(view.profile, known)


def _keys(view: ClientView, kid: str | None, op: Provider, now: datetime) -> tuple[Verifier, ...]:
    if view.auth_method == "private_key_jwt":
        return op.clients.keys.of(view.details, kid, now)
    secrets = op.clients.shared_secrets(view, now)
    return tuple(Verifier(None, None, OctKey.import_key(secret)) for secret in secrets)


def _typed_for_this(assertion: str) -> bool:
    """A token of another kind, by its own word, is no assertion (JWA-04)."""
    typ = jose.header_of(assertion).get("typ")
    return typ is None or str(typ).lower() in ("jwt", "client-authentication+jwt")


def _meant(view: ClientView, claims: dict[str, Any], op: Provider, now: datetime) -> bool:
    """iss, sub and aud are exactly right, and the life is short (draft rfc7523bis; JWA-01)."""
    accepted = {op.rules.issuer}
    if view.details.get("assertion_audience") == "token_endpoint":
        accepted |= {f"{op.rules.issuer}/token"}
    if view.profile is None:
        accepted |= ciba.audiences(view.details, op.rules.issuer, op.rules.mtls_origin)
    aud = claims.get("aud")
    if isinstance(aud, list) and len(aud) == 1 and len(accepted) > 1:
        aud = aud[0]
    latest = (now + LONGEST_LIFE + jose.SKEW).timestamp()
    return (
        claims.get("iss") == claims.get("sub") == view.client_id
        and isinstance(aud, str)
        and aud in accepted
        and claims["exp"] <= latest
    )


def _first_time(view: ClientView, claims: dict[str, Any], op: Provider, now: datetime) -> bool:
    """Each `jti` once, in any process, until the assertion is over for everybody (JWA-02), and
    a day longer, so that a clock that is set back opens nothing again (CLK-02).
    """
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        return False
    until = datetime.fromtimestamp(claims["exp"], UTC) + 2 * jose.SKEW + CLOCK_MAY_JUMP
    return op.tokens.seen_once("assertion", f"{view.client_id}|{jti}", until, now)
