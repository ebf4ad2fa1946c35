"""What becomes of the APIs when the feed is silent, their store is gone, the provider hangs.

All of them are watched at once: an outage does not come one by one.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

from idp.cli.compare.calls import OK, Holder
from idp.cli.compare.figures import Outage
from idp.cli.compare.people import Browser
from idp.cli.compare.relay import Relay
from idp.cli.compare.scenario import Stage, until

LONGER = 2.0
PAUSE = 0.05
BACK_WITHIN = 15.0
LIFETIME = 300

Called = tuple[Stage, Holder]


def play(stages: Sequence[Stage], relay: Relay | None, max_silence: float) -> None:
    """Each outage, and the time after it. The tokens live longer than all of it."""
    for stage in stages:
        stage.provider.set_api(stage.resource, stage.policies.names, LIFETIME)
    called = [(stage, stage.holder(Browser().sign_in(stage.app))) for stage in stages]
    watched = max_silence + LONGER
    for stage, seen in _suffer(called, _feed_silent(stages), watched):
        stage.row.feed_silent = seen
    if relay is not None:
        for stage, seen in _suffer(called, _store_down(relay), watched):
            stage.row.store_down = seen
    for stage, seen in _suffer(called, stages[0].provider.stopped(), watched):
        stage.row.provider_down = seen


def _suffer(
    called: Sequence[Called], outage: AbstractContextManager[None], watched: float
) -> Iterator[tuple[Stage, Outage]]:
    """All go through the outage; what each API did."""
    for stage, holder in called:
        until(stage.api.is_fresh, BACK_WITHIN)
        stage.must_pass(holder)
    with ThreadPoolExecutor(len(called)) as pool:
        with outage:
            seen = list(pool.map(lambda one: _watch(one, watched), called))
        back = list(pool.map(_is_back, called))
    for (stage, _), (went_on, then), again in zip(called, seen, back, strict=True):
        yield stage, Outage(went_on, then, watched, again)


def _watch(one: Called, watched: float) -> tuple[float | None, int]:
    """When the first call was refused, and how; None if none was."""
    stage, holder = one
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < watched:
        status = stage.api.call(holder)
        if status != OK:
            return round(passed, 2), status
        time.sleep(PAUSE)
    return None, OK


def _is_back(one: Called) -> bool:
    stage, holder = one
    return until(lambda: stage.api.call(holder) == OK, BACK_WITHIN)


@contextmanager
def _feed_silent(stages: Sequence[Stage]) -> Iterator[None]:
    """The guards hear nothing of the feed; the provider answers questions."""
    for stage in stages:
        stage.api.do("/feed/off")
    try:
        yield
    finally:
        for stage in stages:
            stage.api.do("/feed/on")


@contextmanager
def _store_down(relay: Relay) -> Iterator[None]:
    """No guard reaches its Redis."""
    relay.is_cut = True
    try:
        yield
    finally:
        relay.is_cut = False
