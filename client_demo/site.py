"""A relying party on Authlib's client: sign in, call the API, sign out, be told of sign-outs."""

import base64
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, Response, abort, jsonify, redirect, render_template, request
from requests import RequestException
from werkzeug.wrappers import Response as AnyResponse

from client_demo import language, settings
from client_demo.asked import asked
from client_demo.lab.deeds import Operator
from client_demo.lab.pages import Lab
from client_demo.language import N_, gettext
from client_demo.op import BadToken, Op, OutOfReach
from client_demo.renewal import renew
from client_demo.told import told
from client_demo.visits import FLOW_LIVES, Flow, Visit, Visits

NOT_FROM_HERE = N_("This sign-in did not start in this browser, or it is too old.")
NOT_FROM_THERE = N_("The answer did not come from the provider we asked.")
NOT_OURS = N_("Somebody sent you here to sign in at a provider that is not ours.")
NOT_GOOD = N_("What the provider gave us is not good, so nobody is signed in.")
OVERTAKEN = N_("You signed out while this sign-in was under way.")
SAID_NO = N_("The provider says no, so nobody is signed in.")


class Sorry(Exception):
    """It did not work; the sentence is for the person."""


class RelyingParty:
    """One of the two apps: its pages, its sign-in, its sign-out."""

    def __init__(self, me: settings.Site) -> None:
        self._me = me
        self._visits = Visits()
        self._op = Op(me.issuer, me.client_id)
        self._kind = me.name.lower()
        self._cookie = f"demo_{self._kind}"  # cookies do not know ports

    def hang(self, app: Flask) -> None:
        """The addresses of the app."""
        app.add_url_rule("/", view_func=self.home)
        app.add_url_rule("/login", view_func=self.login)
        app.add_url_rule("/callback", view_func=self.callback)
        app.add_url_rule("/api", view_func=self.api)
        app.add_url_rule("/state", view_func=self.state)
        app.add_url_rule("/logout", view_func=self.logout, methods=["POST"])
        app.add_url_rule("/backchannel-logout", view_func=self.told, methods=["POST"])
        app.add_url_rule("/frontchannel-logout", view_func=self.asked)
        app.add_url_rule("/favicon.ico", "icon", lambda: app.send_static_file(f"{self._kind}.svg"))
        app.register_error_handler(Sorry, self._sorry)
        app.register_error_handler(OutOfReach, self._out_of_reach)
        app.after_request(self._harden)
        if self._me.lab:
            operator = Operator(self._me.operator, self._me.operator_secret)
            Lab(self._me, self._me.lab, operator, Sorry).hang(app)

    def home(self) -> str:
        """Who is signed in, and what the app knows of them."""
        here = self._visit()
        tokens = here.tokens if here else {}
        return render_template(
            "home.html",
            me=self._me,
            visit=here,
            access=_decoded(tokens.get("access_token")),
            identity=_decoded(tokens.get("id_token")),
            kind=self._kind,
        )

    def login(self) -> AnyResponse:
        """Off to the provider, with a state, a nonce and a verifier that stay here. Another page
        may send people here to begin (Core section 4); to our provider, and on to us alone.
        """
        if request.args.get("iss", self._me.issuer) != self._me.issuer:
            raise Sorry(NOT_OURS)
        here = self._visit() or self._visits.start()
        state = secrets.token_urlsafe(32)
        wanted = request.args.get("target_link_uri", "")
        target = request.args.get("next", wanted.removeprefix(self._me.url))
        flow = Flow(
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next=target if _ours(target) else "/",
            until=time.time() + FLOW_LIVES,
        )
        with self._client() as oauth:
            address, _ = oauth.create_authorization_url(
                self._op["authorization_endpoint"],
                state=state,
                nonce=flow.nonce,
                code_verifier=flow.verifier,
                resource=self._me.api,
            )
        self._visits.leave(here, state, flow)
        return self._with_cookie(redirect(address, 303), here)

    def callback(self) -> AnyResponse:
        """Back from the provider, in the browser that left from here, and only once."""
        here = self._visit()
        if here is None:
            raise Sorry(NOT_FROM_HERE)
        flow = self._visits.come_back(here, request.args.get("state", ""))
        if flow is None:
            raise Sorry(NOT_FROM_HERE)
        if request.args.getlist("iss") != [self._me.issuer]:
            raise Sorry(NOT_FROM_THERE)
        codes = request.args.getlist("code")
        if len(codes) != 1 or "error" in request.args:
            raise Sorry(SAID_NO)
        tokens = self._redeemed(codes[0], flow)
        try:
            user = self._op.identity(tokens, flow.nonce)
        except BadToken:
            raise Sorry(NOT_GOOD) from None
        fresh = self._visits.sign_in(here, self._described(user, tokens), tokens)
        if fresh is None:
            raise Sorry(OVERTAKEN)
        return self._with_cookie(redirect(flow.next, 303), fresh)

    def api(self) -> Response:
        """Call the API as this visitor; after a sign-out, with the last token there was."""
        here = self._visit()
        if here is None:
            return jsonify(status=0, said=gettext("Nobody is signed in."))
        renew(here, self._visits, self._op, self._me)
        token = here.tokens.get("access_token") or here.last_access_token
        if token is None:
            return jsonify(status=0, said=gettext("Nobody has signed in yet."))
        address = f"{self._me.api}/{self._kind}"
        started = time.perf_counter()
        try:
            answer = self._op.http.get(address, headers={"Authorization": f"Bearer {token}"})
            status, said = answer.status_code, answer.text.strip()
        except httpx.HTTPError:
            status, said = 0, gettext("The API does not answer.")
        took = round((time.perf_counter() - started) * 1000, 1)
        since = round((time.time() - here.ended_at) * 1000) if here.ended_at else None
        signed_in = here.user is not None
        return jsonify(status=status, said=said, took_ms=took, signed_in=signed_in, since_ms=since)

    def state(self) -> Response:
        """Whether the visitor is still signed in here; the page asks once a second."""
        here = self._visit()
        signed_in = here is not None and here.user is not None
        return jsonify(signed_in=signed_in, ended_by=here.ended_by if here is not None else "")

    def logout(self) -> AnyResponse:
        """Sign out here, and at the provider for all."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)
        here = self._visit()
        query = {"client_id": self._me.client_id, "post_logout_redirect_uri": f"{self._me.url}/"}
        if here is not None:
            if here.id_token is not None:
                query["id_token_hint"] = here.id_token
            self._visits.end(here, "you")
        return redirect(f"{self._op['end_session_endpoint']}?{urlencode(query)}", 303)

    def told(self) -> Response:
        """The provider tells us of a sign-out (Back-Channel Logout 1.0 section 2.5)."""
        return told(self._op, self._visits)

    def asked(self) -> Response:
        """The browser asks us on the provider's last page (Front-Channel Logout 1.0)."""
        return asked(self._me.issuer, self._visit(), self._visits)

    def _redeemed(self, code: str, flow: Flow) -> dict[str, Any]:
        """The tokens for a code. They stay on this server."""
        try:
            with self._client() as oauth:
                tokens = oauth.fetch_token(
                    self._op["token_endpoint"],
                    code=code,
                    code_verifier=flow.verifier,
                    grant_type="authorization_code",
                )
        except (AuthlibBaseError, RequestException, ValueError):
            raise Sorry(NOT_GOOD) from None
        if str(tokens.get("token_type", "")).lower() != "bearer":
            raise Sorry(NOT_GOOD)
        return dict(tokens)

    def _described(self, user: dict[str, Any], tokens: dict[str, Any]) -> dict[str, Any]:
        """What userinfo says of the same person; of anybody else it says nothing to us
        (Core section 5.3.2). The claims of the ID token stand in any case.
        """
        bearer = {"Authorization": f"Bearer {tokens.get('access_token')}"}
        try:
            answer = self._op.http.get(self._op["userinfo_endpoint"], headers=bearer)
            more = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError, OutOfReach):
            return user
        same = isinstance(more, dict) and more.get("sub") == user["sub"]
        return more | user if same else user

    def _client(self) -> OAuth2Session:
        return OAuth2Session(
            self._me.client_id,
            self._me.client_secret,
            scope=self._me.scope,
            redirect_uri=f"{self._me.url}/callback",
            code_challenge_method="S256",
            default_timeout=5,
        )

    def _visit(self) -> Visit | None:
        return self._visits.find(request.cookies.get(self._cookie))

    def _with_cookie(self, response: AnyResponse, here: Visit) -> AnyResponse:
        secure = self._me.url.startswith("https://")
        response.set_cookie(
            self._cookie, here.id, httponly=True, secure=secure, samesite="Lax", path="/"
        )
        return response

    def _sorry(self, error: Sorry) -> tuple[str, int]:
        return self._page(str(error)), 400

    def _out_of_reach(self, _: OutOfReach) -> tuple[str, int]:
        return self._page(N_("The provider does not answer. Please try again in a moment.")), 503

    def _page(self, sentence: str) -> str:
        return render_template(
            "sorry.html", me=self._me, kind=self._kind, sentence=gettext(sentence)
        )

    def _harden(self, response: Response) -> Response:
        response.headers.setdefault(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self'; base-uri 'none'; form-action 'self' {self._me.issuer}; "
            "frame-ancestors 'none'",
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def create_app(site: settings.Site | None = None) -> Flask:
    """One of the two apps."""
    app = Flask(__name__)
    language.hang(app)
    RelyingParty(site or settings.site()).hang(app)
    return app


def _ours(target: str) -> bool:
    """Only a path of this very site (no open redirect)."""
    return target.startswith("/") and target[1:2] not in ("/", "\\") and target.isprintable()


def _decoded(token: str | None) -> dict[str, Any] | None:
    """The claims of a token of ours, only to be shown; a handle has none."""
    if not token or token.count(".") != 2:  # noqa: PLR2004
        return None
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims
