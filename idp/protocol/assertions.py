"""The word of another issuer about one of our people (RFC 7523 section 3): signed with a key of
its own, meant for us alone, short-lived, and good once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.accounts import Account
from idp.domain.clients import ClientView
from idp.domain.issuers import TrustedIssuer
from idp.domain.tokens import CLOCK_MAY_JUMP
from idp.protocol.errors import InvalidGrant

TYPES = (None, "jwt", "authorization-grant+jwt")
LONGEST_LIFE = timedelta(hours=1)
LONGEST_JTI = 512
REFUSED = "the assertion is not good, or no longer"


@dataclass(frozen=True, slots=True)
class Asserted:
    """Who is meant, and who said so."""

    account: Account
    issuer: TrustedIssuer
    claims: dict[str, Any]


def read(assertion: str, client: ClientView, op: Provider, now: datetime) -> Asserted:
    """What the assertion says; `InvalidGrant` for one that is not good here, and for one that
    this client may not bring. It is not used up yet.
    """
    try:
        issuer = op.clients.issuers.find(_issuer_named(assertion))
        if issuer is None or client.client_id not in issuer.details["clients"]:
            raise _refused("no issuer whose word this client may bring")
        typ = jose.header_of(assertion).get("typ")
        if typ is not None and str(typ).lower().removeprefix("application/") not in TYPES:
            raise _refused("a token of another kind")
        kid = jose.header_of(assertion).get("kid")
        keys = op.clients.keys.of(issuer.details, kid, now)
        claims = jose.verify(assertion, keys, jose.ASYMMETRIC)
        jose.check_times(claims, now)
    except jose.Unverifiable as why:
        raise _refused(str(why)) from None
    _judge(claims, op, now)
    account = _account(str(claims.get("sub", "")), issuer, op)
    if account is None:
        raise _refused("nobody of ours")
    return Asserted(account, issuer, claims)


def spend(asserted: Asserted, op: Provider, now: datetime) -> None:
    """Use it up: each `jti` of an issuer counts once, in any process (section 3)."""
    claims = asserted.claims
    until = datetime.fromtimestamp(claims["exp"], UTC) + 2 * jose.SKEW + CLOCK_MAY_JUMP
    name = f"{asserted.issuer.issuer}|{claims['jti']}"
    if not op.tokens.seen_once("jwt-bearer", name, until, now):
        raise _refused("the assertion came back")


def _issuer_named(assertion: str) -> str:
    """The issuer it says it is from; nobody has verified that yet."""
    iss = jose.claims_of(assertion).get("iss")
    if not isinstance(iss, str) or "\0" in iss:
        raise jose.Unverifiable("no iss")
    return iss


def _judge(claims: dict[str, Any], op: Provider, now: datetime) -> None:
    """Meant for us by our own name and for nobody else (draft rfc7523bis), with a near end."""
    if jose.audiences(claims) != {op.rules.issuer}:
        raise _refused("meant for somebody else")
    if claims["exp"] > (now + LONGEST_LIFE + jose.SKEW).timestamp():
        raise _refused("it lives too long")
    jti, sub = claims.get("jti"), claims.get("sub")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise _refused("no jti")
    if not isinstance(sub, str) or not sub or "\0" in sub:
        raise _refused("no sub")


def _account(sub: str, issuer: TrustedIssuer, op: Provider) -> Account | None:
    """Which of our people the issuer's subject is, as an operator has said; names are equal
    letter by letter.
    """
    subjects = issuer.details.get("subjects")
    if subjects is not None:
        return op.accounts.find_by_username(subjects[sub]) if sub in subjects else None
    if issuer.details["subject_is"] == "sub":
        return op.accounts.find(sub)
    account = op.accounts.find_by_username(sub)
    return account if account is not None and account.username == sub else None


def _refused(reason: str) -> InvalidGrant:
    return InvalidGrant(REFUSED, reason=reason)
