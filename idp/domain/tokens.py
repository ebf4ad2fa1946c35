"""Access tokens: mint one, read one back, judge one, take one back. The gate is `live`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from idp.crypto import jose
from idp.crypto.confirmation import UNBOUND, Confirmation
from idp.crypto.secrets import new_handle, new_id
from idp.domain.feed import Feed
from idp.domain.issued import HANDLE_PREFIX, AccessToken, Issued
from idp.domain.keys import Keys
from idp.domain.live import Lineage, Live
from idp.domain.once import Once
from idp.domain.rules import Rules
from idp.policies import Draft, PolicySet, Presented, TokenFacts, UnknownPolicy
from idp.policies.feed import JTI
from idp.store import DbSession, writing
from idp.store.once import put_once
from idp.store.sessions import Denied, Line

__all__ = ["AccessToken", "Lineage", "Live", "Minted", "Order", "PolicySet", "Presented", "Tokens"]

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type
ACCESS_TOKEN_ALG = "ES256"  # noqa: S105 - an algorithm
CLOCK_MAY_JUMP = timedelta(days=1)  # what was seen is remembered for longer than it counts
CARRIED_IF_NOT_MINIMAL = ("auth_time", "acr", "amr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An access token that is wanted: what it says, for whom, and under which policies."""

    claims: Mapping[str, object]
    audiences: tuple[str, ...]
    policies: PolicySet
    lifetime: timedelta | None = None
    bound_to: Confirmation = UNBOUND
    status: bool = False
    """Whether an API wants to find it in a status list."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A fresh access token, worth stealing."""

    value: str
    jti: str
    expires_at: datetime
    expires_in: int


class Tokens:
    """Where access tokens come from and where they are judged."""

    def __init__(
        self,
        session: DbSession,
        keys: Keys,
        live: Live,
        issued: Issued,
        feed: Feed,
        rules: Rules,
    ) -> None:
        self._session = session
        self._feed = feed
        self._keys = keys
        self._rules = rules
        self._once = Once(session)
        self.live = live
        self.issued = issued

    def mint_access(self, order: Order, now: datetime) -> Minted:
        """An access token as its policies shape it: a signed JWT (RFC 9068), or a handle.

        Raises `Unmintable` when a policy does not allow it.
        """
        lifetime = order.lifetime or self._rules.access_lifetime
        draft = order.policies.draft(
            Draft(
                lifetime=lifetime,
                audiences=order.audiences,
                jkt=order.bound_to.jkt,
                x5t=order.bound_to.x5t,
            )
        )
        claims = self._claims(order, draft, now)
        if order.status and order.policies.listable and not draft.opaque:
            place = self._feed.status_lists.give(str(claims["client_id"]), now)
            claims["status"] = place.claim
        jti, expires_in = str(claims["jti"]), int(draft.lifetime.total_seconds())
        handle = new_handle(HANDLE_PREFIX) if draft.opaque else None
        if draft.tracked:
            self.issued.put(AccessToken(claims), handle=handle, listed=draft.listed, now=now)
        value = handle or jose.sign(
            self._keys.signer(ACCESS_TOKEN_ALG, now), claims, typ=ACCESS_TOKEN_TYPE
        )
        return Minted(value, jti, now + timedelta(seconds=expires_in), expires_in)

    def _claims(self, order: Order, draft: Draft, now: datetime) -> dict[str, object]:
        issued = int(now.timestamp())
        left_out = CARRIED_IF_NOT_MINIMAL if draft.minimal else ()
        aud = order.audiences
        claims = {
            "iss": self._rules.issuer,
            **{name: value for name, value in order.claims.items() if name not in left_out},
            "aud": aud[0] if len(aud) == 1 else list(aud),
            "iat": issued,
            "exp": issued + int(draft.lifetime.total_seconds()),
            "jti": new_id(),
            "policies": list(order.policies.names),
        }
        if order.bound_to:
            claims["cnf"] = order.bound_to.claim
        return claims

    def read_access(self, token: str, now: datetime) -> AccessToken | None:
        """What one of our own tokens says; None for anything else. Whether it is alive is
        `judge`'s question, not this one's.
        """
        if token.startswith(HANDLE_PREFIX):
            return self.issued.find(token, now)
        try:
            claims = jose.verify(
                token,
                self._keys.verification_keys(now),
                [ACCESS_TOKEN_ALG],
                typ=ACCESS_TOKEN_TYPE,
            )
            jose.check_times(claims, now)
        except jose.Unverifiable:
            return None
        access = AccessToken(claims)
        if claims.get("iss") != self._rules.issuer or access.expires_at <= now.timestamp():
            return None  # what we ended ourselves gets no tolerance for others' clocks
        return access

    def judge(
        self, token: AccessToken, seen: Presented, policies: Iterable[str], now: datetime
    ) -> str | None:
        """None when a token is good at this API now, else why not, in a few words.

        It is judged by the policies it was minted under and by those the API has now: the
        stricter of both wins.
        """
        ended = self.live.ended(token.lineage, now)
        if ended is not None:
            return ended
        try:
            asked = PolicySet.named((*token.policies, *policies))
        except UnknownPolicy:
            return "unknown policy"
        refusal = asked.check(token.facts, seen, self.standing(token, now))
        return refusal.reason if refusal is not None else None

    def standing(self, token: AccessToken, now: datetime) -> "Standing":
        """What policies may ask about a token, answered from the store."""
        return Standing(self, token.lineage, now)

    def lineage_of(self, line: Line) -> Lineage:
        """What the gate must be asked about a line and its refresh token."""
        return Lineage(
            client_id=line.client_id,
            account_id=line.account_id,
            session_id=line.session_id,
            line_id=line.id,
        )

    def deny(self, token: AccessToken, now: datetime) -> None:
        """Take one access token back, until it would have expired anyway."""
        work, jti, until = self._session(), token.jti, token.facts.expires_at
        self._feed.status_lists.take_back(token.status)
        put = put_once(Denied.__table__, ("jti", "expires_at"), work.connection().dialect.name)
        if work.change(put, of_jti=jti, of_expires_at=until + CLOCK_MAY_JUMP) == 1:
            self._feed.put(JTI, [jti], until, now)

    def seen_once(self, namespace: str, value: str, until: datetime, now: datetime) -> bool:
        """True for the first who brings this value, False for every other, in any process.

        Part of the request's own transaction: what is answered was remembered (P3).
        """
        return self._once.first(namespace, value, until)

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget denials and sightings nobody needs any more; returns how many rows went."""
        writing(self._session)
        connection = self._session.connection()
        denied = select(Denied.jti).where(Denied.expires_at <= now).limit(limit)
        gone = connection.execute(delete(Denied).where(Denied.jti.in_(denied))).rowcount
        return gone + self._once.sweep(now, limit) + self.issued.sweep(now, limit)


class Standing:
    """The three questions of policies, answered from the store."""

    def __init__(self, tokens: Tokens, lineage: Lineage, now: datetime) -> None:
        self._tokens = tokens
        self._lineage = lineage
        self._now = now

    def allowed(self, jti: str) -> bool:
        return self._tokens.issued.listed(jti)

    def denied(self, jti: str) -> bool:
        return self._tokens.issued.denied(jti)

    def session_open(self, token: TokenFacts) -> bool:
        return self._tokens.live.ended(self._lineage, self._now) is None
