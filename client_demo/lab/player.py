"""The app of one exhibit: it signs in, calls its API, renews, and shows all of it."""

import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.integrations.requests_client import OAuth2Session

from client_demo.lab.exhibits import SCOPE, Exhibit
from client_demo.lab.guests import Stand
from client_demo.lab.proofs import DeviceKey
from client_demo.lab.wire import NO_ANSWER, Entry, exchange
from client_demo.language import N_
from client_demo.op import BadToken, Op
from client_demo.settings import Site
from client_demo.visits import FLOW_LIVES, Flow, Visits

OK, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, UNSURE = 200, 400, 401, 403, 503
OUTCOMES = {
    OK: N_("the API lets it in"),
    UNAUTHORIZED: N_("the API refuses"),
    FORBIDDEN: N_("the API knows who it is, but this is for editors only"),
    UNSURE: N_("the API cannot be sure, so it refuses for now"),
    NO_ANSWER: N_("nobody answers"),
}
ODD = N_("an odd answer")
WANTED = '{"id_token":{"name":null,"preferred_username":null}}'


class Player:
    """One client of the provider. It has no secret, like an app on a phone: so a stolen
    renewal key is worth something, and the theft is a real one.
    """

    def __init__(self, exhibit: Exhibit, client_id: str, me: Site, http: httpx.Client) -> None:
        self.exhibit = exhibit
        self.visits = Visits()
        self.op = Op(me.issuer, client_id)
        self.home = f"{me.url}/lab/{exhibit.name}"
        self.doors = exhibit.addresses(me.api)
        self.http = http
        self._client_id = client_id

    def new_stand(self) -> Stand:
        """For a browser that has not been here."""
        return Stand(self.visits.start(), key=DeviceKey() if self.exhibit.bound else None)

    def wake_the_api(self) -> None:
        """Its guards listen from their first request on; by the first call they have caught up."""
        for door in self.doors:
            exchange(self.http, "GET", f"{door}/health")

    def leave(self, stand: Stand, target: str) -> str:
        """The address at the provider; state, nonce and verifier stay here (RFC 7636)."""
        state = secrets.token_urlsafe(32)
        flow = Flow(
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next=target,
            until=time.time() + FLOW_LIVES,
        )
        more: dict[str, str] = {"claims": WANTED}
        if stand.key is not None:
            more["dpop_jkt"] = stand.key.jkt
        if stand.lost_key is not None and not stand.rebound:
            more["prompt"] = "login"
        with OAuth2Session(
            self._client_id,
            scope=f"openid profile {SCOPE}",
            redirect_uri=f"{self.home}/callback",
            code_challenge_method="S256",
        ) as oauth:
            address, _ = oauth.create_authorization_url(
                self.op["authorization_endpoint"],
                state=state,
                nonce=flow.nonce,
                code_verifier=flow.verifier,
                **more,
            )
        address += "&" + urlencode([("resource", door) for door in self.doors])
        self.visits.leave(stand.visit, state, flow)
        stand.left_at = time.time()
        words = N_("Your browser goes to the provider: sign in there, not here")
        stand.say("you", words, method="GET", url=address.partition("?")[0])
        return str(address)

    def redeem(self, stand: Stand, code: str, flow: Flow) -> None:
        """The tokens for a code; raises BadToken when they are not good."""
        came = stand.say("you", N_("You come back with a code that works once"))
        if stand.left_at is not None:
            came.took = round((time.time() - stand.left_at) * 1000)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": flow.verifier,
            "redirect_uri": f"{self.home}/callback",
            "resource": self.doors[0],
        }
        entry, said = self._token(stand.key, form)
        entry.words = N_("The app trades the code for its passes")
        stand.note(entry)
        if entry.status != OK:
            entry.tone = "bad"
            raise BadToken("the code was refused")
        entry.tone = "good"
        user = self.op.identity(said, flow.nonce)
        fresh = self.visits.sign_in(stand.visit, user, _kept(said))
        if fresh is None:
            raise BadToken("signed out meanwhile")
        stand.visit, stand.clock, stand.thief, stand.others = fresh, None, None, []
        self._other_doors(stand)
        self._old_key_is_tried(stand)

    def renew(self, stand: Stand, why: str = N_("The app renews its pass")) -> bool:
        """A fresh pass. A refusal ends the visit; what comes after a sign-out is thrown away."""
        visit = stand.visit
        with visit.renewing:
            generation, user, tokens = visit.generation, visit.user, visit.tokens
            if user is None or "refresh_token" not in tokens:
                return False
            entry, said = self._refreshed(stand.key, tokens["refresh_token"], self.doors[0])
            entry.words, entry.tone = why, "good" if entry.status == OK else "bad"
            stand.note(entry)
            if entry.status == OK:
                try:
                    self.op.still(str(said.get("id_token", "")), user)
                except BadToken:
                    return False
                return self.visits.keep_refreshed(visit, generation, _kept(said, tokens))
            if entry.status == BAD_REQUEST and visit.generation == generation:
                entry.ending = N_("refused, this line is over")
                self.visits.end(visit, "the provider")
            return False

    def call(self, stand: Stand, door: int = 0, *, method: str = "GET") -> Entry:
        """Call the API as the owner; after a sign-out, with the last pass there was."""
        token = self.token(stand, door) or ""
        entry = self.knock(token, stand.key, door=door, method=method)
        signed_in = stand.visit.user is not None
        fine = entry.status in (OK, FORBIDDEN) if signed_in else entry.status == UNAUTHORIZED
        entry.tone = "good" if fine else "bad"
        old = N_("The app calls with its old pass")
        entry.words = N_("The app calls") if signed_in else old
        entry.ending = outcome(entry)
        stand.asked = entry.asked
        return stand.note(entry)

    def use(self, stand: Stand) -> Entry:
        """One call with the pass of now, noted nowhere yet."""
        return self.knock(self.token(stand) or "", stand.key)

    def knock(
        self, token: str, key: DeviceKey | None, *, door: int = 0, method: str = "GET"
    ) -> Entry:
        """One call with this pass, noted nowhere yet."""
        url = self.doors[door]
        headers = {"Authorization": f"Bearer {token}"}
        if key is not None:
            proof = key.proof(method, url, token=token)
            headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        return exchange(self.http, method, url, headers=headers)[0]

    def token(self, stand: Stand, door: int = 0) -> str | None:
        """The pass for one of the doors, or the last one there was."""
        visit = stand.visit
        if door and len(stand.others) >= door:
            return stand.others[door - 1]
        return visit.tokens.get("access_token") or visit.last_access_token

    def take_back(self, token: str) -> Entry:
        """Tell the provider that this token is no longer wanted (RFC 7009)."""
        form = {"token": token, "client_id": self._client_id}
        entry, _ = exchange(self.http, "POST", self.op["revocation_endpoint"], data=form)
        entry.tone = "good" if entry.status == OK else "bad"
        return entry

    def refreshed_by(
        self, key: DeviceKey | None, refresh_token: str
    ) -> tuple[Entry, dict[str, Any]]:
        """What somebody gets for a renewal key, whoever they are."""
        return self._refreshed(key, refresh_token, self.doors[0])

    def _refreshed(
        self, key: DeviceKey | None, refresh_token: str, door: str
    ) -> tuple[Entry, dict[str, Any]]:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "resource": door}
        return self._token(key, form)

    def _token(
        self, key: DeviceKey | None, form: Mapping[str, str]
    ) -> tuple[Entry, dict[str, Any]]:
        url = self.op["token_endpoint"]
        headers = {"DPoP": key.proof("POST", url)} if key is not None else {}
        return exchange(
            self.http, "POST", url, headers=headers, data={**form, "client_id": self._client_id}
        )

    def _other_doors(self, stand: Stand) -> None:
        """A pass for each further API, from the same line (RFC 8707 section 2.2)."""
        for door in self.doors[1:]:
            tokens = stand.visit.tokens
            entry, said = self._refreshed(stand.key, tokens["refresh_token"], door)
            entry.words, entry.tone = N_("The app asks for a pass to the other door"), "good"
            stand.note(entry)
            if entry.status != OK:
                entry.tone = "bad"
                raise BadToken("no pass for the other door")
            stand.others.append(said["access_token"])
            later = {"refresh_token": said.get("refresh_token", tokens["refresh_token"])}
            self.visits.keep_refreshed(stand.visit, stand.visit.generation, later)

    def _old_key_is_tried(self, stand: Stand) -> None:
        """Bound anew: whoever finds the lost key, and the pass that goes with it, gets nothing."""
        if stand.lost_key is None or stand.rebound or stand.lost_token is None:
            return
        stand.rebound = True
        entry = self.knock(stand.lost_token, stand.lost_key)
        entry.lane, entry.tone = "thief", "good" if entry.status == UNAUTHORIZED else "bad"
        entry.words, entry.ending = (
            N_("Somebody finds the old key and the old pass"),
            outcome(entry),
        )
        stand.note(entry)


def outcome(entry: Entry) -> str:
    """How a call ended."""
    return OUTCOMES.get(entry.status or NO_ANSWER, ODD)


def _kept(said: dict[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What an app keeps of a token answer."""
    names = ("access_token", "refresh_token", "id_token")
    kept = {name: said[name] for name in names if name in said}
    lives = int(said.get("expires_in", 0))
    return {**(before or {}), **kept, "expires_at": time.time() + lives, "lives": lives}
