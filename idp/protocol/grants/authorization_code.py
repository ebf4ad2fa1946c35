"""The authorization code grant (RFC 6749 section 4.1.3): look, judge, spend, mint.

Authlib mints before it deletes the code, so that two can redeem one; here one conditional
statement decides before anything is minted. A second use ends what the first one bought.
"""

import re
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from idp.crypto.confirmation import UNBOUND, Confirmation
from idp.crypto.secrets import same
from idp.domain.codes import AUTHORIZATION, AlreadySpent, Code, Gone
from idp.domain.grants import Allowance, Line
from idp.domain.live import Lineage
from idp.domain.sign_out import Because
from idp.protocol.authorization_details import carrying, said
from idp.protocol.claims import access_token, aim
from idp.protocol.encryption import envelope
from idp.protocol.errors import InvalidDpopProof, InvalidGrant
from idp.protocol.expiry import refresh_expiry
from idp.protocol.grant import Ours
from idp.protocol.id_token import Beside, id_token
from idp.protocol.possession import proven, token_type

VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
MOST_TRIES = 3


class Held:
    """A code as Authlib asks about it (its `AuthorizationCodeMixin`)."""

    def __init__(self, row: Code) -> None:
        self.row = row
        self.details: dict[str, Any] = row.details

    def get_redirect_uri(self) -> str | None:
        return self.details["redirect_uri"]

    def get_scope(self) -> str:
        return " ".join(self.details["scopes"])


class AuthorizationCode(Ours, AuthorizationCodeGrant):
    """Redeems a code."""

    def query_authorization_code(self, code: str, client: Any) -> Held | None:
        """The code, if it is this client's; another's is neither told of nor touched (COD-03)."""
        row = self.op.codes.look(AUTHORIZATION, code, self.original.now)
        if row is None or row.details["client_id"] != client.client_id:
            raise InvalidGrant("the code is not good, or no longer", reason="unknown code")
        if row.spent_at is not None:
            self._came_back(row)
        return Held(row)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        code, now = self.request.payload.data["code"], self.original.now
        details = self.request.authorization_code.details
        view = self.request.client.view
        sealed = envelope(self.op, view, "id_token", now)
        held = self._judged_keys(details)
        self._judge_verifier(code, details)
        self._judge_life(details, now)
        asked = self.original.parameters.all("resource")
        aimed = aim(self.op, view, details["scopes"], details["resources"], asked, held)
        granted = details.get("authorization_details")
        aimed = carrying(aimed, granted, self.original, view, self.op)
        try:
            row = self.op.codes.spend(AUTHORIZATION, code, now)
        except AlreadySpent as error:
            self._came_back(error.code)
        except Gone:
            raise InvalidGrant("the code is not good, or no longer") from None
        line, refresh = self._start_line(details, held if view.binds_lines else UNBOUND, now)
        self.op.codes.bought(AUTHORIZATION, code, line.id, keep_until=line.expires_at)
        minted = access_token(self.op, line, aimed, now)
        body: dict[str, Any] = {
            "access_token": minted.value,
            "token_type": token_type(held),
            "expires_in": minted.expires_in,
            "scope": " ".join(aimed.scopes if asked else line.scopes),
            **said(aimed.details),
        }
        if "refresh_token" in view.grant_types:
            self.op.grants.keep(refresh, line, now)
            body |= {"refresh_token": refresh} | refresh_expiry(self.op, line, now)
        if "openid" in line.scopes:
            body["id_token"] = id_token(
                self.op,
                view,
                line,
                nonce=row.details["nonce"],
                beside=Beside(access=minted.value),
                sealed=sealed,
                now=now,
            )
        self.op.clients.touch(view.client_id, now)
        return 200, body, self.TOKEN_RESPONSE_HEADER

    def _judged_keys(self, details: dict[str, Any]) -> Confirmation:
        """The keys that are proven; a code for one key is not redeemed with another, nor without
        (RFC 9449 section 10), and is not burned by the try.
        """
        held = proven(self.original, self.op, self.request.client.view)
        meant = details.get("dpop_jkt")
        if meant is None or meant == held.jkt:
            return held
        if held.jkt is None:
            raise InvalidDpopProof("a DPoP proof is needed")
        raise InvalidGrant("the code is not good, or no longer", reason="another key")

    def _judge_verifier(self, code: str, details: dict[str, Any]) -> None:
        """PKCE (RFC 7636 section 4.6). A thief without the verifier does not burn the code,
        but has three tries.
        """
        verifier = self.request.payload.data.get("code_verifier")
        challenge = details["code_challenge"]
        if challenge is None:
            if verifier is not None:
                raise InvalidGrant("a code_verifier without a code_challenge")
            return
        if verifier is not None and VERIFIER.fullmatch(verifier):
            if same(create_s256_code_challenge(verifier), challenge):
                return
        tries = details.get("tries", 0) + 1
        if tries >= MOST_TRIES:
            try:
                self.op.codes.spend(AUTHORIZATION, code, self.original.now)
            except (AlreadySpent, Gone):
                raise InvalidGrant("the code_verifier is missing or wrong") from None
        else:
            self.op.codes.replace(AUTHORIZATION, code, {**details, "tries": tries})
        raise InvalidGrant("the code_verifier is missing or wrong")

    def _judge_life(self, details: dict[str, Any], now: datetime) -> None:
        """Whoever signed out, was disabled or took consent back since gets nothing (COD-08)."""
        ended = self.op.tokens.live.ended(
            Lineage(
                client_id=details["client_id"],
                account_id=details["account_id"],
                session_id=details["session_id"],
                grant_id=details["grant_id"],
                generation=details["generation"],
            ),
            now,
            lock=True,
        )
        if ended is not None:
            raise InvalidGrant("the code is not good, or no longer", reason=ended)

    def _start_line(
        self, details: dict[str, Any], held: Confirmation, now: datetime
    ) -> tuple[Line, Any]:
        account_id = details["account_id"]
        participation = self.op.sessions.participate(
            details["session_id"], account_id, self.request.client.view, now
        )
        allowed = Allowance(
            scopes=tuple(details["scopes"]),
            resources=tuple(details["resources"]),
            claims_request=details["claims"],
            authorization_details=tuple(details.get("authorization_details", ())),
            offline=details["offline"],
            auth_time=datetime.fromtimestamp(details["auth_time"], UTC),
            acr=details["acr"],
            amr=tuple(details["amr"]),
            bound_to=held,
        )
        return self.op.grants.start_line(details["grant_id"], participation, allowed, now)

    def _came_back(self, row: Code) -> None:
        """A code that comes back ends what it bought (RFC 6749 section 4.1.2)."""
        now = self.original.now
        line = self.op.grants.line(row.line_id) if row.line_id is not None else None
        if line is not None:
            receipt = self.op.sign_outs.line(line, Because("code_replayed", "provider"), now)
            self.op.events.record(
                "CodeReplayed",
                now,
                account_id=line.account_id,
                client_id=line.client_id,
                address=self.original.address,
                receipt=receipt.id if receipt is not None else None,
            )
        raise InvalidGrant("the code is not good, or no longer", reason="code came back")
