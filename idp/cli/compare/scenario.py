"""One policy through the scenario: sign in, call, change a role, refresh, steal, sign out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

from idp.cli.compare.calls import OK, ApiProcess, Holder, Strayed, Watch
from idp.cli.compare.figures import MS, Cost, Row, SignOut, Spread, Thief
from idp.cli.compare.key import DeviceKey
from idp.cli.compare.people import App, Browser, Given
from idp.cli.compare.provider import Running, resource_of
from idp.cli.compare.relay import Relay
from idp.cli.compare.state import grown, remembered
from idp.policies import Asks, Ends, Policy, PolicySet

PARTNER = "jti_denylist"
SHORT_LIFETIME = 5
MARGIN = 5.0
MOMENT = 0.5
READY_WITHIN = 30.0
LOOT_WITHIN = 1.0


@dataclass
class Stage:
    """One policy, ready to be measured: an app, its API, and the provider of both."""

    provider: Running
    relay: Relay | None
    row: Row
    policies: PolicySet
    app: App
    api: ApiProcess
    resource: str

    def holder(self, given: Given) -> Holder:
        """The app with its access token."""
        return Holder(given.access, self.app.key)

    def must_pass(self, holder: Holder) -> None:
        """A call that has to be let through; else the figures would be about something else."""
        status = self.api.call(holder)
        if status != OK:
            raise Strayed(f"{self.row.policy}: a good token was answered {status}")


def prepare(provider: Running, policy: Policy, max_silence: float, relay: Relay | None) -> Stage:
    """An API whose tokens follow this policy, and an app whose refresh line does. A policy that
    says nothing of the end of a token is shown beside one that does.
    """
    partner = PARTNER if policy.ends is Ends.PARTNER else None
    named = ([policy.name] if policy.for_access else []) + ([partner] if partner else [])
    together = PolicySet.for_resource(named)
    lifetime = SHORT_LIFETIME if together.ends is Ends.AT_EXPIRY else None
    resource = resource_of(policy.name)
    provider.set_api(resource, together.names, lifetime)
    lines = (policy.name,) if policy.for_lines else ()
    app = provider.add_client(f"App of {policy.name}", resource, lines)
    app.key = DeviceKey() if together.binds else None
    client_id, secret = provider.add_guard(resource)
    api = ApiProcess.start(
        {
            "issuer": provider.issuer,
            "audience": resource,
            "client_id": client_id,
            "client_secret": secret,
            "redis_url": relay.url if relay is not None else None,
            "max_silence": max_silence,
            # A policy that asks nobody is measured as such: its API does not follow the feed.
            "freshness": "offline" if together.asks is Asks.NOTHING else "feed",
        }
    )
    row = Row(policy.name, partner, together.asks.name, together.ends.name, lifetime)
    return Stage(provider, relay, row, together, app, api, resource)


def wait_until_fresh(stage: Stage) -> None:
    """The guard has read the whole feed."""
    if not until(stage.api.is_fresh, READY_WITHIN):
        raise Strayed(f"{stage.row.policy}: the guard does not get the feed")


def play(stage: Stage, calls: int, rounds: int, redis_url: str) -> None:
    """Everything that needs no outage."""
    before = remembered(stage.provider, redis_url)
    given = Browser().sign_in(stage.app)
    cost, given = _costs(stage, given, calls)
    size, rows, in_redis = grown(before, remembered(stage.provider, redis_url))
    stage.row.cost = replace(cost, state_bytes=size, state_rows=rows, redis_bytes=in_redis)
    stage.row.role_change_ms = _role_change(stage, given)
    stage.row.thief = _thief(stage)
    stage.row.sign_out = _sign_outs(stage, rounds)


def _costs(stage: Stage, given: Given, calls: int) -> tuple[Cost, Given]:
    """N calls with one token; the first is not counted, it is the one that verifies."""
    holder = stage.holder(given)
    stage.must_pass(holder)
    stage.api.do("/counted")
    if stage.relay is not None:
        stage.relay.counted()
    took, began = [], time.perf_counter()
    for _ in range(calls):
        sent = time.perf_counter()
        stage.must_pass(holder)
        took.append(time.perf_counter() - sent)
    passed = time.perf_counter() - began
    seen = stage.api.do("/counted")
    store = stage.relay.counted() / calls if stage.relay is not None else None
    polls = seen["asked"].pop("/feed", 0)
    sent = time.perf_counter()
    renewed = stage.app.refresh(given.refresh)
    if not renewed.good:
        raise Strayed(f"{stage.row.policy}: the refresh was refused: {renewed.error}")
    cost = Cost(
        guard_cpu_us=round(median(seen["cpu"]), 1),
        guard_wall_us=round(median(seen["wall"]), 1),
        call_ms=round(median(took) * MS, 2),
        provider_calls=round(sum(seen["asked"].values()) / calls, 3),
        store_calls=None if store is None else round(store, 3),
        feed_per_second=round(polls / passed, 2),
        refresh_ms=round((time.perf_counter() - sent) * MS, 1),
        state_bytes=0,
        state_rows={},
        redis_bytes=None,
    )
    return cost, renewed


def _role_change(stage: Stage, given: Given) -> float | None:
    """Milliseconds until a new role counts, with the token that was out before; None if it
    does not count with that token.
    """
    holder = stage.holder(given)
    if stage.api.call(holder, "/edits") == OK:
        raise Strayed(f"{stage.row.policy}: a role that nobody has was there")
    stage.provider.set_roles(stage.resource, "editor")
    began = time.perf_counter()
    counts = until(lambda: stage.api.call(holder, "/edits") == OK, MOMENT)
    return round((time.perf_counter() - began) * MS, 2) if counts else None


def _thief(stage: Stage) -> Thief:
    """Two sign-ins, each of which is robbed once."""
    thief = stage.app.copied()
    given = Browser().sign_in(stage.app)
    access = _works_elsewhere(stage, given.access, thief)
    renewed = stage.app.refresh(given.refresh)
    old = thief.refresh(given.refresh)
    kept_after_old = stage.app.refresh(renewed.refresh).good

    browser = Browser()
    given = browser.sign_in(stage.app)
    loot = thief.refresh(given.refresh)
    kept_after_new = stage.app.refresh(given.refresh).good
    found = Thief(access, old.good, kept_after_old, loot.good, kept_after_new, None, None)
    if not loot.good:
        return found

    def is_over() -> bool:
        return not _works_elsewhere(stage, loot.access, thief)

    ended = until(is_over, LOOT_WITHIN)
    browser.sign_out(stage.app, given.identity)
    ended_by_sign_out = until(is_over, LOOT_WITHIN) and not thief.refresh(loot.refresh).good
    return replace(found, loot_ended=ended, loot_ended_by_sign_out=ended_by_sign_out)


def _works_elsewhere(stage: Stage, token: str, thief: App) -> bool:
    """As a bearer token, and with a proof of another key."""
    return OK in (stage.api.call(Holder(token, key)) for key in (None, thief.key))


def _sign_outs(stage: Stage, rounds: int) -> SignOut:
    """Sign in, call, sign out, and see when the API says no. What takes longer than a moment
    is watched while the next round begins.
    """
    longest = (stage.row.lifetime or 0) + MARGIN
    watches, refused = [], True
    for _ in range(rounds):
        browser = Browser()
        given = browser.sign_in(stage.app)
        stage.must_pass(stage.holder(given))
        watch = Watch(stage.api, stage.holder(given), longest)
        watch.begins()
        browser.sign_out(stage.app, given.identity)
        watch.answered()
        watch.result(within=MOMENT)
        refused = refused and not stage.app.copied().refresh(given.refresh).good
        refused = refused and not stage.app.refresh(given.refresh).good
        watches.append(watch)
    seen = [found for watch in watches if (found := watch.result()) is not None]
    ended = [found.seconds for found in seen if found.seconds is not None]
    if not ended:
        raise Strayed(f"{stage.row.policy}: the token was never refused")
    return SignOut(
        Spread.of(ended),
        sum(found.let_through for found in seen),
        len(seen) - len(ended),
        refused,
    )


def until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    ends = time.perf_counter() + seconds
    while not true():
        if time.perf_counter() > ends:
            return False
        time.sleep(0.001)
    return True
