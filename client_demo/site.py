"""A relying party on Authlib's client: sign in, call the API, sign out, be told of sign-outs."""

import base64
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, Response, abort, jsonify, redirect, render_template, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from werkzeug.wrappers import Response as AnyResponse

from client_demo import settings
from client_demo.visits import Visit, Visits

EVENT = "http://schemas.openid.net/event/backchannel-logout"
SKEW = 60
RENEW_BEFORE = 20
FLOW_LIVES = 600


class Op:
    """The provider as a relying party sees it: metadata and keys, by discovery."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._metadata: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> str:
        if self._metadata is None:
            address = f"{self._issuer}/.well-known/openid-configuration"
            found = httpx.get(address, timeout=5).raise_for_status().json()
            if found["issuer"] != self._issuer:
                raise RuntimeError("the metadata is another issuer's")
            self._metadata = found
        return str(self._metadata[name])

    def claims(self, token: str, audience: str, typ: str | None = None) -> dict[str, Any]:
        """The claims of a token the provider signed for this client."""
        keys = KeySet.import_key_set(httpx.get(self["jwks_uri"], timeout=5).json())
        read = jwt.decode(token, keys, algorithms=["RS256", "ES256"])
        if typ is not None and str(read.header.get("typ", "")).lower() != typ:
            raise ValueError("another kind of token")
        rules = jwt.JWTClaimsRegistry(
            leeway=SKEW,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            iat={"essential": True},
        )
        rules.validate(read.claims)
        return dict(read.claims)


class RelyingParty:
    """One of the two apps: its pages, its sign-in, its sign-out."""

    def __init__(self, me: settings.Site) -> None:
        self._me = me
        self._visits = Visits()
        self._op = Op(me.issuer)
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
        app.after_request(self._harden)

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
        """Off to the provider, with a state, a nonce and a verifier that stay here."""
        here = self._visits.start(self._visit())
        target = request.args.get("next", "/")
        here.flow = flow = {
            "state": secrets.token_urlsafe(32),
            "nonce": secrets.token_urlsafe(32),
            "verifier": secrets.token_urlsafe(48),
            "next": target if _ours(target) else "/",
            "until": time.time() + FLOW_LIVES,
        }
        with self._client() as oauth:
            address, _ = oauth.create_authorization_url(
                self._op["authorization_endpoint"],
                state=flow["state"],
                nonce=flow["nonce"],
                code_verifier=flow["verifier"],
                resource=self._me.api,
            )
        return self._with_cookie(redirect(address, 303), here)

    def callback(self) -> AnyResponse:
        """Back from the provider, in the browser that left from here, and only once."""
        here = self._visit()
        flow = here.flow if here is not None else {}
        if here is None or flow.get("until", 0) < time.time():
            abort(400, "this sign-in did not start in this browser")
        here.flow = {}
        state_fits = secrets.compare_digest(request.args.get("state", ""), flow["state"])
        if not state_fits or request.args.get("iss") != self._me.issuer:
            abort(400, "the answer is not from where we asked")
        if "code" not in request.args:
            here.ended_by = request.args.get("error", "error")
            return redirect("/", 303)
        tokens, user = self._redeemed(request.args["code"], flow)
        fresh = self._visits.start(here)
        self._visits.sign_in(fresh, user, tokens)
        return self._with_cookie(redirect(flow["next"], 303), fresh)

    def api(self) -> Response:
        """Call the API as this visitor; after a sign-out, with the last token there was."""
        here = self._visit()
        if here is None:
            return jsonify(status=0, said="nobody is signed in")
        if here.user is not None:
            self._renew(here)
        token = here.tokens.get("access_token") or here.last_access_token
        address = f"{self._me.api}/{self._kind}"
        started = time.perf_counter()
        try:
            answer = httpx.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=5)
            status, said = answer.status_code, answer.text.strip()
        except httpx.HTTPError:
            status, said = 0, "the API does not answer"
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
        query = {
            "client_id": self._me.client_id,
            "post_logout_redirect_uri": f"{self._me.url}/",
            "state": secrets.token_urlsafe(16),
        }
        if here is not None:
            if "id_token" in here.tokens:
                query["id_token_hint"] = here.tokens["id_token"]
            self._visits.end(here, "you")
        return redirect(f"{self._op['end_session_endpoint']}?{urlencode(query)}", 303)

    def told(self) -> Response:
        """The provider tells us of a sign-out (Back-Channel Logout 1.0 section 2.6)."""
        try:
            token = request.form["logout_token"]
            said = self._op.claims(token, self._me.client_id, typ="logout+jwt")
            _judge_logout(said, self._visits)
        except (JoseError, ValueError, KeyError, TypeError):
            response = jsonify(error="invalid_request")
            response.status_code = 400
        else:
            self._visits.end_all(sid=said.get("sid"), sub=said.get("sub"), by="the provider")
            response = jsonify({})
        response.headers["Cache-Control"] = "no-store"
        return response

    def _redeemed(self, code: str, flow: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The tokens for a code, and who the ID token says it is (Core section 3.1.3.7)."""
        with self._client() as oauth:
            tokens = oauth.fetch_token(
                self._op["token_endpoint"],
                code=code,
                code_verifier=flow["verifier"],
                grant_type="authorization_code",
            )
        try:
            user = self._op.claims(tokens["id_token"], self._me.client_id)
        except (JoseError, ValueError, KeyError):
            abort(400, "the ID token is not good")
        if user.get("nonce") != flow["nonce"]:
            abort(400, "the ID token was made for another sign-in")
        return dict(tokens), user

    def _renew(self, here: Visit) -> None:
        """Refresh shortly before expiry; what comes after a sign-out is thrown away."""
        if here.tokens.get("expires_at", 0) - time.time() > RENEW_BEFORE:
            return
        generation = here.generation
        answer = httpx.post(
            self._op["token_endpoint"],
            auth=(self._me.client_id, self._me.client_secret),
            data={"grant_type": "refresh_token", "refresh_token": here.tokens["refresh_token"]},
            timeout=5,
        )
        if answer.status_code == 200:  # noqa: PLR2004
            fresh = answer.json()
            fresh["expires_at"] = time.time() + fresh["expires_in"]
            self._visits.keep_refreshed(here, generation, fresh)
        if answer.status_code == 400:  # noqa: PLR2004
            self._visits.end(here, "the provider")

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
        response.set_cookie(self._cookie, here.id, httponly=True, samesite="Lax", path="/")
        return response

    def _harden(self, response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self'; base-uri 'none'; form-action 'self' {self._me.issuer}; "
            "frame-ancestors 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def create_app(site: settings.Site | None = None) -> Flask:
    """One of the two apps."""
    app = Flask(__name__)
    RelyingParty(site or settings.site()).hang(app)
    return app


def _judge_logout(said: dict[str, Any], visits: Visits) -> None:
    """Section 2.6, point by point; raises ValueError or KeyError."""
    events = said["events"]
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise ValueError("not a logout")
    if "nonce" in said:
        raise ValueError("a nonce makes it an ID token")
    if said.get("sid") is None and said.get("sub") is None:
        raise ValueError("it names nobody")
    if said["iat"] < time.time() - 2 * SKEW - 120:
        raise ValueError("too old")
    if not visits.first_time(str(said["jti"]), said["exp"] + SKEW):
        raise ValueError("it was here before")


def _ours(target: str) -> bool:
    """Only a path of this very site (no open redirect)."""
    return target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()


def _decoded(token: str | None) -> dict[str, Any] | None:
    """The claims of a token of ours, only to be shown."""
    if not token:
        return None
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims
