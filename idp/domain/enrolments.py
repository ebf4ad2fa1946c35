"""An authenticator app that a person is about to add to their account: its secret waits, sealed,
for the first code that the app shows.
"""

import base64
from datetime import datetime, timedelta

from idp.crypto.secrets import Handle
from idp.domain import Provider
from idp.domain.codes import ENROLMENT, AlreadySpent, Gone
from idp.domain.login import totp
from idp.domain.second_factors import Enrolment

LIVES = timedelta(minutes=10)


class Over(Exception):
    """No such offer to this person in this browser, or it was used, or its time is over."""


def offer(op: Provider, account_id: str, browser: str, now: datetime) -> Handle:
    """A fresh secret for this person, in this browser."""
    made = totp.begin(op, account_id)
    details = {
        "account_id": account_id,
        "browser": browser,
        "id": made.id,
        "sealed": base64.b64encode(made.sealed).decode(),
    }
    return op.codes.issue(ENROLMENT, details, LIVES, now)


def find(op: Provider, handle: str, account_id: str, browser: str, now: datetime) -> Enrolment:
    """What was offered under this handle to this person; nothing is used up."""
    code = op.codes.look(ENROLMENT, handle, now)
    if code is None or code.spent_at is not None:
        raise Over
    said = code.details
    if (said["account_id"], said["browser"]) != (account_id, browser):
        raise Over
    return Enrolment(said["id"], account_id, base64.b64decode(said["sealed"]))


def finish(
    op: Provider, handle: str, made: Enrolment, code: str, now: datetime, *, in_place: bool
) -> bool:
    """Keep the app if it shows the right code. The offer and that code are used up by it."""
    step = totp.step_of(op, made, code, now)
    if step is None:
        return False
    try:
        op.codes.spend(ENROLMENT, handle, now)
    except (AlreadySpent, Gone):
        raise Over from None
    if not op.accounts.second_factors.enrol(made, step, now, in_place=in_place):
        raise Over
    return True
