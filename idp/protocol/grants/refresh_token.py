"""The refresh token grant (RFC 6749 section 6): look, judge, spend, mint.

Two who race with one token have one winner. A token that comes back ends its line, and the
refusal is committed, so that the line stays ended (RFC 9700 section 4.14.2).
"""

from datetime import datetime, timedelta
from typing import Any, NoReturn

from authlib.oauth2.rfc6749.grants import RefreshTokenGrant

from idp.crypto.secrets import Handle
from idp.domain.grants import Held, Line, Reused, Spent
from idp.domain.live import Facts
from idp.domain.sessions import Ends
from idp.domain.sign_out import Because
from idp.protocol.authorization_details import carrying, said
from idp.protocol.claims import access_token, aim
from idp.protocol.encryption import envelope
from idp.protocol.errors import InvalidDpopProof, InvalidGrant, InvalidScope
from idp.protocol.expiry import refresh_expiry
from idp.protocol.grant import Ours
from idp.protocol.id_token import Beside, id_token
from idp.protocol.possession import bound_to, proven, shown, token_type


class Presented:
    """A refresh token as Authlib asks about it (its `TokenMixin`)."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def check_client(self, client: Any) -> bool:
        return bool(self.line.client_id == client.client_id)

    def get_scope(self) -> str:
        return " ".join(self.line.scopes)


class RefreshToken(Ours, RefreshTokenGrant):
    """Gives the next access token, and the next refresh token."""

    def authenticate_refresh_token(self, refresh_token: str) -> Presented | None:
        """The line behind the token; another client's is left alone (RFT-06)."""
        line = self.op.grants.line_of(refresh_token)
        return Presented(line) if line is not None else None

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        now, view = self.original.now, self.request.client.view
        line: Line = self.request.refresh_token.line
        asked = self.original.parameters.all("resource")
        sealed = envelope(self.op, view, "id_token", now)
        held = proven(self.original, self.op, view)
        scopes = self._narrowed(line)
        facts = self._judge_life(line, now)
        self._judge_keys(line, held.jkt, now)
        aimed = aim(self.op, view, scopes, line.resources, asked, held)
        aimed = carrying(aimed, line.authorization_details, self.original, view, self.op)
        spent = self._spend(line, now)
        minted = access_token(self.op, line, aimed, now, Held(facts, spent.idle))
        body: dict[str, Any] = {
            "access_token": minted.value,
            "token_type": token_type(held),
            "expires_in": minted.expires_in,
            "scope": " ".join(aimed.scopes if asked else scopes),
            **said(aimed.details),
            "refresh_token": spent.successor,
            **refresh_expiry(self.op, line, now, Ends(facts.session_idle, facts.session_until)),
        }
        if "openid" in scopes:
            body["id_token"] = id_token(
                self.op,
                view,
                line,
                nonce=None,
                beside=Beside(access=minted.value),
                sealed=sealed,
                now=now,
            )
        self.op.clients.touch(view.client_id, now)
        return 200, body, self.TOKEN_RESPONSE_HEADER

    def _narrowed(self, line: Line) -> list[str]:
        """Scopes may be fewer for this token; the line keeps what it has (RFT-08)."""
        wanted = (self.request.payload.scope or "").split()
        allowed = self.request.client.view.scopes
        have = [s for s in line.scopes if allowed is None or s in allowed or s == "openid"]
        if not wanted:
            return have
        if not set(wanted) <= set(have):
            raise InvalidScope("the scope was not granted")
        return [scope for scope in have if scope in wanted]

    def _spend(self, line: Line, now: datetime) -> Spent:
        view = self.request.client.view
        token = Handle(self.request.payload.data["refresh_token"])
        if line.ended_at is None and line.idle_expires_at <= now:
            raise InvalidGrant("the refresh token is not good, or no longer", reason="idle")
        grace = timedelta(0) if view.public and line.jkt is None else self.op.rules.rotation_grace
        try:
            return self.op.grants.spend_refresh(
                token, line, rotate=view.rotates, grace=grace, now=now
            )
        except Reused:
            self._came_back(line, now)

    def _judge_life(self, line: Line, now: datetime) -> Facts:
        """Everything a refresh depends on is asked again, at every refresh (RFT-09)."""
        lineage = self.op.tokens.lineage_of(line)
        found = self.op.tokens.live.found(lineage, now, lock=True)
        if found.ended is not None:
            raise InvalidGrant("the refresh token is not good, or no longer", reason=found.ended)
        return found.facts

    def _judge_keys(self, line: Line, jkt: str | None, now: datetime) -> None:
        """A bound line follows its own keys (RFC 9449 section 5, RFC 8705 section 4). Whoever
        brings a spent token without them is a thief, however soon they come (RFT-04).
        """
        bound, x5t = bound_to(line), shown(self.original)
        if bound.jkt in (None, jkt) and bound.x5t in (None, x5t):
            return
        if not self.op.grants.newest(self.request.payload.data["refresh_token"]):
            self._came_back(line, now)
        if bound.jkt is not None and jkt is None:
            raise InvalidDpopProof("a DPoP proof is needed")
        raise InvalidGrant("the refresh token is not good, or no longer", reason="another key")

    def _came_back(self, line: Line, now: datetime) -> NoReturn:
        receipt = self.op.sign_outs.line(line, Because("token_reused", "provider"), now)
        if receipt is not None:
            self.op.events.record(
                "RefreshTokenReused",
                now,
                account_id=line.account_id,
                client_id=line.client_id,
                address=self.original.address,
                receipt=receipt.id,
            )
        raise InvalidGrant("the refresh token is not good, or no longer", reason="came back")
