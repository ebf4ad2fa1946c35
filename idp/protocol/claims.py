"""What tokens say: scopes to claims, the RFC 9068 access token, the ID token spelled out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.grants import Line
from idp.domain.profile import CLAIMS
from idp.domain.tokens import Minted
from idp.protocol.errors import InvalidTarget

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
CLAIMS_SUPPORTED = (
    *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"),
    *CLAIMS,
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class Aimed:
    """Whom an access token is for: its audiences, its scopes, and the policies it follows."""

    audiences: tuple[str, ...]
    scopes: tuple[str, ...]
    policies: tuple[str, ...]


def aim(
    op: Provider, scopes: Iterable[str], granted: Iterable[str], asked: tuple[str, ...]
) -> Aimed:
    """Choose the audiences (RFC 8707 section 2.2), and the scopes they understand.

    Raises `InvalidTarget` for an API that was not granted.
    """
    granted = tuple(granted)
    if not set(asked) <= set(granted) | {op.rules.issuer}:
        raise InvalidTarget("the resource was not granted")
    scopes = tuple(scopes)
    apis = tuple(asked or granted)
    rows = op.resources.named(apis)
    audiences = [row.identifier for row in rows]
    if (not asked and "openid" in scopes) or op.rules.issuer in apis or not rows:
        audiences.append(op.rules.issuer)
    understood = {scope for row in rows for scope in row.scopes}
    if op.rules.issuer in audiences:
        understood |= set(OPENID_SCOPES)
    policies = dict.fromkeys(policy for row in rows for policy in row.policies)
    return Aimed(
        tuple(audiences),
        tuple(scope for scope in scopes if scope in understood),
        tuple(policies) or ("short_jwt",),
    )


def access_token(
    op: Provider,
    line: Line,
    scopes: Iterable[str],
    asked: tuple[str, ...],
    now: datetime,
    *,
    jkt: str | None = None,
) -> tuple[Minted, Aimed]:
    """An access token for a person's client (RFC 9068 section 2.2)."""
    aimed = aim(op, scopes, line.resources, asked)
    claims: dict[str, object] = {
        "sub": line.account_id,
        "aud": _one_or_many(aimed.audiences),
        "client_id": line.client_id,
        "scope": " ".join(aimed.scopes),
        "auth_time": int(line.auth_time.timestamp()),
        "acr": line.acr,
        "amr": list(line.amr),
        "line": line.id,
    }
    if not line.offline:
        claims["sid"] = line.sid
    claims |= _confirmed(jkt)
    minted = op.tokens.mint_access(claims, aimed.policies, now)
    op.grants.minted_until(line, minted.expires_at)
    return minted, aimed


def client_access_token(
    op: Provider,
    client_id: str,
    scopes: Iterable[str],
    asked: tuple[str, ...],
    now: datetime,
    *,
    jkt: str | None = None,
) -> tuple[Minted, Aimed]:
    """An access token for a client that acts for itself; its `sub` is the client (RSG-09)."""
    aimed = aim(op, scopes, asked, asked)
    claims: dict[str, object] = {
        "sub": client_id,
        "aud": _one_or_many(aimed.audiences),
        "client_id": client_id,
        "scope": " ".join(aimed.scopes),
    }
    claims |= _confirmed(jkt)
    return op.tokens.mint_access(claims, aimed.policies, now), aimed


def id_token(
    op: Provider,
    client: ClientView,
    line: Line,
    *,
    nonce: str | None,
    access: str | None,
    now: datetime,
) -> str:
    """The ID token (OpenID Connect Core section 2): protocol claims, and those asked for."""
    alg = client.id_token_alg
    issued = int(now.timestamp())
    claims: dict[str, object] = {
        "iss": op.rules.issuer,
        "sub": line.account_id,
        "aud": client.client_id,
        "iat": issued,
        "exp": issued + int(op.rules.id_token_lifetime.total_seconds()),
        "auth_time": int(line.auth_time.timestamp()),
        "acr": line.acr,
        "amr": list(line.amr),
        "sid": line.sid,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if access is not None:
        claims["at_hash"] = jose.half_hash(alg, access)
    asked = _asked_for(line.claims_request, "id_token")
    if asked:
        known = op.accounts.claims_for(line.account_id)
        claims = {name: known[name] for name in asked if name in known} | claims
    return jose.sign(op.keys.signer(alg, now), claims, typ="JWT")


def user_claims(op: Provider, line: Line, scopes: Iterable[str]) -> dict[str, Any]:
    """What userinfo says: the claims of the token's scopes, and those asked for by name."""
    known = op.accounts.claims_for(line.account_id)
    names = {name for scope in scopes for name in SCOPE_CLAIMS.get(scope, ())}
    names |= _asked_for(line.claims_request, "userinfo")
    return {"sub": line.account_id} | {n: v for n, v in known.items() if n in names}


def _asked_for(request: Mapping[str, Any], member: str) -> set[str]:
    """Standard claims named in the `claims` parameter (OpenID Connect Core section 5.5)."""
    asked = request.get(member)
    if not isinstance(asked, dict):
        return set()
    return {name for name in asked if name in CLAIMS or name == "updated_at"}


def _confirmed(jkt: str | None) -> dict[str, object]:
    """The key the token works with (RFC 9449 section 6.1)."""
    return {} if jkt is None else {"cnf": {"jkt": jkt}}


def _one_or_many(audiences: tuple[str, ...]) -> str | list[str]:
    return audiences[0] if len(audiences) == 1 else list(audiences)
