"""Token exchange (RFC 8693): an access token for another API, on behalf of the same person.

Nothing is gained by it: no scope, no API, no second of life that the subject's token, the
person's consent and the operator's rule for the client do not have together. What is minted
hangs under the sign-in that everything before it descends from, and ends with it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp.crypto.confirmation import Confirmation
from idp.domain.metadata.operators import PARTY, TOKEN_EXCHANGE, ExchangeRight
from idp.policies import Draft
from idp.protocol import parties
from idp.protocol.claims import Aimed, aim, mint
from idp.protocol.errors import (
    InvalidDpopProof,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    UnauthorizedClient,
)
from idp.protocol.grant import Ours
from idp.protocol.parties import TYPE, Holder, Party
from idp.protocol.possession import proven, shown, token_type

ISSUED = ("access_token", "jwt")
LONGEST_CHAIN = 8


class TokenExchange(Ours, BaseGrant, TokenEndpointMixin):
    """Gives one access token for another, and never a refresh token."""

    GRANT_TYPE = TOKEN_EXCHANGE

    def validate_token_request(self) -> None:
        """Who asks, and with what: everything that can be refused before a token is read."""
        self.request.client = self.authenticate_token_endpoint_client()
        right = ExchangeRight.of(self.view.details)
        if self.view.public or right is None or not self._registered():
            raise UnauthorizedClient("the client may not exchange tokens")
        self.right = right
        asked = self.original.parameters
        for name in ("subject_token", "subject_token_type"):
            if asked.get(name) is None:
                raise InvalidRequest(f"{name} is missing")
        if (asked.get("actor_token") is None) != (asked.get("actor_token_type") is None):
            raise InvalidRequest("actor_token and actor_token_type go together")
        self.kind = (asked.get("requested_token_type") or f"{TYPE}access_token").removeprefix(TYPE)
        if self.kind not in ISSUED:
            raise InvalidRequest("the requested_token_type is not supported")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        op, view, now = self.op, self.view, self.original.now
        held = proven(self.original, op, view)
        subject, actor = self._parties(now)
        act = self._acting(subject, actor)
        self._judge_keys(subject, actor, held)
        aimed = self._aimed(subject, actor, held, now)
        self._judge_life(subject, now)
        claims: dict[str, object] = {
            "sub": subject.sub,
            "client_id": view.client_id,
            "scope": " ".join(aimed.scopes),
            "lineage": [dict(parent) for parent in subject.parents],
        }
        if act is not None:
            claims["act"] = act
        minted = mint(op, subject.line, claims, aimed, now)
        if actor is not None and actor.line is not None:
            self._record(subject, actor, aimed)
        op.clients.touch(view.client_id, now)
        body: dict[str, Any] = {
            "access_token": minted.value,
            "issued_token_type": TYPE + self.kind,
            "token_type": token_type(held),
            "expires_in": minted.expires_in,
            "scope": " ".join(aimed.scopes),
        }
        return 200, body, self.TOKEN_RESPONSE_HEADER

    def _registered(self) -> bool:
        return bool(self.request.client.check_grant_type(self.GRANT_TYPE))

    def _parties(self, now: datetime) -> tuple[Party, Party | None]:
        """The one it is about, and the one who acts, if another does (section 1.1)."""
        asked = self.original.parameters
        holder = Holder(op=self.op, client=self.view, right=self.right, now=now)
        subject = parties.read(
            asked.get("subject_token") or "", asked.get("subject_token_type") or "", holder
        )
        token, kind = asked.get("actor_token"), asked.get("actor_token_type")
        if token is None or kind is None:
            return subject, None
        if kind == f"{TYPE}refresh_token":
            raise InvalidRequest("a refresh token says nothing of who acts")
        return subject, parties.read(token, kind, holder)

    def _acting(self, subject: Party, actor: Party | None) -> Mapping[str, Any] | None:
        """The `act` claim: who acts now, and who acted before (section 4.1). Without an actor
        the client takes the person's place, which an operator must have allowed.
        """
        own = subject.client_id == self.view.client_id
        if actor is None and not own and not self.right.impersonation:
            raise InvalidRequest("an actor_token is needed")
        if actor is not None and actor.act is not None:
            raise InvalidRequest("who acts for somebody does not act for another at once")
        client_id = self.view.client_id
        party = {"sub": client_id, "client_id": client_id}
        if actor is not None:
            party = {"sub": actor.sub, "client_id": actor.client_id}
        self._judge_permission(subject.may_act, {"iss": self.op.rules.issuer, **party})
        if actor is None:
            return subject.act
        act = party if subject.act is None else {**party, "act": subject.act}
        if _depth(act) > LONGEST_CHAIN or len(subject.parents) > LONGEST_CHAIN:
            raise InvalidRequest("the chain is too long")
        return act

    def _judge_permission(
        self, may_act: Mapping[str, Any] | None, party: Mapping[str, str]
    ) -> None:
        """`may_act` names the only one who may act for this person (section 4.4)."""
        if may_act is None:
            return
        named = [name for name in PARTY if name in may_act]
        if not named or any(may_act[name] != party[name] for name in named):
            raise InvalidRequest("the party may not act for this subject")

    def _judge_keys(self, subject: Party, actor: Party | None, held: Confirmation) -> None:
        """What was bound to a key stays bound: one's own to the same key, and what one was
        called with to one's own (no way down from DPoP to Bearer).
        """
        for party in (subject, actor):
            if party is None or not party.bound_to:
                continue
            if not held:
                raise InvalidDpopProof("a DPoP proof is needed")
            wanted, own = party.bound_to, party.client_id == self.view.client_id
            if own and not wanted.met_by(Confirmation(jkt=held.jkt, x5t=shown(self.original))):
                raise InvalidDpopProof("the proof is of another key")

    def _aimed(
        self, subject: Party, actor: Party | None, held: Confirmation, now: datetime
    ) -> Aimed:
        """The APIs, scopes and lifetime that nobody gains by (EXC-02)."""
        asked = self.original.parameters
        allowed = tuple(
            name
            for name in self.right.resources
            if subject.resources is None or name in subject.resources
        )
        targets = tuple(dict.fromkeys((*asked.all("resource"), *asked.all("audience"))))
        if not set(targets or allowed) <= set(allowed) or not allowed:
            raise InvalidTarget("the resource is not one this exchange may be for")
        targets = targets or allowed
        if len(self.op.resources.named(targets)) != len(targets):
            raise InvalidTarget("the resource is not known")
        scopes = self._narrowed(subject)
        aimed = aim(self.op, self.view, scopes, allowed, targets, held)
        if asked.get("scope") is not None and set(aimed.scopes) != set(scopes):
            raise InvalidScope("the resource does not know the scope")
        ends = min(party.expires_at for party in (subject, actor) if party is not None)
        left = timedelta(seconds=ends - int(now.timestamp()))
        aimed = replace(
            aimed,
            lifetime=min(aimed.lifetime, left),
            may_act=subject.may_act if subject.may_act is not None else aimed.may_act,
        )
        if self.kind == "jwt" and _opaque(aimed):
            raise InvalidRequest("tokens for this resource are no JWTs")
        return aimed

    def _narrowed(self, subject: Party) -> tuple[str, ...]:
        """At most the subject's scopes, and at most the client's."""
        wanted = (self.original.parameters.get("scope") or "").split()
        have = [s for s in subject.scopes if self.view.scopes is None or s in self.view.scopes]
        if not set(wanted) <= set(have):
            raise InvalidScope("the scope is not the subject's, or not the client's")
        return tuple(scope for scope in have if not wanted or scope in wanted)

    def _judge_life(self, subject: Party, now: datetime) -> None:
        """Once more, and held: a sign-out at the same time waits, or is seen (CON-02)."""
        ended = self.op.tokens.live.ended(subject.lineage, now, lock=True)
        if ended is not None:
            raise InvalidRequest(parties.UNUSABLE, reason=ended)

    def _record(self, subject: Party, actor: Party, aimed: Aimed) -> None:
        """One person acts for another: both should find it in the trail."""
        self.op.events.record(
            "PersonActedFor",
            self.original.now,
            account_id=subject.line.account_id if subject.line is not None else None,
            client_id=self.view.client_id,
            address=self.original.address,
            actor=actor.sub,
            resources=list(aimed.audiences),
        )


def _opaque(aimed: Aimed) -> bool:
    keys = aimed.bound_to
    draft = Draft(lifetime=aimed.lifetime, audiences=aimed.audiences, jkt=keys.jkt, x5t=keys.x5t)
    return aimed.policies.draft(draft).opaque


def _depth(act: Mapping[str, Any]) -> int:
    """How many act one for another."""
    inner = act.get("act")
    return 1 + (_depth(inner) if isinstance(inner, Mapping) else 0)
