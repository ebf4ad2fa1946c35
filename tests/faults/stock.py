"""People who are signed in, by the dozen: what many sign-outs need, made through the domain."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from idp.crypto.confirmation import UNBOUND
from idp.crypto.secrets import new_id
from idp.domain import Provider
from idp.domain.grants import Allowance
from idp.domain.login import PASSWORD_ACR, Proof
from idp.domain.sign_out import Because
from idp.protocol.claims import access_token, aim
from idp.protocol.encryption import envelope
from idp.protocol.id_token import Beside, id_token
from idp.store import db
from tests.faults.plan import App, Plan, audience

API = "apart"
APIS = {API: ("per_audience", "jti_denylist")}
TOKENS = 3
SCOPES = ("openid", f"{API}:use")
PERSON = Because("signed_out", "person")


@dataclass(frozen=True, slots=True)
class Visit:
    """One person in one browser at one app, and what each of them holds."""

    account: str
    cookie: str
    refresh: str
    id_token: str
    access: tuple[str, ...]


class Stock:
    """So many people; each has at most one visit at a time."""

    def __init__(self, plan: Plan, flask: Flask, people: int) -> None:
        self.app: App = next(app for app in plan.apps if app.name == "page")
        self._flask = flask
        self._op: Provider = flask.extensions["idp"]
        with flask.app_context():
            self._people = [self._person() for _ in range(people)]
            db.session.commit()
            db.session.remove()

    def visits(self) -> list[Visit]:
        """A fresh one for each person, in one transaction; none when the store is away."""
        with self._flask.app_context():
            try:
                made = [self._visit(account, grant) for account, grant in self._people]
                db.session.commit()
            except SQLAlchemyError:
                db.session.rollback()
                return []
            finally:
                db.session.remove()
        return made

    def everywhere(self, visit: Visit) -> bool | None:
        """Sign a person out of everything; None when the store did not answer."""
        with self._flask.app_context():
            try:
                done = self._op.sign_outs.everywhere(visit.account, PERSON, _now())
                db.session.commit()
            except SQLAlchemyError:
                db.session.rollback()
                return None
            finally:
                db.session.remove()
        return done is not None

    def close(self) -> None:
        """Let the database go."""
        with self._flask.app_context():
            db.session.remove()
            db.engine.dispose()

    def _person(self) -> tuple[str, str]:
        now = _now()
        account = self._op.accounts.create(new_id().lower(), None, {}, now)
        apis = [audience(API)]
        grant = self._op.grants.allow(
            account.id, self.app.client_id, scopes=SCOPES, resources=apis, claims=(), now=now
        )
        return account.id, grant.id

    def _visit(self, account: str, grant: str) -> Visit:
        op, now = self._op, _now()
        proof = Proof(account, ("pwd",), PASSWORD_ACR, now)
        session, cookie = op.sessions.open(proof, user_agent="x", address="x", now=now)
        view = op.clients.get(self.app.client_id)
        part = op.sessions.participate(session.id, account, view, now)
        allowed = Allowance(
            scopes=SCOPES,
            resources=(audience(API),),
            claims_request={},
            offline=False,
            auth_time=session.auth_time,
            acr=session.acr,
            amr=tuple(session.amr),
        )
        line, refresh = op.grants.start_line(grant, part, allowed, now)
        op.grants.keep(refresh, line, now)
        asked = (audience(API),)
        aimed = aim(op, view, SCOPES, line.resources, asked, UNBOUND)
        access = tuple(access_token(op, line, aimed, now).value for _ in range(TOKENS))
        beside, sealed = Beside(access=access[0]), envelope(op, view, "id_token", now)
        signed = id_token(op, view, line, nonce=None, beside=beside, sealed=sealed, now=now)
        return Visit(account, cookie, refresh, signed, access)


def _now() -> datetime:
    return datetime.now(UTC)
