"""Keys are rotated, and who rotates them is killed in the middle of it: there is always one key
that signs, and whatever was signed is verified.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from idp.crypto import jose
from idp.crypto.jose import OUR_ALGORITHMS
from idp.domain.tokens import Order
from idp.policies import PolicySet
from idp.store import db
from tests.outages.running import ROOT, environ_of
from tests.support.race import at_real_time
from tests.support.spec import spec
from tests.support.world import World, make_world

ISSUER = "http://localhost:9998"
KILLS = 4


class Signing:
    """Somebody who mints and verifies all the time, as far ahead as the rotation is."""

    def __init__(self, world: World) -> None:
        self._world, self.failures, self.count = world, list[str](), 0
        self.signers: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        world, order = (
            self._world,
            Order(
                claims={"sub": "x", "client_id": "c"}, audiences=(ISSUER,), policies=PolicySet(())
            ),
        )
        while not self._over.is_set():
            now = world.clock.now
            with world.app.app_context():
                token = world.op.tokens.mint_access(order, now).value
                seen = world.op.tokens.read_access(token, now)
                keys = world.op.keys.verification_keys(now)
            self.count += 1
            self.signers.add(str(jose.header_of(token)["kid"]))
            if seen is None or not keys:
                self.failures.append(token)


def rotates_until_killed(world: World, ahead: int, turns: int, pause: float) -> int:
    """Another process rotates so many times, and is killed a moment later."""
    environ = environ_of(Path(world.app.extensions["idp.settings"].data_dir), ISSUER)
    job = {"environ": environ, "from": ahead, "times": 50, "alg": "ES256"}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.outages.rotating"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as rotating:
        assert rotating.stdin is not None
        assert rotating.stdout is not None
        rotating.stdin.write(json.dumps(job) + "\n")
        rotating.stdin.flush()
        for _ in range(turns):
            ahead = int(rotating.stdout.readline().split()[1])
            world.clock.advance(minutes=4)
        time.sleep(pause)
        os.kill(rotating.pid, signal.SIGKILL)
        rotating.wait(10)
    return ahead


def current(world: World) -> Counter[str]:
    """How many keys sign, by algorithm, after a worker has passed."""
    with world.app.app_context():
        world.op.keys.ensure(world.clock.now)
        db.session.commit()
        rows = world.op.keys.list(world.clock.now)
        return Counter(row.alg for row in rows if row.state == "current")


@pytest.mark.slow
@pytest.mark.timeout(120)
@spec("F-10", "KEY-01", "KEY-03")
def test_who_rotates_is_killed_in_the_middle_and_every_token_verifies(tmp_path: Path) -> None:
    world = make_world(tmp_path, IDP_ISSUER=ISSUER)
    at_real_time(world)
    ahead, chance = 0, random.Random(1)
    signing = Signing(world)

    found = []
    for _ in range(KILLS):
        turns, pause = chance.randint(3, 9), chance.uniform(0, 0.02)
        ahead = rotates_until_killed(world, ahead, turns, pause)
        found.append(current(world))
    signing.end()

    print(f"{ahead // 240} turns, {len(signing.signers)} keys, {signing.count} tokens")
    assert found == [dict.fromkeys(OUR_ALGORITHMS, 1)] * KILLS
    assert signing.failures == []
    assert signing.count > 50
    assert len(signing.signers) > 3
    with world.app.app_context():
        db.engine.dispose()
