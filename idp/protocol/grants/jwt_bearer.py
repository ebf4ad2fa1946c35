"""The JWT bearer grant (RFC 7523 section 2.1): another issuer's word about one of our people
becomes an access token. Look, judge, spend, mint.

There is no browser and no session behind it, and no refresh token. What it gives hangs under a
line of its own, so that its person can end it, as everything else, by signing out everywhere.
"""

from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp.crypto.confirmation import Confirmation
from idp.domain.grants import Allowance, Line, Root
from idp.domain.live import Lineage
from idp.domain.metadata.operators import JWT_BEARER
from idp.protocol import assertions
from idp.protocol.assertions import Asserted
from idp.protocol.claims import Aimed, access_token, aim
from idp.protocol.errors import (
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    UnauthorizedClient,
)
from idp.protocol.grant import Ours
from idp.protocol.possession import proven, token_type


class JwtBearer(Ours, BaseGrant, TokenEndpointMixin):
    """Gives an access token for a person of ours whom a trusted issuer has named."""

    GRANT_TYPE = JWT_BEARER

    def validate_token_request(self) -> None:
        """A client that can authenticate, and an assertion."""
        self.request.client = self.authenticate_token_endpoint_client()
        if self.view.public or not self.request.client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClient("the client may not use this grant")
        if self.original.parameters.get("assertion") is None:
            raise InvalidRequest("assertion is missing")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        op, view, now = self.op, self.view, self.original.now
        assertion = self.original.parameters.get("assertion") or ""
        asserted = assertions.read(assertion, view, op, now)
        held = proven(self.original, op, view)
        aimed = self._aimed(asserted, held)
        self._judge_life(asserted, now)
        assertions.spend(asserted, op, now)
        minted = access_token(op, self._start_line(asserted, aimed, now), aimed, now)
        op.clients.touch(view.client_id, now)
        body: dict[str, Any] = {
            "access_token": minted.value,
            "token_type": token_type(held),
            "expires_in": minted.expires_in,
            "scope": " ".join(aimed.scopes),
        }
        return 200, body, self.TOKEN_RESPONSE_HEADER

    def _aimed(self, asserted: Asserted, held: Confirmation) -> Aimed:
        """At most what the operator lets this issuer speak about."""
        allowed = asserted.issuer.details["scopes"]
        sent = (self.original.parameters.get("scope") or "").split()
        wanted = sent or [s for s in allowed if self.view.scopes is None or s in self.view.scopes]
        if not set(wanted) <= set(allowed):
            raise InvalidScope("the scope is not one this issuer may give")
        if self.view.scopes is not None and not set(wanted) <= self.view.scopes:
            raise InvalidScope("the scope is not one this client may ask for")
        asked = self.original.parameters.all("resource")
        knowing = self.op.resources.that_understand(wanted)
        if not set(asked) <= set(knowing) or not knowing:
            raise InvalidTarget("the resource is not one this issuer may speak to")
        return aim(self.op, self.view, wanted, knowing, asked, held)

    def _judge_life(self, asserted: Asserted, now: datetime) -> None:
        """Nothing for whoever is disabled; a sign-out at the same time waits (CON-02)."""
        lineage = Lineage(client_id=self.view.client_id, account_id=asserted.account.id)
        ended = self.op.tokens.live.ended(lineage, now, lock=True)
        if ended is not None:
            raise InvalidGrant(assertions.REFUSED, reason=ended)

    def _start_line(self, asserted: Asserted, aimed: Aimed, now: datetime) -> Line:
        """A line that nobody can refresh; how the person signed in elsewhere is not known."""
        op, view, account = self.op, self.view, asserted.account
        grant = op.grants.allow(
            account.id,
            view.client_id,
            scopes=aimed.scopes,
            resources=aimed.audiences,
            claims=(),
            now=now,
        )
        allowed = Allowance(
            scopes=aimed.scopes,
            resources=aimed.audiences,
            claims_request={},
            offline=True,
            auth_time=now,
            acr="",
            amr=(),
            bound_to=aimed.bound_to,
            lives=aimed.lifetime,
        )
        root = Root(
            account_id=account.id,
            client_id=view.client_id,
            client_name=view.name,
            sub=view.sub_of(account.id),
        )
        line, _ = op.grants.start_line(grant.id, root, allowed, now)
        return line
