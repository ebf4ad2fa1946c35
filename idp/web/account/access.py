"""Who may see an account page, and who may change what opens the account."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

from flask import redirect
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.accounts import Account
from idp.domain.login import SECOND_FACTOR_ACR, satisfies
from idp.domain.sessions import Session
from idp.web.browser import current_session
from idp.web.language import prefer
from idp.web.wire import commit, now, provider

P = ParamSpec("P")

FRESH = timedelta(minutes=10)

LANDINGS = {
    "": "/account",
    "profile": "/account/profile",
    "security": "/account/security",
    "sessions": "/account/sessions",
    "apps": "/account/apps",
    "receipts": "/account/receipts",
    "requests": "/account/requests",
    "device": "/device",
}
"""Where one can go after signing in: these pages and no other address (BRW-04)."""

PROTECTED = {LANDINGS[page] for page in ("profile", "security", "requests", "device")}
"""Pages where something is changed or allowed that needs the whole proof of who one is."""


@dataclass(frozen=True, slots=True)
class Here:
    """The session of this browser and its person."""

    session: Session
    account: Account

    @property
    def fresh(self) -> bool:
        """Whether they signed in a moment ago, and with a code if they have one: to change what
        opens the account (PWD-13, TOT-07).
        """
        if now() - self.session.auth_time > FRESH:
            return False
        strong = satisfies(self.session.acr, SECOND_FACTOR_ACR)
        return strong or not provider().accounts.second_factors.enrolled(self.account.id)


def signed_in() -> Here | None:
    """Who is signed in in this browser. That the session is in use is written down at once:
    what follows may take its time, and must not hold the store meanwhile.
    """
    op = provider()
    session = current_session(op, now())
    account = op.accounts.find(session.account_id) if session is not None else None
    if session is None or account is None:
        return None
    op.sessions.touch(session, now())
    commit()
    prefer(account.claims)
    return Here(session, account)


def fresh_account() -> Account | None:
    """The person, if they signed in a moment ago."""
    here = signed_in()
    return here.account if here is not None and here.fresh else None


def personal(
    page: str, *, fresh: bool = False
) -> Callable[[Callable[Concatenate[Here, P], AnyResponse]], Callable[P, AnyResponse]]:
    """For pages of one's own: whoever is not signed in does that first, and then lands on
    `page`. With `fresh`, the sign-in must be a recent one.
    """

    def wrapped(
        view: Callable[Concatenate[Here, P], AnyResponse],
    ) -> Callable[P, AnyResponse]:
        @wraps(view)
        def asked(*args: P.args, **kwargs: P.kwargs) -> AnyResponse:
            here = signed_in()
            if here is None or (fresh and not here.fresh):
                return redirect(f"/sign-in?for={page}" if page else "/sign-in", 303)
            return view(here, *args, **kwargs)

        return asked

    return wrapped
