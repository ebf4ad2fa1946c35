"""Who may see an account page, and who may change what opens the account."""

from datetime import timedelta

from flask import redirect
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.accounts import Account
from idp.domain.sessions import Session
from idp.web.browser import current_session
from idp.web.wire import now, provider

FRESH = timedelta(minutes=10)


def signed_in() -> tuple[Session, Account] | None:
    """The session of this browser and its person."""
    op = provider()
    session = current_session(op, now())
    account = op.accounts.find(session.account_id) if session is not None else None
    if session is None or account is None:
        return None
    op.sessions.touch(session, now())
    return session, account


def fresh_account() -> Account | None:
    """The person, if they signed in a moment ago: to change what opens the account (PWD-13)."""
    here = signed_in()
    if here is None or now() - here[0].auth_time > FRESH:
        return None
    return here[1]


def to_sign_in() -> AnyResponse:
    """Sign in first; afterwards the account page is where one lands."""
    return redirect("/sign-in", 303)
