"""A relying party on Authlib's client: sign in, call the API, sign out, be told of sign-outs."""

import base64
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.integrations.httpx_client import OAuth2Client
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


def create_app(site: settings.Site | None = None) -> Flask:
    """One of the two apps."""
    me = site or settings.site()
    app = Flask(__name__)
    visits = Visits()
    op = Op(me.issuer)
    callback = f"{me.url}/callback"
    kind = me.name.lower()
    cookie = f"demo_{kind}"  # cookies do not know ports

    def client() -> OAuth2Client:
        return OAuth2Client(
            me.client_id,
            me.client_secret,
            scope=me.scope,
            redirect_uri=callback,
            code_challenge_method="S256",
            timeout=5,
        )

    def visit() -> Visit | None:
        return visits.find(request.cookies.get(cookie))

    def renewed(here: Visit) -> bool:
        """Refresh shortly before expiry; what comes after a sign-out is thrown away."""
        if here.tokens.get("expires_at", 0) - time.time() > RENEW_BEFORE:
            return True
        generation = here.generation
        with client() as oauth:
            answer = oauth.post(
                op["token_endpoint"],
                withhold_token=True,
                auth=(me.client_id, me.client_secret),
                data={
                    "grant_type": "refresh_token",
                    "refresh_token": here.tokens["refresh_token"],
                },
            )
        if answer.status_code == 200:  # noqa: PLR2004
            fresh = answer.json()
            fresh["expires_at"] = time.time() + fresh["expires_in"]
            return visits.keep_refreshed(here, generation, fresh)
        if answer.status_code == 400:  # noqa: PLR2004
            visits.end(here, "the provider")
        return False

    @app.get("/")
    def home() -> str:
        here = visit()
        claims = _decoded(here.tokens.get("access_token")) if here else None
        id_claims = _decoded(here.tokens.get("id_token")) if here else None
        return render_template(
            "home.html", me=me, visit=here, access=claims, identity=id_claims, kind=kind
        )

    @app.get("/login")
    def login() -> AnyResponse:
        here = visits.start(visit())
        target = request.args.get("next", "/")
        flow = {
            "state": secrets.token_urlsafe(32),
            "nonce": secrets.token_urlsafe(32),
            "verifier": secrets.token_urlsafe(48),
            "next": target if _ours(target) else "/",
            "until": time.time() + FLOW_LIVES,
        }
        here.flow = flow
        with client() as oauth:
            address, _ = oauth.create_authorization_url(
                op["authorization_endpoint"],
                state=flow["state"],
                nonce=flow["nonce"],
                code_verifier=flow["verifier"],
                resource=me.api,
            )
        response = redirect(address, 303)
        response.set_cookie(cookie, here.id, httponly=True, samesite="Lax", path="/")
        return response

    @app.get("/callback")
    def came_back() -> AnyResponse:
        here = visit()
        flow = here.flow if here is not None else {}
        if here is None or flow.get("until", 0) < time.time():
            abort(400, "this sign-in did not start in this browser")
        here.flow = {}
        state_fits = secrets.compare_digest(request.args.get("state", ""), flow["state"])
        if not state_fits or request.args.get("iss") != me.issuer:
            abort(400, "the answer is not from where we asked")
        if "code" not in request.args:
            here.ended_by = request.args.get("error", "error")
            return redirect("/", 303)
        with client() as oauth:
            tokens = oauth.fetch_token(
                op["token_endpoint"],
                code=request.args["code"],
                code_verifier=flow["verifier"],
                grant_type="authorization_code",
            )
        try:
            user = op.claims(tokens["id_token"], me.client_id)
        except (JoseError, ValueError, KeyError):
            abort(400, "the ID token is not good")
        if user.get("nonce") != flow["nonce"]:
            abort(400, "the ID token was made for another sign-in")
        fresh = visits.start(here)
        visits.sign_in(fresh, user, dict(tokens))
        response = redirect(flow["next"], 303)
        response.set_cookie(cookie, fresh.id, httponly=True, samesite="Lax", path="/")
        return response

    @app.get("/api")
    def call_api() -> Response:
        """Call the API as this visitor; after a sign-out, with the last token there was."""
        here = visit()
        if here is None:
            return jsonify(status=0, said="nobody is signed in")
        if here.user is not None:
            renewed(here)
        token = here.tokens.get("access_token") or here.last_access_token
        started = time.perf_counter()
        try:
            answer = httpx.get(
                f"{me.api}/{kind}", headers={"Authorization": f"Bearer {token}"}, timeout=5
            )
            status, said = answer.status_code, answer.text.strip()
        except httpx.HTTPError:
            status, said = 0, "the API does not answer"
        took = round((time.perf_counter() - started) * 1000, 1)
        since = round((time.time() - here.ended_at) * 1000) if here.ended_at else None
        return jsonify(
            status=status, said=said, took_ms=took, signed_in=here.user is not None, since_ms=since
        )

    @app.get("/state")
    def state() -> Response:
        """Whether the visitor is still signed in here; the page asks once a second."""
        here = visit()
        signed_in = here is not None and here.user is not None
        by = here.ended_by if here is not None else ""
        return jsonify(signed_in=signed_in, ended_by=by)

    @app.post("/logout")
    def logout() -> AnyResponse:
        """Sign out here, and at the provider for all."""
        here = visit()
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)
        hint = here.tokens.get("id_token") if here is not None else None
        if here is not None:
            visits.end(here, "you")
        query = {
            "client_id": me.client_id,
            "post_logout_redirect_uri": f"{me.url}/",
            "state": secrets.token_urlsafe(16),
        }
        if hint:
            query["id_token_hint"] = hint
        return redirect(f"{op['end_session_endpoint']}?{urlencode(query)}", 303)

    @app.post("/backchannel-logout")
    def told() -> Response:
        """The provider tells us of a sign-out (Back-Channel Logout 1.0 section 2.6)."""
        try:
            said = op.claims(request.form["logout_token"], me.client_id, typ="logout+jwt")
            _judge_logout(said, visits)
        except (JoseError, ValueError, KeyError, TypeError):
            response = jsonify(error="invalid_request")
            response.status_code = 400
        else:
            visits.end_all(sid=said.get("sid"), sub=said.get("sub"), by="the provider")
            response = jsonify({})
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self'; base-uri 'none'; form-action 'self' {me.issuer}; "
            "frame-ancestors 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

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
