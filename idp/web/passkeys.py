"""What the passkey script talks to: questions for authenticators, and their answers."""

from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, abort, jsonify, request
from flask_babel import gettext

from idp.domain.accounts import Account
from idp.domain.caep import passkey_type
from idp.domain.login import passkey
from idp.domain.sessions import Closed
from idp.domain.throttle import Throttled, network
from idp.web.account.access import LANDINGS, fresh_account
from idp.web.authorize import find_transaction
from idp.web.browser import binding
from idp.web.interaction import admit
from idp.web.wire import commit, now, provider

blueprint = Blueprint("passkeys", __name__)


@blueprint.post("/passkeys/login/options")
def login_options() -> Response:
    """A fresh challenge; the same for everybody, because it names nobody (WAN-09)."""
    ceremony = passkey.begin_login(provider(), binding(), now())
    commit()
    return jsonify(challenge=ceremony.handle, publicKey=ceremony.options)


@blueprint.post("/passkeys/login")
def login() -> Response:
    """The answer of an authenticator: a session, or one sentence."""
    op = provider()
    said = _object()
    try:
        op.throttle.count("address", network(request.remote_addr or ""), now())
        proof = passkey.finish_login(
            op, str(said.get("challenge", "")), said.get("credential"), binding(), now()
        )
    except Throttled:
        return _refused(gettext("Too many tries. Wait a few minutes."), 429)
    except passkey.Refused as error:
        op.events.record(
            "SignInFailed",
            now(),
            account_id=error.account_id,
            address=request.remote_addr,
            reason=str(error),
            method="passkey",
        )
        commit()
        return _refused(gettext("That passkey does not work here."), 400)
    handle = str(said.get("tx", ""))
    transaction = find_transaction(handle) if handle else None
    try:
        response = admit(proof, transaction, LANDINGS.get(str(said.get("for", "")), "/account"))
    except Closed:
        return _refused(gettext("That passkey does not work here."), 400)
    location = response.headers.pop("Location")
    if handle and transaction is None:
        query = urlencode({"tx": handle, "client_id": str(said.get("client_id", ""))})
        location = f"/sign-in?{query}"  # the page that leads back to the app
    answer = jsonify(location=location)
    for cookie in response.headers.getlist("Set-Cookie"):
        answer.headers.add("Set-Cookie", cookie)
    return answer


@blueprint.post("/account/passkeys/options")
def registration_options() -> Response:
    """A challenge for a new passkey of the person who is signed in, and freshly so (WAN-07)."""
    account = _fresh()
    ceremony = passkey.begin_registration(provider(), account, binding(), now())
    commit()
    return jsonify(challenge=ceremony.handle, publicKey=ceremony.options)


@blueprint.post("/account/passkeys")
def register() -> Response:
    """A new passkey."""
    op = provider()
    account = _fresh()
    said = _object()
    try:
        made = passkey.finish_registration(
            op,
            account,
            str(said.get("challenge", "")),
            said.get("credential"),
            name=str(said.get("name", "")),
            browser=binding(),
            now=now(),
        )
    except passkey.Refused as error:
        op.events.record("PasskeyRefused", now(), account_id=account.id, reason=str(error))
        commit()
        return _refused(gettext("That passkey could not be added."), 400)
    op.events.record(
        "PasskeyAdded",
        now(),
        account_id=account.id,
        passkey=made.name,
        credential_type=passkey_type(made.transports),
    )
    commit()
    return jsonify(location="/account/security?done=passkey-added")


def _fresh() -> Account:
    account = fresh_account()
    if account is None:
        abort(403)
    return account


def _object() -> dict[str, Any]:
    """What the script said. Flask's own reader falls over what is nested too deeply."""
    try:
        said = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        abort(400)
    if not isinstance(said, dict):
        abort(400)
    return said


def _refused(sentence: str, status: int) -> Response:
    response = jsonify(error=sentence)
    response.status_code = status
    return response
