"""One small function for each rule of an authorization request; none of them writes.

Nothing that was sent is ever repeated in a description.
"""

import ipaddress
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.protocol.authorize.draft import Draft
from idp.protocol.claims import OPENID_SCOPES
from idp.protocol.errors import (
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from idp.protocol.messages import OAuthRequest

RESPONSE_TYPES = ("code",)
RESPONSE_MODES = ("query", "form_post")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")
SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
MAY_REPEAT = frozenset({"resource", "audience"})
MOST_SCOPES = 100
LONGEST = {"state": 4096, "nonce": 1024, "login_hint": 255, "claims": 8192}


def client_and_redirect_uri(request: OAuthRequest, op: Provider) -> Draft:
    """Who asks, and where the browser goes back to: exactly as registered (RFC 9700 2.1)."""
    parameters = request.parameters
    for name in ("client_id", "redirect_uri"):
        if name in parameters.repeated():
            raise InvalidRequest(f"{name} is there more than once")
    if request.method == "POST" and request.query.pairs:
        raise InvalidRequest("a POST must not have parameters in its address")
    client_id = parameters.get("client_id")
    client = op.clients.find(client_id) if client_id is not None else None
    if client is None or not client.enabled:
        raise InvalidRequest("no such client", reason="unknown or disabled client")
    if not client.redirect_uris:
        raise UnauthorizedClient("this client does not sign people in")
    sent = parameters.get("redirect_uri")
    uri = sent if sent is not None else _default(client, parameters.get("scope"))
    if sent is not None and not matches(sent, client):
        raise InvalidRequest("the redirect_uri is not registered for this client")
    states = parameters.all("state")
    state = states[0] if len(states) == 1 and len(states[0]) <= LONGEST["state"] else None
    return Draft(client=client, redirect_uri=uri, redirect_uri_sent=sent is not None, state=state)


def response_channel(draft: Draft, request: OAuthRequest) -> Draft:
    """How even a refusal is to be sent."""
    modes = request.parameters.all("response_mode")
    web = urlsplit(draft.redirect_uri).scheme in ("http", "https")
    if modes == ("form_post",) and web:
        return replace(draft, response_mode="form_post")
    return draft


def repeats(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """No parameter twice (RFC 6749 section 3.1), and none without end."""
    if request.parameters.repeated(except_for=MAY_REPEAT):
        raise InvalidRequest("a parameter is there more than once")
    for name, longest in LONGEST.items():
        if len(request.parameters.get(name) or "") > longest:
            raise InvalidRequest(f"{name} is too long")
    return draft


def request_objects(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Not supported, and not advertised (OpenID Connect Core section 6)."""
    if request.parameters.get("request") is not None:
        raise RequestNotSupported("request objects are not supported")
    if request.parameters.get("request_uri") is not None:
        raise RequestUriNotSupported("request objects are not supported")
    return draft


def response_type(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """What is asked for: a code."""
    asked = request.parameters.get("response_type")
    if asked is None:
        raise InvalidRequest("response_type is missing")
    if asked not in RESPONSE_TYPES:
        raise UnsupportedResponseType("the response_type is not supported")
    if asked not in draft.client.response_types:
        raise UnauthorizedClient("the response_type is not registered for this client")
    return replace(draft, response_type=asked)


def response_mode(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """query, or form_post for addresses a form can be posted to."""
    asked = request.parameters.get("response_mode")
    if asked is not None and asked not in RESPONSE_MODES:
        raise InvalidRequest("the response_mode is not supported")
    if asked == "form_post" and draft.response_mode != "form_post":
        raise InvalidRequest("form_post needs an https redirect URI")
    return draft


def scope(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Scopes that exist and that the client may ask for."""
    asked = tuple(dict.fromkeys((request.parameters.get("scope") or "").split(" ")))
    asked = tuple(item for item in asked if item)
    if len(asked) > MOST_SCOPES or any(not SCOPE.fullmatch(item) for item in asked):
        raise InvalidScope("the scope is malformed")
    known = set(OPENID_SCOPES)
    if not set(asked) <= known:
        known |= set(op.resources.scopes())
    allowed = draft.client.scopes
    if any(item not in known for item in asked):
        raise InvalidScope("a scope is not known")
    if allowed is not None and not set(asked) <= allowed | {"openid"}:
        raise InvalidScope("a scope is not one this client may ask for")
    return replace(draft, scopes=asked)


def resource(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """The APIs the tokens are for (RFC 8707 section 2); those the scopes belong to, if unsaid."""
    asked = tuple(dict.fromkeys(request.parameters.all("resource")))
    beyond = set(draft.scopes) - set(OPENID_SCOPES)
    if not asked:
        return replace(draft, resources=op.resources.that_understand(beyond) if beyond else ())
    rows = op.resources.named(asked)
    if len(rows) != len(asked):
        raise InvalidTarget("the resource is not known")
    understood = {item for row in rows for item in row.scopes}
    if not beyond <= understood:
        raise InvalidScope("a scope does not belong to the resource")
    return replace(draft, resources=asked)


def pkce(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """S256 and nothing else; required of public clients and of those without OpenID
    (RFC 7636 section 4.4.1, design decision on RFC 9700 section 2.1.1).
    """
    challenge = request.parameters.get("code_challenge")
    method = request.parameters.get("code_challenge_method")
    if challenge is None:
        strict = op.rules.pkce_required == "all"
        if "code_challenge" in request.parameters or method is not None:
            raise InvalidRequest("code_challenge is missing")
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
    """Carried through to the ID token, unchanged."""
    return replace(draft, nonce=request.parameters.get("nonce"))


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


def matches(uri: str, client: ClientView) -> bool:
    """Equal as strings; only the port of a native app's loopback address may vary (RFC 8252)."""
    if uri in client.redirect_uris:
        return True
    if not client.native:
        return False
    return any(_same_but_port(uri, registered) for registered in client.redirect_uris)


def _same_but_port(uri: str, registered: str) -> bool:
    try:
        one, other = urlsplit(uri), urlsplit(registered)
        host = ipaddress.ip_address(other.hostname or "")
        port = one.port
    except ValueError:
        return False
    if not host.is_loopback or other.scheme != "http" or port is None:
        return False
    literal = f"[{other.hostname}]" if host.version == 6 else other.hostname  # noqa: PLR2004
    tail = registered[len(f"http://{other.netloc}") :]
    return uri == f"http://{literal}:{port}{tail}"


def _default(client: ClientView, scope_asked: str | None) -> str:
    """The one registered address, for plain OAuth only (Core section 3.1.2.1 wants it sent)."""
    if len(client.redirect_uris) != 1 or "openid" in (scope_asked or "").split():
        raise InvalidRequest("redirect_uri is missing")
    return client.redirect_uris[0]


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
