"""A process that rotates keys until it is killed: `python -m tests.outages.rotating`.

It reads a job as a line of JSON: the environment, and how far its clock is ahead each time.
"""

import json
import sys
from datetime import timedelta

from idp.app import create_app, wall_clock
from idp.settings import load
from idp.store import db


def main() -> None:
    """Rotate one algorithm again and again; say each time that it was done."""
    job = json.loads(sys.stdin.readline())
    app = create_app(load(environ=job["environ"]))
    keys, ahead = app.extensions["idp"].keys, timedelta(seconds=job["from"])
    with app.app_context():
        for turn in range(job["times"]):
            now = wall_clock() + ahead
            keys.rotate(job["alg"], now)
            db.session.commit()
            keys.ensure(now)
            db.session.commit()
            ahead += timedelta(minutes=4)
            print(turn, int(ahead.total_seconds()), flush=True)


if __name__ == "__main__":
    main()
