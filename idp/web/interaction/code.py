"""The second half of a sign-in: a code from an app, or one on paper."""

import math
from dataclasses import dataclass

from flask import Blueprint, redirect, request
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import second_step
from idp.domain.accounts import Account
from idp.domain.login import SECOND_FACTOR_ACR, Proof, and_a_code, recovery, satisfies, totp
from idp.domain.second_factors import Enrolment
from idp.domain.second_step import Over
from idp.domain.sessions import Closed
from idp.domain.throttle import Throttled, network
from idp.web.account.access import LANDINGS, signed_in
from idp.web.authenticator import Picture, picture
from idp.web.authorize import Transaction, find_transaction
from idp.web.browser import binding, known_device
from idp.web.interaction.arrival import admit
from idp.web.interaction.passage import address, go_on
from idp.web.language import gettext
from idp.web.pages import render
from idp.web.stale import stale_page
from idp.web.wire import commit, now, provider
from idp.web.words import home

blueprint = Blueprint("code", __name__)

APP, PAPER = "app", "recovery"
WAYS = {APP: totp.verify, PAPER: recovery.verify}
LONGEST_CODE = 200
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Half:
    """A sign-in that lacks a code: of somebody who waits for it, or in a session that is to be
    worth more.
    """

    handle: str
    account: Account
    proof: Proof
    transaction: Transaction | None
    landing: str
    enrolment: Enrolment | None = None

    @property
    def picture(self) -> Picture | None:
        """What a new app must see; None when there is one already."""
        return picture(self.account, self.enrolment) if self.enrolment is not None else None


@blueprint.get("/sign-in/code")
def code() -> AnyResponse:
    """The field for the code; or what to do for who has none."""
    try:
        half = _half()
    except Over:
        return stale_page()
    return _page(half) if isinstance(half, Half) else half


@blueprint.post("/sign-in/code")
def try_code() -> AnyResponse:
    """A code. Every try counts for its person, in whatever sign-in it is made (TOT-03)."""
    try:
        half = _half()
    except Over:
        return stale_page()
    if not isinstance(half, Half):
        return half
    kind = "second_factor_here" if known_device(half.account.id) else "second_factor"
    op = provider()
    try:
        op.throttle.count(kind, half.account.id, now())
        op.throttle.count("address", network(request.remote_addr or ""), now())
    except Throttled as error:
        return _wait(half, error)
    given = request.form.get("code", "")[:LONGEST_CODE]
    try:
        response = _try(half, given)
    except (Over, Closed):
        return stale_page()
    if response is None:
        _tell_of_failure(half)
        return _page(half, problem=_wrong(half), status=400)
    op.throttle.clear(kind, half.account.id, now())
    return response


def _half() -> Half | AnyResponse:
    """Whose sign-in it is that lacks a code. Raises `Over`."""
    handle = request.values.get("step", "")
    if handle:
        waiting = second_step.find(provider(), handle, binding(), now())
        transaction = find_transaction(waiting.tx) if waiting.tx else None
        if waiting.tx and transaction is None:
            raise Over
        return Half(
            handle, waiting.account, waiting.proof, transaction, waiting.landing, waiting.enrolment
        )
    transaction = find_transaction(request.values.get("tx", ""))
    if transaction is None:
        raise Over
    here = signed_in()
    if here is None:
        return redirect(address("/sign-in", transaction), 303)
    session = here.session
    if satisfies(session.acr, SECOND_FACTOR_ACR) or not _enrolled(here.account):
        return go_on(transaction)
    proof = Proof(here.account.id, tuple(session.amr), session.acr, session.auth_time)
    return Half("", here.account, proof, transaction, LANDINGS[""])


def _try(half: Half, given: str) -> AnyResponse | None:
    """Signed in, if the code is right; it is used up in the same transaction (promise P3)."""
    if half.enrolment is not None:
        return _set_up(half, half.enrolment, given)
    op, way = provider(), _way()
    if not WAYS[way](op, half.account.id, given, now()):
        return None
    if half.handle:
        second_step.finish(op, half.handle, now())
    if way == PAPER:
        op.events.record(
            "RecoveryCodeUsed",
            now(),
            account_id=half.account.id,
            address=request.remote_addr,
            left=recovery.left(op, half.account.id),
        )
    return admit(and_a_code(half.proof), half.transaction, half.landing)


def _set_up(half: Half, enrolment: Enrolment, given: str) -> AnyResponse | None:
    """The first code of a new app, and the codes that stand in for it."""
    op = provider()
    step = totp.step_of(op, enrolment, given, now())
    if step is None:
        return None
    second_step.finish(op, half.handle, now())
    if not op.accounts.second_factors.enrol(enrolment, step, now()):
        raise Over
    codes = recovery.renew(op, half.account.id, now())
    op.events.record(
        "AuthenticatorAdded", now(), account_id=half.account.id, address=request.remote_addr
    )
    response = admit(and_a_code(half.proof), half.transaction, half.landing)
    page = render(
        "interaction/recovery_codes.html",
        codes=codes,
        account=half.account,
        onwards=response.headers["Location"],
    )
    for cookie in response.headers.getlist("Set-Cookie"):
        page.headers.add("Set-Cookie", cookie)
    return page


def _tell_of_failure(half: Half) -> None:
    """The password was right and the code was not: that is worth knowing to its owner."""
    provider().events.record(
        "SecondFactorFailed",
        now(),
        account_id=half.account.id,
        address=request.remote_addr,
        method=_way(),
    )
    commit()


def _wait(half: Half, error: Throttled) -> AnyResponse:
    seconds = max(1, math.ceil(error.retry_after.total_seconds()))
    problem = ngettext(
        "Too many wrong codes. Wait %(num)d minute.",
        "Too many wrong codes. Wait %(num)d minutes.",
        math.ceil(seconds / MINUTE),
    )
    response = _page(half, problem=problem, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _page(half: Half, *, problem: str | None = None, status: int = 200) -> AnyResponse:
    draft = half.transaction.draft if half.transaction is not None else None
    return render(
        f"interaction/{_template(half)}.html",
        status,
        step=half.handle,
        tx=half.transaction.handle if half.transaction is not None else "",
        client=draft.client if draft is not None else None,
        host=home(draft.client, draft.redirect_uri) if draft is not None else "",
        landing=next((name for name, path in LANDINGS.items() if path == half.landing), ""),
        account=half.account,
        picture=half.picture,
        way=_way(),
        paper=recovery.left(provider(), half.account.id) > 0,
        problem=problem,
    )


def _template(half: Half) -> str:
    if half.enrolment is not None:
        return "set_up"
    return "code" if _enrolled(half.account) else "passkey"


def _wrong(half: Half) -> str:
    if half.enrolment is None and _way() == PAPER:
        return gettext("That recovery code is wrong, or it was used before.")
    return gettext(
        "That code is wrong, or it was used before. Wait for the next one; if that does not "
        "help, look whether the clock of your phone is right."
    )


def _way() -> str:
    said = request.values.get("way", APP)
    return said if said in WAYS else APP


def _enrolled(account: Account) -> bool:
    return provider().accounts.second_factors.enrolled(account.id)
