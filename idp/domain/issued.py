"""Access tokens that a policy wants remembered: opaque, listed, or nameable by a denylist."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import bindparam, delete, select, update

from idp.crypto import jose
from idp.crypto.confirmation import Confirmation, confirmation_of
from idp.crypto.secrets import Handle, digest
from idp.crypto.status_list import Reference, reference_in
from idp.domain.live import Lineage
from idp.policies import TokenFacts
from idp.store import DbSession, Prebuilt, writing
from idp.store.sessions import Denied
from idp.store.tokens import IssuedToken

__all__ = ["HANDLE_PREFIX", "AccessToken", "Issued", "IssuedToken", "Listing", "NoListing"]

HANDLE_PREFIX = "at_"

_LISTED = Prebuilt(select(IssuedToken.listed).where(IssuedToken.jti == bindparam("j")))
_STRIKE = Prebuilt(
    update(IssuedToken).where(IssuedToken.jti == bindparam("j")).values(listed=False)
)
_DENIED = Prebuilt(select(Denied.jti).where(Denied.jti == bindparam("j")))


class Listing(Protocol):
    """A copy of the list of good tokens, for guards that can read it without asking us."""

    def offer(self, jti: str, until: datetime, now: datetime) -> None:
        """It is good. Never overrules `strike`."""
        ...

    def strike(self, jti: str, until: datetime, now: datetime) -> bool:
        """It is no longer good. False when the copy could not be told."""
        ...


class NoListing:
    """Nobody reads a copy: every guard asks the provider."""

    def offer(self, jti: str, until: datetime, now: datetime) -> None:
        """Nothing to do."""

    def strike(self, jti: str, until: datetime, now: datetime) -> bool:
        """Nothing to do."""
        return True


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What one of our own access tokens says, once we know that it is ours."""

    claims: Mapping[str, object]

    @property
    def client_id(self) -> str:
        return str(self.claims["client_id"])

    @property
    def sub(self) -> str:
        return str(self.claims["sub"])

    @property
    def jti(self) -> str:
        return str(self.claims["jti"])

    @property
    def line_id(self) -> str | None:
        return self._text("line")

    @property
    def audiences(self) -> frozenset[str]:
        return jose.audiences(self.claims)

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(str(self.claims.get("scope", "")).split())

    @property
    def expires_at(self) -> int:
        exp = self.claims["exp"]
        return exp if isinstance(exp, int) else 0

    @property
    def lineage(self) -> Lineage:
        """What the gate must be asked about this token."""
        parents = tuple(
            Lineage(client_id=parent["client_id"], jti=parent.get("jti")) for parent in self.parents
        )
        return Lineage(
            client_id=self.client_id, line_id=self.line_id, jti=self.jti, parents=parents
        )

    @property
    def parents(self) -> tuple[dict[str, str], ...]:
        """The tokens it was exchanged for, the oldest first: `client_id`, and perhaps `jti`."""
        lineage = self.claims.get("lineage")
        return tuple(lineage) if isinstance(lineage, list) else ()

    @property
    def bound_to(self) -> Confirmation:
        """The keys it works with (RFC 9449 section 6.1, RFC 8705 section 3.1)."""
        return confirmation_of(self.claims.get("cnf"))

    @property
    def jkt(self) -> str | None:
        return self.bound_to.jkt

    @property
    def x5t(self) -> str | None:
        return self.bound_to.x5t

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies it was minted under."""
        names = self.claims.get("policies")
        return tuple(map(str, names)) if isinstance(names, list) else ()

    @property
    def status(self) -> Reference | None:
        """Its place in a status list, if it has one."""
        return reference_in(self.claims)

    @property
    def facts(self) -> TokenFacts:
        """What policies judge it by."""
        generation = self.claims.get("gen")
        return TokenFacts(
            jti=self.jti,
            sub=self.sub,
            client_id=self.client_id,
            audiences=self.audiences,
            expires_at=datetime.fromtimestamp(self.expires_at, UTC),
            sid=self._text("sid"),
            line=self.line_id,
            generation=generation if isinstance(generation, int) else None,
            jkt=self.jkt,
            x5t=self.x5t,
            policies=frozenset(self.policies),
        )

    def _text(self, name: str) -> str | None:
        value = self.claims.get(name)
        return value if isinstance(value, str) else None


class Issued:
    """The tokens that are remembered, for as long as they could be used."""

    def __init__(self, session: DbSession, listing: Listing) -> None:
        self._session = session
        self._listing = listing

    def put(
        self, token: AccessToken, *, handle: Handle | None, listed: bool, now: datetime
    ) -> None:
        """Remember a token that is about to be handed out."""
        writing(self._session)
        until = datetime.fromtimestamp(token.expires_at, UTC)
        if listed:
            self._listing.offer(token.jti, until, now)
        self._session.add(
            IssuedToken(
                jti=token.jti,
                digest=digest(handle) if handle is not None else None,
                line_id=token.line_id,
                listed=listed,
                claims=dict(token.claims),
                expires_at=until,
            )
        )
        self._session.flush()

    def find(self, handle: str, now: datetime) -> AccessToken | None:
        """What an opaque token stands for; None when it stands for nothing, or no longer."""
        if not handle.startswith(HANDLE_PREFIX):
            return None
        query = select(IssuedToken.claims).where(
            IssuedToken.digest == digest(handle), IssuedToken.expires_at > now
        )
        claims = self._session.execute(query).scalar_one_or_none()
        return AccessToken(claims) if claims is not None else None

    def listed(self, jti: str) -> bool:
        """Whether a token stands on the list of those that are good."""
        row = self._session().row(_LISTED, j=jti)
        return row is not None and bool(row.listed)

    def denied(self, jti: str) -> bool:
        """Whether a token was taken back."""
        return self._session().row(_DENIED, j=jti) is not None

    def of_lines(self, line_ids: Iterable[str], now: datetime) -> list[AccessToken]:
        """The remembered tokens of these lines that have not expired."""
        query = select(IssuedToken.claims).where(
            IssuedToken.line_id.in_(list(line_ids)), IssuedToken.expires_at > now
        )
        return [AccessToken(claims) for claims in self._session.scalars(query)]

    def forget(self, token: AccessToken, now: datetime) -> bool:
        """Strike a token from the list; the copy of the list learns it first. False when it
        could not be told.
        """
        writing(self._session)
        until = datetime.fromtimestamp(token.expires_at, UTC)
        told = self._listing.strike(token.jti, until, now)
        self._session().change(_STRIKE, j=token.jti)
        return told

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget what has expired; returns how many rows went."""
        writing(self._session)
        old = select(IssuedToken.jti).where(IssuedToken.expires_at <= now).limit(limit)
        gone = delete(IssuedToken).where(IssuedToken.jti.in_(old))
        return self._session.connection().execute(gone).rowcount
