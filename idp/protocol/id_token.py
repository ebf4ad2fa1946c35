"""The ID token: who signed in, how, when, and what travels beside it (OpenID Connect Core
section 2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.protocol import claims_request
from idp.protocol.claims import SCOPE_CLAIMS
from idp.protocol.encryption import Envelope
from idp.protocol.session_expiry import session_expiry


class SignIn(Protocol):
    """What an ID token tells about a sign-in; a line knows it, and so does a session."""

    @property
    def account_id(self) -> str: ...
    @property
    def sub(self) -> str | None: ...
    @property
    def sid(self) -> str: ...
    @property
    def auth_time(self) -> datetime: ...
    @property
    def acr(self) -> str: ...
    @property
    def amr(self) -> Sequence[str]: ...
    @property
    def claims_request(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What travels with an ID token and is tied to it by a hash, so that nobody can put another
    in its place (sections 3.2.2.9 and 3.3.2.11).
    """

    access: str | None = None
    code: str | None = None
    state: str | None = None

    def hashes(self, alg: str) -> dict[str, str]:
        """`at_hash`, `c_hash` and `s_hash`, of what there is."""
        tied = {"at_hash": self.access, "c_hash": self.code, "s_hash": self.state}
        return {name: jose.half_hash(alg, it) for name, it in tied.items() if it is not None}


def id_token(
    op: Provider,
    client: ClientView,
    about: SignIn,
    *,
    nonce: str | None,
    beside: Beside,
    sealed: Envelope,
    scopes: Iterable[str] = (),
    now: datetime,
) -> str:
    """A signed ID token, in the envelope the client wants: protocol claims, and those asked for
    by name. `scopes` are those whose claims it tells too, where there is no access token to fetch
    them with (section 5.4).
    """
    alg = client.id_token_alg
    issued = int(now.timestamp())
    claims: dict[str, object] = {
        "iss": op.rules.issuer,
        "sub": about.sub or about.account_id,
        "aud": client.client_id,
        "iat": issued,
        "exp": issued + int(op.rules.id_token_lifetime.total_seconds()),
        "auth_time": int(about.auth_time.timestamp()),
        "acr": about.acr,
        "amr": list(about.amr),
        "sid": about.sid,
        **beside.hashes(alg),
        **session_expiry(op, client, about),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    told = {name for scope in scopes for name in SCOPE_CLAIMS.get(scope, ())}
    if told or about.claims_request.get("id_token"):
        known = op.accounts.claims_for(about.account_id)
        asked = claims_request.fitting(about.claims_request, "id_token", known)
        claims = {name: known[name] for name in told if name in known} | asked | claims
    return sealed.around(jose.sign(op.keys.signer(alg, now), claims, typ="JWT"))
