"""Global Token Revocation (draft-parecki-oauth-global-token-revocation): somebody who watches over
people says that everything of one of them must end, and it ends by a sign-out like any other.

Only a client to which an operator has given the scope `global_token_revocation` may ask: by an
access token of its own with that scope, or by its assertion (private_key_jwt).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from idp.crypto import jose
from idp.domain import Provider, strict, subjects
from idp.domain.accounts import Account
from idp.domain.clients import ClientView
from idp.domain.sign_out import Because
from idp.domain.subjects import NoSubject, Subject
from idp.protocol import bearer, client_auth
from idp.protocol.client_auth.assertion import TYPE
from idp.protocol.errors import InsufficientScope, InvalidRequest, NoSuchPerson
from idp.protocol.messages import Answer, OAuthRequest, Parameters
from idp.protocol.own_scopes import GLOBAL_TOKEN_REVOCATION, granted

DONE = Answer(status=204)
MOST_ALIASES = 10


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """End everything of the person that `sub_id` names (RFC 9493): sessions, refresh tokens,
    offline access. Who has nothing left is answered the same.
    """
    client = _caller(request, op)
    people = _people(request.json, client, op)
    if not people:
        raise NoSuchPerson("nobody here has this identifier")
    why = Because("globally_revoked", f"client:{client.client_id}")
    receipts = [op.sign_outs.everywhere(row.id, why, request.now) for row in people]

    def later() -> Answer:
        strict.settle(op, receipts, request.now)
        return DONE

    return Answer(later=later)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "global_token_revocation_endpoint": f"{op.rules.issuer}/global-token-revocation",
        "global_token_revocation_endpoint_auth_methods_supported": ["private_key_jwt", "Bearer"],
    }


def _caller(request: OAuthRequest, op: Provider) -> ClientView:
    """Who asks, and may. The body is JSON, so that an assertion comes in the header."""
    assertion = _assertion(request)
    if assertion is None:
        access = bearer.accepted_of_client(request, op, (GLOBAL_TOKEN_REVOCATION,))
        return op.clients.get(access.client_id)
    form = (("client_assertion_type", TYPE), ("client_assertion", assertion))
    presented = replace(request, headers={}, body=Parameters(pairs=form))
    client = client_auth.authenticate(presented, op)
    if GLOBAL_TOKEN_REVOCATION not in granted(client):
        raise InsufficientScope("this client may not end what belongs to others")
    return client


def _assertion(request: OAuthRequest) -> str | None:
    """The token of the header, if it is a client's word for itself and not a token of ours."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    try:
        said = jose.claims_of(token.strip())
    except jose.Unverifiable:
        return None
    itself = isinstance(said.get("iss"), str) and said.get("iss") == said.get("sub")
    return token.strip() if scheme.lower() == "bearer" and itself else None


def _people(body: object, client: ClientView, op: Provider) -> list[Account]:
    """Everybody the identifier names; of aliases, each (RFC 9493 section 3.2.8)."""
    given = body.get("sub_id") if isinstance(body, dict) else None
    identifiers = [given]
    if isinstance(given, dict) and given.get("format") == "aliases":
        identifiers = given.get("identifiers", [])
        if not isinstance(identifiers, list) or not 0 < len(identifiers) <= MOST_ALIASES:
            raise InvalidRequest("aliases has a list of identifiers")
    try:
        named = [subjects.read(one) for one in identifiers]
    except NoSubject as error:
        raise InvalidRequest(str(error)) from None
    return list({row.id: row for subject in named for row in _named(subject, client, op)}.values())


def _named(subject: Subject, client: ClientView, op: Provider) -> Iterable[Account]:
    row = None
    if not all(value.isprintable() for value in subject.values()):
        return []  # nobody is called so, and not every store can be asked
    match subject["format"]:
        case "iss_sub":
            ours = subject["iss"] == op.rules.issuer
            row = op.accounts.find(client.account_of(subject["sub"])) if ours else None
        case "opaque":
            row = op.accounts.find(client.account_of(subject["id"]))
        case "account":
            name, _, host = subject["uri"].removeprefix("acct:").rpartition("@")
            ours = host == urlsplit(op.rules.issuer).hostname
            row = op.accounts.find_by_username(name) if ours else None
        case "email" | "phone_number" as claim:
            return op.accounts.reached_at(claim, subject[claim])
        case _:
            raise InvalidRequest("people are not named by this format here")
    return [row] if row is not None else []
