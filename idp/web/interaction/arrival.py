"""Somebody has proved who they are: what else is asked of them, and a session if nothing is."""

from urllib.parse import urlencode

from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import second_step
from idp.domain.login import Proof, a_code_helps, totp
from idp.domain.second_step import Ask
from idp.domain.sign_out import Because
from idp.domain.step_up import step_up
from idp.web.account.access import PROTECTED
from idp.web.authorize import Transaction, remember
from idp.web.browser import binding, current_session, remember_device, set_session
from idp.web.check_session import keep_state
from idp.web.interaction.passage import go_on
from idp.web.wire import commit, now, provider


def proved(proof: Proof, transaction: Transaction | None, landing: str) -> AnyResponse:
    """The password was right. Whoever must show more waits for that, and is not signed in yet.
    Raises `Closed` or `Over` when the account was disabled in this moment.
    """
    op = provider()
    wanted = landing in PROTECTED
    if transaction is not None:
        wanted = a_code_helps(proof.acr, transaction.draft.acr_values)
    ask = second_step.asked(op, proof.account_id, wanted=wanted)
    if ask is Ask.NOTHING:
        return admit(proof, transaction, landing)
    handle = second_step.park(
        op,
        proof,
        browser=binding(),
        tx=transaction.handle if transaction is not None else "",
        landing=landing,
        enrolment=totp.begin(op, proof.account_id) if ask is Ask.SET_UP else None,
        now=now(),
    )
    op.events.record(
        "SecondFactorAsked", now(), account_id=proof.account_id, address=request.remote_addr
    )
    commit()
    query = {"step": str(handle)}
    if transaction is not None:
        query["client_id"] = transaction.draft.client.client_id
    return redirect(f"/sign-in/code?{urlencode(query)}", 303)


def admit(proof: Proof, transaction: Transaction | None, landing: str = "/account") -> AnyResponse:
    """Somebody has proved who they are: a session, a fresh cookie, and on to the next step.
    Raises `Closed` when the account was disabled in this moment.
    """
    op = provider()
    session = current_session(op, now())
    if session is not None and session.account_id == proof.account_id:
        cookie = step_up(op, session, proof, now())
    else:
        if session is not None:
            why = Because("other_account", "person")
            op.sign_outs.browser(session.account_id, session.id, why, now())
        session, cookie = op.sessions.open(
            proof,
            user_agent=request.headers.get("User-Agent", ""),
            address=request.remote_addr or "",
            now=now(),
        )
    op.events.record(
        "SignedIn",
        now(),
        account_id=proof.account_id,
        session_id=session.id,
        address=request.remote_addr,
        amr=list(proof.amr),
    )
    if transaction is not None:
        remember(transaction, stronger=True)
    commit()
    response = redirect(landing, 303) if transaction is None else go_on(transaction)
    set_session(response, cookie)
    keep_state(session)
    remember_device(response, proof.account_id)
    return response
