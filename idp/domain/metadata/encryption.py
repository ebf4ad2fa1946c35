"""What a client wants encrypted for its own eyes (OpenID Connect Registration section 2)."""

from collections.abc import Callable, Mapping
from typing import Any

from idp.crypto import jose, jwe
from idp.domain.metadata.shapes import InvalidMetadata, one_of

ANSWERS = ("id_token", "userinfo", "authorization", "introspection")

CHECKS: dict[str, Callable[[str, Any], Any]] = {
    f"{answer}_encrypted_response_{part}": one_of(*known)
    for answer in ANSWERS
    for part, known in (("alg", jwe.KEY_ALGORITHMS), ("enc", jwe.CONTENT_ALGORITHMS))
}


def wanted(details: Mapping[str, Any], answer: str) -> tuple[str, str] | None:
    """The algorithms for the key and for the content; None for what is sent in the open."""
    alg = details.get(f"{answer}_encrypted_response_alg")
    if alg is None:
        return None
    return alg, details.get(f"{answer}_encrypted_response_enc", jwe.USUAL_CONTENT)


def agree(kept: Mapping[str, Any]) -> None:
    """Whoever wants something encrypted has a key to encrypt it for."""
    for answer in ANSWERS:
        if f"{answer}_encrypted_response_enc" in kept and wanted(kept, answer) is None:
            raise InvalidMetadata(f"{answer}_encrypted_response_enc needs the alg beside it")
        asked = wanted(kept, answer)
        if asked is None or "jwks_uri" in kept:
            continue
        late = answer == "authorization" and "jwks" in kept  # refused when it is asked for
        if not late and holder_in(kept.get("jwks"), asked[0]) is None:
            raise InvalidMetadata(f"{answer}_encrypted_response_alg needs a key that fits it")


def holder_in(jwks: object, alg: str) -> jwe.Holder | None:
    """The key of a set to encrypt for: one that says it is for that, or one that says nothing."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    candidates = [jwk for jwk in keys if isinstance(jwk, dict)] if isinstance(keys, list) else []
    for use in ("enc", None):
        for jwk in candidates:
            if jwk.get("use") == use and jwk.get("alg") in (None, alg):
                holder = _holder(jwk, alg)
                if holder is not None:
                    return holder
    return None


def _holder(jwk: Mapping[str, Any], alg: str) -> jwe.Holder | None:
    """Only what the key is, not what else is said of it."""
    public = {name: jwk[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in jwk}
    try:
        key = jose.import_key(public)
    except jose.Unverifiable:
        return None
    kid = jwk.get("kid")
    return jwe.Holder(kid if isinstance(kid, str) else None, key) if jwe.fits(key, alg) else None
