"""What the person must still do: choose an account, sign in, show a code, consent, or nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from idp.domain import Provider
from idp.domain.grants import Grant
from idp.domain.login import SECOND_FACTOR_ACR, a_code_helps, satisfies
from idp.domain.second_step import ALL
from idp.domain.sessions import Session
from idp.protocol.authorize.draft import Draft
from idp.protocol.claims_request import names
from idp.protocol.errors import (
    ConsentRequired,
    LoginRequired,
    ProtocolError,
    UnmetAuthenticationRequirements,
)


class Step(Enum):
    """The next thing the person does."""

    SIGN_IN = "sign_in"
    CODE = "code"
    CONSENT = "consent"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the person has done in this very transaction, which began at `since`."""

    since: datetime
    consented: bool = False
    chosen: bool = False
    tried_stronger: bool = False


def next_step(
    draft: Draft,
    session: Session | None,
    grant: Grant | None,
    done: Done,
    op: Provider,
    now: datetime,
) -> Step:
    """Decide. A fresh sign-in is one after this transaction began: no parameter that is left
    out or repeated on the way can talk us out of it (OID-04).
    """
    if session is None or _must_sign_in(draft, session, done, now):
        return Step.SIGN_IN
    if _can_show_a_code(draft, session, op):
        return Step.CODE
    if _too_weak(draft, session, op):
        return Step.SIGN_IN
    if _must_consent(draft, grant, done):
        return Step.CONSENT
    return Step.NOTHING


def without_person(
    draft: Draft,
    session: Session | None,
    grant: Grant | None,
    done: Done,
    op: Provider,
    now: datetime,
) -> ProtocolError | None:
    """The same for prompt=none: what would have been asked, as an error (Core 3.1.2.6)."""
    step = next_step(draft, session, grant, done, op, now)
    if step in (Step.SIGN_IN, Step.CODE):
        return LoginRequired("nobody suitable is signed in")
    if step is Step.CONSENT:
        return ConsentRequired("the person has not agreed yet")
    return None


def unmet(draft: Draft, session: Session, done: Done) -> ProtocolError | None:
    """An essential acr that the person could not reach is an error, never less (STP-02)."""
    if draft.acr_essential and done.tried_stronger and not _strong_enough(draft, session):
        return UnmetAuthenticationRequirements("the sign-in was not strong enough")
    return None


def _must_sign_in(draft: Draft, session: Session, done: Done, now: datetime) -> bool:
    fresh = session.auth_time >= done.since
    if "login" in draft.prompt and not fresh:
        return True
    if "select_account" in draft.prompt and not (fresh or done.chosen):
        return True
    if draft.hinted_sub not in (None, draft.client.sub_of(session.account_id)):
        return True
    if draft.max_age is not None and not fresh:
        if now - session.auth_time > timedelta(seconds=draft.max_age) or draft.max_age == 0:
            return True
    return False


def _must_consent(draft: Draft, grant: Grant | None, done: Done) -> bool:
    if done.consented:
        return False
    if draft.client.trusted and "consent" not in draft.prompt:
        return False
    if grant is None or "consent" in draft.prompt or draft.authorization_details:
        return True  # details are allowed one by one, and not remembered
    return not (
        set(draft.scopes) <= set(grant.scopes)
        and set(draft.resources) <= set(grant.resources)
        and set(names(draft.claims)) <= set(grant.claims)
    )


def _can_show_a_code(draft: Draft, session: Session, op: Provider) -> bool:
    """Who can show a code is asked for it, also for a client that would take less (RFC 9470
    section 5).
    """
    wanted = _ruled_out(session, op) or a_code_helps(session.acr, draft.acr_values)
    return wanted and op.accounts.second_factors.enrolled(session.account_id)


def _too_weak(draft: Draft, session: Session, op: Provider) -> bool:
    return _ruled_out(session, op) or (draft.acr_essential and not _strong_enough(draft, session))


def _ruled_out(session: Session, op: Provider) -> bool:
    """Whether the operator wants a second factor of everybody, and this session has none."""
    return op.rules.second_factor == ALL and not satisfies(session.acr, SECOND_FACTOR_ACR)


def _strong_enough(draft: Draft, session: Session) -> bool:
    return any(satisfies(session.acr, wanted) for wanted in draft.acr_values)
