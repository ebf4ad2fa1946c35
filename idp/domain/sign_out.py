"""Ending a session everywhere, in the one right order.

One transaction marks what is over, writes the feed, the outbox and the receipt. What the
person is told afterwards is what this transaction knows, and nothing more.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from idp.domain import reach as reaching
from idp.domain.approvals import DENIED, Approval
from idp.domain.concerns import concerns
from idp.domain.deliveries import BACKCHANNEL, Deliveries
from idp.domain.events import Events
from idp.domain.feed import Feed
from idp.domain.reach import Filters, Reach, Scope, reach, scope_of
from idp.domain.receipts import Concern, Receipt, Receipts
from idp.domain.tokens import AccessToken, PolicySet, Tokens
from idp.policies import Ends
from idp.policies.feed import LINE, SID
from idp.policies.model import Deny, Forget
from idp.store import DbSession, writing
from idp.store.people import Account
from idp.store.sessions import Code, Line
from idp.store.system import ReceiptLine

__all__ = ["Because", "Concern", "Filters", "Receipt", "Scope", "SignOuts", "scope_of"]


@dataclass(frozen=True, slots=True)
class Because:
    """Why a sign-out happens, and who asked for it: "person", "client:<id>", "clock", ..."""

    reason: str
    by: str


class SignOuts:
    """Every way in which something ends, and the receipts of it."""

    def __init__(
        self,
        session: DbSession,
        *,
        receipts: Receipts,
        deliveries: Deliveries,
        events: Events,
        tokens: Tokens,
        feed: Feed,
    ) -> None:
        self._session = session
        self.receipts = receipts
        self.deliveries = deliveries
        self.feed = feed
        self._events = events
        self._tokens = tokens

    def preview(self, scope: Scope, now: datetime, *, seen_in: str | None = None) -> list[Concern]:
        """What would be on the receipt if the sign-out happened now."""
        reached = reach(self._session, scope)
        told = self._events.signals.of_sign_out(scope, reached)
        return [*concerns(reached, now, seen_in), *(one.concern for one in told)]

    def app(
        self, account_id: str, session_id: str, client_id: str, why: Because, now: datetime
    ) -> Receipt | None:
        """Sign out of one app in one browser."""
        meant = Filters(session_id=session_id, client_id=client_id)
        return self.carry_out(scope_of(account_id, meant), why, now)

    def browser(
        self,
        account_id: str,
        session_id: str,
        why: Because,
        now: datetime,
        *,
        seen: bool = False,
    ) -> Receipt | None:
        """Sign out of everything in one browser; `seen` when it is shown the last page."""
        meant = scope_of(account_id, Filters(session_id=session_id))
        return self.carry_out(meant, why, now, seen_in=session_id if seen else None)

    def device(self, account_id: str, jkt: str, why: Because, now: datetime) -> Receipt | None:
        """End whatever is bound to one key, offline access included."""
        return self.carry_out(scope_of(account_id, Filters(jkt=jkt)), why, now)

    def everywhere(
        self,
        account_id: str,
        why: Because,
        now: datetime,
        *,
        but: str | None = None,
        seen_in: str | None = None,
    ) -> Receipt | None:
        """Sign out of everything, offline access included; `but` spares one session."""
        meant = scope_of(account_id, Filters(but=but))
        return self.carry_out(meant, why, now, seen_in=seen_in)

    def app_everywhere(
        self, account_id: str, client_id: str, why: Because, now: datetime
    ) -> Receipt | None:
        """Sign out of one app in every browser, offline access included."""
        return self.carry_out(scope_of(account_id, Filters(client_id=client_id)), why, now)

    def line(self, line: Line, why: Because, now: datetime) -> Receipt | None:
        """End one line: its refresh token and every access token minted beside it."""
        return self.carry_out(scope_of(line.account_id, Filters(line_id=line.id)), why, now)

    def accounts_within(self, filters: Filters) -> list[str]:
        """The people of whom there is something that these filters mean."""
        return reaching.accounts_within(self._session, filters)

    def carry_out(
        self, scope: Scope, why: Because, now: datetime, *, seen_in: str | None = None
    ) -> Receipt | None:
        """Do it. None when there was nothing left to end: a second click is no second sign-out.

        `seen_in` is the session whose browser is shown the last page: it asks the apps that
        have an address for that (Front-Channel Logout 1.0).
        """
        writing(self._session)
        if scope.kind == reaching.EVERYWHERE:
            self._next_generation(scope.account_id, now)
        self._void_codes(scope)
        reached = reach(self._session, scope, lock=True)
        if reached.empty:
            return None
        self._end(reached, why.reason, now)
        self._take_back(reached, now)
        if scope.kind != reaching.EVERYWHERE:
            self._feed(reached, now)
        receipt, lines = self.receipts.write(
            scope.account_id,
            concerns(reached, now, seen_in),
            scope=scope.kind,
            reason=why.reason,
            by=why.by,
            now=now,
        )
        self._tell(reached, lines, now)
        signals = self._events.signals
        signals.signed_out(signals.of_sign_out(scope, reached), receipt, why.reason, why.by, now)
        self._record(scope, why, receipt, now)
        return receipt

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget old receipts, finished notices, and feed rows no token can name any more."""
        return (
            self.feed.sweep(now, limit)
            + self.receipts.sweep(now, limit)
            + self.deliveries.sweep(now, limit)
        )

    def _next_generation(self, account_id: str, now: datetime) -> None:
        """One write that ends whatever was ever issued to this person (CLK-04)."""
        generation = self._session.execute(
            update(Account)
            .where(Account.id == account_id)
            .values(generation=Account.generation + 1)
            .returning(Account.generation),
            execution_options={"synchronize_session": False},
        ).scalar_one_or_none()
        if generation is not None:
            self.feed.cut_off_account(account_id, generation, now)

    def _end(self, reached: Reach, reason: str, now: datetime) -> None:
        for session in reached.sessions:
            session.ended_at, session.ended_reason = now, reason
        for line in reached.lines:
            line.ended_at, line.ended_reason = now, reason
        for participation in reached.participations:
            participation.ended_at = now
        self._session.flush()

    def _take_back(self, reached: Reach, now: datetime) -> None:
        """What the policies of each remembered token want of a sign-out."""
        for token in self._tokens.issued.of_lines([line.id for line in reached.lines], now):
            for effect in PolicySet.named(token.policies).on_sign_out(token.facts):
                match effect:
                    case Deny():
                        self._tokens.deny(token, now)
                    case Forget():
                        if not self._tokens.issued.forget(token, now):
                            _ends_with_the_feed(token, reached)

    def _void_codes(self, scope: Scope) -> None:
        """Codes on their way back to an app buy nothing after the sign-out (COD-08). One that is
        being redeemed is waited for, so that what it buys is found: sessions first, then codes,
        then lines, as a redemption does.
        """
        reaching.hold_sessions(self._session, scope)
        meant = reaching.codes(scope)
        if meant is not None:
            self._session.execute(
                update(Code).where(*meant).values(expires_at=Code.created_at),
                execution_options={"synchronize_session": False},
            )
        answered = reaching.approvals(scope)
        if answered is not None:
            self._session.execute(
                update(Approval).where(*answered).values(state=DENIED),
                execution_options={"synchronize_session": False},
            )

    def _feed(self, reached: Reach, now: datetime) -> None:
        """What guards must know; one row for the person says all of it when everything ends."""
        until = max((line.access_until for line in reached.lines), default=now)
        until = max(until, now)
        self.feed.put(SID, [row.sid for row in reached.participations], until, now)
        self.feed.put(LINE, [row.id for row in reached.lines], until, now)

    def _tell(self, reached: Reach, lines: list[ReceiptLine], now: datetime) -> None:
        """One notice for every client that took part and can be told, in the outbox."""
        told = {line.reference: line for line in lines if line.kind == "app"}
        for participation in reached.participations:
            if participation.backchannel_logout_uri is None:
                continue
            self.deliveries.put(
                sink=BACKCHANNEL,
                client_id=participation.client_id,
                address=participation.backchannel_logout_uri,
                details={
                    "sub": participation.sub,
                    "sid": participation.sid,
                    "alg": participation.signing_alg,
                },
                receipt_line_id=told[participation.sid].id,
                now=now,
            )

    def _record(self, scope: Scope, why: Because, receipt: Receipt, now: datetime) -> None:
        self._events.record(
            "SignedOut",
            now,
            account_id=scope.account_id,
            client_id=scope.client_id,
            session_id=scope.session_id,
            scope=scope.kind,
            reason=why.reason,
            by=why.by,
            receipt=receipt.id,
        )


def _ends_with_the_feed(token: AccessToken, reached: Reach) -> None:
    """The copy of the list could not be told: what the receipt says of the token is that its
    guards hear of it.
    """
    for line in reached.lines:
        if line.id == token.line_id:
            line.access = {
                name: {**out, "ends": max(out["ends"], int(Ends.FEED))}
                if name in token.audiences
                else out
                for name, out in line.access.items()
            }
