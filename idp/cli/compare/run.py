"""One whole comparison: a place, a provider, ten APIs, and what was measured."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from idp.cli.compare import outage, scenario
from idp.cli.compare.figures import Comparison
from idp.cli.compare.place import cores, place
from idp.cli.compare.provider import free_port, running
from idp.cli.compare.relay import Relay
from idp.guard.guard import wall_clock
from idp.policies import Policy
from idp.settings import Settings

Say = Callable[[str], None]


def compare(
    settings: Settings,
    policies: Sequence[Policy],
    *,
    calls: int,
    rounds: int,
    say: Say,
    config: Path | None = None,
) -> Comparison:
    """Measure each of these policies; raises what goes wrong."""
    began = time.perf_counter()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idp-compare-")))
        here = stack.enter_context(place(settings, folder))
        found = Comparison(
            at=wall_clock().date().isoformat(),
            cores=cores(),
            database=here.database,
            redis=bool(here.redis_url),
            calls=calls,
            rounds=rounds,
            max_silence=settings.feed.max_silence,
        )
        port, base = free_port(), dict(os.environ)
        if config is not None:
            base["IDP_CONFIG"] = str(config.absolute())
        say(f"provider on {here.database}, port {port}, data thrown away at the end")
        provider = stack.enter_context(running(here.environ(base, port), port))
        relay = stack.enter_context(Relay(here.redis_url)) if here.redis_url else None
        stages = []
        for policy in policies:
            stage = scenario.prepare(provider, policy, found.max_silence, relay)
            stack.callback(stage.api.stop)
            stages.append(stage)
            found.rows.append(stage.row)
        for stage in stages:
            scenario.wait_until_fresh(stage)
            scenario.play(stage, calls, rounds, here.redis_url)
            say(f"{stage.row.policy}: measured")
        say("outages: the feed, the store, the provider")
        outage.play(stages, relay, found.max_silence)
    found.seconds = round(time.perf_counter() - began, 1)
    return found
