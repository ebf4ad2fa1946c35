"""What tokens say: scopes to claims, and the RFC 9068 access token."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idp.crypto.confirmation import Confirmation
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.grants import Held, Line, Out
from idp.domain.profile import CLAIMS
from idp.domain.resources import Api
from idp.domain.tokens import Minted, Order
from idp.policies import Contradiction, Draft, PolicySet, Unmintable
from idp.protocol.claims_request import fitting
from idp.protocol.errors import InvalidTarget, PolicyRefused
from idp.protocol.own_scopes import OWN_SCOPES

SCOPE_CLAIMS: Mapping[str, tuple[str, ...]] = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
OPENID_SCOPES = ("openid", *SCOPE_CLAIMS, "offline_access")
APART = "these resources do not share a token; ask for one at a time"
CLAIMS_SUPPORTED = (
    *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"),
    "session_expiry",
    *CLAIMS,
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class Aimed:
    """Whom an access token is for: its audiences, its scopes, the policies it follows, and the
    keys it works with. Its policies allow it.
    """

    audiences: tuple[str, ...]
    scopes: tuple[str, ...]
    policies: PolicySet
    lifetime: timedelta
    bound_to: Confirmation
    may_act: Mapping[str, str] | None = None
    details: tuple[dict[str, Any], ...] = ()
    status: bool = False


def aim(
    op: Provider,
    client: ClientView,
    scopes: Iterable[str],
    granted: Iterable[str],
    asked: tuple[str, ...],
    held: Confirmation,
) -> Aimed:
    """Choose the audiences (RFC 8707 section 2.2), and the scopes they understand. Everything
    that can be refused is refused here, before anything is spent.

    When nothing was asked for and the APIs cannot share a token, it is for the first of them.
    Raises `InvalidTarget` for an API that was not granted, or that shares no token with another.
    """
    granted, scopes = tuple(granted), tuple(scopes)
    if not set(asked) <= set(granted) | {op.rules.issuer}:
        raise InvalidTarget("the resource was not granted")
    apis = asked or granted
    rows = op.resources.named(apis)
    ours = (not asked and "openid" in scopes) or op.rules.issuer in apis or not rows
    try:
        policies = _policies(op, client, rows)
    except Contradiction:
        if asked:
            raise InvalidTarget(APART) from None
        policies = PolicySet(())
    if (policies.alone or not policies.policies) and not asked and len(rows) + ours > 1:
        rows, ours = rows[:1], False
        policies = _policies(op, client, rows)
    understood = {scope for row in rows for scope in row.scopes}
    understood |= {*OPENID_SCOPES, *OWN_SCOPES} if ours else set()
    lifetimes = [row.access_lifetime for row in rows if row.access_lifetime is not None]
    aimed = Aimed(
        (*(row.identifier for row in rows), *((op.rules.issuer,) if ours else ())),
        tuple(scope for scope in scopes if scope in understood),
        policies,
        timedelta(seconds=min(lifetimes)) if lifetimes else op.rules.access_lifetime,
        held,
        client.details.get("may_act"),
        status=any(row.status_list for row in rows),
    )
    try:
        policies.draft(
            Draft(lifetime=aimed.lifetime, audiences=aimed.audiences, jkt=held.jkt, x5t=held.x5t)
        )
    except Unmintable as refusal:
        raise PolicyRefused(refusal.code, str(refusal)) from None
    return aimed


def policies_at(op: Provider, resource: str) -> tuple[str, ...]:
    """The policies an API has now; the provider's own endpoints have none of their own."""
    rows = op.resources.named([resource])
    if not rows:
        return ()
    return tuple(rows[0].policies or op.rules.resource_policies)


def _policies(op: Provider, client: ClientView, rows: Iterable[Api]) -> PolicySet:
    """What the APIs want of a token, and what the client wants of all of its own; raises
    `Contradiction` when that cannot be one token.
    """
    wanted = [policy for row in rows for policy in row.policies or op.rules.resource_policies]
    wanted = wanted or list(op.rules.resource_policies)
    return PolicySet.named((*wanted, *client.access_policies)).agreed()


def access_token(
    op: Provider, line: Line, aimed: Aimed, now: datetime, held: Held | None = None
) -> Minted:
    """An access token for a person's client (RFC 9068 section 2.2)."""
    claims: dict[str, object] = {
        "sub": line.sub or line.account_id,
        "client_id": line.client_id,
        "scope": " ".join(aimed.scopes),
    }
    return mint(op, line, claims, aimed, now, held)


def mint(
    op: Provider,
    line: Line | None,
    claims: dict[str, object],
    aimed: Aimed,
    now: datetime,
    held: Held | None = None,
) -> Minted:
    """A token with these claims, under the line it descends from, if there is a person."""
    if line is None:
        return op.tokens.mint_access(_order(claims, aimed), now)
    claims |= {"line": line.id, "gen": line.generation}
    if line.amr:  # a sign-in we have seen ourselves
        signed_in = int(line.auth_time.timestamp())
        claims |= {"auth_time": signed_in, "acr": line.acr, "amr": list(line.amr)}
    if not line.offline:
        claims["sid"] = line.sid
    minted = op.tokens.mint_access(_order(claims, aimed), now)
    offline = aimed.status and aimed.policies.listable
    within = op.sign_outs.feed.status_lists.within if offline else None
    out = Out(aimed.audiences, aimed.policies, minted.expires_at, within)
    op.grants.minted(line, out, now, held)
    return minted


def client_access_token(op: Provider, client: ClientView, aimed: Aimed, now: datetime) -> Minted:
    """An access token for a client that acts for itself; its `sub` is the client (RSG-09)."""
    claims: dict[str, object] = {
        "sub": client.client_id,
        "client_id": client.client_id,
        "scope": " ".join(aimed.scopes),
    }
    return mint(op, None, claims, aimed, now)


def _order(claims: Mapping[str, object], aimed: Aimed) -> Order:
    named: dict[str, object] = {}
    if aimed.may_act is not None:
        named["may_act"] = dict(aimed.may_act)
    if aimed.details:
        named["authorization_details"] = list(aimed.details)
    return Order(
        claims={**claims, **named},
        audiences=aimed.audiences,
        policies=aimed.policies,
        lifetime=aimed.lifetime,
        bound_to=aimed.bound_to,
        status=aimed.status,
    )


def user_claims(op: Provider, line: Line, scopes: Iterable[str]) -> dict[str, Any]:
    """What userinfo says: the claims of the token's scopes, and those asked for by name."""
    known = op.accounts.claims_for(line.account_id)
    names = {name for scope in scopes for name in SCOPE_CLAIMS.get(scope, ())}
    told = {name: value for name, value in known.items() if name in names}
    return (
        {"sub": line.sub or line.account_id}
        | told
        | fitting(line.claims_request, "userinfo", known)
    )
