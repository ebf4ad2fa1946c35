"""What a person and their apps do, each step written into the history before and after."""

import base64
import hashlib
import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from idp.crypto.jose import claims_of
from idp.domain import Provider, strict
from idp.domain.login import PASSWORD_ACR, Proof
from idp.domain.sign_out import Because, Receipt
from idp.store import db
from tests.faults.history import OK, SECOND, Doing, Recorder, mark
from tests.faults.model import ACCOUNT, APP, BROWSER, LINE
from tests.faults.plan import APIS, CALLBACK, App, Plan, audience
from tests.faults.wires import PATIENCE, Away, Refusal, Wires
from tests.support.prover import Prover

PERSON = Because("signed_out", "person")


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    id: str
    account: str
    cookie: str


@dataclass(slots=True)
class Held:
    """What one app holds: the newest last."""

    family: str
    app: App
    prover: Prover | None
    id_token: str
    access: list[tuple[str, str]] = field(default_factory=list)
    refresh: list[str] = field(default_factory=list)
    since: dict[str, float] = field(default_factory=dict)
    over: bool = False

    def given(self, api: str, token: str) -> None:
        """A fresh access token for this API."""
        self.access.append((api, token))
        self.since[token] = time.monotonic()


class Steps:
    """One actor's steps."""

    def __init__(
        self,
        plan: Plan,
        app: Flask,
        recorder: Recorder,
        name: str,
        chance: random.Random,
        patience: float = PATIENCE,
    ) -> None:
        self._plan, self._app, self._recorder, self._name = plan, app, recorder, name
        self._op: Provider = app.extensions["idp"]
        self._wires = Wires(plan, chance, patience)
        self._ids: dict[str, str] = {}

    def sign_in(self, account: str) -> Session | None:
        """The domain opens the session, as if a password had been proven."""
        key = secrets.token_hex(8)
        with self._doing("sign_in", key, account=account) as doing:
            proof = Proof(account, ("pwd",), PASSWORD_ACR, _now())
            opened = self._domain(
                doing,
                lambda: self._op.sessions.open(proof, user_agent="x", address="x", now=_now()),
            )
            if opened is None:
                return None
            row, cookie = opened
            doing.ok()
            self._ids[key] = row.id
        return Session(key, account, cookie)

    def authorize(self, session: Session, app: App, api: str) -> Held | None:
        """A code for an app, and what it buys."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = [
            ("client_id", app.client_id),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", " ".join(["openid", *(f"{name}:use" for name in APIS)])),
            ("state", "x"),
            ("code_challenge", base64.urlsafe_b64encode(digest).rstrip(b"=").decode()),
            ("code_challenge_method", "S256"),
            *(("resource", audience(name)) for name in APIS),
        ]
        given = {"session": session.id, "account": session.account, "client": app.name}
        with self._doing("authorize", session.id, **given) as doing:
            code = self._code("/authorize?" + urlencode(query), session, doing)
        return self._redeem(code, verifier, app, api) if code is not None else None

    def refresh(self, held: Held, token: str, api: str) -> bool:
        """Use a refresh token for a token for this API; True when it gave something."""
        form = {"grant_type": "refresh_token", "refresh_token": token, "resource": audience(api)}
        grace = {"grace": held.app.grace * SECOND} if held.app.grace else {}
        with self._doing("refresh", mark(token), family=held.family, **grace) as doing:
            try:
                said = self._wires.token(held.app, form, held.prover, doing)
            except (Away, Refusal):
                return False
            doing.ok(refresh=mark(said["refresh_token"]), access=mark(said["access_token"]))
        held.given(api, said["access_token"])
        if said["refresh_token"] not in held.refresh:
            held.refresh.append(said["refresh_token"])
        return True

    def call(self, held: Held, api: str, token: str, node: int) -> str | None:
        """Call an API with a token; `accept`, `reject`, or None when nobody could say."""
        given: dict[str, Any] = {"family": held.family, "policy": api, "node": str(node)}
        given |= {"bound": held.prover is not None}
        with self._doing("call", mark(token), **given) as doing:
            told = self._wires.call(node, api, token, held.prover, doing)
            if told is None:
                return None
            status, guard = told
            verdict: str | None = {200: "accept", 401: "reject"}.get(status)
            if verdict is not None:
                doing.ok(verdict=verdict, guard=guard)
            else:
                doing.fail(status=status, guard=guard)
        return verdict

    def leaf(self, held: Held, token: str) -> None:
        """Ask whether a refresh token is alive; only who can prove itself may."""
        if held.app.secret is None:
            return
        with self._doing("leaf", mark(token), family=held.family) as doing:
            auth = (held.app.client_id, held.app.secret)
            try:
                form = {"token": token}
                answer = self._wires.provider("POST", "/introspect", doing, data=form, auth=auth)
            except Away:
                return
            doing.ok(active=answer.json()["active"])

    def revoke(self, session: Session, held: Held) -> bool:
        """The app gives its tokens back."""
        with self._ending(session, held.family, LINE) as doing:
            form, more = {"token": held.refresh[-1]}, {}
            if held.app.secret is None:
                form["client_id"] = held.app.client_id
            else:
                more["auth"] = (held.app.client_id, held.app.secret)
            try:
                answer = self._wires.provider("POST", "/revoke", doing, data=form, **more)
            except Away:
                return False
            return _judged(doing, answer.status_code == httpx.codes.OK, answer)

    def out_of_app(self, session: Session, held: Held) -> bool:
        """Out of one app in one browser."""
        ids = (session.account, self._ids[session.id], held.app.client_id)
        return self._signed_out(
            session,
            APP,
            f"{session.id} {held.app.name}",
            lambda: self._op.sign_outs.app(*ids, PERSON, _now()),
        )

    def out_of_everything(self, session: Session) -> bool:
        """Out of everything, everywhere."""
        return self._signed_out(
            session,
            ACCOUNT,
            session.account,
            lambda: self._op.sign_outs.everywhere(session.account, PERSON, _now()),
        )

    def out_of_browser(self, session: Session, held: Held) -> bool:
        """An app sends the browser to the page that signs out."""
        path = "/end_session?" + urlencode({"id_token_hint": held.id_token})
        with self._ending(session, session.id, BROWSER) as doing:
            try:
                answer = self._wires.provider("GET", path, doing, headers=_cookie(session))
            except Away:
                return False
            asked = "/end_session/confirm" in answer.text
            return _judged(doing, answer.status_code == httpx.codes.OK and not asked, answer)

    def _code(self, path: str, session: Session, doing: Doing) -> str | None:
        try:
            answer = self._wires.provider("GET", path, doing, headers=_cookie(session))
        except Away:
            return None
        given = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        if "code" not in given:
            doing.fail(status=answer.status_code)
            return None
        doing.ok(family=mark(given["code"][0]))
        return given["code"][0]

    def _redeem(self, code: str, verifier: str, app: App, api: str) -> Held | None:
        prover = Prover() if app.bound else None
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        form |= {"code_verifier": verifier, "resource": audience(api)}
        family = mark(code)
        with self._doing("redeem", family, family=family) as doing:
            try:
                said = self._wires.token(app, form, prover, doing)
            except (Away, Refusal):
                return None
            sid = claims_of(said["id_token"])["sid"] if app.secret is not None else None
            given = {"refresh": mark(said["refresh_token"]), "access": mark(said["access_token"])}
            doing.ok(sid=sid, **given)
        held = Held(family, app, prover, said["id_token"], refresh=[said["refresh_token"]])
        held.given(api, said["access_token"])
        return held

    def _signed_out(
        self, session: Session, scope: str, key: str, act: Callable[[], Receipt | None]
    ) -> bool:
        with self._ending(session, key, scope) as doing:
            done: list[bool] = []

            def both() -> None:
                receipt = act()
                db.session.commit()
                strict.settle(self._op, [receipt], _now())
                done.append(receipt is not None)

            self._domain(doing, both)
            if done:
                doing.ok()
            return bool(done)

    @contextmanager
    def _ending(self, session: Session, key: str, scope: str) -> Iterator[Doing]:
        """A sign-out; in strict mode what its receipt says of guards is written down as well."""
        number, began = secrets.token_hex(8), _now()
        with self._doing("end", key, scope=scope, number=number) as doing:
            yield doing
        if self._plan.strict and doing.outcome == OK:
            with self._doing("receipt", key, of=number) as reading:
                guards = self._domain(reading, lambda: self._guards(session.account, began))
                if guards is not None:
                    reading.ok(guards=guards)

    def _guards(self, account: str, began: datetime) -> dict[str, str]:
        """What the newest receipt says, if it is of this sign-out."""
        receipts = self._op.sign_outs.receipts
        newest = receipts.of_account(account, 1)
        if not newest or newest[0].at < began:
            return {}
        lines = receipts.lines(newest[0].id)
        return {line.reference: line.state for line in lines if line.kind == "guard"}

    def _domain(self, doing: Doing, act: Callable[[], Any]) -> Any:
        """One transaction of our own; None and `info` when the store did not answer."""
        with self._app.app_context():
            try:
                found = act()
                db.session.commit()
            except SQLAlchemyError as error:
                db.session.rollback()
                doing.info(status=503, error=type(error).__name__)
                return None
            finally:
                db.session.remove()
        return found

    def _doing(self, op: str, key: str, **detail: Any) -> Any:
        return self._recorder.doing(self._name, op, key, **detail)


def _judged(doing: Doing, good: bool, answer: httpx.Response) -> bool:
    if good:
        doing.ok()
    else:
        doing.fail(status=answer.status_code)
    return good


def _cookie(session: Session) -> dict[str, str]:
    return {"Cookie": f"idp_session={session.cookie}"}


def _now() -> datetime:
    return datetime.now(UTC)
