"""Who should sign in, how strongly, how lately, and what is told about them."""

from dataclasses import replace
from urllib.parse import urlsplit

from idp.crypto import jose
from idp.domain import Provider
from idp.protocol import claims_request
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
    asked = claims_request.read(text)
    return replace(
        draft,
        claims=asked.claims,
        hinted_sub=asked.sub,
        acr_values=asked.acr_values,
        acr_essential=asked.acr_essential,
    )


def acr_values(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """How strong the sign-in should be, the best first; a wish unless claims made it a must."""
    if draft.acr_values:
        return draft
    asked = (request.parameters.get("acr_values") or "").split()
    defaults = draft.client.details.get("default_acr_values", ())
    return replace(draft, acr_values=tuple(asked[:10] or defaults))


def hints(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """login_hint prefills; id_token_hint says who must be signed in (Core section 3.1.2.1)."""
    draft = replace(draft, login_hint=_name_in(request.parameters.get("login_hint"), op))
    hint = request.parameters.get("id_token_hint")
    if hint is None:
        return draft
    try:
        keys = op.keys.verification_keys(request.now)
        said = jose.verify(hint, keys, jose.OUR_ALGORITHMS, typ="jwt")
    except jose.Unverifiable:
        raise InvalidRequest("id_token_hint is not one of ours") from None
    if said.get("iss") != op.rules.issuer or not isinstance(said.get("sub"), str):
        raise InvalidRequest("id_token_hint is not one of ours")
    if draft.hinted_sub not in (None, said["sub"]):
        raise InvalidRequest("id_token_hint and claims name different people")
    return replace(draft, hinted_sub=said["sub"])


def locales(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Languages the person may like, the best first."""
    asked = (request.parameters.get("ui_locales") or "").split()
    return replace(draft, ui_locales=tuple(tag[:35] for tag in asked[:10]))


def _name_in(hint: str | None, op: Provider) -> str | None:
    """What a person would type: apps also hint with an address that stands for an account, for
    mail or for a phone (RFC 7565, RFC 6068, RFC 3966).
    """
    scheme, colon, name = (hint or "").partition(":")
    if not colon or scheme.lower() not in ("acct", "mailto", "tel"):
        return hint
    ours = f"@{urlsplit(op.rules.issuer).hostname}"
    return name.removesuffix(ours) if scheme.lower() == "acct" else name
