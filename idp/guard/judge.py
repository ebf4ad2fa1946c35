"""One process's part of a guard: reads a token, asks whether it is alive, judges it.

Everything that must not be shared with a child process is in here: connections, threads,
locks. A child has a judge of its own.
"""

import os
import re
import threading
from dataclasses import replace
from datetime import datetime

from idp.crypto import jose
from idp.crypto.dpop import Proof
from idp.crypto.secrets import new_id
from idp.crypto.status_list import reference_in
from idp.guard.access import Access, has_details, signed_in_well
from idp.guard.config import Config
from idp.guard.endings import Ended
from idp.guard.https import MOST_BYTES, Follower
from idp.guard.introspection import Answer, Introspection
from idp.guard.jwks import IssuerKeys, WouldWait
from idp.guard.live import A_STATUS_LIST, NOBODY, Asked, Listed, Liveness
from idp.guard.needs import Arrival, Need
from idp.guard.proofs import Proofs
from idp.guard.refused import Challenges
from idp.guard.replay import InMemory, Replay
from idp.guard.replica import Replica
from idp.guard.seen import Rules, Seen, strings
from idp.guard.status_lists import LONGEST_TOKEN, StatusLists
from idp.guard.tokens import COMPACT, Tokens, name_of
from idp.guard.wire import Unanswered, Wire
from idp.policies import PolicySet, UnknownPolicy
from idp.policies.model import Asks, Presented

LONGEST_POLL = 1.0
KEY_PATIENCE = 2.0  # keys are seldom fetched, and nothing goes without them
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_SCHEMES = {"bearer": False, "dpop": True}


class Judge:
    """Judges the requests of one process."""

    def __init__(self, config: Config, challenges: Challenges) -> None:
        self.pid = os.getpid()
        self.started = False
        self._config = config
        self._challenges = challenges
        self._bare = Presented(resource=config.audience)
        self._starting = threading.Lock()
        ticks, able = config.ticks, config.credentials is not None
        calls = Wire(config.http, config.credentials)
        keys = Wire(config.http, patience=KEY_PATIENCE)
        lists = Wire(config.http, patience=KEY_PATIENCE, most_bytes=LONGEST_TOKEN)
        self._wires = [calls, keys, lists]
        self.keys = IssuerKeys(config.issuer, keys, ticks)
        self.replica = Replica(lambda: config.clock().timestamp(), ticks)
        self.introspection = Introspection(self.keys, calls, ticks, able=able)
        self.tokens = Tokens(self.keys, config.issuer, config.audience, config.most_tokens, ticks)
        replay, listed = _shared(config) if config.redis_url else (InMemory(), None)
        self.proofs = Proofs(config.replay or replay, config.nonces, config.origin, challenges)
        self.status_lists = StatusLists(config.issuer, self.keys, lists, config.clock, ticks)
        self.follower = self._new_follower() if able else None
        asked = (self.tokens, self.replica, listed, self.introspection)
        self._live = Liveness(*asked, ticks, config.introspection_cache)

    def start(self) -> None:
        """Follow the feed from now on; lazily, because servers fork after they have imported."""
        with self._starting:
            if not self.started and self.follower is not None:
                self.follower.start()
            self.started = True

    def close(self) -> None:
        """End what was started."""
        if self.follower is not None:
            self.follower.close()
        for wire in self._wires:
            wire.close()

    def judge(self, need: Need, arrival: Arrival, *, wait: bool = True) -> Access:
        """Let a request through, or raise `Refused`; without `wait`, perhaps `WouldWait`.

        First everything that can refuse, then the one thing that works once: its proof.
        """
        now = self._config.clock()
        bound, token = self._credentials(arrival)
        try:
            seen, told = self._read(token, need, now.timestamp(), wait=wait)
            proof = self.proofs.judge(seen, token, bound=bound, arrival=arrival, now=now)
            rules = seen.under(self.policies)
            asked = self._asked(token, seen, need, rules, told, wait=wait)
            access = self._allowed(seen, need, rules, asked, proof, now)
            if proof is not None:
                self._spend(proof, now, wait=wait)
        except Unanswered:
            raise self._challenges.unknown() from None
        except (Ended, jose.Unverifiable, UnknownPolicy):
            raise self._challenges.invalid(bound=bound) from None
        return access

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies of this API now, as far as the feed has told."""
        return self.follower.policies if self.follower is not None else ()

    def _new_follower(self) -> Follower:
        config = self._config
        patience = min(LONGEST_POLL, config.max_silence / 3) + LONGEST_POLL
        wire = Wire(config.http, config.credentials, patience=patience, most_bytes=MOST_BYTES)
        self._wires.append(wire)
        url, name, ticks = f"{config.issuer}/feed", new_id(), config.ticks
        given = (wire, url, name, config.audience, self.replica, ticks, config.max_silence)
        if config.redis_url is None:
            return Follower(*given)
        from idp.guard.redis import RedisFollower  # noqa: PLC0415 - redis is an extra

        return RedisFollower(config.redis_url, *given)

    def _credentials(self, arrival: Arrival) -> tuple[bool, str]:
        """Whether it came as a bound token, and the token. One way, and only one (RFC 6750)."""
        values = arrival.authorization
        if len(values) > 1 or ("access_token=" in arrival.url and _in_query(arrival.url)):
            raise self._challenges.bad_request()
        scheme, _, token = (values[0] if values else "").partition(" ")
        bound, token = _SCHEMES.get(scheme.lower()), token.strip(" ")
        if bound is None or not token:
            raise self._challenges.missing(bound="device_bound" in self.policies)
        if len(token) > jose.LONGEST_TOKEN:
            raise self._challenges.invalid(bound=bound)
        if not token.isascii():
            raise self._challenges.bad_request()
        return bound, token

    def _asked(
        self, token: str, seen: Seen, need: Need, rules: Rules, told: Answer | None, *, wait: bool
    ) -> Asked:
        """Who says that it is alive: whom the route and the policies want to be asked."""
        asks = need.asks
        if asks is Asks.NOTHING:
            return NOBODY
        if asks is Asks.STATUS_LIST:
            return self._looked_up(seen, wait=wait)
        asks = rules.asks if rules.asks > asks else asks
        return self._live.ask(token, seen, asks, state=rules.roles, wait=wait, told=told)

    def _looked_up(self, seen: Seen, *, wait: bool) -> Asked:
        """What a status list says; a token that stands in none cannot be judged by one."""
        reference = reference_in(seen.claims)
        if reference is None:
            raise jose.Unverifiable("the token stands in no status list")
        age = self.status_lists.valid(reference, wait=wait)
        if age is None:
            raise Ended
        return replace(A_STATUS_LIST, age=age)

    def _read(
        self, token: str, need: Need, now: float, *, wait: bool
    ) -> tuple[Seen, Answer | None]:
        """From memory, by its signature, or, for a handle, by asking what it stands for."""
        name = name_of(token)
        seen = self.tokens.find(name, now, wait=wait)
        if seen is not None and (seen.held is not None or self._live.kept(seen)):
            return seen, None
        if token.count(".") == COMPACT:
            return self.tokens.read(name, token, now, wait=wait), None
        if need.asks <= Asks.STATUS_LIST:
            raise jose.Unverifiable("a handle says nothing to who asks nobody")
        if _TOKEN.fullmatch(token) is None:
            raise self._challenges.bad_request()
        told = self._live.inquire(name, token, known=seen is not None, wait=wait)
        seen = self.tokens.take_apart(name, told.said, now)
        seen.told = told
        self.tokens.keep(seen)
        return seen, told

    def _allowed(
        self,
        seen: Seen,
        need: Need,
        rules: Rules,
        asked: Asked,
        proof: Proof | None,
        now: datetime,
    ) -> Access:
        """Judge what is known by the policies, and by what the route needs."""
        told, bound = asked.told, proof is not None
        if told is not None and asked.asked is Asks.PROVIDER:
            rules = rules.and_also(told.policies)
        if rules.judging and not self._admitted(rules.judging, seen, proof, asked):
            raise self._challenges.invalid(bound=bound or rules.policies.binds)
        said, scopes, roles = seen.claims, seen.scopes, seen.roles
        if rules.roles and told is not None:
            said, roles = {**told.said, **said}, strings(told.said.get("roles"))
            scopes = scopes or frozenset(str(said.get("scope", "")).split())
        if not (need.scopes <= scopes and need.roles <= roles):
            raise self._challenges.insufficient(need, bound=bound)
        if need.details and not has_details(said, need):
            raise self._challenges.insufficient(need, bound=bound)
        if need.steps_up and not signed_in_well(said, need, now):
            raise self._challenges.step_up(need, bound=bound)
        nonce = self.proofs.fresh_nonce(now) if bound else None
        return Access(said, scopes, roles, asked.asked, nonce, asked.age)

    def _admitted(self, policies: PolicySet, seen: Seen, proof: Proof | None, asked: Asked) -> bool:
        """Whether no policy refuses it."""
        presented = self._bare
        if proof is not None or seen.bound.x5t is not None:
            presented = Presented(
                resource=self._config.audience,
                proven_jkt=proof.jkt if proof is not None else None,
                proven_x5t=seen.bound.x5t,
            )
        return policies.check(seen.facts, presented, asked) is None

    def _spend(self, proof: Proof, now: datetime, *, wait: bool) -> None:
        if self.proofs.replay.waits and not wait:
            raise WouldWait
        self.proofs.spend(proof, now)


def _in_query(url: str) -> bool:
    """Whether it came in the address, and not only under a path that is called so."""
    return "access_token=" in url.partition("?")[2]


def _shared(config: Config) -> tuple[Replay, Listed]:
    """What all processes of the API share through Redis."""
    from idp.guard.shared import SharedList, SharedReplay, connect  # noqa: PLC0415 - an extra

    client = connect(str(config.redis_url))
    return SharedReplay(client, config.audience), SharedList(client, config.ticks)
