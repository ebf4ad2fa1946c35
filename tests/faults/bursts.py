"""Contention bursts: 32 racers in 4 processes try one code or one refresh token at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from idp.store import db
from tests.faults.tally import SHOWN, bound
from tests.support.race import Race, at_real_time
from tests.support.services import start_postgres
from tests.support.world import Browser, Rp, World, make_world

SECRET = "a secret that is only good for tests, and long"
REFUSED, GIVEN = 400, 200

Burst = Callable[[World, Race, Rp, Browser], str | None]


@contextmanager
def racing(folder: Path, url: str) -> Iterator[tuple[World, Race]]:
    """A provider in four processes, and in this one."""
    world = make_world(folder, url)
    environ = {
        "IDP_DATA_DIR": str(folder),
        "IDP_ISSUER": "https://op.test",
        "IDP_SECRET": SECRET,
        **({"IDP_DATABASE_URL": url} if url else {}),
    }
    race = Race(environ)
    try:
        yield world, race
    finally:
        race.end()
        with world.app.app_context():
            db.session.remove()
            db.engine.dispose()


def refresh_token(world: World, race: Race, rp: Rp, browser: Browser) -> str | None:
    """One refresh token, used by all; what was wrong."""
    token = browser.tokens(rp)["refresh_token"]
    answers = race.run("/token", {"grant_type": "refresh_token", "refresh_token": token}, rp)
    statuses = [status for status, _, _ in answers]
    if statuses.count(GIVEN) > 1 or not set(statuses) <= {GIVEN, REFUSED}:
        return f"a refresh token: {statuses}"
    return None


def code(world: World, race: Race, rp: Rp, browser: Browser) -> str | None:
    """One code, redeemed by all: one wins, and the race ends what it has won; what was wrong."""
    form = {
        "grant_type": "authorization_code",
        "code": browser.code(rp),
        "redirect_uri": rp.redirect_uri,
        "code_verifier": browser.verifier,
    }
    answers = race.run("/token", form, rp)
    winners = [refresh for status, refresh, _ in answers if status == GIVEN]
    statuses = {status for status, _, _ in answers}
    if len(winners) != 1 or not statuses <= {GIVEN, REFUSED}:
        return f"a code: {answers}"
    over = (rp.refresh(winners[0]).json or {}).get("error") == "invalid_grant"
    return None if over else "a code that came back left a line alive"


def run(world: World, race: Race, count: int, *kinds: Burst) -> list[str]:
    """So many bursts, of these kinds in turn; everything that was wrong."""
    world.person()
    rp, browser = world.rp(), world.browser()
    at_real_time(world)
    browser.sign_in()
    wrong = []
    for number in range(count):
        at_real_time(world)
        found = kinds[number % len(kinds)](world, race, rp, browser)
        if found is not None:
            wrong.append(found)
    return wrong


def many(store: str, folder: Path, count: int) -> tuple[int, str]:
    """So many on a store: how many were wrong, and the figures."""
    server = start_postgres() if store == "postgresql" else None
    try:
        with racing(folder, server.fresh() if server is not None else "") as (world, race):
            wrong = run(world, race, count, refresh_token, code)
    finally:
        if server is not None:
            server.stop()
    said = f"contention bursts   {count:>8}   {len(wrong)} wrong; {bound(len(wrong), count)}"
    return len(wrong), "\n".join([said, *wrong[:SHOWN]])
