"""Proofs that whoever sends a token holds its keys, at an API (RFC 9449 section 7, RFC 8705
section 3).
"""

from datetime import datetime
from hashlib import sha256

from idp.crypto import dpop
from idp.guard.certificates import thumbprint
from idp.guard.needs import Arrival
from idp.guard.refused import Challenges
from idp.guard.replay import Replay
from idp.guard.seen import Seen


class Proofs:
    """Judges proofs for one API. With nonces, each proof must carry one of them."""

    def __init__(
        self, replay: Replay, nonces: dpop.Nonces | None, origin: str, challenges: Challenges
    ) -> None:
        self.replay = replay
        self._nonces = nonces
        self._origin = origin
        self._challenges = challenges

    def fresh_nonce(self, now: datetime) -> str | None:
        """What an answer should hand out, so that the next proof carries it (section 8.2)."""
        return self._nonces.fresh(now) if self._nonces is not None else None

    def judge(
        self,
        seen: Seen,
        token: str,
        *,
        bound: bool,
        arrival: Arrival,
        now: datetime,
    ) -> dpop.Proof | None:
        """The proof of a token that came as `DPoP`; None for one that came as `Bearer`.

        A bound token is no bearer token, and an unbound one proves nothing (section 7.2). One
        that is bound to a certificate came over a connection with it.
        """
        jkt, x5t = seen.bound.jkt, seen.bound.x5t
        if x5t is not None and x5t != thumbprint(arrival.certificate):
            raise self._challenges.invalid(bound=bound)
        if bound is not (jkt is not None):
            raise self._challenges.invalid(bound=jkt is not None)
        if not bound:
            return None
        url = self._origin + arrival.url if arrival.url.startswith("/") else arrival.url
        try:
            proof = dpop.check(
                arrival.dpop,
                method=arrival.method,
                url=url,
                now=now,
                token=token,
                nonces=self._nonces,
                nonce_required=self._nonces is not None,
            )
        except dpop.StaleNonce:
            raise self._challenges.use_nonce(self.fresh_nonce(now)) from None
        except dpop.InvalidProof:
            raise self._challenges.invalid_proof() from None
        if proof.jkt != jkt:
            raise self._challenges.invalid(bound=True)
        return proof

    def spend(self, proof: dpop.Proof, now: datetime) -> None:
        """Once means once; raises `Refused`, or `Unanswered` when nobody can say."""
        once = sha256(proof.once.encode()).hexdigest()
        if not self.replay.first(once, proof.until, now.timestamp()):
            raise self._challenges.invalid_proof()
