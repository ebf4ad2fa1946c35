"""A guard in an application server: made by the parent, used by its children."""

import subprocess
import sys
import threading
from pathlib import Path

from tests.support.issuer import Issuer, call, wait_until
from tests.support.spec import spec

ROOT = Path(__file__).parents[2]

FORKS = """
import os
from tests.support.issuer import Issuer, Time, call, wait_until

issuer = Issuer(Time())
guard = issuer.guard()
token = issuer.token()
call(guard, token)
wait_until(lambda: guard.health()["fresh"])
held = guard._judge.replica
child = os.fork()
if child == 0:
    assert not guard.health()["fresh"] or guard._judge.replica is not held
    call(guard, token)
    wait_until(lambda: guard.health()["fresh"])
    names = {poll["guard"] for poll in issuer.polls}
    os._exit(0 if len(names) == 2 else 1)
_, status = os.waitpid(child, 0)
assert guard.health()["fresh"]
guard.close()
print(os.waitstatus_to_exitcode(status))
"""


@spec("P5")
def test_a_child_process_follows_the_feed_by_itself() -> None:
    """Servers fork after they have imported; threads and connections stay with the parent."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_guard_starts_nothing_before_it_is_used_and_leaves_nothing_behind(
    issuer: Issuer,
) -> None:
    def followers() -> int:
        return sum(thread.name == "idp-feed" for thread in threading.enumerate())

    before = followers()
    guard = issuer.guard()
    assert followers() == before

    call(guard, issuer.token())
    wait_until(lambda: guard.health()["fresh"])
    assert followers() == before + 1

    guard.close()
    assert followers() == before
    guard.close()


def test_a_guard_that_was_closed_can_be_used_again(issuer: Issuer) -> None:
    guard = issuer.guard()
    call(guard, issuer.token())
    guard.close()

    assert call(guard, issuer.token()).sub == "ann"
    guard.close()
