"""The guard of one API: set up once, asked at every call, in every process of the application."""

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import httpx

from idp.crypto.dpop import ALGORITHMS, Nonces
from idp.crypto.interaction import HEADER as INTERACTION_ID
from idp.crypto.interaction import echoed
from idp.guard import metadata as resource_metadata
from idp.guard import needs
from idp.guard.access import Access
from idp.guard.certificates import Certificates
from idp.guard.config import MAX_SILENCE, Config, elapsed, origin_of
from idp.guard.judge import Judge
from idp.guard.metadata import ProtectedResource
from idp.guard.needs import Arrival, Freshness, Need
from idp.guard.refused import Challenges
from idp.guard.replay import Replay
from idp.guard.tokens import MOST_TOKENS
from idp.policies.model import Asks

MOST_NEEDS = 512


def wall_clock() -> datetime:
    """Now; an application may hand in another clock."""
    return datetime.now(UTC)


class Guard:
    """Judges the access tokens of one issuer for one API.

    `client_id` and `client_secret` are the API's own: with them it follows the feed and asks by
    introspection. Without them every route must say `freshness="offline"`: a token lives until
    it expires; or `freshness="status_list"`: until a list that is fetched now and then says that
    it was taken back. `origin` is where clients reach the API, for the addresses in their proofs;
    behind a proxy it is the public one. `dpop_nonces` is a secret of 32 bytes that all processes
    share; with it, each proof must carry a nonce. `certificates` says where the adapters find
    those of clients whose tokens are bound to one (RFC 8705).
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        redis_url: str | None = None,
        origin: str | None = None,
        max_silence: float = MAX_SILENCE,
        introspection_cache: float = 0.0,
        most_tokens: int = MOST_TOKENS,
        replay: Replay | None = None,
        dpop_nonces: bytes | None = None,
        certificates: Certificates | None = None,
        metadata: ProtectedResource | None = None,
        http: httpx.Client | None = None,
        clock: Callable[[], datetime] = wall_clock,
        ticks: Callable[[], float] = elapsed,
    ) -> None:
        if (client_id is None) is not (client_secret is None):
            raise TypeError("client_id and client_secret belong together")
        credentials = (client_id, client_secret) if client_id and client_secret else None
        self.certificates = certificates
        self._config = Config(
            issuer=issuer,
            audience=audience,
            credentials=credentials,
            origin=origin_of(audience) if origin is None else origin.rstrip("/"),
            redis_url=redis_url,
            max_silence=max_silence,
            introspection_cache=introspection_cache,
            most_tokens=most_tokens,
            replay=replay,
            nonces=Nonces(dpop_nonces) if dpop_nonces is not None else None,
            metadata=metadata,
            http=http,
            clock=clock,
            ticks=ticks,
        )
        address = resource_metadata.address_of(audience) if metadata is not None else None
        self._challenges = Challenges(audience, ALGORITHMS, address)
        self._judges: dict[int, Judge] = {}
        self._judge: Judge | None = None
        self._needs = lru_cache(maxsize=MOST_NEEDS)(self._need)

    @property
    def audience(self) -> str:
        return self._config.audience

    def need(
        self,
        *scopes: str,
        freshness: str = Freshness.FEED,
        roles: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        max_age: int | None = None,
        details: Iterable[str] = (),
    ) -> Need:
        """What a route asks for; raises TypeError or ValueError for what cannot be meant."""
        wanted = needs.need(
            scopes,
            freshness=freshness,
            roles=roles,
            acr_values=acr_values,
            max_age=max_age,
            details=details,
        )
        if self._config.credentials is None and wanted.asks > Asks.STATUS_LIST:
            raise ValueError(
                "without client_id and client_secret a route can only be offline or status_list"
            )
        return wanted

    def check(
        self,
        authorization: Sequence[str],
        scopes: Sequence[str],
        *,
        method: str,
        url: str,
        dpop: Sequence[str] = (),
        certificate: str | None = None,
        freshness: str = Freshness.FEED,
        roles: Sequence[str] = (),
        acr_values: Sequence[str] = (),
        max_age: int | None = None,
        details: Sequence[str] = (),
    ) -> Access:
        """Let a request through, or raise `Refused`.

        `authorization` and `dpop` hold every header of that name; `url` is the whole address,
        or its path and query; `certificate` is what the client has shown in its TLS handshake.
        """
        if isinstance(scopes, str):
            raise TypeError("scopes are several names, not one string")
        named = tuple(scopes), tuple(roles), tuple(acr_values), tuple(details)
        need = self._needs(named, freshness, max_age)
        return self.judge(need, Arrival(authorization, method, url, dpop, certificate))

    def judge(self, need: Need, arrival: Arrival, *, wait: bool = True) -> Access:
        """The same, for a need that was made beforehand. Without `wait` it raises `WouldWait`
        where the answer would have to come over the network.
        """
        return self._here().judge(need, arrival, wait=wait)

    def headers(
        self, access: Access, *, debug: bool = False, interaction_id: str | None = None
    ) -> list[tuple[str, str]]:
        """What the answer to a request that was let through should carry.

        A fresh nonce for the next proof; the request's own `x-fapi-interaction-id`; with
        `debug` who vouched for the token, and how old our knowledge of what ended is.
        """
        found = []
        if echoed(interaction_id) is not None:
            found.append((INTERACTION_ID, str(interaction_id)))
        if access.dpop_nonce is not None:
            found.append(("DPoP-Nonce", access.dpop_nonce))
        if debug:
            age = self.staleness if access.staleness is None else access.staleness
            said = f"{access.asked.name.lower()}; staleness={age:.3f}"
            found.append(("Guard-Freshness", said))
        return found

    def start(self) -> None:
        """Follow the feed from now on; the first request would start it, too."""
        self._here()

    def close(self) -> None:
        """End the threads and connections of this process."""
        judge, self._judge = self._judge, None
        self._judges.clear()
        if judge is not None and judge.pid == os.getpid():
            judge.close()

    @property
    def staleness(self) -> float:
        """How old our knowledge of what ended is at most, in seconds; infinite without any."""
        return self._here().replica.staleness

    def health(self) -> dict[str, Any]:
        """How the guard of this process is doing; receipts call it by this `name`."""
        judge = self._here()
        replica, follower = judge.replica, judge.follower
        return {
            "name": follower.name if follower is not None else None,
            "fresh": replica.fresh,
            "staleness": replica.staleness,
            "max_silence": self._config.max_silence,
            "epoch": replica.epoch,
            "seq": replica.seq,
            "ended": len(replica),
            "policies": list(judge.policies),
            "trouble": follower.trouble if follower is not None else None,
            "keys_age": judge.keys.age,
            "tokens": len(judge.tokens),
            "status_lists": len(judge.status_lists),
            "introspections": judge.introspection.asked,
            "breaker_open": judge.introspection.breaker.open,
        }

    def describe(self) -> dict[str, object]:
        """The metadata of the API (RFC 9728 section 2)."""
        about = self._config.metadata or ProtectedResource()
        said = resource_metadata.document(self._config.issuer, self.audience, about)
        bound = {"tls_client_certificate_bound_access_tokens": True}
        return said | bound if self.certificates is not None else said

    @property
    def metadata_path(self) -> str | None:
        """Where the metadata is to be served; None when the API has none."""
        if self._config.metadata is None:
            return None
        return resource_metadata.path_of(self.audience)

    def _here(self) -> Judge:
        """The judge of this process. After a fork no lock of the parent may be touched."""
        judge = self._judge
        if judge is None or judge.pid != os.getpid():
            fresh = Judge(self._config, self._challenges)
            judge = self._judges.setdefault(fresh.pid, fresh)
            self._judge = judge
        if not judge.started:
            judge.start()
        return judge

    def _need(
        self, named: tuple[tuple[str, ...], ...], freshness: str, max_age: int | None
    ) -> Need:
        scopes, roles, acr_values, details = named
        return self.need(
            *scopes,
            freshness=freshness,
            roles=roles,
            acr_values=acr_values,
            max_age=max_age,
            details=details,
        )
