"""Signing keys: next, current, retired; rotation without a moment nobody can verify.

A key is published before it signs and stays published until the last token it signed is
over. Private halves are sealed; what signs is held in memory and looked up again every few
seconds, so that all processes agree.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idp.crypto import jose
from idp.crypto.dpop import Nonces
from idp.crypto.jose import OUR_ALGORITHMS, Signer, Verifier
from idp.crypto.secrets import Unsealable, seal, unseal
from idp.store import DbSession, Json, writing
from idp.store.system import SigningKey

__all__ = ["Keys", "Signer", "SigningKey", "Verifier"]

NEXT, CURRENT, RETIRED, REVOKED = "next", "current", "retired", "revoked"

LOOKED_UP_EVERY = timedelta(seconds=3)
ANNOUNCED = timedelta(hours=24)  # a next key is published this long before it may sign
KNOWN_AFTER = timedelta(minutes=10)  # no cache of our key set is older; it lives for five
SIGNS = timedelta(days=90)
KEPT = timedelta(hours=24)  # a retired key verifies as long as the longest token, and a cache


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What the database said, with keys ready for use."""

    at: datetime
    signers: dict[str, Signer]
    verifiers: tuple[Verifier, ...]
    published: tuple[Json, ...]


class Keys:
    """The provider's own keys."""

    def __init__(self, session: DbSession, sealing_key: bytes, nonces: Nonces) -> None:
        self.nonces = nonces
        self._session = session
        self._sealing_key = sealing_key
        self._snapshot: _Snapshot | None = None
        self._opened: dict[str, Signer] = {}

    def signer(self, alg: str, now: datetime) -> Signer:
        """The key that signs with this algorithm now."""
        signer = self._look(now).signers.get(alg)
        if signer is None:
            self.ensure(now)
            signer = self._look(now).signers[alg]
        return signer

    def verification_keys(self, now: datetime) -> tuple[Verifier, ...]:
        """Every key whose signature still counts."""
        return self._look(now).verifiers

    def public_jwks(self, now: datetime) -> dict[str, Sequence[Json]]:
        """The JWK Set document (RFC 7517 section 5): public halves only."""
        return {"keys": [dict(jwk) for jwk in self._look(now).published]}

    def list(self, now: datetime) -> Sequence[SigningKey]:
        """All keys that are still published, the newest first."""
        return self._rows(now)[::-1]

    def opens(self, now: datetime) -> bool:
        """Whether our secret is the one with which the keys that count were sealed."""
        try:
            for row in self._rows(now):
                unseal(self._sealing_key, row.sealed_private, bound_to=row.kid)
        except Unsealable:
            return False
        return True

    def ensure(self, now: datetime) -> None:
        """Create what is missing, promote what is due. Safe in any process."""
        rows = self._rows(now)
        for alg in OUR_ALGORITHMS:
            mine = [row for row in rows if row.alg == alg]
            current = next((row for row in mine if row.state == CURRENT), None)
            following = next((row for row in mine if row.state == NEXT), None)
            if current is None:
                self._create(alg, CURRENT, now)
                continue
            age = now - (current.current_since or current.created_at)
            if following is None and age >= SIGNS - ANNOUNCED:
                self._create(alg, NEXT, now)
            elif following is not None and _due(current, following, now):
                self._promote(current, following, now)
        self._snapshot = None

    def rotate(self, alg: str | None, now: datetime) -> None:
        """An operator rotates by hand: the next key signs as soon as everybody can know it.

        One that was published long enough signs at once; otherwise it is published now, and
        `ensure` lets it sign when no cache of our key set is older than it is.
        """
        if alg is not None and alg not in OUR_ALGORITHMS:
            raise ValueError(f"we have no keys for {alg}; there are {', '.join(OUR_ALGORITHMS)}")
        self.ensure(now)
        for name in OUR_ALGORITHMS if alg is None else (alg,):
            current, following = self._pair(name, now)
            if following is None:
                self._create(name, NEXT, now)
            elif _published_for(KNOWN_AFTER, following, now):
                self._promote(current, following, now)
                continue
            writing(self._session)
            self._session.execute(
                update(SigningKey)
                .where(SigningKey.kid == current.kid, SigningKey.retired_at.is_(None))
                .values(retired_at=now + KNOWN_AFTER)
            )
        self._snapshot = None

    def revoke(self, kid: str, now: datetime) -> bool:
        """Emergency: this key counts no more, wherever our key set is read afresh."""
        row = self._session.get(SigningKey, kid, populate_existing=True)
        if row is None:
            return False
        alg, was_current = row.alg, row.state == CURRENT
        writing(self._session)
        self._session.execute(
            update(SigningKey)
            .where(SigningKey.kid == kid)
            .values(state=REVOKED, retired_at=now, published_until=now)
        )
        if was_current:
            self._succeed(alg, now)
        self._snapshot = None
        return True

    def _succeed(self, alg: str, now: datetime) -> None:
        """Somebody must sign: the next key, which many know already, or a fresh one."""
        following = next((r for r in self._rows(now) if (r.alg, r.state) == (alg, NEXT)), None)
        if following is None:
            self._create(alg, CURRENT, now)
            return
        self._session.execute(
            update(SigningKey)
            .where(SigningKey.kid == following.kid)
            .values(state=CURRENT, current_since=now)
        )

    def _pair(self, alg: str, now: datetime) -> tuple[SigningKey, SigningKey | None]:
        mine = {row.state: row for row in self._rows(now) if row.alg == alg}
        return mine[CURRENT], mine.get(NEXT)

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget keys that nothing names any more, the private halves too; returns how many."""
        writing(self._session)
        over = select(SigningKey.kid).where(SigningKey.published_until <= now - KEPT).limit(limit)
        gone = delete(SigningKey).where(SigningKey.kid.in_(over))
        return self._session.connection().execute(gone).rowcount

    def _rows(self, now: datetime) -> Sequence[SigningKey]:
        known = SigningKey.state != REVOKED  # also when the clock is set back
        query = select(SigningKey).where(known).order_by(SigningKey.created_at)
        rows = self._session.scalars(query, execution_options={"populate_existing": True})
        return [row for row in rows if row.published_until is None or row.published_until > now]

    def _create(self, alg: str, state: str, now: datetime) -> None:
        """Make a key outside the transaction (RSA takes its time); of two who do, one is kept."""
        key = jose.generate(alg)
        kid = jose.thumbprint(key)
        private = json.dumps(key.as_dict(private=True)).encode()
        public: Json = {**key.as_dict(private=False), "kid": kid, "alg": alg, "use": "sig"}
        writing(self._session)
        values = {
            "kid": kid,
            "alg": alg,
            "state": state,
            "public_jwk": public,
            "sealed_private": seal(self._sealing_key, private, bound_to=kid),
            "created_at": now,
            "current_since": now if state == CURRENT else None,
        }
        name = self._session.connection().dialect.name
        insert = postgresql.insert if name == "postgresql" else sqlite.insert
        self._session.connection().execute(
            insert(SigningKey).values(**values).on_conflict_do_nothing()
        )

    def _promote(self, current: SigningKey, following: SigningKey, now: datetime) -> None:
        writing(self._session)
        retired = self._session.connection().execute(
            update(SigningKey)
            .where(SigningKey.kid == current.kid, SigningKey.state == CURRENT)
            .values(state=RETIRED, retired_at=now, published_until=now + KEPT)
        )
        if retired.rowcount != 1:
            return  # another process was faster, and has done what follows as well
        self._session.connection().execute(
            update(SigningKey)
            .where(SigningKey.kid == following.kid)
            .values(state=CURRENT, current_since=now)
        )

    def _look(self, now: datetime) -> _Snapshot:
        snapshot = self._snapshot
        if snapshot is None or not timedelta(0) <= now - snapshot.at < LOOKED_UP_EVERY:
            snapshot = self._snapshot = self._take(now)
        return snapshot

    def _take(self, now: datetime) -> _Snapshot:
        rows = self._rows(now)
        signers = {row.alg: self._open(row) for row in rows if row.state == CURRENT}
        verifiers = tuple(Verifier(row.kid, row.alg, self._open(row).key) for row in rows)
        return _Snapshot(now, signers, verifiers, tuple(row.public_jwk for row in rows))

    def _open(self, row: SigningKey) -> Signer:
        if row.kid not in self._opened:
            raw = unseal(self._sealing_key, row.sealed_private, bound_to=row.kid)
            self._opened[row.kid] = Signer(row.kid, row.alg, jose.import_key(json.loads(raw)))
        return self._opened[row.kid]


def _due(current: SigningKey, following: SigningKey, now: datetime) -> bool:
    """Whether the next key's time has come: by age, or because an operator wants it."""
    if current.retired_at is not None and current.retired_at <= now:
        return _published_for(KNOWN_AFTER, following, now)
    age = now - (current.current_since or current.created_at)
    return age >= SIGNS and _published_for(ANNOUNCED, following, now)


def _published_for(time: timedelta, row: SigningKey, now: datetime) -> bool:
    return now - row.created_at >= time
