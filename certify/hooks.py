"""Doors that only a certification run has: they stand in for people the suite cannot ask.

Nothing in `idp` knows this file, so that no provider has them by a slip of configuration.
"""

import uuid
from datetime import datetime

from flask import Flask, Response, jsonify, request

from certify import signals
from idp.domain import Provider
from idp.domain.approvals import CIBA
from idp.domain.login import PASSWORD_ACR, Proof
from idp.domain.sign_out import Because
from idp.domain.unit import commit
from idp.protocol import bearer
from idp.protocol.approval import answer
from idp.protocol.errors import InvalidToken
from idp.protocol.messages import Answer, OAuthRequest
from idp.web.wire import now, provider, serve

INTERACTION = "x-fapi-interaction-id"
BECAUSE = Because("admin", by="certification")
ANSWERS = {"allow": answer.allow, "deny": answer.deny}


def rotate_keys() -> Response:
    """A new signing key is published; the old ones stay (module server-rotate-keys)."""
    op = provider()
    op.keys.rotate("RS256", now())
    commit()
    return jsonify(keys=[key["kid"] for key in op.keys.public_jwks(now())["keys"]])


def reset() -> Response:
    """Everybody is signed out, and every client that registered itself is gone."""
    op = provider()
    for account in op.accounts.list():
        op.sign_outs.everywhere(account.id, BECAUSE, now())
    gone = [view.client_id for view in op.clients.list() if view.dynamic]
    for client_id in gone:
        op.clients.remove(client_id, now())
    commit()
    return jsonify(clients_removed=len(gone))


def emit() -> Response:
    """What the receiver of the Shared Signals plans waits for, happens."""
    signals.happen(provider(), now())
    commit()
    return jsonify(happened=True)


def ciba() -> Response:
    """A person answers a request on their account page (?auth_req_id=…&action=allow|deny)."""
    asked, action = request.args.get("auth_req_id", ""), request.args.get("action", "")
    done = answer_request(provider(), asked, action, now())
    commit()
    return jsonify(answered=done) if done else _refused()


def answer_request(op: Provider, auth_req_id: str, action: str, at: datetime) -> bool:
    """What their yes or no does, in a session opened for it: with the first acr it asks for."""
    row = op.codes.approvals.find(CIBA, auth_req_id)
    if row is None or row.account_id is None or action not in ANSWERS:
        return False
    acr = next(iter(row.asked["acr_values"]), PASSWORD_ACR)
    proof = Proof(row.account_id, ("pwd",), acr, at)
    session, _ = op.sessions.open(proof, user_agent="certification", address="", now=at)
    return ANSWERS[action](op, row, session, "", at)


def _refused() -> Response:
    response = jsonify(answered=False)
    response.status_code = 404
    return response


def resource() -> Response:
    """An API for the FAPI plans: whoever brings a token for it, or for us, is told so."""
    response = serve(_protected)
    asked = request.headers.get(INTERACTION, "")
    response.headers[INTERACTION] = asked if _is_uuid(asked) else str(uuid.uuid4())
    return response


def _protected(request: OAuthRequest, op: Provider) -> Answer:
    api = f"{op.rules.issuer}/resource"
    try:
        _, access = bearer.held(request, op, api)
    except InvalidToken:
        access = bearer.accepted(request, op, "openid")
    return Answer(body={"sub": access.sub, "scope": " ".join(access.scopes)})


def _is_uuid(said: str) -> bool:
    try:
        return str(uuid.UUID(said)) == said.lower()
    except ValueError:
        return False


DOORS = (
    ("POST", "/test/rotate-keys", rotate_keys),
    ("POST", "/test/reset", reset),
    ("POST", "/test/ciba-sim", ciba),
    ("POST", "/test/ssf-emit", emit),
    ("GET", "/resource", resource),
)


def mount(app: Flask) -> None:
    """Hang them: not in a blueprint, for their callers have no form of ours to send."""
    for method, path, view in DOORS:
        app.add_url_rule(path, view_func=view, methods=[method])
