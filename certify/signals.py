"""The receiver of the Shared Signals plans, and things happening that it wants to hear of."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from certify.setup import Certificates, Setup
from idp.domain import Provider
from idp.domain.login import PASSWORD_ACR, Proof
from idp.domain.sign_out import Because

Json = dict[str, Any]

SCOPE = "ssf.read ssf.manage"
RECEIVER = "ssf"
PERSON = "foo"


def kinds() -> Mapping[str, Callable[[Setup, Certificates], tuple[Json, Json]]]:
    """One confidential client with a token of its own."""
    return {RECEIVER: _receiver}


def files() -> Mapping[str, Mapping[str, str]]:
    """One file for both plans and both ways of delivery."""
    return {RECEIVER: {"client": RECEIVER}}


def told(name: str, setup: Setup) -> Json:
    """Where the transmitter describes itself."""
    return {"ssf": {"transmitter": {"issuer": setup.issuer}}} if name == RECEIVER else {}


def happen(op: Provider, now: datetime) -> None:
    """A person signs in and out, and changes their password: who follows is told of both."""
    account = op.accounts.find_by_username(PERSON)
    if account is None:
        raise LookupError(PERSON)
    proof = Proof(account.id, ("pwd",), PASSWORD_ACR, now)
    op.sessions.open(proof, user_agent="certification", address="", now=now)
    op.sign_outs.everywhere(account.id, Because("signed_out", by="person"), now)
    op.events.record("PasswordChanged", now, account_id=account.id)


def _receiver(_: Setup, __: Certificates) -> tuple[Json, Json]:
    return {
        "client_name": "Suite, receiver of signals",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": SCOPE,
    }, {}
