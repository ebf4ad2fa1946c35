"""Access tokens: mint one, read one back, take one back. The gate is `live`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import FromClause, Insert, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from idp.crypto import jose
from idp.crypto.secrets import digest, new_id
from idp.domain.keys import Keys
from idp.domain.live import Lineage, Live
from idp.domain.rules import Rules
from idp.policies import PolicySet
from idp.policies.model import Draft
from idp.store import DbSession, Json, writing
from idp.store.sessions import Denied, Line
from idp.store.system import Ended, Fact

__all__ = ["AccessToken", "Lineage", "Live", "Minted", "Tokens"]

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type
ACCESS_TOKEN_ALG = "ES256"  # noqa: S105 - an algorithm


@dataclass(frozen=True, slots=True)
class Minted:
    """A fresh access token, worth stealing."""

    value: str
    jti: str
    expires_at: datetime
    expires_in: int


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What one of our own access tokens says, once its signature has been checked."""

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
        line = self.claims.get("line")
        return line if isinstance(line, str) else None

    @property
    def audiences(self) -> frozenset[str]:
        aud = self.claims["aud"]
        return frozenset([aud] if isinstance(aud, str) else aud if isinstance(aud, list) else ())

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(str(self.claims.get("scope", "")).split())

    @property
    def jkt(self) -> str | None:
        """The key it is bound to (RFC 9449 section 6.1)."""
        cnf = self.claims.get("cnf")
        jkt = cnf.get("jkt") if isinstance(cnf, dict) else None
        return jkt if isinstance(jkt, str) else None

    @property
    def expires_at(self) -> int:
        exp = self.claims["exp"]
        return exp if isinstance(exp, int) else 0

    @property
    def lineage(self) -> Lineage:
        """What the gate must be asked about this token."""
        return Lineage(client_id=self.client_id, line_id=self.line_id, jti=self.jti)


class Tokens:
    """Where access tokens come from and where they are judged."""

    def __init__(self, session: DbSession, keys: Keys, live: Live, rules: Rules) -> None:
        self._session = session
        self._keys = keys
        self._rules = rules
        self.live = live

    def mint_access(
        self, claims: Mapping[str, object], policies: Iterable[str], now: datetime
    ) -> Minted:
        """Sign an RFC 9068 access token with these claims, shaped by the resources' policies."""
        draft = PolicySet.named(policies).draft(Draft(lifetime=self._rules.access_lifetime))
        issued = int(now.timestamp())
        expires_in = int(draft.lifetime.total_seconds())
        jti = new_id()
        signed = {
            "iss": self._rules.issuer,
            **claims,
            "iat": issued,
            "exp": issued + expires_in,
            "jti": jti,
        }
        key = self._keys.signer(ACCESS_TOKEN_ALG, now)
        value = jose.sign(key, signed, typ=ACCESS_TOKEN_TYPE)
        return Minted(value, jti, now + timedelta(seconds=expires_in), expires_in)

    def read_access(self, token: str, now: datetime) -> AccessToken | None:
        """What one of our own tokens says; None for anything else. Whether it is alive is
        the gate's question, not this one's.
        """
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
        if claims.get("iss") != self._rules.issuer:
            return None
        return AccessToken(claims)

    def lineage_of(self, line: Line) -> Lineage:
        """What the gate must be asked about a line and its refresh token."""
        return Lineage(client_id=line.client_id, account_id=line.account_id, line_id=line.id)

    def deny(self, jti: str, until: datetime, now: datetime) -> None:
        """Take one access token back, until it would have expired anyway."""
        writing(self._session)
        denied = self._put(Denied.__table__, {"jti": jti, "expires_at": until})
        if self._session.connection().execute(denied).rowcount == 1:
            kept = until + self._rules.feed_margin
            self._session.execute(insert(Ended).values(kind="jti", subject=jti, at=now, until=kept))

    def seen_once(self, namespace: str, value: str, until: datetime, now: datetime) -> bool:
        """True for the first who brings this value, False for every other, in any process.

        Part of the request's own transaction: what is answered was remembered (P3).
        """
        writing(self._session)
        key = f"{namespace}:{digest(value).hex()}"
        row = {"key": key, "count": 1, "value": None, "expires_at": until}
        result = self._session.connection().execute(self._put(Fact.__table__, row))
        return result.rowcount == 1

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget denials and sightings nobody needs any more; returns how many rows went."""
        writing(self._session)
        connection = self._session.connection()
        denied = select(Denied.jti).where(Denied.expires_at <= now).limit(limit)
        facts = select(Fact.key).where(Fact.expires_at <= now).limit(limit)
        gone = connection.execute(delete(Denied).where(Denied.jti.in_(denied))).rowcount
        return gone + connection.execute(delete(Fact).where(Fact.key.in_(facts))).rowcount

    def _put(self, table: FromClause, row: Json) -> Insert:
        """INSERT … ON CONFLICT DO NOTHING, in the words of the database at hand; it says how many
        rows went in, which on PostgreSQL must be asked for.
        """
        name = self._session.get_bind().dialect.name
        kind = postgresql.insert if name == "postgresql" else sqlite.insert
        put: Insert = kind(table).values(**row).on_conflict_do_nothing()  # type: ignore[arg-type]
        return put.execution_options(preserve_rowcount=True)
