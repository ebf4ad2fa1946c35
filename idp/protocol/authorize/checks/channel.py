"""Who asks, what for, and how the answer travels back."""

import ipaddress
from dataclasses import replace
from urllib.parse import urlsplit

from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.metadata import response_types
from idp.domain.metadata.profiles import MESSAGE_SIGNING
from idp.protocol.arrivals import arriving
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidRequest, UnauthorizedClient, UnsupportedResponseType
from idp.protocol.messages import OAuthRequest

PLAIN_MODES = ("query", "fragment", "form_post")
RESPONSE_MODES = (*PLAIN_MODES, "jwt", "query.jwt", "fragment.jwt", "form_post.jwt")
MAY_REPEAT = frozenset({"resource", "audience"})
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
    client = arriving(client_id, request, op) if client_id is not None else None
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
    """How even a refusal is to be sent, and whether anybody is to be asked about it: in the
    address, behind it, or by a form. What asks for a token gets no answer in a query, where
    servers would log it (Multiple Response Types section 5). A mode with `jwt` has it signed.
    """
    if "none" in (request.parameters.get("prompt") or "").split():
        draft = replace(draft, prompt=frozenset({"none"}))
    types, modes = request.parameters.all("response_type"), request.parameters.all("response_mode")
    words = {word for asked in types for word in asked.split(" ")}
    tokens = bool(words & {"id_token", "token"})
    usual = "fragment" if tokens else "query"
    asked = modes[0] if len(modes) == 1 and modes[0] in RESPONSE_MODES else usual
    mode = usual if asked == "jwt" else asked.removesuffix(".jwt")
    web = urlsplit(draft.redirect_uri).scheme in ("http", "https")
    if (mode == "form_post" and not web) or (mode == "query" and tokens):
        mode = usual
    return replace(draft, response_mode=f"{mode}.jwt" if asked.endswith("jwt") else mode)


def repeats(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """No parameter twice (RFC 6749 section 3.1), and none without end."""
    if request.parameters.repeated(except_for=MAY_REPEAT):
        raise InvalidRequest("a parameter is there more than once")
    for name, longest in LONGEST.items():
        if len(request.parameters.get(name) or "") > longest:
            raise InvalidRequest(f"{name} is too long")
    return draft


def redirect_uri_is_said(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Whoever pushes a request says where the answer goes, even if there is one address only
    (FAPI 2.0 Security Profile section 5.3.2.2).
    """
    if not draft.redirect_uri_sent:
        raise InvalidRequest("redirect_uri is missing")
    return draft


def response_type(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """What is asked for: a code, an ID token, or both; and an access token where the operator
    still allows one in an address. Nobody proves a key here, so a bound one is never given.
    """
    sent = request.parameters.get("response_type")
    if sent is None:
        raise InvalidRequest("response_type is missing")
    asked = response_types.canonical(sent)
    if asked not in response_types.supported(legacy=op.rules.legacy_response_types):
        raise UnsupportedResponseType("the response_type is not supported")
    if asked not in draft.client.response_types:
        raise UnauthorizedClient("the response_type is not registered for this client")
    draft = replace(draft, response_type=asked)
    bound = draft.client.dpop_bound or draft.client.certificate_bound
    if draft.gives("token") and bound:
        raise UnauthorizedClient("this client's access tokens are bound to a key")
    return draft


def response_mode(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """query, fragment, or form_post for addresses a form can be posted to; each of them signed,
    if that is asked for (JARM section 2.3).
    """
    asked = request.parameters.get("response_mode")
    if asked is not None and asked not in RESPONSE_MODES:
        raise InvalidRequest("the response_mode is not supported")
    plain, given = (asked or "").removesuffix(".jwt"), draft.response_mode.removesuffix(".jwt")
    if plain == "form_post" and given != "form_post":
        raise InvalidRequest("form_post needs an https redirect URI")
    if plain == "query" and given != "query":
        raise InvalidRequest("tokens are not sent in a query")
    if draft.client.profile == MESSAGE_SIGNING and not draft.response_mode.endswith("jwt"):
        raise InvalidRequest("this client has its answers signed; ask for the response_mode jwt")
    return draft


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
