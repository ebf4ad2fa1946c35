"""Something running: an app that shows a new code every thirty seconds (RFC 6238).

The code of a time step is accepted once, and then only codes of later steps are (RFC 6238
section 5.2). A phone whose clock is half a minute off still works: the step before ours and
the step after it count, too. The only clock that is asked is ours.
"""

import base64
import secrets
from datetime import datetime

import pyotp

from idp.crypto.secrets import Unsealable, same
from idp.domain import Provider
from idp.domain.accounts import Account
from idp.domain.second_factors import Enrolment

SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
DRIFT = (-1, 0, 1)
"""How many steps a phone may be behind or ahead."""


def begin(op: Provider, account_id: str) -> Enrolment:
    """A secret of 160 random bits for a new app (RFC 4226 section 4, R6)."""
    return op.accounts.second_factors.new(account_id, secrets.token_bytes(SECRET_BYTES))


def shown(op: Provider, enrolment: Enrolment) -> str:
    """The secret as a person types it into an app that cannot read a picture."""
    return base64.b32encode(op.accounts.second_factors.secret(enrolment)).decode()


def address(op: Provider, account: Account, secret: str) -> str:
    """What the picture says: `otpauth://totp/…`, as the apps have agreed."""
    made = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    return made.provisioning_uri(name=account.username, issuer_name=op.rules.name)


def step_of(op: Provider, enrolment: Enrolment, code: str, now: datetime) -> int | None:
    """The time step of a new app's first code; None if it is not the app's."""
    return _step(op.accounts.second_factors.secret(enrolment), code, now)


def verify(op: Provider, account_id: str, code: str, now: datetime) -> bool:
    """Whether this is a code of the person's app that was not used yet."""
    factors = op.accounts.second_factors
    row = factors.app(account_id)
    if row is None:
        return False
    try:
        step = _step(factors.secret(row), code, now)
    except Unsealable:  # a row that was moved from one person to another
        return False
    return step is not None and factors.accept(row, step, now)


def _step(secret: bytes, code: str, now: datetime) -> int | None:
    """The time step that has this code, if one of those that count has."""
    typed = "".join(code.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    generator = pyotp.TOTP(base64.b32encode(secret).decode(), digits=DIGITS)
    present = int(now.timestamp()) // STEP_SECONDS
    steps = [present + drift for drift in DRIFT]
    fitting = [step for step in steps if same(generator.generate_otp(step), typed)]
    return fitting[-1] if fitting else None
