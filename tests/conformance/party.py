"""A relying party that does what the modules of the certification do, and checks every answer."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.test import TestResponse

from tests.conformance import checks, registration
from tests.conformance.checks import Json
from tests.conformance.pages import forms, offers, press
from tests.conformance.plans import Variant
from tests.conformance.registration import KEY
from tests.support.world import PASSWORD, Browser, World

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ERROR = {"error", "error_description", "error_uri", "state", "session_state", "iss"}
OF_TOKEN = {"access_token", "token_type", "expires_in", "scope"}


@dataclass
class RelyingParty:
    """One run of one module: a client of its own, and an empty cookie jar."""

    world: World
    metadata: Json = field(default_factory=dict)
    variant: Variant = field(default_factory=Variant)
    person: str = "foo"
    client: Json = field(default_factory=dict)
    browser: Browser = field(init=False)
    document: Json = field(init=False)
    keys: KeySet = field(init=False)
    sent: Json = field(default_factory=dict)
    got: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.browser = self.world.browser()
        self.discovers()
        if not self.client:
            self.client = self.registered()

    @property
    def issuer(self) -> str:
        return self.world.op.rules.issuer

    def discovers(self) -> None:
        """What every module fetches first."""
        http = self.world.http()
        self.document = checks.discovery(http.get("/.well-known/openid-configuration"))
        assert self.document["issuer"] == self.issuer
        self.keys = checks.jwks(http.get(self.at("jwks_uri")))

    def at(self, name: str) -> str:
        """The path of an endpoint, as discovery names it."""
        address: str = self.document[name]
        assert address.startswith(f"{self.issuer}/")
        return address.removeprefix(self.issuer)

    def registration(self) -> TestResponse:
        """Ask to be registered; whatever the answer is."""
        body = registration.wish(self.variant, self.metadata)
        return self.world.http().post(self.at("registration_endpoint"), json=body)

    def registered(self) -> Json:
        """A client: by registration, or made by an operator."""
        if self.variant.registration == "static":
            return registration.static(self.world, registration.wish(self.variant, self.metadata))
        return registration.registered(self.registration(), self.issuer)

    def asks(self, **asked: Any) -> Json:
        """The parameters of an authorization request; None leaves one out."""
        mode = self.variant.response_mode
        sent = {
            "client_id": self.client["client_id"],
            "redirect_uri": self.client.get("redirect_uris", [registration.CALLBACK])[0],
            "response_type": self.variant.response_type,
            "response_mode": None if mode == "default" else mode,
            "scope": "openid",
            "state": secrets.token_urlsafe(96),
            "nonce": secrets.token_urlsafe(12),
        } | asked
        self.sent = {name: value for name, value in sent.items() if value is not None}
        return self.sent

    def goes(self, method: str = "GET", **asked: Any) -> TestResponse:
        """Send the browser to the authorization endpoint, and look at what is shown first."""
        sent = self.asks(**asked)
        path = self.at("authorization_endpoint")
        if method == "POST":
            return self.browser.http.post(path, data=sent)
        return self.browser.http.get(path, query_string=sent)

    def shown(self, answer: TestResponse) -> TestResponse:
        """The page the browser ends at, without a word from the person."""
        for _ in range(4):
            location = answer.headers.get("Location", "")
            if not location.startswith("/"):
                return answer
            answer = self.browser.http.get(location)
        return answer

    def follows(self, answer: TestResponse, consent: str = "consent-allow") -> TestResponse:
        """Do what the pages ask for, until the browser is sent away or nothing is asked."""
        for _ in range(8):
            answer = self.shown(answer)
            if answer.status_code != 200:
                return answer
            if offers(answer, "login-submit"):
                typed = {"username": self.person, "password": PASSWORD}
                answer = press(self.browser.http, answer, "login-submit", **typed)
            elif offers(answer, consent):
                answer = press(self.browser.http, answer, consent)
            else:
                return answer
        raise AssertionError("the pages go round in circles")

    def authorizes(self, method: str = "GET", **asked: Any) -> Json:
        """The whole way through the pages; the answer at the callback, checked."""
        return self.comes_back(self.follows(self.goes(method, **asked)))

    def comes_back(self, answer: TestResponse) -> Json:
        """What the browser brings to the callback, in its channel and no other (R-AZ-3..7)."""
        said = self._carried(answer)
        assert said.get("state") == self.sent.get("state")
        assert said["iss"] == self.issuer
        if "error" in said:
            assert set(said) <= ERROR
            assert checks.is_plain(said["error"] + said.get("error_description", ""))
            return said
        words = set(self.sent["response_type"].split())
        asked = ({"code", "id_token"} & words) | (OF_TOKEN if "token" in words else set())
        assert asked - {"scope"} <= set(said)
        assert set(said) <= asked | {"state", "session_state", "iss"}
        assert all(checks.bits(said[n]) > 96 for n in ("code", "access_token") if n in said)
        if "expires_in" in said:
            checks.lives(int(said["expires_in"]))
            assert said["token_type"].lower() == "bearer"
        self.got = said
        return said

    def _carried(self, answer: TestResponse) -> Json:
        uri = self.sent["redirect_uri"]
        if self.sent.get("response_mode") == "form_post":
            [form] = forms(answer)
            assert (answer.status_code, form.method, form.action) == (200, "post", uri)
            return dict(form.fields)
        location = answer.headers.get("Location", "")
        assert answer.status_code in (302, 303), answer.text
        assert location.startswith(uri), location
        parts, registered = urlsplit(location), parse_qsl(urlsplit(uri).query)
        query = parse_qsl(parts.query, keep_blank_values=True)
        assert query[: len(registered)] == registered
        if self.sent.get("response_type", "code") == "code":
            assert not parts.fragment
            return dict(query[len(registered) :])
        assert query == registered
        return dict(parse_qsl(parts.fragment, keep_blank_values=True))

    def redeems(self, code: str, **more: Any) -> TestResponse:
        """Bring a code to the token endpoint; whatever the answer is."""
        form = {"redirect_uri": self.sent["redirect_uri"], "code": code} | more
        return self.asks_token(grant_type="authorization_code", **form)

    def asks_token(self, client: Json | None = None, **form: Any) -> TestResponse:
        """Call the token endpoint with the client's own authentication."""
        return self.calls("token_endpoint", client, **form)

    def calls(self, endpoint: str, client: Json | None = None, **form: Any) -> TestResponse:
        """Call any endpoint that authenticates clients; `headers` are sent along."""
        headers = form.pop("headers", {})
        proof, more = self.authenticates(client or self.client)
        form = {name: value for name, value in (proof | form).items() if value is not None}
        return self.world.http().post(self.at(endpoint), data=form, headers=headers, **more)

    def authenticates(self, client: Json) -> tuple[Json, Json]:
        """How the client proves itself: form fields, and what else is sent (R-TK-5)."""
        method = client["token_endpoint_auth_method"]
        if method == "client_secret_basic":
            return {}, {"auth": (client["client_id"], client["client_secret"])}
        if method == "private_key_jwt":
            return self.assertion(), {}
        secret = {"client_secret": client["client_secret"]} if "client_secret" in client else {}
        return {"client_id": client["client_id"]} | secret, {}

    def assertion(self, key: RSAKey = KEY, **claims: Any) -> Json:
        """A client assertion as the suite makes it, for the token endpoint's address."""
        now = int(self.world.clock.now.timestamp())
        said = {
            "iss": self.client["client_id"],
            "sub": self.client["client_id"],
            "aud": self.document["token_endpoint"],
            "jti": secrets.token_urlsafe(12),
            "iat": now,
            "nbf": now,
            "exp": now + 60,
        } | claims
        header = {"alg": "RS256"} | ({"kid": key.kid} if key.kid else {})
        return {
            "client_assertion_type": ASSERTION,
            "client_assertion": jwt.encode(header, said, key),
        }

    def tokens(self, code: str, **more: Any) -> Json:
        """What a code buys, checked."""
        return checks.token_response(self.redeems(code, **more))

    def signs_in(self, **asked: Any) -> tuple[Json, Json]:
        """A whole sign-in: the tokens that came, and what the ID token says."""
        return self.brings(self.authorizes(**asked))

    def brings(self, back: Json) -> tuple[Json, Json]:
        """What the answer at the callback is worth: its tokens, and those its code buys."""
        given, said = dict(back), {}
        if "id_token" in back:
            said = self.identity(back["id_token"])
            assert ("at_hash" in said) >= ("access_token" in back)
            assert ("c_hash" in said) >= ("code" in back)
        if "code" in back:
            given |= self.tokens(back["code"])
            self.got = given
            second = self.identity(given["id_token"])
            assert said.get("sub", second["sub"]) == second["sub"]
            said = second
        return given, said

    def identity(self, id_token: str, *, fresh: bool = True) -> Json:
        """The claims of an ID token, checked (R-ID-1..5)."""
        alg = self.metadata.get("id_token_signed_response_alg", "RS256")
        read = jwt.decode(id_token, self.keys, algorithms=[alg])
        assert read.header["kid"]
        said = dict(read.claims)
        assert said["iss"] == self.issuer
        assert said["aud"] in (self.client["client_id"], [self.client["client_id"]])
        checks.times(said, self.world.clock.now)
        assert said.get("acr") != ""
        assert 0 < len(said["sub"]) <= 255
        assert said["sub"].isascii()
        checks.claims(said)
        assert not fresh or said.get("nonce") == self.sent.get("nonce")
        assert set(said) - self._asked_for() <= checks.PROTOCOL
        for name, of in (("at_hash", "access_token"), ("c_hash", "code"), ("s_hash", "state")):
            if fresh and name in said and of in self.got:
                assert said[name] == checks.half_hash(self.got[of], alg)
        return said

    def _asked_for(self) -> frozenset[str]:
        """Claims of scopes are in the ID token only if there is no access token (R-ID-4)."""
        if self.sent.get("response_type") != "id_token":
            return frozenset()
        return checks.STANDARD

    def userinfo(self, token: str, method: str = "GET", scheme: str = "Bearer") -> TestResponse:
        """Call userinfo with the token in the header."""
        bearer = {"Authorization": f"{scheme} {token}"}
        path = self.at("userinfo_endpoint")
        return self.world.http().open(path, method=method, headers=bearer)

    def told(self, given: Json, said: Json) -> Json:
        """What the client learns of the person: from userinfo, or the ID token alone."""
        if "access_token" not in given:
            return said
        answer = self.userinfo(given["access_token"])
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == "application/json"
        checks.claims(answer.json)
        assert answer.json["sub"] == said["sub"]
        return dict(answer.json)

    def refuses(self, page: TestResponse) -> None:
        """An error page at our own address, and no way back (R-AZ-8)."""
        assert page.status_code == 400, page.text
        assert page.mimetype == "text/html"
        assert "Location" not in page.headers
        assert forms(page) == []

    def errs(self, answer: TestResponse, *codes: str) -> None:
        """One of these errors, on a page of ours or brought back to the client."""
        page = self.shown(answer)
        if page.status_code == 400:
            assert any(re.search(f"<code>{code}[:<]", page.text) for code in codes), page.text
        else:
            assert self.comes_back(page)["error"] in codes

    def refused(self, answer: TestResponse, *codes: str, status: tuple[int, ...] = (400,)) -> str:
        """An error in JSON, with one of these codes and statuses."""
        return checks.error(answer, *codes, status=status)
