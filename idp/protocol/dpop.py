"""DPoP (RFC 9449): whoever sends a request proves that they hold a key, and each proof counts
once, in any process.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from idp.crypto import dpop
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.metadata.profiles import algorithms
from idp.protocol.errors import InvalidDpopProof, ProofRefused, UseDpopNonce
from idp.protocol.messages import Answer, OAuthRequest
from idp.protocol.mtls import at_alias

CHALLENGE = f'DPoP realm="idp", algs="{" ".join(dpop.ALGORITHMS)}"'


def proven_key(request: OAuthRequest, op: Provider, client: ClientView) -> str | None:
    """The key a token request proves, or None when it proves none (section 5)."""
    if "dpop" in request.headers:
        return _judged(request, op, None, client)
    if client.dpop_bound:
        raise InvalidDpopProof("a DPoP proof is needed")
    return None


def proven_beside(request: OAuthRequest, op: Provider, client: ClientView) -> str | None:
    """The key a pushed request proves, if it brings a proof at all (section 10.1)."""
    return _judged(request, op, None, client) if "dpop" in request.headers else None


def proven_with(token: str, request: OAuthRequest, op: Provider) -> str:
    """The key proven together with an access token (section 7.1); refused with 401."""
    try:
        return _judged(request, op, token)
    except (InvalidDpopProof, UseDpopNonce) as error:
        challenge = f'{CHALLENGE}, error="{error.error}"'
        headers = (("WWW-Authenticate", challenge), _nonce(request, op))
        raise ProofRefused(error, headers) from None


def with_nonce(answer: Answer, request: OAuthRequest, op: Provider) -> Answer:
    """The answer, and a fresh nonce for the next proof (section 8.2)."""
    if "dpop" not in request.headers:
        return answer
    return replace(answer, headers=(*answer.headers, _nonce(request, op)))


def token_type(jkt: str | None) -> str:
    """What a client must present such a token as (section 5)."""
    return "Bearer" if jkt is None else "DPoP"


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {"dpop_signing_alg_values_supported": list(dpop.ALGORITHMS)}


def _judged(
    request: OAuthRequest, op: Provider, token: str | None, client: ClientView | None = None
) -> str:
    profile = client.profile if client is not None else None
    try:
        proof = dpop.check(
            request.headers.get("dpop", ()),
            method=request.method,
            url=request.url,
            alias=at_alias(request.url, op) if op.rules.mtls_origin else None,
            now=request.now,
            token=token,
            nonces=op.keys.nonces,
            nonce_required=op.rules.dpop_nonce_required,
            algorithms=algorithms(profile, dpop.ALGORITHMS),
        )
    except dpop.StaleNonce as error:
        raise UseDpopNonce("a fresh nonce is needed", reason=error.reason) from None
    except dpop.InvalidProof as error:
        raise InvalidDpopProof(f"the DPoP proof is not good: {error.reason}") from None
    until = datetime.fromtimestamp(proof.until, UTC)
    if not op.tokens.seen_once("dpop", proof.once, until, request.now):
        raise InvalidDpopProof("the DPoP proof came before")
    return proof.jkt


def _nonce(request: OAuthRequest, op: Provider) -> tuple[str, str]:
    return "DPoP-Nonce", op.keys.nonces.fresh(request.now)
