"""The pages of the lab at the address of Notes, and what their scripts ask for."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from flask import Flask, Response, abort, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from client_demo.lab import chart, outage, taking
from client_demo.lab.deeds import DEEDS, Operator
from client_demo.lab.exhibits import BY_NAME, EXHIBITS
from client_demo.lab.guests import Guest, Guests, Stand
from client_demo.lab.player import Player
from client_demo.lab.watch import watch
from client_demo.lab.wire import decoded
from client_demo.language import N_, gettext
from client_demo.op import BadToken
from client_demo.settings import Site
from client_demo.told import told

COOKIE = "demo_lab"
RENEW_BEFORE = 10
PATIENCE = 3.0
Sorry = Callable[[str], Exception]


class Lab:
    """Ten exhibits, and one page that compares them."""

    def __init__(
        self, me: Site, clients: Mapping[str, str], operator: Operator, sorry: Sorry
    ) -> None:
        self._me = me
        self._guests = Guests()
        self._operator = operator
        self._sorry = sorry
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        http = httpx.Client(timeout=PATIENCE, limits=limits, trust_env=False)
        self._players = {
            name: Player(BY_NAME[name], client_id, me, http) for name, client_id in clients.items()
        }

    def hang(self, app: Flask) -> None:
        """The addresses of the lab."""
        one = "/lab/<name>"
        reads: dict[str, Callable[..., Any]] = {
            "/lab": self.overview,
            "/lab/state": self.all_states,
            "/lab/enter": self.enter,
            one: self.exhibit,
            f"{one}/state": self.state,
            f"{one}/login": self.login,
            f"{one}/callback": self.come_back,
        }
        writes: dict[str, Callable[..., Any]] = {
            "/lab/logout": self.logout_all,
            f"{one}/logout": self.logout,
            f"{one}/backchannel-logout": self.told,
            f"{one}/do/<deed>": self.do,
            "/lab/take/<what>": self.take,
        }
        for method, views in (("GET", reads), ("POST", writes)):
            for path, view in views.items():
                app.add_url_rule(path, path, view, methods=[method])

    def overview(self) -> str:
        """The ten side by side."""
        guest = self._guest()
        self._arrived(guest, EXHIBITS[0].name)
        signed_in = [n for n, s in (guest.stands if guest else {}).items() if s.visit.user]
        return render_template(
            "lab/overview.html",
            me=self._me,
            kind="notes",
            exhibits=EXHIBITS,
            rows=chart.rows(guest),
            source=chart.source(guest),
            signed_in=signed_in,
            operator=self._operator.here,
        )

    def exhibit(self, name: str) -> AnyResponse:
        """One of the ten."""
        player = self._player(name)
        guest = self._guest() or self._guests.start()
        stand = self._stand(guest, player)
        self._arrived(guest, name)
        page = render_template(
            "lab/exhibit.html",
            me=self._me,
            kind="notes",
            exhibit=player.exhibit,
            exhibits=EXHIBITS,
            stand=stand,
            user=stand.visit.user,
            operator=self._operator.here,
        )
        return self._with_cookie(Response(page), guest)

    def login(self, name: str) -> AnyResponse:
        """Off to the provider."""
        player = self._player(name)
        guest = self._guest() or self._guests.start()
        target = "/lab/enter" if request.args.get("next") == "/lab/enter" else f"/lab/{name}"
        player.wake_the_api()
        address = player.leave(self._stand(guest, player), target)
        return self._with_cookie(redirect(address, 303), guest)

    def come_back(self, name: str) -> AnyResponse:
        """Back from the provider, in the browser that left from here, and only once."""
        player, guest = self._player(name), self._guest()
        stand = guest.stands.get(name) if guest is not None else None
        if guest is None or stand is None:
            raise self._sorry(N_("This sign-in did not start in this browser, or it is too old."))
        flow = player.visits.come_back(stand.visit, request.args.get("state", ""))
        if flow is None:
            raise self._sorry(N_("This sign-in did not start in this browser, or it is too old."))
        codes = request.args.getlist("code")
        if request.args.getlist("iss") != [self._me.issuer] or len(codes) != 1:
            raise self._sorry(N_("The provider says no, so nobody is signed in."))
        try:
            player.redeem(stand, codes[0], flow)
        except BadToken:
            raise self._sorry(N_("What the provider gave us is not good.")) from None
        return self._with_cookie(redirect(flow.next, 303), self._guests.renamed(guest))

    def enter(self) -> AnyResponse:
        """Through all ten doors with one sign-in: a page for each step, then the race."""
        guest = self._guest() or self._guests.start()
        stands = {name: self._stand(guest, player) for name, player in self._players.items()}
        closed = [name for name, stand in stands.items() if stand.visit.user is None]
        if not closed:
            return self._with_cookie(redirect("/lab#race", 303), guest)
        page = render_template(
            "lab/enter.html",
            me=self._me,
            kind="notes",
            exhibit=BY_NAME[closed[0]],
            done=len(stands) - len(closed),
            all=len(stands),
        )
        return self._with_cookie(Response(page), guest)

    def logout(self, name: str) -> AnyResponse:
        """Sign out here, and at the provider for all; the clocks run from this moment."""
        self._must_be_ours()
        return self._leave_for_good(self._guest(), self._player(name), f"/lab/{name}")

    def logout_all(self) -> AnyResponse:
        """The same from the overview, where all ten are watched."""
        self._must_be_ours()
        guest = self._guest()
        stands = guest.stands if guest is not None else {}
        names = [name for name, stand in stands.items() if stand.visit.user is not None]
        return self._leave_for_good(guest, self._player(names[0] if names else "sso"), "/lab")

    def told(self, name: str) -> Response:
        """The provider tells one of our clients of a sign-out (Back-Channel Logout 1.0)."""
        player = self._player(name)
        return told(player.op, player.visits)

    def do(self, name: str, deed: str) -> Response:
        """One of the buttons."""
        self._must_be_ours()
        player, guest = self._player(name), self._guest()
        thing = deed.removeprefix("take-")
        if deed not in DEEDS and thing not in outage.THINGS:
            abort(404)
        if guest is None:
            return jsonify(signed_in=False, timeline=[])
        stand = self._stand(guest, player)
        if deed not in DEEDS:
            taking.take(guest, self._players, self._operator, thing)
            return jsonify(self._shown(guest, stand, player))
        if deed == "everywhere" and stand.visit.user is not None:
            self._watch_all(guest)
        with stand.acting:
            DEEDS[deed](player, stand, self._operator)
        return jsonify(self._shown(guest, stand, player))

    def take(self, what: str) -> Response:
        """Something goes away for a while; all passes of this browser are tried meanwhile."""
        self._must_be_ours()
        guest = self._guest()
        if what not in outage.THINGS:
            abort(404)
        took = guest is not None and taking.take(guest, self._players, self._operator, what)
        return jsonify(taken=took, outage=taking.shown(guest))

    def state(self, name: str) -> Response:
        """Everything the page shows; where use keeps a sign-in alive, looking is use."""
        player, guest = self._player(name), self._guest()
        if guest is None:
            return jsonify(signed_in=False, timeline=[])
        stand = self._stand(guest, player)
        tokens = stand.visit.tokens
        soon = tokens.get("expires_at", 0) - time.time() < RENEW_BEFORE
        if name == "sliding" and stand.visit.user is not None and soon:
            player.renew(stand, N_("The pass runs out soon: the app renews it by itself"))
        return jsonify(self._shown(guest, stand, player))

    def all_states(self) -> Response:
        """How the race stands."""
        guest = self._guest()
        running = chart.running(guest)
        return jsonify(rows=chart.rows(guest), running=running, outage=taking.shown(guest))

    def _shown(self, guest: Guest, stand: Stand, player: Player) -> dict[str, Any]:
        visit, thief = stand.visit, stand.thief
        told = None
        if visit.ended_at and visit.ended_by == "the provider" and stand.clock is not None:
            told = round((visit.ended_at - stand.clock.started) * 1000)
        return {
            "now": time.time(),
            "signed_in": visit.user is not None,
            "ended_by": visit.ended_by,
            "expires_at": visit.tokens.get("expires_at"),
            "lives": visit.tokens.get("lives"),
            "tokens": _passes(stand, player),
            "asked": stand.asked,
            "roles": stand.roles,
            "thief": None if thief is None else {"let_in": thief.let_in},
            "lost_key": stand.lost_key is not None and not stand.rebound,
            "clock": None if stand.clock is None else stand.clock.shown(),
            "told_ms": told,
            "measured": guest.measured.get(player.exhibit.name, []),
            "timeline": stand.timeline(),
            "outage": taking.shown(guest, player.exhibit.name),
        }

    def _leave_for_good(self, guest: Guest | None, player: Player, target: str) -> AnyResponse:
        query = {"client_id": player.op.client_id}
        query["post_logout_redirect_uri"] = f"{self._me.url}{target}"
        address = player.op["end_session_endpoint"]
        if guest is not None:
            self._watch_all(guest)
            stand = self._stand(guest, player)
            if stand.visit.id_token is not None:
                query["id_token_hint"] = stand.visit.id_token
            words = N_("You click “sign out”: your browser goes to the provider")
            stand.say("you", words, method="GET", url=address)
            player.visits.end(stand.visit, "you")
        return redirect(f"{address}?{urlencode(query)}", 303)

    def _watch_all(self, guest: Guest) -> None:
        """Whatever is signed in in this browser is about to end: start the clocks."""
        for name, stand in list(guest.stands.items()):
            if stand.visit.user is not None:
                watch(guest, stand, self._players[name])

    def _arrived(self, guest: Guest | None, name: str) -> None:
        """The browser is back from the provider: the sign-out is answered."""
        for stand in (guest.stands if guest is not None else {}).values():
            if stand.clock is not None and stand.clock.answered is None:
                if stand.visit.user is None:
                    stand.clock.answered = time.time()

    def _player(self, name: str) -> Player:
        if name not in self._players:
            abort(404)
        return self._players[name]

    def _stand(self, guest: Guest, player: Player) -> Stand:
        stand = guest.stands.get(player.exhibit.name)
        if stand is None or player.visits.find(stand.visit.id) is None:
            stand = guest.stands[player.exhibit.name] = player.new_stand()
        return stand

    def _guest(self) -> Guest | None:
        return self._guests.find(request.cookies.get(COOKIE))

    def _must_be_ours(self) -> None:
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)

    def _with_cookie(self, response: AnyResponse, guest: Guest) -> AnyResponse:
        secure = self._me.url.startswith("https://")
        response.set_cookie(
            COOKIE, guest.id, httponly=True, secure=secure, samesite="Lax", path="/lab"
        )
        return response


def _passes(stand: Stand, player: Player) -> list[dict[str, Any]]:
    """The tokens the app holds, shortened and taken apart."""
    tokens = stand.visit.tokens
    held = [(N_("Pass (access token)"), tokens.get("access_token"))]
    held += [(N_("Pass for the other door"), token) for token in stand.others]
    held += [(N_("Renewal key (refresh token)"), tokens.get("refresh_token"))]
    held += [(N_("Who you are (ID token)"), tokens.get("id_token"))]
    return [
        {"name": gettext(name), "short": f"{token[:8]}…{token[-5:]}", "decoded": decoded(token)}
        for name, token in held
        if token
    ]
