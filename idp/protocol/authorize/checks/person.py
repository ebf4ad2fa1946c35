"""Who should sign in, how strongly, how lately, and what is told about them."""

import json
from dataclasses import replace
from typing import Any

from idp.crypto import jose
from idp.domain import Provider
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import OAuthRequest

PROMPTS = frozenset({"none", "login", "consent", "select_account"})


def prompt(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """`none` stands alone; values nobody knows are ignored (OpenID Connect Core 3.1.2.1)."""
    asked = frozenset((request.parameters.get("prompt") or "").split(" ")) - {""}
    if "none" in asked and len(asked) > 1:
        raise InvalidRequest("prompt none stands alone")
    return replace(draft, prompt=asked & PROMPTS)


def max_age(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """How old the sign-in may be, in seconds."""
    asked = request.parameters.get("max_age")
    if asked is None:
        return replace(draft, max_age=draft.client.details.get("default_max_age"))
    if not asked.isascii() or not asked.isdecimal() or len(asked) > 10:  # noqa: PLR2004
        raise InvalidRequest("max_age is not a number of seconds")
    return replace(draft, max_age=int(asked))


def claims(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """The claims parameter (OpenID Connect Core section 5.5)."""
    text = request.parameters.get("claims")
    if text is None or "openid" not in draft.scopes:
        return draft
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest("claims is not JSON") from None
    if not isinstance(asked, dict):
        raise InvalidRequest("claims is not a JSON object")
    kept = {m: asked[m] for m in ("userinfo", "id_token") if isinstance(asked.get(m), dict)}
    draft = replace(draft, claims={m: dict.fromkeys(kept[m]) for m in kept})
    return _claims_that_steer(draft, kept.get("id_token", {}))


def acr_values(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """How strong the sign-in should be, the best first; a wish unless claims made it a must."""
    if draft.acr_essential:
        return draft
    asked = (request.parameters.get("acr_values") or "").split()
    defaults = draft.client.details.get("default_acr_values", ())
    return replace(draft, acr_values=tuple(asked[:10] or defaults))


def hints(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """login_hint prefills; id_token_hint says who must be signed in (Core section 3.1.2.1)."""
    draft = replace(draft, login_hint=request.parameters.get("login_hint"))
    hint = request.parameters.get("id_token_hint")
    if hint is None:
        return draft
    try:
        said = jose.verify(hint, op.keys.verification_keys(request.now), jose.OUR_ALGORITHMS)
    except jose.Unverifiable:
        raise InvalidRequest("id_token_hint is not one of ours") from None
    if said.get("iss") != op.rules.issuer or not isinstance(said.get("sub"), str):
        raise InvalidRequest("id_token_hint is not one of ours")
    return replace(draft, hinted_sub=said["sub"])


def locales(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Languages the person may like, the best first."""
    asked = (request.parameters.get("ui_locales") or "").split()
    return replace(draft, ui_locales=tuple(tag[:35] for tag in asked[:10]))


def _claims_that_steer(draft: Draft, id_token: dict[str, Any]) -> Draft:
    """`sub` and `acr` with values say who and how, not only what to tell (Core 5.5.1)."""
    sub = id_token.get("sub")
    if isinstance(sub, dict) and isinstance(sub.get("value"), str):
        draft = replace(draft, hinted_sub=sub["value"])
    acr = id_token.get("acr")
    if not isinstance(acr, dict):
        return draft
    values = acr.get("values", [acr["value"]] if "value" in acr else [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidRequest("the acr values are not strings")
    essential = acr.get("essential") is True and bool(values)
    return replace(draft, acr_values=tuple(values[:10]), acr_essential=essential)
