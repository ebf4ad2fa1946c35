"""A sign-in that has come half way: the password was right, and something more is wanted.

It waits in one browser for ten minutes and opens nothing. It is over when the password
changes, or when everything of its person is ended.
"""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from idp.crypto.secrets import Handle
from idp.domain import Provider
from idp.domain.accounts import Account
from idp.domain.codes import SECOND_STEP, AlreadySpent, Gone
from idp.domain.login import Proof
from idp.domain.second_factors import Enrolment

LIVES = timedelta(minutes=10)
NOBODY, ALL = "nobody", "all"


class Ask(Enum):
    """What is asked of a person beside the password."""

    NOTHING = "nothing"
    CODE = "code"
    PASSKEY = "passkey"
    SET_UP = "set_up"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who has proved the first half, and where they were going."""

    account: Account
    proof: Proof
    tx: str
    landing: str
    enrolment: Enrolment | None


class Over(Exception):
    """No such sign-in in this browser, or it was finished, or its time is over."""


def asked(op: Provider, account_id: str, *, wanted: bool) -> Ask:
    """What the operator's rule, or whoever wants it at this time, asks beside a password.

    Whoever must have a second factor and has none sets one up now; but not beside a passkey,
    or a stolen password would be enough to add what the passkey was to keep out.
    """
    ruled = op.rules.second_factor
    if op.accounts.second_factors.enrolled(account_id):
        return Ask.CODE if wanted or ruled != NOBODY else Ask.NOTHING
    if ruled != ALL:
        return Ask.NOTHING
    return Ask.PASSKEY if op.accounts.credentials(account_id) else Ask.SET_UP


def park(
    op: Provider,
    proof: Proof,
    *,
    browser: str,
    tx: str,
    landing: str,
    enrolment: Enrolment | None,
    now: datetime,
) -> Handle:
    """Let it wait, in this browser, for the second half. Raises `Over` for a closed account."""
    account = op.accounts.find(proof.account_id)
    if account is None or account.disabled_at is not None:
        raise Over
    details = {
        "account_id": account.id,
        "amr": list(proof.amr),
        "acr": proof.acr,
        "at": proof.at.timestamp(),
        "state": _state(account),
        "browser": browser,
        "tx": tx,
        "landing": landing,
        "enrolment": _parked(enrolment) if enrolment is not None else None,
    }
    return op.codes.issue(SECOND_STEP, details, LIVES, now)


def find(op: Provider, handle: str, browser: str, now: datetime) -> Waiting:
    """Who waits under this handle, in this very browser; nothing is used up."""
    code = op.codes.look(SECOND_STEP, handle, now)
    if code is None or code.spent_at is not None or code.details["browser"] != browser:
        raise Over
    said: dict[str, Any] = code.details
    account = op.accounts.find(said["account_id"])
    if account is None or account.disabled_at is not None or said["state"] != _state(account):
        raise Over
    at = datetime.fromtimestamp(said["at"], now.tzinfo)
    proof = Proof(account.id, tuple(said["amr"]), said["acr"], at)
    enrolment = _resumed(account.id, said["enrolment"]) if said["enrolment"] else None
    return Waiting(account, proof, said["tx"], said["landing"], enrolment)


def finish(op: Provider, handle: str, now: datetime) -> None:
    """It is finished, once; raises `Over` for whoever comes second."""
    try:
        op.codes.spend(SECOND_STEP, handle, now)
    except (AlreadySpent, Gone):
        raise Over from None


def _state(account: Account) -> str:
    """What must not change meanwhile: the password, and that nothing was ended everywhere."""
    changed = account.password_changed_at
    return f"{changed.isoformat() if changed else ''} {account.generation}"


def _parked(enrolment: Enrolment) -> dict[str, str]:
    return {"id": enrolment.id, "sealed": base64.b64encode(enrolment.sealed).decode()}


def _resumed(account_id: str, said: dict[str, str]) -> Enrolment:
    return Enrolment(said["id"], account_id, base64.b64decode(said["sealed"]))
